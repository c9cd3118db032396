"""Bottlenecks with a posterior and a prior whose densities are known: the Gaussian one, and the one through which nothing
passes.

Importance weights are made of these densities.
"""

import math
from abc import abstractmethod

import torch
from torch import Tensor, nn

from diabolo import distributed
from diabolo.bottlenecks.diagnosis import Diagnosis, of_posterior
from diabolo.bottlenecks.latent import Bottleneck, Latent
from diabolo.bounds import held
from diabolo.errors import DiaboloError
from diabolo.parts import part
from diabolo.randomness import Draws
from diabolo.ranges import Count, Natural, Weight
from diabolo.schedules import Constant, Schedule, as_weight


class Variational(Bottleneck):
    """A bottleneck with a posterior q(z|x) to draw from, whose density is known, and a prior p(z) whose density is known.

    Densities are in nats, in float32 or better, and differentiable by z and by what the posterior is made of.

    Example:
        >>> isinstance(model.bottleneck, diabolo.bottlenecks.Variational)
        True
    """

    @abstractmethod
    def posterior(self, features: Tensor) -> tuple[Tensor, ...]:
        """What q(z|x) is made of, each (N, …), from `features` (N, in_features): mean and log variance, say. The first is the
        deterministic code."""

    @abstractmethod
    def draw(self, posterior: tuple[Tensor, ...], draws: Draws, k: int) -> Tensor:
        """`k` codes of each posterior, (N, k, *latent_shape), through which gradients flow."""

    @abstractmethod
    def log_posterior(self, z: Tensor, posterior: tuple[Tensor, ...]) -> Tensor:
        """log q(z|x) of `z` (N, k, *latent_shape): (N, k)."""

    @abstractmethod
    def log_prior(self, z: Tensor) -> Tensor:
        """log p(z) of `z` (N, k, *latent_shape): (N, k)."""


LOG_TAU = math.log(2 * math.pi)
LOGVAR_RANGE = (-20.0, 10.0)  # σ from 5e-5 to 150: σ² and its gradient stay finite even in half precision


def kl_per_unit(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(μ, σ²) ‖ N(0, 1)) = ½ (μ² + σ² − 1 − log σ²) of each unit, in nats: (N, D), (N, D) → (N, D).

    Example:
        >>> mu, logvar = torch.tensor([[0.0, 2.0]]), torch.zeros(1, 2)
        >>> diabolo.bottlenecks.kl_per_unit(mu, logvar)
        tensor([[0., 2.]])
    """
    return 0.5 * (mu.square() + (logvar.expm1() - logvar))


def kl_to_standard_normal(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mu, diag exp logvar) ‖ N(0, I)) = ½ Σⱼ (μⱼ² + σⱼ² − 1 − log σⱼ²), in nats: (N, D), (N, D) → (N,).

    Example:
        >>> mu, logvar = torch.tensor([[0.0, 2.0]]), torch.zeros(1, 2)
        >>> diabolo.bottlenecks.kl_to_standard_normal(mu, logvar)
        tensor([2.])
    """
    return 0.5 * (mu.square() + (logvar.expm1() - logvar)).sum(1)


@part
class Gaussian(Variational):
    """q(z|x) = N(μ, σ²), z = μ + σ ε, with the penalty kl = KL(q(z|x) ‖ N(0, I)) (Kingma & Welling 2014, arXiv 1312.6114).

    `kl` is always the true divergence. Two things can be asked for that keep it from vanishing; each is a term of its own with
    the weight beta, in place of kl, which then is only written down. Both look at means over the batch, that of all processes:

    * `free_bits` λ: Σⱼ max(λ, KLⱼ), so that nothing is gained by pressing a unit below λ nats (Kingma et al. 2016,
      arXiv 1606.04934).
    * `capacity` C: |KL − C|, which draws the divergence to C from both sides (Burgess et al. 2018, arXiv 1804.03599; their γ is
      this beta, 1000 in the paper, while C goes from 0 to 25 nats).

    Args:
        in_features: features per image that the encoder gives.
        latent_dim: length of the code.
        beta: the weight of the KL term, a number or a schedule (β-VAE: Higgins et al. 2017).
        free_bits: λ in nats per unit; 0 for none.
        capacity: C in nats per image, a number or a schedule; None for none.

    Example:
        >>> from diabolo.randomness import Draws
        >>> latent = diabolo.bottlenecks.Gaussian(32, 4, beta="linear(0, 1, 0.3)")(torch.zeros(5, 32), Draws())
        >>> mu, logvar = latent.posterior
        >>> tuple(mu.shape), torch.equal(latent.code, mu), torch.equal(latent.z, mu)
        ((5, 4), True, False)
    """

    def __init__(
        self,
        in_features: Natural,
        latent_dim: Count,
        beta: float | str | Schedule = 1.0,
        free_bits: Weight = 0.0,
        capacity: float | str | Schedule | None = None,
    ) -> None:
        super().__init__(latent_dim)
        if free_bits and capacity is not None:
            raise DiaboloError("free_bits and capacity both bend the KL term; ask for one of them")
        self.to_posterior = nn.Linear(in_features, 2 * latent_dim)  # μ and log σ² in one product
        self.free_bits = float(free_bits)
        self.capacity = None if capacity is None else as_weight(capacity, "the capacity")
        self.weights = {"kl": as_weight(beta, "beta")}
        if bent := "capacity" if capacity is not None else "free_bits" if free_bits else None:
            self.weights = {"kl": Constant(0.0), bent: self.weights["kl"]}
        self.units = dict.fromkeys(self.weights, "nats per image")

    @property
    def schedules(self) -> dict[str, Schedule]:
        """The weights, and the capacity."""
        return self.weights if self.capacity is None else {**self.weights, "capacity in nats": self.capacity}

    def posterior(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """μ and log σ², each (N, D), of q(z|x)."""
        mu, logvar = self.to_posterior(features).float().chunk(2, dim=1)
        return mu, held(logvar, *LOGVAR_RANGE)

    def forward(self, features: Tensor, draws: Draws) -> Latent:
        """A sample of q(z|x), its mean as the code, and the KL term in nats per image."""
        mu, logvar = self.posterior(features)
        z = mu + torch.exp(0.5 * logvar) * draws.normal(mu)
        return Latent(z, mu, {"kl": kl_to_standard_normal(mu, logvar)}, posterior=(mu, logvar))

    def batch_penalties(
        self, x: Tensor, latent: Latent, raw: Tensor, decoder: nn.Module, draws: Draws, progress: float | Tensor
    ) -> dict[str, Tensor]:
        """The term that stands for kl under `free_bits` or `capacity`, the same for each image (N,)."""
        if self.capacity is not None:
            kl = distributed.mean_of_rows(latent.penalties["kl"])
            return {"capacity": (kl - self.capacity(progress)).abs().expand(len(raw))}
        if self.free_bits:
            per_unit = distributed.mean_of_rows(kl_per_unit(*latent.posterior))
            return {"free_bits": per_unit.clamp(min=self.free_bits).sum().expand(len(raw))}
        return {}

    def diagnose(self, features: Tensor, latent: Latent) -> Diagnosis:
        """Active units, and KL per unit."""
        mu, logvar = latent.posterior
        return of_posterior(mu, kl_per_unit(mu, logvar))

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


@part
class Nothing(Variational):
    """A code of no numbers, (N, 0): the decoder goes by what it is told alone. With a condition the model is a plain,
    deterministic network of the decoder's capacity: what a conditional VAE is to be compared with.

    Posterior and prior are densities over no numbers, 1 each, so that −log p(x | condition) is the likelihood's own.

    Example:
        >>> from diabolo.randomness import Draws
        >>> tuple(diabolo.bottlenecks.Nothing()(torch.zeros(5, 0), Draws()).z.shape)
        (5, 0)
    """

    def __init__(self) -> None:
        super().__init__(0)  # which no other bottleneck may have

    def forward(self, features: Tensor, draws: Draws) -> Latent:
        """Nothing of `features` (N, F)."""
        z = features[:, :0].float()
        return Latent(z=z, code=z)

    def posterior(self, features: Tensor) -> tuple[Tensor, ...]:
        """Nothing of `features` (N, F): (N, 0)."""
        return (features[:, :0].float(),)

    def draw(self, posterior: tuple[Tensor, ...], draws: Draws, k: int) -> Tensor:
        """(N, k, 0)."""
        return posterior[0][:, None].expand(-1, k, -1)

    def log_posterior(self, z: Tensor, posterior: tuple[Tensor, ...]) -> Tensor:
        """0 for each of `z` (N, k, 0): (N, k)."""
        return z.sum(2)

    def log_prior(self, z: Tensor) -> Tensor:
        """0 for each of `z` (N, k, 0): (N, k)."""
        return z.sum(2)
