"""A codec of two functions: whatever encodes and decodes can be measured like a model of Diabolo's own."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from diabolo.bottlenecks import FeatureMap
from diabolo.codec import HAIR, PlainCodec, as_codes, as_input, as_tensor, evaluating, piece
from diabolo.data.images import Images
from diabolo.errors import DiaboloError, NoPriorError
from diabolo.randomness import Draws, generator
from diabolo.ranges import AnySeed, Count, Positive, check, checked
from diabolo.scaling import UNIT, Affine, Scaling, Span, Unscaled, usual
from diabolo.surroundings import undisturbed

Function = Callable[[Tensor], Any]  # a tensor (n, …) to a tensor or an array (n, …)
Prior = Callable[[int, Draws], Tensor]  # n codes
Beyond = Literal["refuse", "clip", "keep"]
TRIED = 8  # training images that a model is tried on
PIECE = 64  # images that a function is given at once, unless another number is asked for
APART = 1e-3  # of the range of the images: so much a reconstruction may depend on the images beside it


class Foreign(PlainCodec):
    """A codec of the functions `encode`, x (n, *shape) → z (n, …), and `decode`, z → x_hat (n, *shape).

    They are given float32 tensors, 64 images at once, and give tensors or arrays. Modules (`nn.Module`) are put into evaluation
    mode, and are given tensors of the type of their weights, on their device. Both are tried on a few training images first.

    Args:
        encode: images to codes; of a posterior the mean, never a draw.
        decode: codes to images.
        images: those it is measured on, or trained on: they say the shape, and the units.
        range: the numbers that the functions have for black and white, (-1, 1) say. When left out they take and give pictures
            in [0, 1], and all else in the units of the data.
        beyond: of pictures, what is done with numbers that `decode` gives outside of the range: "refuse" (an error), "clip"
            (them to it, as programs that save images do), or "keep" (as they are: linear decoders leave the range).
        name: what it is called.
        prior: gives codes to draw new images from, of a number and of `Draws`; without it there are none.
        discrete: whether codes stand for indices, so that no arithmetic may be done on them.
        pieces: images that are given to a function at once.
        about: what else a reader should know, JSON-able.

    Raises:
        DiaboloError: when a function fails, gives another number of rows or another shape, NaN or infinity, numbers outside of
            the range, other codes each time, or other images when others are beside them.

    Example:
        >>> weights = np.linalg.svd(train.pixels.reshape(400, -1), full_matrices=False)[2][:8].astype(np.float32)
        >>> codec = diabolo.foreign.Foreign(
        ...     lambda x: x.flatten(1).numpy() @ weights.T, lambda z: (z.numpy() @ weights).reshape(-1, 1, 8, 8), train,
        ...     beyond="keep", name="SVD",
        ... )
        >>> codec.latent_shape, tuple(codec.reconstruct(test.images).shape)
        ((8,), (100, 1, 8, 8))
    """

    drawn_from = "codes drawn from the prior that came with it"

    def __init__(
        self,
        encode: Function,
        decode: Function,
        images: Images,
        *,
        range: tuple[float, float] | None = None,
        beyond: Beyond = "refuse",
        name: str = "foreign",
        prior: Prior | None = None,
        discrete: bool = False,
        pieces: Count = PIECE,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        for what, function in (("encode", encode), ("decode", decode)):
            if not callable(function):
                raise DiaboloError(f"{what} must be a function or a module, not {type(function).__name__}")
        self.span = _span(range)
        super().__init__(images.shape, (), _scaling(images, self.span))
        self.name, self.prior = name, prior
        self.pieces: int = check("pieces", pieces, Count)
        self.beyond: Beyond = check("beyond", beyond, Beyond)
        self.encoding, self.decoding = encode, decode  # modules are registered, and counted
        self.scaling.begin(images)
        self.scaling.to(self.device)
        said = {"range": list(self.span or UNIT), "beyond it": self.beyond} if self.bounded else {}
        self.about = {**said, **(about or {})}
        self._try(images.take(np.arange(min(TRIED, len(images)))).images, discrete)

    @property
    def bounded(self) -> bool:
        """Whether black and white are known."""
        return self.span is not None or self.scaling.reach == UNIT

    @undisturbed()
    @torch.no_grad()
    def encode(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Images (N, *input_shape) → codes (N, *latent_shape), float32."""
        codes = self._encoded(x)
        if codes.shape[1:] != self.latent_shape:
            raise DiaboloError(
                f"encode of {self.name} gave codes {tuple(codes.shape[1:])}, and those of the first images had "
                f"{self.latent_shape}: codes must be of one shape"
            )
        return codes

    @undisturbed()
    @torch.no_grad()
    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Codes (N, *latent_shape) → images (N, *input_shape) in the units of the data."""
        z = as_codes(z, self.latent_shape).to(self.device, torch.float32)
        x_hat = self._in_pieces("decode", self.decoding, z)
        if x_hat.shape[1:] != self.input_shape:
            raise DiaboloError(
                f"decode of {self.name} gave images {tuple(x_hat.shape[1:])}, and the data have {self.input_shape}: give it "
                "images of the size that it was made for, or reshape what it gives"
            )
        if self.span is not None:
            low, high = self.span
            x_hat = (x_hat - low) / (high - low)
        return self.scaling.undo(self._held(x_hat) if self.bounded else x_hat)

    @checked
    @undisturbed()
    def sample(self, n: Count, seed: AnySeed = 0, y: Tensor | None = None) -> Tensor:
        """`n` new images (n, *input_shape), of codes that its prior gives."""
        if self.prior is None:
            raise NoPriorError(f"{self.name} came without a prior to draw codes from")
        codes = self._answer(
            "prior", "", "it must give codes of a number and of Draws", self.prior, n, Draws(generator(seed, "sample"))
        )
        if codes.ndim == 0 or len(codes) != n:
            raise DiaboloError(
                f"prior of {self.name} gave {tuple(codes.shape)} for {n:,} codes: it must give one row for each"
            )
        return self.decode(codes)

    def _try(self, x: np.ndarray, discrete: bool) -> None:
        """Both functions on the images `x` (n, *input_shape), which says the shape of a code."""
        given = torch.from_numpy(np.ascontiguousarray(x))
        z = self._encoded(given)
        self.latent_shape = tuple(z.shape[1:])
        self.bottleneck = FeatureMap(self.latent_shape)
        self.bottleneck.discrete = discrete
        if not torch.equal(z, self.encode(given)):
            raise DiaboloError(
                f"encode of {self.name} gives other codes of the same images each time: give the mean of the posterior, not a "
                "draw from it, and switch dropout off"
            )
        apart, size = alone(self, given), 1.0
        if not self.bounded:
            size = float(torch.as_tensor(x).double().std()) or 1.0
        if apart > APART * size:
            raise DiaboloError(
                f"{self.name} gives an image other numbers when others are beside it (by up to {apart:.3g}): put it into "
                "evaluation mode, in which nothing is averaged over a batch"
            )

    def _encoded(self, x: Tensor) -> Tensor:
        """What `encode` makes of the images `x`, of whatever shape that is."""
        low, high = self.span or UNIT
        x = as_input(x, self.input_shape, self.device, scaling=self.scaling)
        return self._in_pieces("encode", self.encoding, x if self.span is None else low + (high - low) * x)

    def _in_pieces(self, what: str, function: Function, x: Tensor) -> Tensor:
        """`function` of `x` (N, …), some rows at a time: (N, …), float32, finite."""
        if not len(x):
            shape = self.latent_shape if what == "encode" else self.input_shape
            return torch.empty(0, *shape, device=self.device)
        return torch.cat([self._called(what, function, few) for few in x.split(piece(self.pieces))])

    def _called(self, what: str, function: Function, x: Tensor) -> Tensor:
        given = _as_wanted(x, function) if isinstance(function, nn.Module) else x
        must = f"it must take {'images' if what == 'encode' else 'codes'} of that shape as a float32 tensor"
        given = given.clone()  # it may be written into
        found = self._answer(what, f" on {tuple(x.shape)}", must, function, given).to(self.device, torch.float32)
        if found.ndim == 0 or len(found) != len(x):
            rows = 0 if found.ndim == 0 else len(found)
            raise DiaboloError(
                f"{what} of {self.name} gave {rows:,} rows for {len(x):,}: it must give one row for each, in their order"
            )
        if found.ndim < 2 or not math.prod(found.shape[1:]):
            one = "code" if what == "encode" else "image"
            raise DiaboloError(f"{what} of {self.name} must give one {one} (n, …) a row, not {tuple(found.shape)}")
        if bad := int((~found.flatten(1).isfinite()).any(1).sum()):
            raise DiaboloError(f"{what} of {self.name} gave NaN or infinity for {bad:,} of {len(x):,}")
        return found

    def _answer(self, what: str, place: str, must: str, function: Callable[..., Any], *given: Any) -> Tensor:
        """What a `function` of someone else makes of the `given`: a dense tensor of real numbers."""
        try:
            with evaluating(self):
                found = function(*given)
        except (DiaboloError, MemoryError):
            raise
        except Exception as error:  # whatever goes wrong in a function of someone else
            said = " ".join(str(error).split()).rstrip(".")
            raise DiaboloError(
                f"{what} of {self.name} failed{place} ({type(error).__name__}: {said[:300]}): {must}"
            ) from error
        if not isinstance(found, Tensor | np.ndarray):
            raise DiaboloError(
                f"{what} of {self.name} must give a tensor or an array, not {type(found).__name__}: take out of it what is "
                f"wanted, as {what}=lambda x: f(x)[0] does"
            )
        masked = isinstance(found, np.ma.MaskedArray)
        found = as_tensor(found, f"what {what} of {self.name} gives").detach()
        kinds = {
            "masked": masked,
            "complex": found.is_complex(),
            "sparse": found.layout is not torch.strided,
            "quantised": found.is_quantized,
            "nested": found.is_nested,
            "meta": found.is_meta,
        }
        if kind := next((kind for kind, is_so in kinds.items() if is_so), None):
            raise DiaboloError(f"{what} of {self.name} gave a {kind} array: it must give a dense one of real numbers")
        return found

    def _held(self, x_hat: Tensor) -> Tensor:
        """`x_hat`, black to white in [0, 1], as `beyond` says."""
        if self.beyond == "clip":
            return x_hat.clamp(0, 1)
        low, high = (float(end) for end in x_hat.aminmax()) if x_hat.numel() else UNIT
        if self.beyond == "refuse" and (low < -HAIR or high > 1 + HAIR):
            black, white = self.span or UNIT
            low, high = (black + (white - black) * end for end in (low, high))
            raise DiaboloError(
                f"decode of {self.name} gave numbers from {low:.4g} to {high:.4g}, and its range is {black:g} to {white:g}: "
                "say which numbers are black and white by range=(-1, 1), say, or what is done with others by beyond='clip' or "
                "beyond='keep'"
            )
        return x_hat


@torch.no_grad()
def alone(codec: Any, x: Tensor, y: Tensor | None = None) -> float:
    """How far reconstructions of the images `x` (n, *input_shape) by any codec depend on the images beside them: the largest
    difference of a number between all at once and one by one, in the units of the data.

    Example:
        >>> diabolo.foreign.functions.alone(model, torch.from_numpy(test.images[:8])) < 1e-5
        True
    """
    together = codec.reconstruct(x, y).double()
    each = [codec.reconstruct(x[i : i + 1], None if y is None else y[i : i + 1]).double() for i in np.arange(len(x))]
    return float((together - torch.cat(each)).abs().max()) if each else 0.0


def _as_wanted(x: Tensor, module: nn.Module) -> Tensor:
    """`x` on the device of `module`, and of the type of its weights."""
    held = next((p for p in (*module.parameters(), *module.buffers()) if p.is_floating_point()), x)
    return x.to(held.device, held.dtype)


def _span(given: tuple[float, float] | None) -> Span | None:
    if given is None:
        return None
    low, high = check("range", given, tuple[float, float])
    check("the range's white less its black", high - low, Positive)
    return low, high


def _scaling(images: Images, span: Span | None) -> Scaling:
    """From the units of the data to [0, 1] where black and white are known and the functions have numbers of their own for
    them; else none, or the data's own units."""
    kind = usual(images)
    if kind == "none":
        return Unscaled()
    if span is None:
        return Affine("real", images.shape)
    if kind != "unit":
        raise DiaboloError(
            f"a range says which numbers are black and white, and {images.name} has neither: leave it out, and the functions "
            "are given the units of the data"
        )
    return Affine("unit", images.shape)


def normal(latent_shape: tuple[int, ...]) -> Prior:
    """N(0, I) over codes of that shape."""
    return partial(_normal, latent_shape)


def _normal(latent_shape: tuple[int, ...], n: int, draws: Draws) -> Tensor:
    drawn: Tensor = draws.normal(torch.empty(n, *latent_shape))
    return drawn
