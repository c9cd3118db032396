"""`Estimate`: a number, its standard error, and how well that error is known; and what is refused before anything is
computed.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diabolo.errors import DiaboloError


def check_confidence(confidence: float) -> None:
    """Refuse what is no share between 0 and 1.

    Raises:
        DiaboloError: then.
    """
    if not 0 < confidence < 1:
        raise DiaboloError(f"confidence is a share between 0 and 1, not {confidence}")


def numbers(values: ArrayLike, least: int = 2) -> NDArray[np.float64]:
    """`values` (n,) in float64.

    Raises:
        DiaboloError: for fewer than `least`, another shape, NaN or infinity.
    """
    x = np.asarray(values, np.float64)
    if x.ndim != 1 or len(x) < least or not np.isfinite(x).all():
        few = {1: "one finite number or more", 2: "two finite numbers or more"}.get(
            least, f"{least} finite numbers or more"
        )
        raise DiaboloError(f"an interval of a mean needs {few}, not {x.size} of shape {x.shape}")
    return x


def positive(name: str, value: float) -> float:
    """`value`, a size that must be stated: above 0 and finite.

    Raises:
        DiaboloError: for any other.
    """
    if not 0 < value < math.inf:
        raise DiaboloError(
            f"the {name} of a comparison is a number above 0, in the unit of what is compared, not {value}"
        )
    return float(value)


@dataclass(frozen=True)
class Estimate:
    """A number that would come out a little differently if it were measured again.

    Attributes:
        value: the number.
        error: its standard error; 0 for a number without noise.
        df: degrees of freedom of the error: with few of them the interval is wider (Student 1908). Infinite where the error is
            known well, as from thousands of images.

    Example:
        >>> estimate = diabolo.statistics.Estimate(value=2.0, error=0.5)
        >>> [round(end, 2) for end in estimate.interval()]
        [1.02, 2.98]
    """

    value: float
    error: float
    df: float = math.inf

    def __post_init__(self) -> None:
        if not math.isfinite(self.value) or not 0 <= self.error < math.inf or not self.df > 0:
            raise DiaboloError(
                f"an estimate is a finite number with an error of 0 or more and degrees of freedom above 0, not "
                f"{self.value} with {self.error} and {self.df}"
            )

    @classmethod
    def within(cls, value: float, low: float, high: float, df: float | None = None) -> "Estimate":
        """Of a number with its 95 % interval: one of Student's t of `df` degrees of freedom, which may have been cut where
        the range of the number ends, so that its longer side counts; else half of the width."""
        if df is None:
            return cls(value, (high - low) / (2 * quantile(0.975, math.inf)))
        return cls(value, max(high - value, value - low) / quantile(0.975, df), df)

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """(low, high): value ± Student's quantile · error."""
        check_confidence(confidence)
        half = quantile((1 + confidence) / 2, self.df) * self.error
        return self.value - half, self.value + half

    @property
    def p(self) -> float:
        """How probable a value at least so far from 0 on either side is, were the true one 0."""
        return min(1.0, 2 * self.beyond(0.0) if self.value > 0 else 2 * (-self).beyond(0.0))

    def beyond(self, bar: float) -> float:
        """How probable a value at least so far above `bar` is, were the true one `bar`: small where the number is surely
        larger. Of a number without noise it is 0 or 1."""
        if self.error == 0:
            return 0.0 if self.value > bar else 1.0
        return _upper_tail((self.value - bar) / self.error, self.df)

    def __neg__(self) -> "Estimate":
        return Estimate(-self.value, self.error, self.df)


def mean(values: ArrayLike) -> Estimate:
    """The mean of independent `values` (n,), with the error s/√n of n − 1 degrees of freedom.

    Raises:
        DiaboloError: for fewer than two values, which say nothing about their spread, or NaN.

    Example:
        >>> estimate = diabolo.statistics.mean([1.0, 2.0, 3.0])
        >>> estimate.value, round(estimate.error, 3), estimate.df
        (2.0, 0.577, 2)
    """
    x = numbers(values)
    if (x == x[0]).all():  # whose mean may be off by a rounding, and their spread with it
        return Estimate(float(x[0]), 0.0, len(x) - 1)
    return Estimate(float(x.mean()), float(x.std(ddof=1)) / math.sqrt(len(x)), len(x) - 1)


def quantile(share: float, df: float) -> float:
    """That of Student's t, below which a `share` of it lies."""
    from scipy.special import ndtri, stdtrit  # slow to import

    return float(ndtri(share) if math.isinf(df) else stdtrit(df, share))


def _upper_tail(t: float, df: float) -> float:
    from scipy.special import ndtr, stdtr  # slow to import

    return float(ndtr(-t) if math.isinf(df) else stdtr(df, -t))
