"""The bottleneck of a VAE whose prior depends on a condition."""

import torch
from torch import Tensor

from diabolo.bottlenecks.gaussian import LOGVAR_RANGE, Gaussian
from diabolo.bounds import held
from diabolo.parts import part
from diabolo.ranges import Count, Natural, Weight
from diabolo.schedules import Schedule


@part
class RelativeGaussian(Gaussian):
    """`Gaussian` for a prior p(z|c) = N(μ_c, σ_c²) that comes with the features: the code is u = (z − μ_c) / σ_c.

    q(z|x) = N(μ, σ²) becomes q(u|x) = N((μ − μ_c) / σ_c, σ²/σ_c²) and p(u) = N(0, I); the divergence is the same,
    KL(q(z|x) ‖ p(z|c)) = KL(q(u|x) ‖ N(0, I)), since it does not ask in which units z is measured.

    Args:
        in_features: features per image, of which the last 2 · latent_dim are μ_c and log σ_c² (`nets.PriorEncoder`).
        latent_dim: length of the code.
        beta, free_bits, capacity: as of `Gaussian`.

    Example:
        >>> code = diabolo.bottlenecks.RelativeGaussian(32 + 8, latent_dim=4)
        >>> features = torch.cat([torch.zeros(5, 32), torch.full((5, 4), 3.0), torch.zeros(5, 4)], 1)  # μ_c = 3, σ_c = 1
        >>> mu, logvar = code.posterior(features)
        >>> bool(torch.allclose(mu, code.to_posterior.bias[:4] - 3))
        True
    """

    def __init__(
        self,
        in_features: Natural,
        latent_dim: Count,
        beta: float | str | Schedule = 1.0,
        free_bits: Weight = 0.0,
        capacity: float | str | Schedule | None = None,
    ) -> None:
        super().__init__(in_features - 2 * latent_dim, latent_dim, beta, free_bits, capacity)
        self.width = in_features - 2 * latent_dim

    def posterior(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """μ and log σ², each (N, D), of q(u|x)."""
        mu, logvar = super().posterior(features[:, : self.width])
        mu_c, logvar_c = features[:, self.width :].float().chunk(2, dim=1)
        return (mu - mu_c) * torch.exp(-0.5 * logvar_c), held(logvar - logvar_c, *LOGVAR_RANGE)
