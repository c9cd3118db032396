"""Differences of two means: of independent groups, such as the seeds of two models, and of pairs, such as the same images."""

import math

from numpy.typing import ArrayLike

from diabolo.errors import DiaboloError
from diabolo.statistics.checks import numbers
from diabolo.statistics.estimate import Estimate, mean, quantile

FEW = 4  # degrees of freedom: of fewer than five values


def welch(a: ArrayLike, b: ArrayLike) -> Estimate:
    """mean(a) − mean(b) of two independent groups of values (n,) and (m,), which may spread differently (Welch 1947,
    "The generalization of 'Student's' problem when several different population variances are involved").

    Raises:
        DiaboloError: for fewer than two values in either, or NaN.

    Example:
        >>> difference = diabolo.statistics.welch([5.0, 6.0, 7.0], [1.0, 2.0, 6.0])
        >>> difference.value, round(difference.df, 2)
        (3.0, 3.12)
    """
    return differ(mean(a), mean(b))


def paired(a: ArrayLike, b: ArrayLike) -> Estimate:
    """The mean of aᵢ − bᵢ, where a and b (n,) were measured on the same images, draws or seeds, in the same order (Student
    1908).

    Raises:
        DiaboloError: for two lengths, fewer than two pairs, or NaN.

    Example:
        >>> difference = diabolo.statistics.paired([5.0, 6.0, 7.5], [4.0, 5.0, 6.0])
        >>> round(difference.value, 3), round(difference.error, 3)
        (1.167, 0.167)
    """
    x, y = numbers(a), numbers(b)
    if len(x) != len(y):
        raise DiaboloError(f"pairs are of as many values on either side, not of {len(x)} and {len(y)}")
    return mean(x - y)


def differ(a: Estimate, b: Estimate) -> Estimate:
    """a − b of two independent estimates, with the degrees of freedom of Welch 1947:

    f = (σa² + σb²)² / (σa⁴ / (fa + 2) + σb⁴ / (fb + 2)) − 2

    but no more than the larger of 2 min(fa, fb) and Satterthwaite's (1946), (σa² + σb²)² / (σa⁴ / fa + σb⁴ / fb). The latter
    alone are too few for small groups of one size, since σ⁴ is overestimated: for two groups of three the test of level 5 %
    would reject in 3.5 % of cases; with these it does in 4.3 %. For two groups of two they are not.

    Where the groups differ in size and the smaller is of fewer than five, σ⁴ is known too badly for any of these: with two and
    five values that spread as 1 : 3, the interval would hold the difference in 88 of 100 cases. There it reaches as far as that
    of Cochran & Cox (1957, "Experimental designs", section 4.14), (σa² t(fa) + σb² t(fb)) / (σa² + σb²) standard errors, which
    holds it in 94 to 99 of 100 whatever the spreads: f is that of Student's t with this quantile.

    Example:
        >>> a, b = diabolo.statistics.mean([5.0, 6.0, 7.0]), diabolo.statistics.mean([1.0, 2.0, 3.0])
        >>> difference = diabolo.statistics.differ(a, b)
        >>> difference.value, round(difference.error, 2), difference.df
        (4.0, 0.82, 4)
    """
    error = math.hypot(a.error, b.error)
    if error == 0:
        return Estimate(a.value - b.value, 0.0)
    shares = [(one.error / error) ** 2 for one in (a, b)]  # σ⁴ itself would underflow
    inverse, raised = (
        sum(share**2 / (one.df + more) for share, one in zip(shares, (a, b), strict=True)) for more in (0, 2)
    )
    if inverse == 0:
        return Estimate(a.value - b.value, error)
    fewer, more = sorted((a.df, b.df))
    if fewer < FEW and fewer < more:
        reach = sum(share * quantile(0.975, one.df) for share, one in zip(shares, (a, b), strict=True))
        df = min(max(_with_quantile(reach), fewer), more)
    elif fewer < 2:
        df = 1 / inverse
    else:
        df = max(fewer, min(1 / raised - 2, max(1 / inverse, 2 * fewer)))
    return Estimate(a.value - b.value, error, df)


def _with_quantile(reach: float) -> float:
    """The degrees of freedom of Student's t whose 97.5 % quantile is `reach`."""
    from scipy.special import stdtridf  # slow to import

    return float(stdtridf(0.975, reach)) if reach > quantile(0.975, math.inf) else math.inf
