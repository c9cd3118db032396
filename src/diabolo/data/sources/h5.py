"""Arrays in an HDF5 file, by their names as in a .npz file. Only what lies in the file itself is read: no link, and no map of
another file, is followed, and no filter is loaded that HDF5 does not have by itself."""

import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from diabolo.data import scale
from diabolo.data.files import check_regular
from diabolo.data.gather import CHUNK_BYTES, IN_MEMORY, stacked
from diabolo.data.options import Draw
from diabolo.data.room import check_room
from diabolo.data.roots import default_cache
from diabolo.data.sources.arrays import Reading, members
from diabolo.data.splits import Parts
from diabolo.errors import DiaboloError
from diabolo.ranges import PartOf

MOST = 10_000  # objects of a file that are looked at
OWN_FILTERS = (1, 2, 3, 4, 5, 6, 32000)  # deflate, shuffle, checksum, szip, n-bit, scale-offset; lzf, which h5py brings
CHUNK = 1 << 30  # bytes of a chunk, which is unpacked whole
WORD = 64  # bytes that a text takes, about


def load(
    path: Path,
    draw: Draw,
    *,
    key: str | None,
    test_fraction: PartOf,
    image_channels: Literal[1, 3] | None,
    range: scale.Range,
    axes: str,
) -> Parts:
    """The arrays of an HDF5 file, named and divided as those of a .npz file are, see `arrays.members`."""
    check_regular(path)
    try:
        import h5py
    except ImportError as error:
        raise DiaboloError(f"{path} is an HDF5 file, which needs h5py: pip install 'diabolo[h5]'") from error
    try:
        with h5py.File(path, "r") as file:
            found, links = _found(file)
            if links and not found:
                raise DiaboloError(
                    f"{path} holds links alone, and none is followed: copy the arrays themselves into it"
                )

            def read(name: str) -> NDArray[Any]:
                return _array(found[name], f"{name} in {path}")

            return members(list(found), read, path, draw, Reading(range, image_channels, axes), test_fraction, key)
    except DiaboloError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:  # h5py has no error of its own
        raise DiaboloError(f"cannot read {path}: {' '.join(str(error).split())}") from error


def _found(file: Any) -> tuple[dict[str, Any], int]:
    """The arrays in the file by their paths, in the order of their names; and how many links were passed over, all but the
    plain ones. What is linked twice is read once."""
    import h5py

    found: dict[str, Any] = {}
    seen, links = set[int](), 0
    todo: list[tuple[str, Any]] = [("", file)]
    while todo and len(seen) < MOST:
        prefix, group = todo.pop()
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                links += 1
                continue
            thing = group[name]
            address = int(h5py.h5o.get_info(thing.id).addr)
            if address in seen:
                continue
            seen.add(address)
            if isinstance(thing, h5py.Group):
                todo.append((f"{prefix}{name}/", thing))
            elif isinstance(thing, h5py.Dataset) and thing.ndim:
                found[f"{prefix}{name}"] = thing
    return dict(sorted(found.items())), links


def _array(data: Any, where: str) -> NDArray[Any]:
    """One array; a large one becomes a nameless file.

    Raises:
        DiaboloError: when it holds no numbers or texts, lies elsewhere, is packed by a strange filter, or claims more than
            there is room for.
    """
    import h5py

    if data.is_virtual or data.external:
        raise DiaboloError(f"{where} is a map of other files, which is not followed: copy its numbers into one file")
    made = data.id.get_create_plist()
    codes = [made.get_filter(i)[0] for i in range(made.get_nfilters())]
    if strange := [code for code in codes if code not in OWN_FILTERS]:
        raise DiaboloError(
            f"{where} is packed by the filter {strange[0]}, which HDF5 does not have by itself: use gzip"
        )
    if h5py.check_string_dtype(data.dtype) is not None and data.ndim == 1:
        check_room(data.size * WORD, where)
        return np.array([w.decode("utf-8", "replace") if isinstance(w, bytes) else str(w) for w in data[()].tolist()])
    if data.dtype.kind not in "fuib":
        kind = "references, lists or records" if data.dtype.kind in "OV" else str(data.dtype)
        raise DiaboloError(f"{where} holds {kind}; images and labels are arrays of numbers")
    if data.size == 0:
        return np.empty(data.shape, data.dtype)
    if data.id.get_storage_size() == 0:
        raise DiaboloError(f"{where} says that it holds {data.size:,} numbers, and none was ever written")
    chunk = math.prod(data.chunks or ()) * data.dtype.itemsize
    if chunk > CHUNK:
        raise DiaboloError(f"{where} is refused: its chunks of {chunk:,} bytes are larger than {CHUNK:,}")
    size = int(data.size) * data.dtype.itemsize
    if size <= IN_MEMORY:
        check_room(size, where)
        return np.asarray(data[()])
    home = default_cache()
    home.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(home).free < size:
        raise DiaboloError(f"the {size / 1e9:.1f} GB of {where} do not fit into {home}: make room there")
    return stacked(_pieces(data), len(data), where)


def _pieces(data: Any) -> Iterator[NDArray[Any]]:
    """The array in pieces of whole chunks, so that none is unpacked twice."""
    row = max(1, data.size // len(data) * data.dtype.itemsize)
    step = max(1, CHUNK_BYTES // row)
    if data.chunks and data.chunks[0] > step and data.chunks[0] * row <= IN_MEMORY:
        step = data.chunks[0]
    elif data.chunks and data.chunks[0] < step:
        step -= step % data.chunks[0]
    for start in range(0, len(data), step):
        yield data[start : start + step]
