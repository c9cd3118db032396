"""Several tests at once: of twenty without an effect, one is significant by chance."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diabolo.errors import DiaboloError


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """The p-values (k,) of a family of tests, adjusted so that under 0.05 not even one is wrong in more than 5 of 100 such
    families, whatever depends on what (Holm 1979, "A simple sequentially rejective multiple test procedure"):

    the i-th smallest becomes the largest of (k − j + 1) · p₍ⱼ₎ for j ≤ i, and at most 1.

    Raises:
        DiaboloError: for what is not a probability.
    """
    values = np.asarray(p, np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise DiaboloError(f"p-values are numbers between 0 and 1, not {values.tolist()}")
    order = np.argsort(values, kind="stable")
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)))
    return adjusted
