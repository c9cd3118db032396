"""What the model is told besides x: a class, a part of the image, a vector. It joins what the encoder sees and the code."""

from abc import abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.parts import part

UNKNOWN = -1  # the label of an image whose class is not known
Given = tuple[tuple[Tensor, ...], tuple[Tensor, ...]]  # what the encoder gets beside x, what the decoder gets beside z


def check_labels(y: Tensor, classes: int) -> None:
    """Refuse labels `y` that are not one whole number per image from 0 to classes − 1.

    Raises:
        DiaboloError: which says how many are not known, or which is no class.
    """
    if y.ndim != 1 or y.is_floating_point():
        raise DiaboloError(f"labels are one whole number per image, not {y.dtype} of shape {tuple(y.shape)}")
    if unknown := int((y == UNKNOWN).sum()):
        raise DiaboloError(
            f"{unknown:,} of {len(y):,} labels are not known (-1), and this model needs all of them; leave those images out"
        )
    if len(y) and not 0 <= int(y.min()) <= int(y.max()) < classes:
        wrong = int(y.max()) if y.max() >= classes else int(y.min())
        raise DiaboloError(f"the label {wrong} is none of the {classes} classes 0 … {classes - 1}; see the option classes")


class Condition(nn.Module):
    """What the model is told besides x.

    Attributes:
        reads: which column of `Images` it needs: "labels", "attributes" or "factors"; None for nothing but x.
        to_encoder, to_decoder: features (per image) that each cone sees in addition; 0 for none.
    """

    reads: str | None = None
    to_encoder = 0
    to_decoder = 0

    def pick(self, x: Tensor, y: Tensor | None) -> Tensor | None:
        """What `forward` is given, from the images `x` and what is known of them, `y`."""
        return y

    def check(self, y: Tensor) -> None:  # most of it fits all
        """Refuse, in one sentence, what is known of the images, `y` (N, …), where this condition cannot use it: before training,
        and when a trained model is given `y`."""

    @abstractmethod
    def forward(self, given: Tensor | None) -> Given:
        """For each cone a tuple: of one tensor (N, features), or empty where that cone is told nothing."""

    def default(self, n: int, device: torch.device) -> Tensor | None:
        """What `n` samples are conditioned on when nobody says.

        Raises:
            DiaboloError: when it must be said.
        """
        raise DiaboloError(f"samples of this model need to be told {self.reads or 'what to go on'}: give `y`")


@part
class Unconditional(Condition):
    """The model is told nothing but x."""

    def forward(self, given: Tensor | None) -> Given:
        """Nothing for either."""
        return (), ()

    def default(self, n: int, device: torch.device) -> Tensor | None:
        """Nothing."""
        return None


@part
class Label(Condition):
    """The class as a one-hot vector (Sohn et al. 2015, NeurIPS: conditional VAE)."""

    reads = "labels"

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        if classes < 2:
            raise DiaboloError(f"a condition on labels needs at least 2 classes, not {classes}")
        self.classes = self.to_encoder = self.to_decoder = classes

    def check(self, y: Tensor) -> None:
        """Refuse labels that are not known, or none of the classes."""
        check_labels(y, self.classes)

    def forward(self, given: Tensor | None) -> Given:
        """One-hot labels (N, classes) for both cones."""
        if given is None:
            raise DiaboloError("this model is conditioned on labels: give them as `y`")
        one_hot = (given[:, None] == torch.arange(self.classes, device=given.device)).float()
        return (one_hot,), (one_hot,)

    def default(self, n: int, device: torch.device) -> Tensor:
        """Each class in turn."""
        return torch.arange(n, device=device) % self.classes


CONDITIONS: dict[str, Callable[[tuple[int, ...], int], Condition]] = {
    "none": lambda shape, classes: Unconditional(),
    "label": lambda shape, classes: Label(classes),
}


def as_condition(value: str | Condition | None, input_shape: tuple[int, ...], classes: int | None = None) -> Condition:
    """A condition by name, or as it is; none for None.

    Raises:
        UnknownNameError: for another name.
    """
    if isinstance(value, Condition):
        return value
    value = value or "none"
    if value not in CONDITIONS:
        raise UnknownNameError("condition", value, CONDITIONS)
    return CONDITIONS[value](tuple(input_shape), 10 if classes is None else classes)
