"""Where normal ends: a threshold on an anomaly score that few normal images exceed, from held-out normal images."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diabolo.errors import DiaboloError

Interval = tuple[float, float]


@dataclass(frozen=True)
class Threshold:
    """A bound above which an image counts as anomalous.

    Attributes:
        value: the bound.
        rate: the false-alarm rate that was asked for: the largest share of normal images above it, on average over the draw
            of the held-out images.
        between: between which the share of normal images above *this* bound lies, in 95 % of draws of the held-out images
            (of a score without ties; with ties the share is smaller).
        n: the number of held-out images.
        normal: their scores, rising, (n,).

    Example:
        >>> found = diabolo.metrics.threshold([3.0, 1.0, 2.0], 0.25)
        >>> found.value, found.normal.tolist(), found.p_values([2.5]).tolist()
        (3.0, [1.0, 2.0, 3.0], [0.5])
    """

    value: float
    rate: float
    between: Interval
    n: int
    normal: NDArray[np.float64]

    def flags(self, scores: ArrayLike) -> NDArray[np.bool_]:
        """Which of `scores` (m,) lie above the bound."""
        found: NDArray[np.bool_] = _checked(scores, "scores") > self.value
        return found

    def p_values(self, scores: ArrayLike) -> NDArray[np.float64]:
        """For each of `scores` (m,) how probable a score as high or higher is for a normal image: (1 + those held out that are
        as high) / (n + 1), which is at most α with a probability of at most α (Bates, Candès, Lei, Romano & Sesia 2023,
        arXiv 2104.08279). An image is flagged if and only if its p-value is at most the rate."""
        below = np.searchsorted(self.normal, _checked(scores, "scores"), "left")
        found: NDArray[np.float64] = (1.0 + self.n - below) / (self.n + 1)
        return found


def threshold(normal: ArrayLike, rate: float = 0.05) -> Threshold:
    """The least bound that a further normal image exceeds with a probability of at most `rate`: the k-th smallest of n
    held-out scores, k = ⌈(n + 1)(1 − rate)⌉ (Vovk, Gammerman & Shafer 2005, split conformal prediction). It holds for any
    score and any distribution, if the further image is drawn as the held-out ones were; the share of all images that exceed it
    is then distributed as Beta(n + 1 − k, k) over the draw of the held-out ones.

    Args:
        normal: scores (n,) of held-out normal images, the higher the more anomalous.
        rate: between 0 and 1.

    Raises:
        DiaboloError: for NaN, and for fewer images than the rate asks for, 1 / rate − 1.

    Example:
        >>> found = diabolo.metrics.threshold(np.arange(99.0), 0.05)
        >>> found.value, found.flags([94.0, 95.0]).tolist(), round(float(found.p_values([95.0])[0]), 3)
        (94.0, [False, True], 0.05)
    """
    from scipy.stats import beta  # slow to import

    if not 0 < rate < 1:
        raise DiaboloError(f"a false-alarm rate lies between 0 and 1, not at {rate:g}")
    values = np.sort(_checked(normal, "scores of held-out images"))
    n = len(values)
    k = math.ceil((n + 1) * (1 - rate) - 1e-9)  # 0.95 · 100 is 95, whatever its bits
    if k > n:
        least = math.ceil(1 / rate - 1 - 1e-9)
        raise DiaboloError(
            f"a false-alarm rate of {rate:g} takes {least:,} held-out images or more, and there are {n:,}"
        )
    low, high = beta.ppf((0.025, 0.975), n + 1 - k, k)
    return Threshold(float(values[k - 1]), rate, (float(low), float(high)), n, values)


def _checked(scores: ArrayLike, what: str) -> NDArray[np.float64]:
    values = np.asarray(scores, np.float64)
    if bad := int(np.isnan(values).sum()):
        raise DiaboloError(f"{bad:,} of {values.size:,} {what} are NaN")
    return values
