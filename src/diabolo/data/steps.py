"""Floats that bytes hold without loss: steps of 8 bits from black to white."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.data.scale import STEPS

EQUAL = 1e-3  # so far from a step, in steps, rounding may carry a float


def in_steps(x: NDArray[Any], span: tuple[float, float]) -> bool:
    """Whether all floats are steps of 8 bits from black to white, which rounding to bytes does not change.

    Example:
        >>> diabolo.data.steps.in_steps(np.arange(256) / 255, (0, 1)), diabolo.data.steps.in_steps(np.array([0.1]), (0, 1))
        (True, False)
    """
    low, high = span
    steps = (x.astype(np.float64) - low) * (STEPS / (high - low))
    return bool(np.abs(steps - np.rint(steps)).max() <= max(EQUAL, STEPS * float(np.finfo(x.dtype).eps)))
