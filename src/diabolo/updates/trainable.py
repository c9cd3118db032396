"""What can be trained: an `Autoencoder`, or anything else with the same few doors, such as a prior over its codes."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from diabolo.updates.loss import Loss
from diabolo.updates.player import Player


@runtime_checkable
class Trainable(Protocol):
    """A module and part with the loss of a batch.

    Attributes:
        name: what run folders are called by.
        input_shape: the shape of what it is trained on.
        needs_column: the column of `Images` that it is given as `y`; None for none.
        units: what each term of the loss is measured in, in the order of the terms; the first has weight 1.
        logged: the names in `Loss.logged`, in their order.
        device: where it lies.
        players: who moves which weights, by name; {"model": Player(tuple(self.parameters()))} for one who moves all.
        after_update: what follows each update, changing weights in place; None for nothing.
    """

    name: str
    needs_column: Any
    units: Any
    logged: Any

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of what it is trained on."""
        ...

    @property
    def device(self) -> torch.device:
        """Where it lies."""
        ...

    @property
    def players(self) -> Mapping[str, Player]:
        """Who moves which weights."""
        ...

    @property
    def after_update(self) -> Callable[[], None] | None:
        """What follows each update."""
        ...

    def loss(self, x: Tensor, draws: Any = None, progress: Any = 1.0, y: Tensor | None = None) -> Loss:
        """The loss of the batch `x` (N, *input_shape), float in [0, 1]."""
        ...

    def initialise(self, x: Any, y: Tensor | None = None, seed: int = 0) -> None:
        """Once before training: a look at some training images."""
        ...


def can_be_trained(model: Any) -> bool:
    """Whether `model` is a module with all of these."""
    return isinstance(model, nn.Module) and isinstance(model, Trainable)
