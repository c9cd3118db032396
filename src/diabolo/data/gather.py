"""Picking rows out of an array that may be larger than memory."""

import math
import mmap
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from diabolo.data.encoded import Encoded, as_encoded
from diabolo.data.roots import default_cache
from diabolo.errors import NotWrittenError

IN_MEMORY = 1 << 28  # bytes; a larger choice from a memory map becomes a memory map itself
AT_MOST = 1 << 30  # bytes; so much is held in memory all the same where the disk has no room
CHUNK_BYTES = 1 << 24


def gather(array: NDArray[Any], indices: NDArray[np.int64]) -> NDArray[Any]:
    """`array[indices]`; from a memory map, when over `IN_MEMORY`, into a nameless file that vanishes with the map; of `Encoded`
    images, when over that once decoded, still encoded."""
    row = math.prod(array.shape[1:]) * array.dtype.itemsize
    if (encoded := as_encoded(array)) is not None and len(indices) * row > IN_MEMORY:
        return as_array(encoded.take(indices))
    if not isinstance(array, np.memmap) or len(indices) * row <= IN_MEMORY:
        return np.asarray(array[indices])
    step = max(1, CHUNK_BYTES // row)
    parts = (array[indices[start : start + step]] for start in range(0, len(indices), step))
    try:
        found = _on_disk(parts, (len(indices), *array.shape[1:]), array.dtype, "chosen images")
    except NotWrittenError:
        if len(indices) * row > AT_MOST:
            raise
        return np.asarray(array[indices])
    release(array)
    return found


def stacked(parts: Iterable[NDArray[Any]], n: int, what: str) -> NDArray[Any]:
    """The `parts` (…, *shape) one below the other, `n` rows of `what`; when over `IN_MEMORY`, in a nameless file that vanishes
    with the map.

    Raises:
        NotWrittenError: when the disk has no room for them.
    """
    parts = iter(parts)
    first = next(parts)
    every = chain([first], parts)
    if n * first[:1].nbytes <= IN_MEMORY:
        return np.concatenate(list(every))
    return _on_disk(every, (n, *first.shape[1:]), first.dtype, what)


def _on_disk(parts: Iterable[NDArray[Any]], shape: tuple[int, ...], dtype: np.dtype[Any], what: str) -> NDArray[Any]:
    home = default_cache()  # not the temporary folder, which often is memory
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home) as file:
            for part in parts:
                file.write(np.ascontiguousarray(part).data)
            file.flush()
            return np.memmap(file, dtype, "c", shape=shape)
    except OSError as error:
        size = math.prod(shape) * dtype.itemsize / 1e9
        raise NotWrittenError(f"{size:.1f} GB of {what} do not fit into {home}: {error.strerror or error}") from error


def as_array(images: Encoded) -> NDArray[Any]:
    """The same object, which can do what is done to the numbers of `Images`, by the type that they have."""
    return cast("NDArray[Any]", images)


def release(array: NDArray[Any]) -> None:
    """Let go of what was read of a memory map, which would else count as memory in use; it is read again when needed."""
    encoded = as_encoded(array)
    base: Any = array if encoded is None else encoded.content
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        with suppress(OSError, ValueError):
            base.madvise(mmap.MADV_DONTNEED)
