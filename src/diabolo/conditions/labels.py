"""Conditions on the class."""

import torch
from torch import Tensor, nn

from diabolo.conditions.condition import Condition, Given, told
from diabolo.errors import DiaboloError
from diabolo.parts import part
from diabolo.ranges import Count, Plural

UNKNOWN = -1  # the label of an image whose class is not known


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
        remedy = "see the option classes" if wrong >= classes else "-1 stands for one that is not known"
        raise DiaboloError(f"the label {wrong} is none of the {classes} classes 0 … {classes - 1}; {remedy}")


class _OfClasses(Condition):
    """A condition on the class."""

    needs_column = "labels"

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes

    def check(self, y: Tensor) -> None:
        """Refuse labels that are not known, or none of the classes."""
        check_labels(y, self.classes)

    def every(self, device: torch.device) -> Tensor:
        """Each class."""
        return torch.arange(self.classes, device=device)


@part
class Label(_OfClasses):
    """The class as a one-hot vector (Sohn et al. 2015, NeurIPS: conditional VAE).

    Example:
        >>> from diabolo.conditions import Label
        >>> condition = Label(classes=10)
        >>> condition.to_encoder, condition.to_decoder
        (10, 10)
    """

    def __init__(self, classes: Plural = 10) -> None:
        super().__init__(classes)
        self.to_encoder = self.to_decoder = classes

    def forward(self, given: Tensor | None) -> Given:
        """One-hot labels (N, classes) for encoder and decoder, of labels (N,)."""
        labels = told(given, "labels")
        one_hot = (labels[:, None] == self.every(labels.device)).float()
        return (one_hot,), (one_hot,)


@part
class Embedding(_OfClasses):
    """The class as a learned vector, the same for both sides: shorter than one-hot where classes are many, and classes that
    look alike may come to lie side by side (in conditional generators since Mirza & Osindero 2014, arXiv 1411.1784).

    Args:
        classes: how many.
        width: numbers in the vector of a class.

    Example:
        >>> from diabolo.conditions import Embedding
        >>> condition = Embedding(classes=100, width=16)
        >>> condition.to_encoder, condition.to_decoder
        (16, 16)
    """

    def __init__(self, classes: Plural = 10, width: Count = 16) -> None:
        super().__init__(classes)
        self.to_encoder = self.to_decoder = width
        self.vectors = nn.Embedding(classes, width)

    def forward(self, given: Tensor | None) -> Given:
        """The vectors (N, width) of labels (N,) for encoder and decoder; zeros for an unknown label."""
        labels = told(given, "labels")
        vectors = self.vectors(labels.clamp(min=0)) * (labels != UNKNOWN)[:, None]
        return (vectors,), (vectors,)
