"""How much a code tells of its image, and what the KL term of a VAE is made of.

    KL = E KL(q(z|x) ‖ p(z)) = I(x; z) + KL(q(z) ‖ p(z)),   q(z) = E q(z|x) the aggregated posterior

(Hoffman & Johnson 2016, "ELBO surgery"): what the code tells of the image, and the prior hole. The latter is in turn

    KL(q(z) ‖ p(z)) = KL(q(z) ‖ ∏ q(zⱼ)) + Σⱼ KL(q(zⱼ) ‖ p(zⱼ))

what units say twice (total correlation), and how far each is from the prior (Chen et al. 2018, arXiv 1802.04942). All in nats.

How far codes lie from N(0, I) is also measured by distances that need no posterior: Fréchet's, and MMD.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diabolo.errors import DiaboloError
from diabolo.hardware import wide
from diabolo.memory import at_once

PAIRS = 2**20  # of a draw and a posterior, held at once


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


def frechet_to_normal(codes: NDArray[Any]) -> float:
    """d² = ‖μ̂‖² + tr(Σ̂ + I − 2 Σ̂^½) = ‖μ̂‖² + Σ (√λᵢ − 1)², the squared Fréchet distance of N(μ̂, Σ̂), fitted to `codes`
    (N, D), to N(0, I) (Dowson & Landau 1982). λ are the eigenvalues of Σ̂. It sees means and covariances alone, and even codes
    drawn from N(0, I) are at about D (D + 5) / 4N from it.

    Raises:
        DiaboloError: for fewer than two codes, or NaN.

    Example:
        >>> codes = np.random.default_rng(0).normal(size=(10_000, 2))
        >>> round(diabolo.metrics.frechet_to_normal(codes), 2), round(diabolo.metrics.frechet_to_normal(codes + [2, 0]), 1)
        (0.0, 4.0)
    """
    codes = _checked(codes)
    covariance = np.atleast_2d(np.cov(codes, rowvar=False))
    roots = np.sqrt(np.linalg.eigvalsh(covariance).clip(0))  # Σ̂ has no negative ones but by rounding
    return float(np.square(codes.mean(0)).sum() + np.square(roots - 1).sum())


def mmd_to_normal(codes: NDArray[Any], bandwidth: float | None = None) -> float:
    """MMD² between `codes` (N, D) and N(0, I), with k(a, b) = exp(−‖a − b‖² / 2ℓ²): unbiased, so it may fall a little below 0
    (Gretton et al. 2012, JMLR 13). All that concerns the prior is exact, nothing is drawn from it:

    E k(z, b) = (ℓ² / (ℓ² + 1))^{D/2} exp(−‖z‖² / 2 (ℓ² + 1)),   E k(b, b') = (ℓ² / (ℓ² + 2))^{D/2}   for b, b' ~ N(0, I).

    Args:
        codes: (N, D), N of 2 or more.
        bandwidth: ℓ; √D when left out, the median distance of two draws of the prior divided by √2.

    Example:
        >>> codes = np.random.default_rng(0).normal(size=(1000, 2))
        >>> abs(diabolo.metrics.mmd_to_normal(codes)) < 0.01, diabolo.metrics.mmd_to_normal(codes + 2) > 0.1
        (True, True)
    """
    codes = _checked(codes)
    n, size = codes.shape
    if bandwidth is not None and not 0 < bandwidth < math.inf:
        raise DiaboloError(f"the bandwidth of a kernel is above 0, not {bandwidth}")
    square = float(size) if bandwidth is None else bandwidth**2
    norms = np.square(codes).sum(1)
    pairs = 0.0
    rows = at_once(PAIRS, n)
    for start in range(0, n, rows):
        few = slice(start, start + rows)
        distances = norms[few, None] + norms - 2 * codes[few] @ codes.T
        pairs += np.exp(-distances.clip(0) / (2 * square)).sum()
    among = (pairs - n) / (n * (n - 1))  # a code with itself does not count, and has k = 1
    across = (square / (square + 1)) ** (size / 2) * np.exp(-norms / (2 * (square + 1))).mean()
    return float(among - 2 * across + (square / (square + 2)) ** (size / 2))


def _checked(codes: NDArray[Any]) -> NDArray[np.float64]:
    codes = np.asarray(codes, np.float64)
    if codes.ndim != 2 or len(codes) < 2:
        raise DiaboloError(f"a distance to the prior needs codes (N, D), two or more, not {codes.shape}")
    if not np.isfinite(codes).all():
        raise DiaboloError("the codes hold NaN or infinity")
    return codes
