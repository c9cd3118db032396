"""What is refused before anything is computed."""

import math

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
