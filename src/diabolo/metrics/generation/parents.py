"""Which real images a generated image was made from: reconstructions and interpolations are no independent draws."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diabolo.errors import DiaboloError
from diabolo.metrics.generation.features import Floats

Parents = NDArray[np.int64]


def parents(of: ArrayLike | None, generated: int, real: int) -> Parents:
    """(M, P): the numbers of the P real images that each of M generated ones was made from; P is 0 for samples.

    Args:
        of: (M,) or (M, P) numbers of real images; None for samples.
        generated, real: how many there are, M and N.

    Raises:
        DiaboloError: for another shape, numbers that no real image has, or an image made twice from the same one.
    """
    if of is None:
        return np.empty((generated, 0), np.int64)
    made = np.asarray(of)
    made = made[:, None] if made.ndim == 1 else made
    whole = np.issubdtype(made.dtype, np.integer)
    if made.ndim != 2 or len(made) != generated or not whole:
        raise DiaboloError(
            f"`of` names the real images that each generated one was made from, as whole numbers ({generated:,},) or "
            f"({generated:,}, P), not {made.dtype} {np.shape(of)}"
        )
    if made.size and (made.min() < 0 or made.max() >= real):
        raise DiaboloError(f"`of` names real images from 0 to {real - 1:,}, not {made.min():,} to {made.max():,}")
    return made.astype(np.int64)


def gathered(each: Floats, made: Parents, real: int) -> Floats:
    """The sums (N,) of a number of each generated image (M,) over those that were made from each real one."""
    return np.bincount(made.ravel(), np.repeat(each, made.shape[1]), real).astype(np.float64)


def related(one: Parents, other: Parents) -> NDArray[np.bool_]:
    """Whether generated images with the parents `one` (m, P) and `other` (n, Q) have one in common: (m, n)."""
    found = np.zeros((len(one), len(other)), bool)
    for a in one.T:
        for b in other.T:
            found |= a[:, None] == b
    return found
