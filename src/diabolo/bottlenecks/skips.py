"""Skip connections, seen from the bottleneck: what the encoder leads around it to the decoder."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from diabolo.bottlenecks.diagnosis import Diagnosis
from diabolo.bottlenecks.latent import Bottleneck, Latent
from diabolo.errors import DiaboloError
from diabolo.parts import part
from diabolo.randomness import Draws
from diabolo.schedules import Schedule


@dataclass(frozen=True)
class _Led(Latent):
    """The latent with the skips beside it, and that of the bottleneck itself."""

    inner: Latent | None = None


@part
class WithSkips(Bottleneck):
    """Any bottleneck, and beside it skip features that go around: z = [z_inner | skips], and so the code.

    Everything else, penalties, weights and what is watched, is that of the inner bottleneck. The first prod(inner.latent_shape)
    numbers of a code are its own.

    Args:
        inner: the bottleneck, of the first `features` features.
        features: how many features the bottleneck sees.
        skip_features: how many come after them and go around it.

    Example:
        >>> unet = diabolo.zoo.unet((1, 16, 16), channels=(4, 8))
        >>> type(unet.bottleneck).__name__, unet.bottleneck.latent_shape
        ('WithSkips', (1568,))
    """

    def __init__(self, inner: Bottleneck, features: int, skip_features: int) -> None:
        self.width = math.prod(inner.latent_shape)
        super().__init__(self.width + skip_features)
        self.inner, self.features, self.skip_features = inner, features, skip_features
        self.weights, self.units = inner.weights, inner.units
        self.logged, self.differentiates = inner.logged, inner.differentiates

    @property
    def schedules(self) -> dict[str, Schedule]:
        """Those of the inner bottleneck."""
        return self.inner.schedules

    @property
    def core(self) -> Bottleneck:
        """The inner bottleneck."""
        return self.inner.core

    def posterior(self, features: Tensor) -> tuple[Tensor, ...]:
        """That of the inner bottleneck, which sees its own features alone."""
        return self.inner.posterior(features[:, : self.features])

    def forward(self, features: Tensor, draws: Draws) -> Latent:
        """The latent of `features` (N, features + skip_features)."""
        own, skips = features.split([self.features, self.skip_features], 1)
        inner = self.inner(own, draws)
        z = self._beside(inner.z, skips)
        code = z if inner.code is inner.z else self._beside(inner.code, skips)
        return _Led(z, code, inner.penalties, inner.logged, inner.posterior, inner)

    def initialise(self, features: Callable[[], Tensor], draws: Draws) -> None:
        """The inner bottleneck sees its own features."""
        self.inner.initialise(lambda: features()[:, : self.features], draws)

    def prepare_input(self, x: Tensor) -> Tensor:
        """What the inner bottleneck asks for."""
        return self.inner.prepare_input(x)

    def batch_penalties(
        self, x: Tensor, latent: Latent, raw: Tensor, decoder: nn.Module, draws: Draws, progress: float | Tensor
    ) -> dict[str, Tensor]:
        """The inner bottleneck's penalties on its own part of the latent."""
        own = latent.inner if isinstance(latent, _Led) else None
        if own is None:
            shape = (-1, *self.inner.latent_shape)
            z, code = (each[:, : self.width].reshape(shape) for each in (latent.z, latent.code))
            own = replace(latent, z=z, code=code)
        return self.inner.batch_penalties(x, own, raw, decoder, draws, progress)

    def diagnose(self, features: Tensor, latent: Latent) -> Diagnosis:
        """That of the inner bottleneck, by its own part of the features."""
        own = latent.inner if isinstance(latent, _Led) else None
        return Diagnosis() if own is None else self.inner.diagnose(features[:, : self.features], own)

    def prior(self, n: int, draws: Draws, device: torch.device) -> Tensor:
        """`n` codes of the inner prior, with zeros for the skips: nobody says how those are distributed."""
        return self._beside(self.inner.prior(n, draws, device), torch.zeros(n, self.skip_features, device=device))

    @staticmethod
    def _beside(z: Tensor, skips: Tensor) -> Tensor:
        return torch.cat([z.flatten(1), skips], 1)


def around(encoder: Any, bottleneck: Bottleneck) -> Bottleneck:
    """`bottleneck`, with what `encoder` leads around it beside it, if it leads anything (`skip_features`).

    Raises:
        DiaboloError: when it does, and the codes are discrete.

    Example:
        >>> encoder, _ = diabolo.nets.build("mlp", (1, 8, 8), 4)
        >>> inner = diabolo.bottlenecks.Identity(encoder.features, 4)
        >>> diabolo.bottlenecks.around(encoder, inner) is inner  # an MLP leads nothing around it
        True
    """
    skip_features = getattr(encoder, "skip_features", 0)
    if not skip_features:
        return bottleneck
    if bottleneck.discrete:
        raise DiaboloError(
            "skip connections lead the image around its discrete codes, which no prior could then draw: cut them (--no-skips)"
        )
    return WithSkips(bottleneck, encoder.features, skip_features)
