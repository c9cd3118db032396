"""Random draws that are the same on every machine and with every numpy.

numpy promises a stable stream only for its bit generators, not for `Generator` methods (NEP 19); so permutations and
uniform numbers are made here from the raw 64-bit words of PCG64.
"""

import numpy as np
from numpy.typing import NDArray

from diabolo.errors import DiaboloError


def words(n: int, seed: int, stream: int = 0) -> NDArray[np.uint64]:
    """`(n,)` raw 64-bit words. The first k do not depend on n; streams of the same seed have nothing in common."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise DiaboloError(f"a seed is a whole number from 0 up, got {seed!r}")
    sequence = np.random.SeedSequence(int(seed), spawn_key=(stream,))
    return np.asarray(np.random.PCG64(sequence).random_raw(n), dtype=np.uint64)


def uniform(shape: tuple[int, ...], seed: int, stream: int = 0) -> NDArray[np.float64]:
    """Numbers in [0, 1) with 53 random bits, filled row by row: row i does not depend on how many rows there are."""
    size = int(np.prod(shape, dtype=np.int64))
    top = words(size, seed, stream) >> np.uint64(11)
    return (top.astype(np.float64) * 2.0**-53).reshape(shape)


def permutation(n: int, seed: int, stream: int = 0) -> NDArray[np.int64]:
    """A permutation of 0 … n-1, `(n,)`."""
    return np.argsort(words(n, seed, stream), kind="stable").astype(np.int64)
