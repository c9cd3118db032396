"""Bottlenecks that may be wide, but of which few units may speak at a time."""

import math

import torch
from torch import Tensor, nn

from diabolo import distributed
from diabolo.bottlenecks.latent import Bottleneck, Latent
from diabolo.errors import DiaboloError
from diabolo.parts import part
from diabolo.randomness import Draws
from diabolo.ranges import Count, Natural, PartOf
from diabolo.schedules import Schedule, as_weight


@part
class Sparse(Bottleneck):
    """z = W h + b with the penalty l1 = Σⱼ |zⱼ| (Ng 2011, CS294A lecture notes; Olshausen & Field 1996).

    Args:
        in_features: features per image that the encoder gives.
        latent_dim: length of the code.
        weight: λ, a number or a schedule. With a squared error per pixel, 1e-5 … 1e-3 is the usual range.

    Example:
        >>> from diabolo.randomness import Draws
        >>> latent = diabolo.bottlenecks.Sparse(32, 8, weight=1e-3)(torch.ones(1, 32), Draws())
        >>> bool(latent.penalties["l1"] == latent.z.abs().sum(1))
        True
    """

    def __init__(self, in_features: Natural, latent_dim: Count, weight: float | str | Schedule = 1e-4) -> None:
        super().__init__(latent_dim)
        self.to_code = nn.Linear(in_features, latent_dim)
        self.weights = {"l1": as_weight(weight, "the weight of the L1 norm")}
        self.units = {"l1": "sum of |z| per image"}

    def forward(self, features: Tensor, draws: Draws) -> Latent:
        """The code of `features` (N, in_features) and its L1 norm."""
        z = self.to_code(features).float()
        return Latent(z=z, code=z, penalties={"l1": z.abs().sum(1)})


def keep_largest(z: Tensor, k: Count) -> Tensor:
    """`z` (N, D) with the `k` largest numbers of each row, by value and not by magnitude, and zeros for the others."""
    values, where = z.topk(k, dim=1)
    return torch.zeros_like(z).scatter(1, where, values)


@part
class TopK(Bottleneck):
    """z = W h + b, of which the k largest units of each image are kept, by value and not by magnitude, and the others are 0;
    gradients flow through those kept alone (k-sparse autoencoder: Makhzani & Frey 2014, arXiv 1312.5663).

    The paper's encoder is one matrix (`hidden=()`). In training as in `encode` k is the same.

    Args:
        in_features: features per image that the encoder gives.
        latent_dim: length of the code.
        k: units kept, at most `latent_dim`.

    Example:
        >>> from diabolo.randomness import Draws
        >>> latent = diabolo.bottlenecks.TopK(32, 8, k=3)(torch.randn(5, 32), Draws())
        >>> (latent.z != 0).sum(1).tolist()
        [3, 3, 3, 3, 3]
    """

    def __init__(self, in_features: Natural, latent_dim: Count, k: Count) -> None:
        super().__init__(latent_dim)
        if k > latent_dim:
            raise DiaboloError(f"of a code of {latent_dim} units 1 to {latent_dim} can be kept, not {k}")
        self.to_code, self.k = nn.Linear(in_features, latent_dim), int(k)

    def forward(self, features: Tensor, draws: Draws) -> Latent:
        """The code of `features` (N, in_features), with k units that are not 0."""
        z = keep_largest(self.to_code(features).float(), self.k)
        return Latent(z=z, code=z)

    def prior(self, n: int, draws: Draws, device: torch.device) -> Tensor:
        """`n` codes (n, latent_dim): the k largest of N(0, I)."""
        return keep_largest(super().prior(n, draws, device), self.k)


@part
class KLSparse(Bottleneck):
    """z = σ(W h + b) with the penalty kl_rate = Σⱼ KL(ρ ‖ ρ̂ⱼ) = Σⱼ ρ log ρ/ρ̂ⱼ + (1 − ρ) log (1 − ρ)/(1 − ρ̂ⱼ), where ρ̂ⱼ is the
    mean of unit j over the batch (Ng 2011, CS294A lecture notes).

    ρ̂ is that of the whole batch, over all processes; small batches make it noisy and the penalty too large.

    Args:
        in_features: features per image that the encoder gives.
        latent_dim: length of the code.
        rho: ρ, how active each unit is to be on average, in (0, 1).
        weight: a number or a schedule. Ng's 3 goes with a squared error summed over pixels.

    Example:
        >>> from diabolo.randomness import Draws
        >>> latent = diabolo.bottlenecks.KLSparse(32, 8, rho=0.05)(torch.randn(5, 32), Draws())
        >>> bool(((latent.z > 0) & (latent.z < 1)).all())
        True
    """

    def __init__(
        self, in_features: Natural, latent_dim: Count, rho: PartOf = 0.05, weight: float | str | Schedule = 1e-3
    ) -> None:
        super().__init__(latent_dim)
        self.to_code, self.rho = nn.Linear(in_features, latent_dim), float(rho)
        self.weights = {"kl_rate": as_weight(weight, "the weight of the KL divergence from the target rate")}
        self.units = {"kl_rate": "nats, summed over units"}

    def forward(self, features: Tensor, draws: Draws) -> Latent:
        """The code of `features` (N, in_features), in (0, 1)."""
        z = torch.sigmoid(self.to_code(features).float())
        return Latent(z=z, code=z)

    def batch_penalties(
        self, x: Tensor, latent: Latent, raw: Tensor, decoder: nn.Module, draws: Draws, progress: float | Tensor
    ) -> dict[str, Tensor]:
        """The divergence of the batch, the same for each image (N,)."""
        rate, rho = distributed.mean_of_rows(latent.code), self.rho
        tiny = torch.finfo(rate.dtype).tiny  # a unit off, or on, for all images: finite, and still with a slope
        kl = rho * (math.log(rho) - rate.clamp(min=tiny).log())
        kl = kl + (1 - rho) * (math.log(1 - rho) - (1 - rate).clamp(min=tiny).log())
        return {"kl_rate": kl.sum().expand(len(raw))}

    def prior(self, n: int, draws: Draws, device: torch.device) -> Tensor:
        """`n` codes (n, latent_dim) in (0, 1) of mean ρ, from a Beta(ρ / (1 − ρ), 1)."""
        uniform = draws.uniform(torch.empty(n, *self.latent_shape, device=device))
        return uniform ** ((1 - self.rho) / self.rho)
