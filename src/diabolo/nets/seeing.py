"""Encoders that see their input in another form than the likelihood does."""

from typing import Any

import torch
from torch import Tensor, nn

from diabolo.parts import part
from diabolo.ranges import Natural

CARRIED = ("features", "map_shape", "skip_features")  # what others read of an encoder


def carry(outer: Any, inner: Any) -> None:
    """Let `outer`, which stands around the encoder `inner`, say of itself what that says."""
    outer.input_shape = tuple(inner.input_shape)
    for name in CARRIED:
        if hasattr(inner, name):
            setattr(outer, name, getattr(inner, name))


@part
class SeesCounts(nn.Module):
    """log(1 + x) → the inner encoder's features: of counts, whose likelihood scores them as they are, while a network that saw
    them so would see little but the largest (Lopez et al. 2018, Nature Methods 15:1053, encode them so).

    Args:
        inner: the encoder.
        counted: which numbers of a vector are counts; None for all.

    Example:
        >>> encoder, _ = diabolo.nets.build("mlp", (3,), 2, hidden=(8,))
        >>> seeing = diabolo.nets.SeesCounts(encoder)
        >>> x = torch.tensor([[0.0, 1.0, 999.0]])
        >>> torch.equal(seeing(x), encoder(torch.log1p(x)))
        True
    """

    those: Tensor | None

    def __init__(self, inner: nn.Module, counted: tuple[Natural, ...] | None = None) -> None:
        super().__init__()
        self.inner, self.counted = inner, counted
        carry(self, inner)
        width: int = inner.input_shape[0]  # type: ignore[index, assignment]  # encoders carry it
        those = None if counted is None else torch.isin(torch.arange(width), torch.tensor(counted))
        self.register_buffer("those", those, persistent=False)

    def forward(self, x: Tensor, *c: Tensor) -> Tensor:
        """Features (N, features) of counts `x` (N, *input_shape), and of what the condition tells, if anything."""
        seen = torch.log1p(x.clamp(min=0))
        features: Tensor = self.inner(seen if self.those is None else torch.where(self.those, seen, x), *c)
        return features


@part
class SeesKnown(nn.Module):
    """x, of which some numbers are NaN → the inner encoder's features of x with 0 in their place, the mean of scaled numbers,
    and of a mask beside it that says which are known.

    Args:
        inner: the encoder, made for a condition that is longer by as many numbers as x has.

    Example:
        >>> encoder, _ = diabolo.nets.build("mlp", (3,), 2, (3, 0), hidden=(8,))
        >>> seeing = diabolo.nets.SeesKnown(encoder)
        >>> x = torch.tensor([[1.0, torch.nan, 2.0]])
        >>> torch.equal(seeing(x), encoder(torch.tensor([[1.0, 0.0, 2.0]]), torch.tensor([[1.0, 0.0, 1.0]])))
        True
    """

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner
        carry(self, inner)

    def forward(self, x: Tensor, *c: Tensor) -> Tensor:
        """Features (N, features) of `x` (N, *input_shape), and of what the condition tells, if anything."""
        known = ~x.isnan()
        told = torch.cat([*c, known.flatten(1).to(x.dtype)], 1)
        features: Tensor = self.inner(torch.where(known, x, 0.0), told)
        return features
