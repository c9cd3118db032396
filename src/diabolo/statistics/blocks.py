"""What several numbers owe to the same test images, so that a difference of two of them does not count it twice.

A mean over images, or anything that is nearly one, moves by the sum of what each image adds. Kept for a hundred blocks of
images rather than for each, this is small enough to be written down beside the number.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diabolo.errors import DiaboloError
from diabolo.statistics.differences import differ
from diabolo.statistics.estimate import Estimate

BLOCKS = 100


@dataclass(frozen=True)
class Shared:
    """What each block of images adds to a number.

    Attributes:
        of: which images in which blocks; numbers are only paired where this is equal.
        parts: (B,) in the unit of the number: were block b drawn once more, the number would move by so much.
        own: the variance that it owes to anything else, such as samples of a model.

    Example:
        >>> shared = diabolo.statistics.shared("digits", [1.0, 2.0, 3.0, 4.0], np.array([0, 0, 1, 1]))
        >>> shared.of, len(shared.parts)
        ('digits', 2)
    """

    of: str
    parts: tuple[float, ...]
    own: float = 0.0

    @classmethod
    def read(cls, record: Mapping[str, Any] | None) -> "Shared | None":
        """What `record` wrote down, or nothing."""
        return None if record is None else cls(record["of"], tuple(record["parts"]), record.get("own", 0.0))

    def record(self) -> dict[str, Any]:
        """It as plain words and numbers, these to six digits."""
        return {"of": self.of, "parts": [float(f"{part:.6g}") for part in self.parts], "own": self.own}

    def times(self, factor: float) -> "Shared":
        """Of the number in another unit."""
        return Shared(self.of, tuple(factor * part for part in self.parts), factor**2 * self.own)

    @property
    def variance(self) -> float:
        """Of the number, by the draw of these images."""
        return float(len(self.parts) * np.var(self.parts, ddof=1))

    def less(self, other: "Shared") -> "Shared":
        """What each block adds to the difference of two numbers."""
        parts = tuple(a - b for a, b in zip(self.parts, other.parts, strict=True))
        return Shared(self.of, parts, self.own + other.own)


def blocks(n: int, count: int = BLOCKS) -> NDArray[np.int64]:
    """Which of `count` blocks each of `n` images, in random order, falls into (n,): runs of nearly one length; each image is
    its own where there are fewer.

    Example:
        >>> diabolo.statistics.blocks(6, count=3)
        array([0, 0, 1, 1, 2, 2])
    """
    return np.arange(n) * min(count, n) // max(n, 1)


def shared(of: str, each: ArrayLike, block: NDArray[np.int64], own: float = 0.0) -> Shared:
    """From what each image adds (n,), and its block (n,); `own` as for `Shared`.

    Raises:
        DiaboloError: for two lengths, or fewer than two blocks.

    Example:
        >>> each, block = np.ones(360), diabolo.statistics.blocks(360, count=10)
        >>> len(diabolo.statistics.shared("digits, test", each, block).parts)
        10
    """
    values = np.asarray(each, np.float64)
    if values.shape != block.shape or not len(values) or block.max() < 1:
        raise DiaboloError(f"images in two blocks or more are needed, not {values.shape} in {block.shape}")
    return Shared(of, tuple(np.bincount(block, values).tolist()), own)


def apart(a: Estimate, b: Estimate, of_a: Shared | None, of_b: Shared | None) -> Estimate:
    """a − b: of two numbers that are measured on the same images, with the error of the difference of what they owe to these;
    else as of two independent ones.

    Example:
        >>> a, b = diabolo.statistics.Estimate(3.0, 0.3), diabolo.statistics.Estimate(1.0, 0.4)
        >>> difference = diabolo.statistics.apart(a, b, None, None)
        >>> difference.value, round(difference.error, 3)
        (2.0, 0.5)
    """
    if of_a is None or of_b is None or of_a.of != of_b.of:
        return differ(a, b)
    between = of_a.less(of_b)
    both = between.variance
    total = between.own + both
    df = math.inf if both == 0 else (len(between.parts) - 1) * (total / both) ** 2
    return Estimate(a.value - b.value, math.sqrt(total), df)
