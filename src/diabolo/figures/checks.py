"""What may be drawn: numbers, in the shape that is meant; all else is refused in one sentence."""

from collections.abc import Sequence, Sized

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diabolo.errors import DiaboloError

Array = NDArray[np.float64]


def numbers(values: ArrayLike, what: str, shape: tuple[int | None, ...] = (None,)) -> Array:
    """Return `values` as float64 of this `shape` (None stands for any length but zero), all of them finite."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DiaboloError(f"{what} must be numbers in the shape {told(shape)}: {error}") from error
    fits = array.ndim == len(shape) and all(n in (None, m) for n, m in zip(shape, array.shape, strict=True))
    if not fits or not array.size:
        raise DiaboloError(f"{what} must have the shape {told(shape)}, not {array.shape}")
    bad = int((~np.isfinite(array)).sum())
    if bad:
        raise DiaboloError(f"{what}: {bad} of {array.size} values are NaN or infinite, which cannot be drawn")
    return array


def told(shape: Sequence[int | None]) -> str:
    """A shape in which some lengths are free, as text: (N, 2)."""
    names = iter("NKLMOP")
    inner = ", ".join(next(names) if n is None else str(n) for n in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


def some(given: Sized, what: str) -> None:
    """Refuse an empty `given`."""
    if not len(given):
        raise DiaboloError(f"{what} is empty: there is nothing to draw")


def interval(values: ArrayLike, what: str) -> tuple[float, float, float]:
    """Return (value, low, high); the ends must enclose the value."""
    value, low, high = numbers(values, what, (3,)).tolist()
    slack = 1e-9 * max(1.0, abs(value))
    if not low - slack <= value <= high + slack:
        raise DiaboloError(f"{what}: the interval {low:.4g} to {high:.4g} does not hold the value {value:.4g}")
    return value, low, high
