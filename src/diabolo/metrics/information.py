"""How much a code tells of its image, and what the KL term of a VAE is made of.

    KL = E KL(q(z|x) ‖ p(z)) = I(x; z) + KL(q(z) ‖ p(z)),   q(z) = E q(z|x) the aggregated posterior

(Hoffman & Johnson 2016, "ELBO surgery"): what the code tells of the image, and the prior hole. The latter is in turn

    KL(q(z) ‖ p(z)) = KL(q(z) ‖ ∏ q(zⱼ)) + Σⱼ KL(q(zⱼ) ‖ p(zⱼ))

what units say twice (total correlation), and how far each is from the prior (Chen et al. 2018, arXiv 1802.04942). All in nats.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from diabolo.hardware import wide
from diabolo.memory import at_once

PAIRS = 2**22  # of a draw and a posterior, held at once


@dataclass(frozen=True)
class Information:
    """I(x; z) lies between two estimates, of which neither is right where a code tells more of its image than log N.

    Attributes:
        low: (M,) log q(z|xᵢ) − log 1/N Σⱼ q(z|xⱼ), its mean a lower bound, which is at most log N: the estimate over the full
            sample of Hoffman & Johnson.
        high: the same with the mixture of the N − 1 others, an upper bound (Poole et al. 2019, arXiv 1905.06922).
        marginal: (M,) log q(z) of each draw, in the estimate of `low`.
    """

    low: Tensor
    high: Tensor
    marginal: Tensor


def mutual_information(z: Tensor, rows: Tensor, mu: Tensor, logvar: Tensor) -> Information:
    """I(x; z) of a VAE whose posteriors are N(μ, σ²).

    Args:
        z: draws (M, D), z[m] from the posterior of image rows[m].
        rows: (M,), int64.
        mu, logvar: (N, D) of all N images; in float64, or they are made so.

    Example:
        >>> latent, _ = model(torch.from_numpy(test.images) / 255)
        >>> found = diabolo.metrics.mutual_information(latent.z, torch.arange(100), *latent.posterior)
        >>> bool(found.low.mean() < found.high.mean())
        True
    """
    z, mu, logvar = wide(z), wide(mu), wide(logvar)
    rows = rows.to(z.device)
    middle = mu.mean(0)  # so that the squares below lose few digits, however far from 0 the codes lie
    z, mu = z - middle, mu - middle
    n, size = mu.shape
    precision = (-logvar).exp()
    constant = -0.5 * ((mu.square() * precision + logvar).sum(1) + size * math.log(2 * math.pi))
    own, every, others = [], [], []
    together = at_once(PAIRS, n)
    for few, row in zip(z.split(together), rows.split(together), strict=True):
        log_q = constant + few @ (mu * precision).T - 0.5 * few.square() @ precision.T  # (few, N)
        itself = row[:, None]
        own.append(log_q.gather(1, itself)[:, 0])
        every.append(log_q.logsumexp(1) - math.log(n))
        others.append(log_q.scatter(1, itself, -math.inf).logsumexp(1) - math.log(max(1, n - 1)))
    log_own, marginal, without = (torch.cat(part) for part in (own, every, others))
    return Information(log_own - marginal, log_own - without, marginal)


def marginal_kl_per_unit(z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(q(zⱼ) ‖ N(0, 1)) of each unit (D,), estimated by the draws `z` (M, D) of the aggregated posterior, the mixture of
    the N(μ, σ²) (N, D)."""
    found = []
    for z_j, mu_j, logvar_j in zip(wide(z).T, wide(mu).T, wide(logvar).T, strict=True):
        half = -0.5 * logvar_j
        parts = []
        for few in z_j.split(at_once(PAIRS, len(mu_j))):
            log_q = half - 0.5 * ((few[:, None] - mu_j) * half.exp()).square()
            parts.append(log_q.logsumexp(1) - math.log(len(mu_j)) + 0.5 * few.square())
        found.append(torch.cat(parts).mean())
    return torch.stack(found)
