"""Differences of two means: of independent groups, such as the seeds of two models, and of pairs, such as the same images.
And several tests at once: of twenty without an effect, one is significant by chance.
"""

import math
from collections.abc import Callable, Hashable, Mapping
from itertools import combinations
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diabolo.errors import DiaboloError
from diabolo.statistics.estimate import Estimate, mean, numbers, quantile

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


def sign_test(more: int, less: int) -> float:
    """The two-sided p-value of as uneven a split of `more` + `less` independent pairs as this, where either side is as likely;
    pairs that are equal do not count (Arbuthnott 1710). Of pairs of yes and no it is McNemar's test, in its exact form.

    Raises:
        DiaboloError: for a number of pairs below 0.

    Example:
        >>> round(diabolo.statistics.sign_test(more=30, less=15), 4)
        0.0357
    """
    if min(more, less) < 0:
        raise DiaboloError(f"{more} and {less} are no numbers of pairs")
    n = more + less
    as_uneven = sum(math.comb(n, k) for k in range(min(more, less) + 1))
    return min(1.0, float(2 * as_uneven / 2**n))


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


Key = TypeVar("Key", bound=Hashable)


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """The p-values (k,) of a family of tests, adjusted so that under 0.05 not even one is wrong in more than 5 of 100 such
    families, whatever depends on what (Holm 1979, "A simple sequentially rejective multiple test procedure"):

    the i-th smallest becomes the largest of (k − j + 1) · p₍ⱼ₎ for j ≤ i, and at most 1.

    Raises:
        DiaboloError: for what is not a probability.

    Example:
        >>> diabolo.statistics.holm([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise DiaboloError(f"p-values are numbers between 0 and 1, not {values.tolist()}")
    order = np.argsort(values, kind="stable")
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)))
    return adjusted


def against_best(
    values: Mapping[Key, float], apart: Callable[[Key, Key], Estimate | None], largest: bool = False
) -> tuple[Key, dict[Key, tuple[Estimate | None, float]]]:
    """The best of several numbers, and for each other one its difference from the best with its p-value, adjusted by Holm.

    The best is chosen by the same numbers that it is compared by, and is the best by chance in part: so all pairs count as one
    family, and not those with the best alone.

    Args:
        values: the numbers by name, of which the smallest is the best, or the `largest`.
        apart: of two names a and b the difference a − b; None where nothing is known of its noise, whose p-value is then 1.

    Raises:
        DiaboloError: for no numbers.

    Example:
        >>> errors = {"vae": [3.0, 3.1, 3.2], "sparse": [1.0, 1.1, 1.2], "pca": [2.0, 2.1, 2.1]}
        >>> means = {name: float(np.mean(e)) for name, e in errors.items()}
        >>> best, others = diabolo.statistics.against_best(means, lambda a, b: diabolo.statistics.paired(errors[a], errors[b]))
        >>> best, {name: round(p, 3) for name, (_, p) in others.items()}
        ('sparse', {'vae': 0.0, 'pca': 0.002})
    """
    if not values:
        raise DiaboloError("there is no best of no numbers")
    best = (max if largest else min)(values, key=lambda name: values[name])
    pairs = {pair: apart(*pair) for pair in combinations(values, 2)}
    known = {pair: one.p for pair, one in pairs.items() if one is not None}
    adjusted = dict(zip(known, holm(list(known.values())).tolist(), strict=True))
    found: dict[Key, tuple[Estimate | None, float]] = {}
    for pair, one in pairs.items():
        if best in pair:
            (name,) = (each for each in pair if each != best)
            found[name] = (one if one is None or pair[1] == best else -one), adjusted.get(pair, 1.0)
    return best, found
