"""The one door by which labels become masks: whole numbers would be taken for positions, and `~` of them is no complement."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diabolo.errors import DiaboloError


def as_mask(values: ArrayLike, what: str, shape: tuple[int, ...] | None = None) -> NDArray[np.bool_]:
    """`values` as bools: True and False as they are, and 0 and 1 of any type of number.

    Args:
        values: an array, a tensor or a list.
        what: what they say, for the message: "the labels of the anomalous images".
        shape: the shape that they must have, if it is known.

    Raises:
        DiaboloError: for any other value, and for another shape.
    """
    given: NDArray[Any] = np.asarray(values)
    if shape is not None and given.shape != shape:
        raise DiaboloError(f"{what} must be of the shape {shape}, not {given.shape}")
    if given.dtype == np.bool_:
        return given
    if given.dtype.kind not in "iuf":
        raise DiaboloError(f"{what} must be True and False, or 0 and 1, not values of the type {given.dtype}")
    other = (given != 0) & (given != 1)
    if other.any():
        raise DiaboloError(f"{what} must be True and False, or 0 and 1, not {given[other].flat[0]}")
    mask: NDArray[np.bool_] = given == 1
    return mask
