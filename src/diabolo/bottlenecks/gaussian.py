"""The waist of the variational autoencoder: a distribution over codes, held close to N(0, I)."""

import math

import torch
from torch import Tensor, nn

from diabolo.bottlenecks.latent import Latent
from diabolo.bottlenecks.variational import Variational
from diabolo.parts import part
from diabolo.randomness import Draws
from diabolo.schedules import Schedule, as_schedule

LOG_TAU = math.log(2 * math.pi)
LOGVAR_RANGE = (-20.0, 10.0)  # σ from 5e-5 to 150: σ² and its gradient stay finite even in half precision


def kl_to_standard_normal(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mu, diag exp logvar) ‖ N(0, I)) = ½ Σⱼ (μⱼ² + σⱼ² − 1 − log σⱼ²), in nats: (N, D), (N, D) → (N,)."""
    return 0.5 * (mu.square() + (logvar.expm1() - logvar)).sum(1)


@part
class Gaussian(Variational):
    """q(z|x) = N(μ, σ²), z = μ + σ ε, with the penalty kl = KL(q(z|x) ‖ N(0, I)) (Kingma & Welling 2014, arXiv 1312.6114).

    Args:
        in_features: features per image that the encoder gives.
        latent_dim: length of the code.
        beta: the weight of the KL term, a number or a schedule (β-VAE: Higgins et al. 2017).
    """

    def __init__(self, in_features: int, latent_dim: int, beta: float | str | Schedule = 1.0) -> None:
        super().__init__(latent_dim)
        self.to_posterior = nn.Linear(in_features, 2 * latent_dim)  # μ and log σ² in one product
        self.weights = {"kl": as_schedule(beta)}
        self.units = {"kl": "nats per image"}

    def posterior(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """μ and log σ², each (N, D), of q(z|x)."""
        mu, logvar = self.to_posterior(features).float().chunk(2, dim=1)
        return mu, logvar.clamp(*LOGVAR_RANGE)

    def forward(self, features: Tensor, draws: Draws) -> Latent:
        """A sample of q(z|x), its mean as the code, and the KL term in nats per image."""
        mu, logvar = self.posterior(features)
        z = mu + torch.exp(0.5 * logvar) * draws.normal(mu)
        return Latent(z=z, code=mu, penalties={"kl": kl_to_standard_normal(mu, logvar)})

    def draw(self, posterior: tuple[Tensor, ...], draws: Draws, k: int) -> Tensor:
        """z = μ + σ ε, (N, k, D), `k` of them for each μ and log σ² (N, D)."""
        mu, logvar = (parameter[:, None] for parameter in posterior)
        return mu + torch.exp(0.5 * logvar) * draws.normal(mu.expand(-1, k, -1))

    def log_posterior(self, z: Tensor, posterior: tuple[Tensor, ...]) -> Tensor:
        """log N(z; μ, σ²) of `z` (N, k, D): (N, k)."""
        mu, logvar = (parameter[:, None] for parameter in posterior)
        return -0.5 * (((z - mu) * torch.exp(-0.5 * logvar)).square() + logvar + LOG_TAU).sum(2)

    def log_prior(self, z: Tensor) -> Tensor:
        """log N(z; 0, I) of `z` (N, k, D): (N, k)."""
        return -0.5 * (z.square() + LOG_TAU).sum(2)
