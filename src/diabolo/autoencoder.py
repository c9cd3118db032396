"""The one model: two cones joined at a narrow waist.

    x ── corruption ── encoder ── bottleneck ── decoder ── likelihood ── loss
                                      z             x_hat

Every named model is a choice of these five parts (see `diabolo.zoo`). The loss is the negative ELBO, or a penalised
reconstruction, which is the same formula:  −log p(x | z) + Σ weight · penalty.
"""

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from diabolo.bottlenecks import Bottleneck, Latent
from diabolo.corruptions import Clean, Corruption
from diabolo.errors import DiaboloError
from diabolo.likelihoods import Likelihood
from diabolo.parts import part
from diabolo.randomness import Draws, generator
from diabolo.summary import Summary, summarise

CHUNK = 1024  # images that go through the model at once in inference


class Codec(Protocol):
    """Anything that turns images into codes and back: an `Autoencoder`, or `diabolo.pca.PCA`."""

    name: str
    input_shape: tuple[int, ...]
    latent_shape: tuple[int, ...]

    def encode(self, x: Tensor) -> Tensor:
        """Images (N, *input_shape) in [0, 1] → deterministic codes (N, *latent_shape)."""
        ...

    def decode(self, z: Tensor) -> Tensor:
        """Codes (N, *latent_shape) → images (N, *input_shape) in [0, 1]."""
        ...

    def reconstruct(self, x: Tensor) -> Tensor:
        """decode(encode(x))."""
        ...

    def sample(self, n: int, seed: int = 0) -> Tensor:
        """`n` new images (n, *input_shape)."""
        ...


@dataclass(frozen=True)
class Loss:
    """The loss of one batch: total = Σ weights[name] · terms[name].

    Attributes:
        total: what is minimised, a scalar with gradient.
        terms: unweighted means over the batch, each a scalar: "reconstruction" and the bottleneck's penalties.
        weights: the weight of each term at this moment of training.
    """

    total: Tensor
    terms: dict[str, Tensor]
    weights: dict[str, float | Tensor]


@part
class Autoencoder(nn.Module):
    """An autoencoder from its parts.

    Args:
        encoder: x (N, *input_shape) → features (N, features); has `input_shape`.
        bottleneck: features → `Latent`.
        decoder: z (N, *latent_shape) → raw (N, *input_shape), one real number per pixel.
        likelihood: raw → x_hat and the loss against x.
        corruption: what the encoder sees in training instead of x; the target stays x.
    """

    name = "autoencoder"  # a recipe puts its own name here; run folders are called by it

    def __init__(
        self,
        encoder: nn.Module,
        bottleneck: Bottleneck,
        decoder: nn.Module,
        likelihood: Likelihood,
        corruption: Corruption | None = None,
    ) -> None:
        super().__init__()
        self.encoder, self.bottleneck, self.decoder = encoder, bottleneck, decoder
        self.likelihood, self.corruption = likelihood, corruption or Clean()
        self.input_shape: tuple[int, ...] = tuple(encoder.input_shape)  # type: ignore[arg-type]  # encoders carry it
        self.latent_shape = bottleneck.latent_shape
        if math.prod(self.latent_shape) >= math.prod(self.input_shape):
            warnings.warn(
                f"no bottleneck: the code has {math.prod(self.latent_shape)} numbers and the input has only "
                f"{math.prod(self.input_shape)}",
                stacklevel=2,
            )

    # --- training ---------------------------------------------------------------------------------------------------

    def forward(self, x: Tensor, draws: Draws | None = None) -> tuple[Latent, Tensor]:
        """`x` (N, *input_shape) as the encoder is to see it → its latent, and the decoder's raw output."""
        latent: Latent = self.bottleneck(self.encoder(x), draws or Draws())
        return latent, self.decoder(latent.z)

    def loss(self, x: Tensor, draws: Draws | None = None, progress: float | Tensor = 1.0) -> Loss:
        """The loss of the images `x` (N, *input_shape), float in [0, 1].

        Args:
            x: the images.
            draws: where noise comes from; torch's global generator when left out.
            progress: the share of training done, for weights that change over training.
        """
        if x.shape[1:] != self.input_shape or not x.is_floating_point():
            raise DiaboloError(
                f"expected images (N, {_joined(self.input_shape)}) as floats, not {tuple(x.shape)} {x.dtype}"
            )
        draws = draws or Draws()
        latent, raw = self(self.corruption(x, draws), draws)
        terms = {"reconstruction": self.likelihood.loss(raw, x).mean()}
        terms |= {name: penalty.mean() for name, penalty in latent.penalties.items()}
        weights: dict[str, float | Tensor] = {"reconstruction": 1.0}
        weights |= {name: weight(progress) for name, weight in self.bottleneck.weights.items()}
        total = terms["reconstruction"]
        for name in latent.penalties:
            total = total + weights[name] * terms[name]
        return Loss(total, terms, weights)

    @property
    def units(self) -> dict[str, str]:
        """What each term of the loss is measured in."""
        return {"reconstruction": self.likelihood.unit, **self.bottleneck.units}

    # --- inference: evaluation mode, no gradients, and the mode put back ------------------------------------------------

    def encode(self, x: Tensor) -> Tensor:
        """The deterministic codes (N, *latent_shape) of the images `x` (N, *input_shape): means, never samples."""
        unused = Draws(generator(0, "encode", device=self.device))  # a bottleneck may draw, and it must disturb nobody
        return self._infer(lambda part: self.bottleneck(self.encoder(part), unused).code, self._images(x))

    def decode(self, z: Tensor) -> Tensor:
        """The images x_hat (N, *input_shape) in [0, 1] of the codes `z` (N, *latent_shape)."""
        z = torch.as_tensor(z)
        if z.shape[1:] != self.latent_shape:
            raise DiaboloError(f"expected codes (N, {_joined(self.latent_shape)}), not {tuple(z.shape)}")
        return self._infer(lambda part: self.likelihood.mean(self.decoder(part)), z.to(self.device, torch.float32))

    def reconstruct(self, x: Tensor) -> Tensor:
        """The reconstructions x_hat (N, *input_shape) of `x` as it is, without corruption: decode(encode(x))."""
        return self.decode(self.encode(x))

    def sample(self, n: int, seed: int = 0) -> Tensor:
        """`n` images (n, *input_shape) decoded from the prior; the same for the same seed on the same kind of device."""
        if n < 1:
            raise DiaboloError(f"the number of samples must be at least 1, not {n}")
        draws = Draws(generator(seed, "sample", device=self.device))
        return self.decode(self.bottleneck.prior(n, draws, self.device))

    def sample_codes(self, x: Tensor, seed: int = 0) -> Tensor:
        """One draw z ~ q(z | x) for each image of `x` (N, *input_shape): (N, *latent_shape)."""
        draws = Draws(generator(seed, "posterior", device=self.device))
        return self._infer(lambda part: self.bottleneck(self.encoder(part), draws).z, self._images(x))

    def corrupt(self, x: Tensor, seed: int = 0) -> Tensor:
        """`x` (N, *input_shape) as the encoder sees it in training."""
        draws = Draws(generator(seed, "corruption", device=self.device))
        return self._infer(lambda part: self.corruption(part, draws), self._images(x))

    def summary(self) -> Summary:
        """The table of layers, output shapes and parameter counts; print it."""
        return summarise(self, lambda: self.decode(self.encode(torch.zeros(1, *self.input_shape))))

    @property
    def device(self) -> torch.device:
        """Where the model lies."""
        return next(self.parameters()).device

    def _images(self, x: Tensor) -> Tensor:
        return as_input(x, self.input_shape, self.device)

    def _infer(self, function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        with torch.no_grad(), evaluating(self):
            return torch.cat([function(part) for part in x.split(CHUNK)]) if len(x) else function(x)


def as_input(x: Tensor | np.ndarray, shape: tuple[int, ...], device: torch.device) -> Tensor:
    """`x` (N, *shape) as the model wants it: float32 in [0, 1] on `device`; uint8 is divided by 255.

    Raises:
        DiaboloError: for another shape.
    """
    if isinstance(x, np.ndarray):
        x = np.require(
            x, requirements=["C", "W"]
        )  # torch takes no array that runs backwards, and warns of read-only ones
    x = torch.as_tensor(x)
    if not (x.is_floating_point() or x.dtype in (torch.uint8, torch.bool)):
        raise DiaboloError(f"images are uint8 in 0 … 255 or float in [0, 1], not {x.dtype}")
    if x.shape[1:] != shape or x.ndim == 0:
        raise DiaboloError(f"expected images (N, {_joined(shape)}), not {tuple(x.shape)}")
    x = x.to(device)
    return x.float() / 255 if x.dtype == torch.uint8 else x.float()


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block; afterwards every submodule is in the mode it had."""
    modes = {m: m.training for m in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for m, mode in modes.items():
            m.training = mode


def _joined(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape))
