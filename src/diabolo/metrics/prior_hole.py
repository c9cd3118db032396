"""How far codes lie from the prior N(0, I) that samples are decoded from: the prior hole, measured."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.errors import DiaboloError
from diabolo.memory import at_once

PAIRS = 2**22  # of codes, held at once


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
