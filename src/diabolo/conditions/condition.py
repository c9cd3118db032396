"""What every condition is; and those on a class, on a part of the image, and on any vector per image."""

from abc import abstractmethod

import torch
from torch import Tensor, nn

from diabolo.data.unit import to_float
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.parts import part
from diabolo.ranges import Count, Plural

Given = tuple[tuple[Tensor, ...], tuple[Tensor, ...]]  # what the encoder gets beside x, what the decoder gets beside z


class Condition(nn.Module):
    """What the model is given besides x.

    Attributes:
        needs_column: which column of `Images` it needs: "labels", "attributes" or "factors"; None for nothing but x.
        to_encoder, to_decoder: features (per image) that each sees in addition; 0 for none.
        needs_unit_range: whether it reads the image itself, and needs numbers in [0, 1].
    """

    needs_column: str | None = None
    needs_unit_range = False
    to_encoder = 0
    to_decoder = 0

    @property
    def core(self) -> "Condition":
        """The condition itself, within what was put around it."""
        return self

    def pick(self, x: Tensor, y: Tensor | None) -> Tensor | None:
        """What `forward` is given, from the images `x` and what is known of them, `y`."""
        return y

    def check(self, y: Tensor) -> None:  # most of it fits all
        """Refuse, in one sentence, what is known of the images, `y` (N, …), where this condition cannot use it: before
        training, and when a trained model is given `y`."""

    @abstractmethod
    def forward(self, given: Tensor | None) -> Given:
        """For encoder and decoder each a tuple: of one tensor (N, features), or empty where it is given nothing."""

    def every(self, device: torch.device) -> Tensor | None:
        """All that it can be given, one entry each, where that can be counted (the classes); else None."""
        return None

    def default(self, n: int, device: torch.device) -> Tensor | None:
        """What `n` samples are conditioned on when nobody says: each of `every` in turn.

        Raises:
            DiaboloError: when it must be said.
        """
        every = self.every(device)
        if every is None:
            raise DiaboloError(
                f"samples of this model need to be given {self.needs_column or 'what to go on'}: give `y`"
            )
        return every[torch.arange(n, device=device) % len(every)]

    def blank(self, device: torch.device) -> Tensor | None:
        """One entry of the shape that `check` wants and of no meaning, or None where `pick` needs none; for the summary."""
        every = self.every(device)
        return None if every is None else every[:1]


@part
class Unconditional(Condition):
    """The model is given nothing but x.

    Example:
        >>> from diabolo.conditions import Unconditional
        >>> Unconditional().to_encoder, Unconditional().to_decoder
        (0, 0)
    """

    def forward(self, given: Tensor | None) -> Given:
        """Nothing for either."""
        return (), ()

    def default(self, n: int, device: torch.device) -> Tensor | None:
        """Nothing."""
        return None


def told(given: Tensor | None, what: str) -> Tensor:
    """`given`; refused when it is not there."""
    if given is None:
        raise DiaboloError(f"this model is conditioned on {what}: give them as `y`")
    return given


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


EDGE = 1e-3  # so far outside [0, 1] rounding may carry a float
CORNERS = ("lower-left", "lower-right", "upper-left", "upper-right")


@part
class Quarter(Condition):
    """A quarter of the image, for the decoder alone: the model learns to complete images (Sohn et al. 2015, NeurIPS: structured
    output). The encoder is given nothing, since it sees the whole image.

    Where samples are drawn or codes decoded, `y` are images (N, C, H, W), of which the quarter is used.

    Args:
        input_shape: (C, H, W).
        corner: "lower-left", "lower-right", "upper-left" or "upper-right"; H // 2 × W // 2 pixels of each channel.

    Example:
        >>> from diabolo.conditions import Quarter
        >>> condition = Quarter((1, 8, 8), corner="lower-left")
        >>> condition.to_encoder, condition.to_decoder  # 4×4 pixels, for the decoder alone
        (0, 16)
    """

    needs_unit_range = True

    def __init__(self, input_shape: tuple[int, ...], corner: str = "lower-left") -> None:
        super().__init__()
        if corner not in CORNERS:
            raise UnknownNameError("corner", corner, CORNERS)
        if len(input_shape) != 3 or min(input_shape[1:]) < 2:
            raise DiaboloError(f"a quarter is one of images (C, H, W) of 2×2 pixels or more, not {tuple(input_shape)}")
        self.input_shape = tuple(input_shape)
        channels, height, width = self.input_shape
        half, side = height // 2, width // 2
        self.rows = slice(0, half) if corner.startswith("upper") else slice(height - half, height)
        self.columns = slice(0, side) if corner.endswith("left") else slice(width - side, width)
        self.to_decoder = channels * half * side

    def pick(self, x: Tensor, y: Tensor | None) -> Tensor:
        """The images themselves."""
        return x

    def check(self, y: Tensor) -> None:
        """Refuse what are no images of the shape."""
        if y.shape[1:] != self.input_shape:
            raise DiaboloError(f"images (N, {', '.join(map(str, self.input_shape))}) are wanted, not {tuple(y.shape)}")
        if y.is_floating_point() and y.numel() and not (y >= -EDGE).logical_and(y <= 1 + EDGE).all():  # NaN too
            raise DiaboloError("the images to complete must be uint8, or float in [0, 1]")

    def forward(self, given: Tensor | None) -> Given:
        """Nothing for the encoder; for the decoder the quarter, flat (N, to_decoder), of images (N, C, H, W)."""
        images = told(given, "images to complete")
        images = to_float(images).float()
        return (), (images[:, :, self.rows, self.columns].flatten(1),)


COLUMNS = ("attributes", "factors")  # of `Images`


@part
class Vector(Condition):
    """Any numbers known of each image: its attributes (0 or 1 each) or its factors, for encoder and decoder.

    Args:
        reads: "attributes" or "factors".
        width: how many numbers, the columns of the data set.

    Example:
        >>> from diabolo.conditions import Vector
        >>> condition = Vector("attributes", width=40)
        >>> condition.to_encoder, condition.to_decoder
        (40, 40)
    """

    def __init__(self, reads: str, width: Count) -> None:
        super().__init__()
        if reads not in COLUMNS:
            raise UnknownNameError("kind of vector", reads, COLUMNS)
        self.needs_column = reads
        self.width = self.to_encoder = self.to_decoder = width

    def check(self, y: Tensor) -> None:
        """Refuse vectors of another length, or that hold NaN or infinity."""
        if y.ndim != 2 or y.shape[1] != self.width:
            raise DiaboloError(f"{self.needs_column} (N, {self.width}) are wanted, not {tuple(y.shape)}")
        if not y.isfinite().all():
            raise DiaboloError(f"the {self.needs_column} hold NaN or infinity")

    def forward(self, given: Tensor | None) -> Given:
        """The vectors (N, width) as they are."""
        vectors = told(given, str(self.needs_column)).float()
        return (vectors,), (vectors,)

    def blank(self, device: torch.device) -> Tensor:
        """Zeros."""
        return torch.zeros(1, self.width, device=device)
