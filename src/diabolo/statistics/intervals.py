"""Intervals that hold the true number in 95 of 100 repetitions: of a share, of a mean, of anything."""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

from numpy.typing import ArrayLike

from diabolo.errors import DiaboloError
from diabolo.statistics.estimate import check_confidence, mean
from diabolo.statistics.resampling import replicate


def wilson(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """(low, high) of the probability that gave `successes` in `n` independent trials (Wilson 1927):

    (p + z²/2n ± z √(p (1 − p)/n + z²/4n²)) / (1 + z²/n), p = successes / n, z the normal quantile.

    Unlike p ± z √(p (1 − p)/n) it never leaves [0, 1] and has a width at p = 0 and 1.

    Example:
        >>> [round(end, 3) for end in diabolo.statistics.wilson(96, 100)]
        [0.902, 0.984]
    """
    check_confidence(confidence)
    if not 0 <= successes <= n or n < 1:
        raise DiaboloError(f"{successes} successes in {n} trials is no share")
    z, p = NormalDist().inv_cdf((1 + confidence) / 2), successes / n
    centre = p + z * z / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + (z / (2 * n)) ** 2)
    low, high = ((centre + side * half) / (1 + z * z / n) for side in (-1, 1))
    return (0.0 if successes == 0 else low, 1.0 if successes == n else high)


def paired_shares(only_a: int, only_b: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """(low, high) of the difference of two shares of the same `n` images, a − b, of which `only_a` are right by a alone and
    `only_b` by b alone (Agresti & Min 2005, "Simple improved confidence intervals for comparing matched proportions"): the
    normal interval with half an image more of each of the four kinds, d ± z √(a + b − (a − b)²/m) / m, m = n + 2.

    Unlike the spread of n differences it has a width where all are alike.

    Example:
        >>> low, high = diabolo.statistics.paired_shares(only_a=30, only_b=10, n=1000)
        >>> round(low, 4), round(high, 4)
        (0.0075, 0.0324)
    """
    check_confidence(confidence)
    if min(only_a, only_b) < 0 or not n >= 1 or only_a + only_b > n:
        raise DiaboloError(f"{only_a} and {only_b} of {n} images are no paired shares")
    z, a, b, m = NormalDist().inv_cdf((1 + confidence) / 2), only_a + 0.5, only_b + 0.5, n + 2
    centre, half = (a - b) / m, z * math.sqrt(a + b - (a - b) ** 2 / m) / m
    return max(-1.0, centre - half), min(1.0, centre + half)


def mean_interval(values: ArrayLike, confidence: float = 0.95) -> tuple[float, float]:
    """(low, high) of the mean that independent `values` (n,) are drawn around: mean ± t s/√n, with Student's t of n − 1
    degrees of freedom, which for many values is the normal quantile.

    Raises:
        DiaboloError: for fewer than two values, which say nothing about their spread, or NaN.

    Example:
        >>> [round(end, 2) for end in diabolo.statistics.mean_interval([1.0, 2.0, 3.0])]
        [-0.48, 4.48]
    """
    return mean(values).interval(confidence)


def bootstrap(
    statistic: Callable[..., Any],
    *values: ArrayLike,
    n_resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Percentile interval of `statistic(*values)`: (low, high) between which it falls for 95 % of the draws of n examples, with
    replacement, from the n that there are (Efron 1979). For several statistics, or their difference, see `replicate`.

    Args:
        statistic: of arrays like `values`, to one number.
        values: one or more arrays (n, …) of the same n: example i is row i of each, and they are drawn together.
        n_resamples: draws.
        seed: of the draws.
        confidence: the share.

    Raises:
        DiaboloError: for fewer than two examples, or arrays that do not belong together.

    Example:
        >>> errors = np.random.default_rng(0).exponential(size=500)
        >>> [round(end, 2) for end in diabolo.statistics.bootstrap(np.median, errors)]
        [0.71, 0.89]
    """
    check_confidence(confidence)
    drawn = replicate({"it": statistic}, values, n_resamples=n_resamples, seed=seed)
    return drawn.interval("it", confidence)
