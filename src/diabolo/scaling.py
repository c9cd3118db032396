"""From the units of the data to those of the networks, and back: x → (x − shift) / scale.

A model owns its scaling: fitted on the training data before training, kept with the weights, undone by `decode`. Everything
between encoder and likelihood works on scaled numbers; everything that a user sees is in the units of the data.
"""

import math
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from diabolo.data.images import Images, chunks
from diabolo.data.unit import to_float
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.parts import part
from diabolo.ranges import Natural

Span = tuple[float, float]
UNIT: Span = (0.0, 1.0)
ANY: Span = (-math.inf, math.inf)
AFFINE = ("real", "unit", "standard", "robust")
SCALINGS = ("none", *AFFINE)
LOOKED_AT = 100_000  # examples, evenly spread, whose quantiles are taken
ENDS = 1_000_000  # numbers, of examples evenly spread, of which black and white are chosen
COARSE = 0.1  # of a standard deviation, for the steps of float32: they then add 0.1 % of the variance to an error
NORMAL = 1.3489795003921634  # interquartile range of N(0, 1)


class Scaling(nn.Module):
    """How numbers are scaled.

    Attributes:
        kind: its name, one of `SCALINGS`.
        reach: which numbers a user may give.
        support: in which range scaled numbers lie.

    Example:
        >>> isinstance(diabolo.scaling.Unscaled(), diabolo.scaling.Scaling), diabolo.scaling.Unscaled().support
        (True, (0.0, 1.0))
    """

    kind: str
    reach: Span
    support: Span

    def fit(self, images: Images) -> None:
        """Choose shift and scale by the training `images`, in one pass."""
        raise NotImplementedError  # pragma: no cover

    def begin(self, images: Images) -> None:
        """`fit`, unless that was done: a model that is trained on keeps its units."""
        raise NotImplementedError  # pragma: no cover

    def forward(self, x: Tensor) -> Tensor:
        """Scaled `x` (N, *shape)."""
        raise NotImplementedError  # pragma: no cover

    def undo(self, x: Tensor) -> Tensor:
        """The numbers (N, *shape) of which `forward` makes `x`."""
        raise NotImplementedError  # pragma: no cover

    def volume(self, known: Tensor | None = None) -> Tensor | float:
        """Σ log scale over an example, in nats: −log p of numbers in their own units is that of the scaled ones plus this. Of
        those `known` (N, *shape) alone, where not all are."""
        raise NotImplementedError  # pragma: no cover

    @property
    def shown(self) -> Span:
        """The numbers to be shown as black and white."""
        raise NotImplementedError  # pragma: no cover

    def held(self, x: Tensor) -> Tensor:
        """`x` in the units of the data, kept within `reach`: a linear decoder, or PCA, may leave it."""
        return x.clamp(*self.reach) if self.reach == UNIT else x

    def as_picture(self, x: Tensor) -> Tensor:
        """`x` in the units of the data as numbers in [0, 1], black to white; what lies outside is clipped."""
        low, high = self.shown
        return (x if (low, high) == UNIT else (x - low) / (high - low)).clamp(0, 1)


@part
class Unscaled(Scaling):
    """Numbers in [0, 1], as they are: those of pictures of 8 bits.

    Example:
        >>> x = torch.rand(2, 1, 4, 4)
        >>> torch.equal(diabolo.scaling.Unscaled()(x), x)
        True
    """

    kind, reach, support = "none", UNIT, UNIT

    def fit(self, images: Images) -> None:
        """Nothing is to be chosen."""

    def begin(self, images: Images) -> None:
        """Nothing is to be chosen."""

    def forward(self, x: Tensor) -> Tensor:
        """`x` itself; float32 of float64, as the weights are."""
        return x.float() if x.dtype == torch.float64 else x

    def undo(self, x: Tensor) -> Tensor:
        """`x` itself."""
        return x

    def volume(self, known: Tensor | None = None) -> float:
        """0."""
        return 0.0

    @property
    def shown(self) -> Span:
        """0 and 1."""
        return UNIT


@part
class Affine(Scaling):
    """(x − shift) / scale, each number of a vector with its own shift and scale, each channel of anything larger.

    Args:
        kind: "real": shift 0, scale 1, any numbers as they are. "unit": the range of the training data becomes [0, 1]; of
            images of which black and white are known, these two. "standard": their mean and standard deviation. "robust":
            their median, and the standard deviation that a normal distribution of the same quartiles has: outliers do not move
            it. What is constant has a scale of 1.
        input_shape: of an example, (D,) or (C, …).
        features: which numbers of a vector, or channels, are scaled; the others stay as they are. None for all.

    Example:
        >>> table = diabolo.data.Images(np.random.default_rng(0).normal(4000, 10, (500, 3)))
        >>> scaling = diabolo.scaling.Affine("standard", table.shape)
        >>> scaling.fit(table)
        >>> z = scaling(torch.from_numpy(table.images))
        >>> z.mean(0).abs().max() < 1e-5, (scaling.undo(z) - torch.from_numpy(table.images)).abs().max() < 1e-3
        (tensor(True), tensor(True))
    """

    shift: Tensor
    scale: Tensor
    ends: Tensor
    fitted: Tensor
    reach = ANY

    def __init__(self, kind: str, input_shape: tuple[int, ...], features: Sequence[Natural] | None = None) -> None:
        super().__init__()
        if kind not in AFFINE:
            raise UnknownNameError("scaling", kind, AFFINE)
        self.kind, self.input_shape = kind, tuple(input_shape)
        self.features = None if features is None else tuple(features)
        if self.features and max(self.features) >= self.input_shape[0]:
            raise DiaboloError(
                f"feature {max(self.features)} cannot be scaled: examples of shape {self.input_shape} have "
                f"{self.input_shape[0]}"
            )
        self.support = UNIT if kind == "unit" and features is None else ANY
        each = (self.input_shape[0], *[1] * (len(self.input_shape) - 1))
        self.register_buffer("shift", torch.zeros(each, dtype=torch.float64))  # so that 4,000,000.5 keeps its half
        self.register_buffer("scale", torch.ones(each, dtype=torch.float64))
        self.register_buffer("ends", torch.tensor(UNIT, dtype=torch.float64))
        self.register_buffer("fitted", torch.tensor(False))

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        try:
            return super()._apply(fn, recurse)  # type: ignore[no-untyped-call]  # torch's has no types
        except TypeError as error:
            raise DiaboloError(
                f"scaling {self.kind!r} computes in float64, which that device does not have, such as the GPU of a Mac: use "
                "--device cpu"
            ) from error

    @torch.no_grad()
    def fit(self, images: Images) -> None:
        """Choose shift and scale by the training `images`, in one pass.

        Raises:
            DiaboloError: for examples of another shape.
        """
        if images.shape != self.input_shape:
            raise DiaboloError(f"expected examples of shape {self.input_shape}, not {images.shape}")
        if images.missing and len(unknown := np.flatnonzero(np.isnan(_range(images)[0]))):
            name = _name(images, int(unknown[0]))
            raise DiaboloError(f"nothing is known of {name}: all its numbers are missing; leave it out")
        shift, scale = self._chosen(images)
        varies = scale > 8 * np.finfo(np.float64).eps * np.abs(shift)
        if self.features is not None:
            others = np.setdiff1d(np.arange(self.input_shape[0]), self.features)
            shift[others], varies[others] = 0.0, False
        scale = np.where(varies, scale, 1.0)
        _warn_of_steps(images, shift, np.where(varies, scale, np.inf))
        few = images.spread(max(1, ENDS // math.prod(self.input_shape)))
        low, high = images.black_and_white or np.nanquantile(to_float(few.images, np.float64), (0.001, 0.999))
        for buffer, value in (
            (self.shift, shift),
            (self.scale, scale),
            (self.ends, (low, high if high > low else low + 1)),
        ):
            buffer.copy_(torch.as_tensor(np.asarray(value, np.float64)).view_as(buffer))
        self.fitted.fill_(True)

    def begin(self, images: Images) -> None:
        """`fit`, unless that was done."""
        if not self.fitted:
            self.fit(images)

    def _chosen(self, images: Images) -> tuple[Any, Any]:
        channels = self.input_shape[0]
        match self.kind:
            case "real":
                return np.zeros(channels), np.ones(channels)
            case "unit":
                low, high = np.broadcast_arrays(*images.black_and_white) if images.black_and_white else _range(images)
                return low * np.ones(channels), (high - low) * np.ones(channels)
            case "standard":
                return _moments(images)
        low, middle, high = np.nanquantile(_by_channel(images.spread(LOOKED_AT).images), (0.25, 0.5, 0.75), axis=0)
        spread, deviation = (high - low) / NORMAL, _moments(images)[1]
        return middle, np.where(spread > 0, spread, deviation)

    def forward(self, x: Tensor) -> Tensor:
        """Scaled `x` (N, *shape), float32."""
        return x.float() if self.kind == "real" else ((x - self.shift) / self.scale).float()

    def undo(self, x: Tensor) -> Tensor:
        """The numbers (N, *shape), float32, of which `forward` makes `x`."""
        return x.float() if self.kind == "real" else (x * self.scale + self.shift).float()

    def volume(self, known: Tensor | None = None) -> Tensor:
        """Σ log scale over an example, in nats, (); of those `known` (N, *shape) alone, (N,)."""
        if known is not None:
            return (known * self.scale.log()).flatten(1).sum(1).float()
        return (math.prod(self.input_shape[1:]) * self.scale.log().sum()).float()

    @property
    def shown(self) -> Span:
        """Black and white where they are known, else nearly the range of the training data."""
        low, high = self.ends.tolist()
        return low, high


def as_scaling(value: str | Scaling, input_shape: tuple[int, ...], features: tuple[int, ...] | None = None) -> Scaling:
    """A scaling by name, of those `features` alone where they are given; or as it is.

    Raises:
        UnknownNameError: for another name.

    Example:
        >>> diabolo.scaling.as_scaling("standard", (3,)).kind
        'standard'
    """
    if isinstance(value, Scaling):
        return value
    if value not in SCALINGS:
        raise UnknownNameError("scaling", value, SCALINGS)
    return Unscaled() if value == "none" else Affine(value, input_shape, features)


def usual(images: Images) -> str:
    """The name of the scaling that suits `images`: none for numbers in [0, 1], unit for other pictures, else standard.

    Example:
        >>> diabolo.scaling.usual(train), diabolo.scaling.usual(diabolo.data.Images(np.array([[-1.0], [3.0]])))
        ('none', 'standard')
    """
    if images.black_and_white is not None:
        return "none" if images.black_and_white == UNIT else "unit"
    low, high = _range(images)
    return "none" if images.images.dtype == np.uint8 or (low.min() >= 0 and high.max() <= 1) else "standard"


def _warn_of_steps(images: Images, shift: NDArray[np.float64], scale: NDArray[np.float64]) -> None:
    """Warn where the numbers that float32 has around `shift` lie further apart than a tenth of `scale`, and those of the data
    do not: what is decoded is rounded to them."""
    if images.images.dtype.itemsize < 4 or images.images.dtype == np.float32:
        return
    steps = np.spacing(np.abs(shift).astype(np.float32)).astype(np.float64)
    if len(coarse := np.flatnonzero(steps > COARSE * scale)):
        i = int(coarse[0])
        others = f" (and {len(coarse) - 1:,} more)" if len(coarse) > 1 else ""
        warnings.warn(
            f"{_name(images, i)}{others} of {images.name} lies around {shift[i]:.4g} and varies by {scale[i]:.3g}, and "
            f"float32 keeps steps of {steps[i]:.3g} there, to which reconstructions are rounded: subtract a constant from it "
            "first",
            stacklevel=2,
        )


def _name(images: Images, i: int) -> str:
    """What number `i` of a vector, or channel `i`, is called."""
    if images.feature_names is not None:
        return f"feature {images.feature_names[i]!r}"
    return f"{'feature' if len(images.shape) == 1 else 'channel'} {i}"


def _by_channel(x: NDArray[Any]) -> NDArray[np.float64]:
    """(N, C, …) as (values, C)."""
    x = to_float(x, np.float64)
    return x if x.ndim == 2 else np.moveaxis(x, 1, -1).reshape(-1, x.shape[1])


def _pieces(images: Images) -> Iterator[NDArray[np.float64]]:
    return (_by_channel(piece) for piece in chunks(images.images))


def _range(images: Images) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    ends = [(np.fmin.reduce(piece, 0), np.fmax.reduce(piece, 0)) for piece in _pieces(images)]  # NaN is left out
    return np.fmin.reduce([low for low, _ in ends], 0), np.fmax.reduce([high for _, high in ends], 0)


def _moments(images: Images) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of each channel, in one pass (Chan, Golub & LeVeque 1979)."""
    channels = images.shape[0]
    n, mean, square = np.zeros(channels), np.zeros(channels), np.zeros(channels)
    for piece in _pieces(images):
        known = ~np.isnan(piece)
        m, total = known.sum(0), np.where(known, piece, 0).sum(0)
        centre = total / np.maximum(m, 1)
        away, both = centre - mean, np.maximum(n + m, 1)
        square = square + np.where(known, (piece - centre) ** 2, 0).sum(0) + away**2 * n * m / both
        mean, n = mean + away * m / both, n + m
    return mean, np.sqrt(square / np.maximum(n, 1))
