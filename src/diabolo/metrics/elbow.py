"""Where a falling curve bends: a rule for how many dimensions are enough."""

import numpy as np
from numpy.typing import ArrayLike

from diabolo.errors import DiaboloError


def elbow(x: ArrayLike, y: ArrayLike) -> float | None:
    """The x at which the curve lies farthest below the straight line between its ends, both axes scaled to [0, 1]: the knee of
    Satopää et al. 2011, "Finding a Kneedle in a Haystack". The smallest such x when there are several; None
    where the curve does not fall from its first point to its last.

    It depends on where the curve is cut off: with a longer tail it moves to the right.

    Args:
        x: (K,) rising, three or more.
        y: (K,) such as an error against dimensions.

    Raises:
        DiaboloError: for anything else.

    Example:
        >>> diabolo.metrics.elbow([1, 2, 4, 8, 16], [1.0, 0.5, 0.2, 0.18, 0.17])
        4.0
    """
    along, value = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if along.ndim != 1 or along.shape != value.shape or len(along) < 3 or not (np.diff(along) > 0).all():
        raise DiaboloError(
            f"an elbow is that of three points or more with rising x, not of {along.shape}, {value.shape}"
        )
    if not np.isfinite(value).all():
        raise DiaboloError("the curve holds NaN or infinity")
    if not value[0] > value[-1]:
        return None
    t = (along - along[0]) / (along[-1] - along[0])
    fallen = (value[0] - value) / (value[0] - value[-1])
    return float(along[int(np.argmax(fallen - t))])
