"""What turns images into codes and back, and the images and codes that it takes."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from diabolo.bottlenecks import Bottleneck, FeatureMap
from diabolo.conditions import Condition, Unconditional
from diabolo.corruptions import Clean, Corruption
from diabolo.data.encoded import Encoded
from diabolo.data.images import Images
from diabolo.data.unit import to_float
from diabolo.errors import DiaboloError, NoPriorError
from diabolo.heads import Head, Headless
from diabolo.scaling import ANY, UNIT, Scaling, as_scaling
from diabolo.summary import Row, Summary

CHUNK = 1024  # images that are floats at once in inference
HAIR = 1e-3  # so far outside [0, 1] rounding may carry a float
_asked: ContextVar[int | None] = ContextVar("asked", default=None)


class Codec(Protocol):
    """Anything that turns images into codes and back: an `Autoencoder`, or a `PCA`. Parts that a codec does not have are those
    that do nothing (`Unconditional`, `Clean`, `Headless`), so that nobody needs to ask which it is.

    Attributes:
        name: what it is called.
        input_shape: of an image.
        latent_shape: of a code.
        needs_column: what must be known of each image besides its pixels, given as `y`: "labels", say; None for nothing.
        units: what each term of its loss is measured in.
        bottleneck: what stands between encoder and decoder.
        condition: what encoder and decoder are given besides.
        corruption: what the encoder sees in training instead of the image.
        head: what else is read off the code.
        scaling: between the units of the data, in which it takes and gives everything, and its own.
        reconstructs: whether it was trained to reconstruct; where not, its reconstructions say nothing.
        decodes: whether it has a decoder that was trained.
        drawn_from: where `sample` draws its codes, in words.
        device: where it lies.

    Example:
        >>> def error(codec: diabolo.Codec, images: np.ndarray) -> float:
        ...     x = torch.from_numpy(images) / 255
        ...     return float((codec.reconstruct(x) - x).square().mean())
        >>> error(model, test.images) < 1
        True
    """

    name: str
    input_shape: tuple[int, ...]
    latent_shape: tuple[int, ...]
    bottleneck: Bottleneck
    condition: Condition
    corruption: Corruption
    head: Head
    scaling: Scaling

    @property
    def needs_column(self) -> str | None:
        """What must be known of each image besides its pixels."""
        ...

    @property
    def units(self) -> dict[str, str]:
        """Of each term."""
        ...

    @property
    def reconstructs(self) -> bool:
        """Whether it was trained to."""
        ...

    @property
    def decodes(self) -> bool:
        """Whether its decoder was trained."""
        ...

    @property
    def drawn_from(self) -> str:
        """Where samples come from."""
        ...

    @property
    def device(self) -> torch.device:
        """Where it lies."""
        ...

    def encode(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Images (N, *input_shape) → deterministic codes (N, *latent_shape)."""
        ...

    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Codes (N, *latent_shape) → images (N, *input_shape) in the units of the data."""
        ...

    def reconstruct(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """decode(encode(x))."""
        ...

    def sample(self, n: int, seed: int = 0, y: Tensor | None = None) -> Tensor:
        """`n` new images (n, *input_shape)."""
        ...

    def sample_codes(self, x: Tensor, seed: int = 0, y: Tensor | None = None) -> Tensor:
        """One draw of the code of each image of `x`: (N, *latent_shape); without a posterior the code itself."""
        ...

    def features(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """What the encoder gives to the bottleneck, (N, features)."""
        ...

    def observe(self, x: Tensor | np.ndarray, seed: int = 0) -> Tensor:
        """What is taken to be the images `x` (N, *input_shape) in the loss: 0/1 draws of them, say."""
        ...

    def corrupt(self, x: Tensor, seed: int = 0) -> Tensor:
        """`x` (N, *input_shape) as the encoder sees it in training."""
        ...

    def summary(self) -> Summary:
        """The table of its layers."""
        ...


class PlainCodec(nn.Module):
    """A codec with nothing beside its code: no condition, no corruption, no posterior, no head. One of your own needs `encode`,
    `decode` and `sample` besides, and can then be measured and looked into like any other.

    Args:
        input_shape: of an image.
        latent_shape: of a code.
        scaling: between the units of the data and its own, see `diabolo.scaling`.

    Example:
        >>> class LeftHalf(diabolo.codec.PlainCodec):
        ...     name = "left half"
        ...     def encode(self, x, y=None):
        ...         return self.observe(x)[..., :4].flatten(1)
        ...     def decode(self, z, y=None):
        ...         return z.view(-1, 1, 8, 4).repeat(1, 1, 1, 2)
        >>> codec = LeftHalf((1, 8, 8), (32,))
        >>> found = diabolo.evaluate(codec, data=(train, test), measures=["reconstruction"])
        >>> 0 < found.sections["reconstruction"].scores["MSE"].value < 1
        True
    """

    name = "codec"
    about: Mapping[str, Any] = MappingProxyType({})  # where it comes from and what is done for it, for the record
    needs_column = None  # what is known of the images is not asked for, and ignored
    reconstructs = decodes = True
    drawn_from = "its own samples"

    def __init__(
        self, input_shape: tuple[int, ...], latent_shape: tuple[int, ...], scaling: str | Scaling = "none"
    ) -> None:
        super().__init__()
        self.input_shape, self.latent_shape = tuple(input_shape), tuple(latent_shape)
        self.scaling = as_scaling(scaling, self.input_shape)
        self.units = {"reconstruction": "squared error per pixel"}
        self.bottleneck: Bottleneck = FeatureMap(self.latent_shape)
        self.condition: Condition = Unconditional()
        self.corruption: Corruption = Clean()
        self.head: Head = Headless()

    def encode(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Images (N, *input_shape) → codes (N, *latent_shape)."""
        raise DiaboloError(
            f"the codec {self.name} does not say how it encodes: give its class a method encode(x, y=None)"
        )

    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Codes (N, *latent_shape) → images (N, *input_shape)."""
        raise DiaboloError(
            f"the codec {self.name} does not say how it decodes: give its class a method decode(z, y=None)"
        )

    def sample(self, n: int, seed: int = 0, y: Tensor | None = None) -> Tensor:
        """`n` new images (n, *input_shape); a codec with no way to draw codes has none."""
        raise NoPriorError(f"{self.name} has no prior to draw codes from")

    def reconstruct(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """decode(encode(x))."""
        return self.decode(self.encode(x))

    def sample_codes(self, x: Tensor, seed: int = 0, y: Tensor | None = None) -> Tensor:
        """The codes (N, *latent_shape) of `x` (N, *input_shape): there is no posterior to draw from."""
        return self.encode(x)

    def features(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """The codes of `x` (N, *input_shape), flat (N, D), of which the bottleneck makes codes as they are."""
        return self.encode(x).flatten(1)

    def observe(self, x: Tensor | np.ndarray, seed: int = 0) -> Tensor:
        """`x` (N, *input_shape) as floats, in the units of the data."""
        return as_pixels(x, self.input_shape, self.scaling.reach).to(self.device).float()

    def corrupt(self, x: Tensor, seed: int = 0) -> Tensor:
        """`x` (N, *input_shape), uncorrupted, as floats."""
        return self.observe(x)

    def summary(self) -> Summary:
        """What it has learned, a row for each."""
        weights, buffers = dict(self.named_parameters()), dict(self.named_buffers())
        rows = [Row(name, "weights", tuple(t.shape), t.numel()) for name, t in weights.items()]
        rows += [Row(name, "buffer", tuple(t.shape), t.numel()) for name, t in buffers.items()]
        return Summary(tuple(rows), sum(row.parameters for row in rows), sum(t.numel() for t in weights.values()))

    @property
    def device(self) -> torch.device:
        """Where what it has learned lies; the CPU where that is nothing."""
        held = next(iter((*self.parameters(), *self.buffers())), torch.empty(0))
        return held.device


def as_input(
    x: Tensor | np.ndarray,
    shape: tuple[int, ...],
    device: torch.device,
    reach: tuple[float, float] = UNIT,
    scaling: Scaling | None = None,
    missing: bool = False,
) -> Tensor:
    """`x` (N, *shape) as networks want it: float32 on `device`, scaled; uint8 is divided by 255.

    Raises:
        DiaboloError: for another shape, NaN, infinity, and numbers out of `reach`, or out of that of the `scaling`.
    """
    return scaled(check_pixels(x, shape, reach_of(reach, scaling), missing), device, scaling)


def scaled(x: Tensor, device: torch.device, scaling: Scaling | None = None) -> Tensor:
    """Images at rest `x` (N, …), which `check_pixels` has passed, as networks want them: float32 on `device`, scaled."""
    if scaling is None or scaling.reach == UNIT:
        return _floats(x.to(device)).float()
    found: Tensor = scaling(_floats(x.to(device)))
    return found


def reach_of(reach: tuple[float, float], scaling: Scaling | None) -> tuple[float, float]:
    """Between which numbers images are to lie: as the `scaling` has it, else in `reach`."""
    return reach if scaling is None or scaling.reach == UNIT else scaling.reach


def as_pixels(
    x: Tensor | np.ndarray | Images, shape: tuple[int, ...], reach: tuple[float, float] = UNIT, missing: bool = False
) -> Tensor:
    """`x` (N, *shape) as floats where it lies, in its own units; uint8 is divided by 255. NaN may stand for what is `missing`.

    Raises:
        DiaboloError: for another shape or type, NaN, infinity, and numbers out of `reach`: what training refuses.
    """
    return _floats(check_pixels(x, shape, reach, missing))


def _floats(x: Tensor) -> Tensor:
    return x if x.is_floating_point() else to_float(x)


def check_pixels(
    x: Tensor | np.ndarray | Images, shape: tuple[int, ...], reach: tuple[float, float] = UNIT, missing: bool = False
) -> Tensor:
    """`x` (N, *shape) as it is, as a tensor that shares its memory; looked through some at a time.

    Raises:
        DiaboloError: as `as_pixels`.
    """
    x = as_tensor(x.images if isinstance(x, Images) else x, "images")
    usual = x.is_floating_point() or x.dtype in (torch.uint8, torch.bool)
    if not usual and (x.is_complex() or (reach != ANY and not _are_bits(x))):
        raise DiaboloError(f"images are uint8 in 0 … 255 or float in [0, 1], not {x.dtype}")
    if x.shape[1:] != shape or x.ndim == 0:
        raise DiaboloError(f"expected images (N, {_joined(shape)}), not {tuple(x.shape)}")
    if not x.is_floating_point() or not x.numel():
        return x
    low, high = math.inf, -math.inf
    for part in x.detach().split(CHUNK):
        seen = part[~part.isnan()] if missing else part
        if seen.numel():
            ends = [float(end) for end in seen.aminmax()]
            low, high = (math.nan, math.nan) if any(map(math.isnan, ends)) else (min(low, ends[0]), max(high, ends[1]))
        if math.isnan(low):
            break
    if low > high:
        return x  # none of it is known
    if not (math.isfinite(low) and math.isfinite(high)):
        bad = sum(int((~part.isfinite()).flatten(1).any(1).sum()) for part in x.detach().split(CHUNK))
        raise DiaboloError(f"{bad:,} of {len(x):,} images hold NaN or infinity; leave them out")
    if low < reach[0] - HAIR or high > reach[1] + HAIR:
        raise DiaboloError(
            f"images must lie in [0, 1], but these run from {low:.6g} to {high:.6g}; {_remedy(low, high)}"
        )
    return x


def _are_bits(x: Tensor) -> bool:
    """Whether the whole numbers `x` are all 0 or 1: of any type these lie in [0, 1]."""
    return all(bool(((part == 0) | (part == 1)).all()) for part in torch.atleast_1d(x).split(CHUNK))


def as_tensor(x: Any, what: str) -> Tensor:
    """`x` as a tensor, where that is possible without guessing."""
    x = np.asarray(x) if isinstance(x, Encoded) else x
    try:
        if isinstance(x, np.ndarray):  # torch takes no array that runs backwards or in the other byte order
            x = np.require(x, x.dtype.newbyteorder("="), ["C", "W"])
        return torch.as_tensor(x)
    except (TypeError, ValueError, RuntimeError) as error:
        why = " ".join(str(error).split()).rstrip(".")
        raise DiaboloError(f"{what} must be an array or a tensor of numbers, not {type(x).__name__}: {why}") from error


def as_codes(z: Tensor | np.ndarray, shape: tuple[int, ...]) -> Tensor:
    """`z` (N, *shape), finite.

    Raises:
        DiaboloError: for another shape, NaN or infinity.
    """
    z = as_tensor(z, "codes")
    if z.shape[1:] != shape or z.ndim == 0:
        raise DiaboloError(f"expected codes (N, {_joined(shape)}), not {tuple(z.shape)}")
    if not all(bool(part.isfinite().all()) for part in z.split(CHUNK)):
        bad = int((~z.isfinite()).flatten(1).any(1).sum())
        raise DiaboloError(f"{bad:,} of {len(z):,} codes hold NaN or infinity: the model that they come from is broken")
    return z


def _remedy(low: float, high: float) -> str:
    if low >= -HAIR and 2 < high <= 255:
        return "divide them by 255, or give them as uint8"
    if low >= -1 - HAIR and high <= 1 + HAIR:
        return "use (x + 1) / 2, or clip them to [0, 1] where they are meant to lie there"
    if low > -1 and high <= 2:
        return "clip them to [0, 1]"
    return "scale them to [0, 1] with (x - min) / (max - min)"


def in_chunks(function: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    """`function` over `inputs` (N, …) each, a chunk at a time, what it gives being held once."""
    n = len(inputs[0])
    if n <= CHUNK:
        return function(*inputs)
    return joined((function(*parts) for parts in zip(*(x.split(CHUNK) for x in inputs), strict=True)), n)


def joined(parts: Iterable[Tensor], n: int) -> Tensor:
    """Tensors (…, *shape), `n` rows in all, as one. Each is written to its place when it is there: small tensors that are kept
    until the last would keep the memory between them from being used again."""
    found, start = torch.empty(0), 0
    for part in parts:
        if not start:
            found = part.new_empty((n, *part.shape[1:]))
        found[start : start + len(part)] = part
        start += len(part)
    return found


@contextmanager
def at_once(n: int | None) -> Iterator[None]:
    """Inside the block, `n` images go through a codec at once, and no more through an extractor; the usual number for None."""
    before = _asked.set(n)
    try:
        yield
    finally:
        _asked.reset(before)


def piece(usual: int) -> int:
    """How many images go through a codec at once: what was asked for, else the `usual` number.

    Example:
        >>> from diabolo.codec import at_once, piece
        >>> with at_once(7):
        ...     piece(1024)
        7
    """
    return _asked.get() or usual


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block; afterwards every submodule is in the mode it had."""
    training = [m for m in module.modules() if m.training]
    if training:  # to tell every submodule what it knows costs as much as to decode one image
        module.eval()
    try:
        yield
    finally:
        for m in training:
            m.training = True


def _joined(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape))
