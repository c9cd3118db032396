"""What an exported run can do, as modules of named tensors that torch.export can trace: one module a graph, each for any batch.

    encoder          images (, label)   → code (, indices)
    decoder          code (, label)     → x_hat (, pixels)
    decode_indices   indices (, label)  → x_hat (, pixels)
    reconstruct      images (, label)   → x_hat (, pixels)
    score            images (, label)   → score
    prior            normal | uniform   → code

Preprocessing lies within: `images` are bytes, or numbers in the units of the data, and `x_hat` is in these; of bytes it is in
[0, 1], and `pixels` are the bytes. Nothing draws: a code is the posterior mean, and the prior is given its noise.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import singledispatch
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from diabolo.autoencoder import Autoencoder
from diabolo.bottlenecks import Bottleneck
from diabolo.codec import Codec
from diabolo.data.images import Images
from diabolo.data.unit import to_float
from diabolo.errors import DiaboloError
from diabolo.pca import PCA
from diabolo.randomness import Draws, Rehearsal
from diabolo.scaling import UNIT

Tensors = dict[str, Tensor]
COLUMNS = {"labels": "label", "attributes": "attributes", "factors": "factors"}  # what is known of an image → its name
GIVEN = "given"  # images of which the decoder is given a part
NOISE = {torch.randn: "normal", torch.rand: "uniform"}
FEWEST = 3  # rows of an example: of 1, torch.export would take that there is never another number


class Handed(Draws):
    """Draws that hand out the `noise` (N, …) they were made with; zeros without."""

    def __init__(self, noise: Tensor | None = None) -> None:
        super().__init__()
        self.noise = noise

    def normal(self, like: Tensor) -> Tensor:
        """The noise, whatever `like` is."""
        return torch.zeros_like(like) if self.noise is None else self.noise

    def uniform(self, like: Tensor) -> Tensor:
        """The noise, whatever `like` is."""
        return self.normal(like)


class Coded(NamedTuple):
    """The codes (N, *latent_shape) of images, and where they are discrete the indices (N, *sides) that they stand for."""

    code: Tensor
    indices: Tensor | None = None


class Traceable(nn.Module):
    """What a model computes, of scaled numbers and without any check, which depend on the numbers and so cannot be traced."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model: Any = model

    def coded(self, x: Tensor, y: Tensor | None) -> Coded:
        """The codes of scaled images `x` (N, *input_shape), of which `y` is known."""
        raise NotImplementedError  # pragma: no cover

    def imaged(self, z: Tensor, y: Tensor | None) -> Tensor:
        """The scaled images of the codes `z` (N, *latent_shape), given `y`."""
        raise NotImplementedError  # pragma: no cover


class TraceableAutoencoder(Traceable):
    """An `Autoencoder`."""

    def coded(self, x: Tensor, y: Tensor | None) -> Coded:
        """Posterior means, and codebook vectors."""
        bottleneck: Bottleneck = self.model.bottleneck
        to_encoder, _ = self.model.condition(self.model.condition.pick(x, y))
        features = self.model.encoder(x, *to_encoder)
        if not bottleneck.discrete:
            return Coded(bottleneck(features, Handed()).code)
        core: Any = bottleneck.core
        indices = core.indices(features)
        return Coded(core.codes_of(indices), indices)

    def imaged(self, z: Tensor, y: Tensor | None) -> Tensor:
        """Means of the likelihood."""
        _, to_decoder = self.model.condition(y)
        x_hat: Tensor = self.model.likelihood.mean(self.model.decoder(z, *to_decoder))
        return x_hat


class TraceablePCA(Traceable):
    """A `PCA`."""

    def coded(self, x: Tensor, y: Tensor | None) -> Coded:
        """Vᵀ (x − μ)."""
        return Coded((x.flatten(1) - self.model.mu) @ self.model.components.T)

    def imaged(self, z: Tensor, y: Tensor | None) -> Tensor:
        """μ + V z."""
        x_hat: Tensor = (self.model.mu + z @ self.model.components).unflatten(1, self.model.input_shape)
        return x_hat


@singledispatch
def traceable(model: Any) -> Traceable:
    """`model` as it can be traced.

    Raises:
        DiaboloError: for a codec of which only its own class knows how it encodes.
    """
    raise DiaboloError(
        f"{type(model).__name__} cannot be exported: an Autoencoder and a PCA can, whose parts are known; export its networks "
        "with torch.onnx"
    )


@traceable.register
def _(model: Autoencoder) -> Traceable:
    return TraceableAutoencoder(model)


@traceable.register
def _(model: PCA) -> Traceable:
    return TraceablePCA(model)


@dataclass(frozen=True)
class Program:
    """What is computed in one go from the same inputs.

    Attributes:
        name: "images", "codes", "indices" or "noise", which it starts from.
        model: whose weights it works with.
        function: named tensors of named tensors.
        examples: of its inputs, zeros of the right types and shapes (rows, …), of as many rows as no other program has.
    """

    name: str
    model: Traceable
    function: Callable[[Tensors], Tensors]
    examples: Tensors


@dataclass(frozen=True)
class Graph:
    """One of the graphs: some outputs of a program.

    Attributes:
        name: such as "encoder".
        program: which gives the outputs.
        outputs: their names, in order.
    """

    name: str
    program: Program
    outputs: tuple[str, ...]

    @property
    def examples(self) -> Tensors:
        """Of its inputs."""
        return self.program.examples


class _Functions:
    """What the programs compute, for a model that is given `images` as bytes or as numbers."""

    def __init__(self, model: Traceable, as_bytes: bool, besides: str | None) -> None:
        self.traceable, self.as_bytes, self.besides = model, as_bytes, besides
        self.model = model.model

    def known(self, inputs: Tensors) -> Tensor | None:
        """What is known of each image besides its pixels."""
        return None if self.besides is None else inputs[self.besides]

    def decoded(self, z: Tensor, y: Tensor | None) -> Tensors:
        """x_hat (N, *input_shape) in the units of the data, of codes; and as bytes where images are."""
        x_hat: Tensor = self.model.scaling.undo(self.traceable.imaged(z, y))
        if not self.as_bytes:
            return {"x_hat": x_hat}
        return {"x_hat": x_hat, "pixels": (x_hat.clamp(0, 1) * 255).round().to(torch.uint8)}

    def of_images(self, inputs: Tensors) -> Tensors:
        """Code, reconstruction, and its mean squared error over the numbers that are known, in the units of the data."""
        images = to_float(inputs["images"])
        x, y = self.model.scaling(images), self.known(inputs)
        coded = self.traceable.coded(x, y)
        found = {"code": coded.code} | self.decoded(coded.code, self.model.condition.pick(x, y))
        squares = (found["x_hat"] - images).square().flatten(1)
        known = ~images.isnan().flatten(1)
        mean = (
            torch.where(known, squares, 0.0).sum(1) / known.sum(1).clamp(min=1)
            if getattr(self.model, "takes_missing", False)
            else squares.mean(1)
        )
        return found | {"score": mean.float()} | ({} if coded.indices is None else {"indices": coded.indices})

    def of_codes(self, inputs: Tensors) -> Tensors:
        """Images of codes; of what the decoder is given alone, where a model has no code."""
        y = inputs.get(GIVEN, self.known(inputs))
        z = inputs.get("code")
        if z is None:
            assert y is not None
            z = torch.zeros(y.shape[0], *self.model.latent_shape)
        return self.decoded(z, y)

    def of_indices(self, inputs: Tensors) -> Tensors:
        """Images of discrete codes."""
        y = inputs.get(GIVEN, self.known(inputs))
        return self.decoded(self.model.bottleneck.core.codes_of(inputs["indices"]), y)

    def of_noise(self, inputs: Tensors) -> Tensors:
        """Codes of noise."""
        (noise,) = inputs.values()
        return {"code": self.model.bottleneck.prior(noise.shape[0], Handed(noise), noise.device)}


def as_bytes(images: Images) -> bool:
    """Whether a model of such `images` is given pictures of 8 bits."""
    return images.images.dtype == np.uint8


def noise_of(codec: Codec) -> tuple[str, tuple[int, ...]] | None:
    """What the prior of `codec` is drawn from, "normal" or "uniform", and the shape of that for one code; None where it is made
    otherwise: by a prior fitted to discrete codes, say."""
    if codec.bottleneck.discrete or not math.prod(codec.latent_shape):
        return None
    draws = Rehearsal(torch.Generator().manual_seed(0))
    codec.bottleneck.prior(2, draws, codec.device)
    if len(draws.asked) != 1 or draws.asked[0][0] not in NOISE:
        return None
    how, (_, *shape), *_ = draws.asked[0]
    return NOISE[how], tuple(shape)


def graphs(codec: Any, images: Images) -> list[Graph]:
    """All graphs of `codec`, a trained model on the CPU in evaluation mode, for such `images` as it is given.

    Raises:
        DiaboloError: for a model that has learned from labels alone, and for a codec of one's own.
    """
    if not codec.decodes:
        raise DiaboloError(
            f"{codec.name} learns from labels alone and its decoder nothing, so there is no autoencoder to export"
        )
    model = traceable(codec)
    dtype = torch.uint8 if as_bytes(images) else torch.float32
    if images.images.dtype == np.float64 and codec.scaling.reach != UNIT:
        dtype = torch.float64  # whose scaling is in float64, so that 4,000,000.5 keeps its half
    besides = COLUMNS.get(codec.needs_column or "") if codec.condition.needs_column else None
    blank = codec.condition.blank(codec.device)
    known = {} if besides is None or blank is None else {besides: (tuple(blank.shape[1:]), blank.dtype)}
    given = known or ({GIVEN: (codec.input_shape, dtype)} if codec.condition.to_decoder else {})
    pictures = {"images": (codec.input_shape, dtype)}
    has_code, discrete = bool(math.prod(codec.latent_shape)), codec.bottleneck.discrete
    noise = noise_of(codec)
    ins: dict[str, dict[str, tuple[tuple[int, ...], torch.dtype]]] = {
        "images": pictures | known,
        "codes": ({"code": (codec.latent_shape, torch.float32)} if has_code else {}) | given,
        "indices": {"indices": (codec.latent_shape[1:], torch.int64)} | given if discrete else {},
        "noise": {} if noise is None else {noise[0]: (noise[1], torch.float32)},
    }
    functions = _Functions(model, as_bytes(images), besides)
    programs = {}
    for rows, (name, inputs) in enumerate(ins.items(), start=FEWEST):
        examples = {one: torch.zeros(rows, *shape, dtype=kind) for one, (shape, kind) in inputs.items()}
        programs[name] = Program(name, model, getattr(functions, f"of_{name}"), examples)
    code = ("code", "indices") if discrete else ("code",)
    shown = ("x_hat", "pixels") if as_bytes(images) else ("x_hat",)
    there = {
        "encoder": (has_code, "images", code),
        "decoder": (True, "codes", shown),
        "decode_indices": (discrete, "indices", shown),
        "reconstruct": (codec.reconstructs, "images", shown),
        "score": (codec.reconstructs, "images", ("score",)),
        "prior": (noise is not None, "noise", ("code",)),
    }
    return [Graph(name, programs[source], outputs) for name, (is_there, source, outputs) in there.items() if is_there]
