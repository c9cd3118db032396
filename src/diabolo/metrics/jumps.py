"""Where a curve that should fall rises instead: found from the curve itself, by one factor."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike

from diabolo.errors import DiaboloError
from diabolo.ranges import Above, checked


@dataclass(frozen=True)
class Jump:
    """One rise of a curve above its lowest value so far.

    Attributes:
        lowest: where that value stands, the last point before the rise that is as low.
        first: the first point that is too high.
        peak: the highest point of the rise.
        back: the first point behind it that is no longer too high; None where the curve stays up to its end.
        times: the value at the peak over the lowest before.

    Example:
        >>> diabolo.metrics.jumps([4.0, 1.0, 1.2, 3.0, 5.0, 1.1])
        [Jump(lowest=1, first=3, peak=4, back=5, times=5.0)]
    """

    lowest: int
    first: int
    peak: int
    back: int | None
    times: float


@checked
def jumps(values: ArrayLike, by: Annotated[float, Above(1)] = 1.5) -> list[Jump]:
    """The rises of the curve `values` (N,) to more than `by` times its lowest value so far, in their order; what happens until
    it is back below that counts as one.

    Args:
        values: such as a loss by step, all above 0.
        by: the least factor. Below it a rise may be the noise of the batches.

    Raises:
        DiaboloError: for values of 0 or less, NaN or infinity, of which there is no ratio.

    Example:
        >>> [jump.times for jump in diabolo.metrics.jumps([2.0, 1.0, 4.0])]
        [4.0]
        >>> diabolo.metrics.jumps([2.0, 1.0, 1.4, 0.9])
        []
    """
    v = np.asarray(values, np.float64)
    if v.ndim != 1 or not (np.isfinite(v) & (v > 0)).all():
        raise DiaboloError(f"jumps are found in a curve of numbers above 0, not in {v.size} of shape {v.shape}")
    found: list[Jump] = []
    lowest, i = 0, 0
    while i < len(v):
        if v[i] > by * v[lowest]:
            down = np.flatnonzero(v[i:] <= by * v[lowest])
            back = i + int(down[0]) if len(down) else len(v)
            peak = i + int(v[i:back].argmax())
            found.append(Jump(lowest, i, peak, back if back < len(v) else None, float(v[peak] / v[lowest])))
            i = back
        else:
            lowest = i if v[i] <= v[lowest] else lowest
            i += 1
    return found
