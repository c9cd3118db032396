"""Networks around a prior over codes that depends on a condition (`conditions.WithPrior`)."""

from typing import Any

import torch
from torch import Tensor, nn

from diabolo.errors import DiaboloError
from diabolo.parts import part
from diabolo.ranges import Count


def _parted(c: Tensor | None, latent_dim: int) -> tuple[tuple[Tensor, ...], Tensor]:
    """What the inner condition gave, nothing or one tensor (N, F), and the prior's μ and log σ² (N, 2 D), of `c`."""
    assert c is not None
    own, prior = c.split([c.shape[1] - 2 * latent_dim, 2 * latent_dim], 1)
    return ((own,) if own.shape[1] else ()), prior


@part
class PriorEncoder(nn.Module):
    """x, c → [features of the inner encoder | μ(c), log σ²(c)]: (N, features), for `bottlenecks.RelativeGaussian`.

    Args:
        inner: the encoder, called with what the inner condition gives, where that is something.
        latent_dim: the length D of the code.

    Example:
        >>> encoder, decoder = diabolo.nets.build("mlp", (1, 8, 8), 4, hidden=(32,))
        >>> diabolo.nets.PriorEncoder(encoder, latent_dim=4).features
        40
    """

    def __init__(self, inner: nn.Module, latent_dim: Count) -> None:
        super().__init__()
        told: Any = inner
        if getattr(inner, "skip_features", 0):
            raise DiaboloError(
                "a prior that depends on a condition needs an encoder without skip connections (--no-skips)"
            )
        self.inner, self.latent_dim = inner, latent_dim
        self.input_shape = tuple(told.input_shape)
        self.features = told.features + 2 * latent_dim

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Features (N, features) of `x` (N, *input_shape) and `c` (N, F + 2 D)."""
        own, prior = _parted(c, self.latent_dim)
        features = self.inner(x, *own)
        return torch.cat([features.float(), prior], 1)  # the prior is not rounded under autocast


@part
class PriorDecoder(nn.Module):
    """u, c → the inner decoder's answer to z = μ(c) + σ(c) u.

    Args:
        inner: the decoder, called with what the inner condition gives, where that is something.
        latent_dim: the length D of the code.

    Example:
        >>> encoder, decoder = diabolo.nets.build("mlp", (1, 8, 8), 4, hidden=(32,))
        >>> at_the_mean = diabolo.nets.PriorDecoder(decoder, latent_dim=4)(torch.zeros(5, 4), torch.zeros(5, 8))
        >>> tuple(at_the_mean.shape)
        (5, 1, 8, 8)
    """

    def __init__(self, inner: nn.Module, latent_dim: Count) -> None:
        super().__init__()
        self.inner, self.latent_dim = inner, latent_dim

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """One real number per pixel, (N, *output_shape), of the relative code `z` (N, D) and `c` (N, F + 2 D)."""
        own, prior = _parted(c, self.latent_dim)
        mu, logvar = prior.chunk(2, dim=1)
        raw: Tensor = self.inner(mu + torch.exp(0.5 * logvar) * z, *own)
        return raw
