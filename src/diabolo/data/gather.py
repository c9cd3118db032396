"""Picking rows out of an array that may be larger than memory."""

import mmap
import tempfile
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.data.roots import default_cache
from diabolo.errors import DiaboloError

IN_MEMORY = 1 << 28  # bytes; a larger choice from a memory map becomes a memory map itself
AT_MOST = 1 << 30  # bytes; so much is held in memory all the same where the disk has no room
CHUNK_BYTES = 1 << 24


def gather(array: NDArray[Any], indices: NDArray[np.int64]) -> NDArray[Any]:
    """`array[indices]`; from a memory map, when over `IN_MEMORY`, into a nameless file that vanishes with the map."""
    row = array[:1].nbytes
    if not isinstance(array, np.memmap) or len(indices) * row <= IN_MEMORY:
        return np.asarray(array[indices])
    step = max(1, CHUNK_BYTES // row)
    home = default_cache()  # not the temporary folder, which often is memory
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home) as file:
            for start in range(0, len(indices), step):
                file.write(np.ascontiguousarray(array[indices[start : start + step]]).data)
            file.flush()
            release(array)
            return np.memmap(file, array.dtype, "r", shape=(len(indices), *array.shape[1:]))
    except OSError as error:
        if len(indices) * row <= AT_MOST:
            return np.asarray(array[indices])
        raise DiaboloError(
            f"{len(indices) * row / 1e9:.1f} GB of chosen images do not fit into {home}: {error.strerror or error}."
        ) from error


def release(array: NDArray[Any]) -> None:
    """Let go of what was read of a memory map, which would else count as memory in use; it is read again when needed."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        with suppress(OSError, ValueError):
            base.madvise(mmap.MADV_DONTNEED)
