"""How far a measured number can be trusted: intervals that hold the true one in 95 of 100 repetitions."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diabolo.errors import DiaboloError

ROWS = 2**22  # numbers a bootstrap holds at once


def wilson(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """(low, high) of the probability that gave `successes` in `n` independent trials (Wilson 1927):

    (p + z²/2n ± z √(p (1 − p)/n + z²/4n²)) / (1 + z²/n), p = successes / n, z the normal quantile.

    Unlike p ± z √(p (1 − p)/n) it never leaves [0, 1] and has a width at p = 0 and 1.
    """
    _check(confidence)
    if not 0 <= successes <= n or n < 1:
        raise DiaboloError(f"{successes} successes in {n} trials is no share")
    z, p = _normal_quantile(confidence), successes / n
    centre = p + z * z / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + (z / (2 * n)) ** 2)
    low, high = ((centre + side * half) / (1 + z * z / n) for side in (-1, 1))
    return (0.0 if successes == 0 else low, 1.0 if successes == n else high)


def mean_interval(values: ArrayLike, confidence: float = 0.95) -> tuple[float, float]:
    """(low, high) of the mean that independent `values` (n,) are drawn around: mean ± t s/√n, with Student's t of n − 1
    degrees of freedom, which for many values is the normal quantile.

    Raises:
        DiaboloError: for fewer than two values, which say nothing about their spread, or NaN.
    """
    from scipy.stats import t  # slow to import

    _check(confidence)
    x = _numbers(values)
    half = t.ppf((1 + confidence) / 2, len(x) - 1) * x.std(ddof=1) / math.sqrt(len(x))
    return float(x.mean() - half), float(x.mean() + half)


def bootstrap(
    statistic: Callable[..., Any],
    *values: ArrayLike,
    n_resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Percentile interval of `statistic(*values)`: (low, high) between which it falls for 95 % of the draws of n examples, with
    replacement, from the n that there are (Efron 1979).

    Args:
        statistic: of arrays like `values`, to one number.
        values: one or more arrays (n, …) of the same n: example i is row i of each, and they are drawn together.
        n_resamples: draws.
        seed: of the draws.
        confidence: the share.

    Raises:
        DiaboloError: for fewer than two examples, or arrays that do not belong together.
    """
    _check(confidence)
    arrays = [np.asarray(each) for each in values]
    lengths = {len(each) for each in arrays}
    if len(lengths) != 1 or min(lengths) < 2:
        raise DiaboloError(f"a bootstrap needs two examples or more, in arrays of one length, not {sorted(lengths)}")
    if n_resamples < 100:
        raise DiaboloError(f"a 95 % interval needs at least 100 bootstrap draws, not {n_resamples}")
    (n,) = lengths
    rng = np.random.default_rng(seed)
    found = np.empty(n_resamples)
    for start in range(0, n_resamples, together := max(1, ROWS // n)):
        for i, rows in enumerate(rng.integers(0, n, (min(together, n_resamples - start), n)), start):
            found[i] = statistic(*(each[rows] for each in arrays))
    low, high = np.quantile(found, ((1 - confidence) / 2, (1 + confidence) / 2))
    return float(low), float(high)


def _numbers(values: ArrayLike) -> NDArray[np.float64]:
    x = np.asarray(values, np.float64)
    if x.ndim != 1 or len(x) < 2 or not np.isfinite(x).all():
        raise DiaboloError(f"an interval of a mean needs two finite numbers or more, not {x.size} of shape {x.shape}")
    return x


def _normal_quantile(confidence: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf((1 + confidence) / 2)


def _check(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise DiaboloError(f"confidence is a share between 0 and 1, not {confidence}")
