"""What several numbers owe to the same test images, so that a difference of two of them does not count it twice.

A mean over images, or anything that is nearly one, moves by the sum of what each image adds. Kept for a hundred blocks of
images rather than for each, this is small enough to be written down beside the number.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diabolo.errors import DiaboloError
from diabolo.statistics.estimate import Estimate

BLOCKS = 100


@dataclass(frozen=True)
class Shared:
    """What each block of images adds to a number.

    Attributes:
        of: which images in which blocks; numbers are only paired where this is equal.
        parts: (B,) in the unit of the number: were block b drawn twice, the number would move by so much.
    """

    of: str
    parts: tuple[float, ...]

    @property
    def variance(self) -> float:
        """Of the number, by the draw of these images."""
        return float(len(self.parts) * np.var(self.parts, ddof=1))

    def record(self) -> dict[str, Any]:
        """It as plain words and numbers."""
        return {"of": self.of, "parts": list(self.parts)}

    def less(self, other: "Shared") -> "Shared":
        """What each block adds to the difference of two numbers."""
        return Shared(self.of, tuple(a - b for a, b in zip(self.parts, other.parts, strict=True)))


def blocks(n: int, count: int = BLOCKS) -> NDArray[np.int64]:
    """Which of `count` blocks each of `n` images, in random order, falls into (n,): runs of nearly one length; each image is
    its own where there are fewer."""
    return np.arange(n) * min(count, n) // max(n, 1)


def shared(of: str, each: ArrayLike, block: NDArray[np.int64]) -> Shared:
    """From what each image adds (n,), and its block (n,).

    Raises:
        DiaboloError: for two lengths, or fewer than two blocks.
    """
    values = np.asarray(each, np.float64)
    if values.shape != block.shape or not len(values) or block.max() < 1:
        raise DiaboloError(f"images in two blocks or more are needed, not {values.shape} in {block.shape}")
    return Shared(of, tuple(np.bincount(block, values).tolist()))


def difference(a: Estimate, b: Estimate, of_a: Shared, of_b: Shared) -> Estimate:
    """a − b of numbers that are measured on the same images: the errors that are their own, and that of the difference of what
    they share."""
    own = sum(max(0.0, one.error**2 - part.variance) for one, part in ((a, of_a), (b, of_b)))
    both = of_a.less(of_b).variance
    total = own + both
    df = math.inf if both == 0 else (len(of_a.parts) - 1) * (total / both) ** 2
    return Estimate(a.value - b.value, math.sqrt(total), df)


def same(parts: Sequence[Shared | None]) -> bool:
    """Whether all are of the same images in the same blocks."""
    return all(part is not None and parts[0] is not None and part.of == parts[0].of for part in parts)
