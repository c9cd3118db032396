"""Several tests at once: of twenty without an effect, one is significant by chance."""

from collections.abc import Callable, Hashable, Mapping
from itertools import combinations
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diabolo.errors import DiaboloError
from diabolo.statistics.estimate import Estimate

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
