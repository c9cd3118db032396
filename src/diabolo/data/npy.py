"""The .npy format read by hand: headers are checked before anything is made of them, and Python objects are never opened."""

import ast
import os
import re
import shutil
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from diabolo.data.files import check_regular
from diabolo.data.gather import CHUNK_BYTES, IN_MEMORY
from diabolo.data.roots import default_cache
from diabolo.errors import DiaboloError

MAGIC = b"\x93NUMPY"
MAX_HEADER = 1 << 16
PICKLES = "holds Python objects (pickles), which are never opened; save plain arrays"


@dataclass(frozen=True)
class NpyHeader:
    """What a .npy file says of the array in it; `offset` is where its numbers begin, in bytes."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    order: Literal["C", "F"]
    offset: int

    @property
    def nbytes(self) -> int:
        """Bytes of the numbers, as a Python integer that cannot overflow."""
        count = 1
        for side in self.shape:
            count *= side
        return count * self.dtype.itemsize


def read_npy_header(file: IO[bytes], where: str) -> NpyHeader:
    """The header of a .npy file that is open at its start. DiaboloError, naming `where`, when it is damaged or of objects."""
    start = file.read(8)
    if start[:1] == b"\x80":
        raise DiaboloError(f"{where} {PICKLES}")
    if len(start) < 8 or start[:6] != MAGIC or start[6] not in (1, 2, 3):
        raise DiaboloError(f"cannot read {where}: it is no .npy file of a known version")
    width, kind = (2, "<H") if start[6] == 1 else (4, "<I")
    length = file.read(width)
    size = struct.unpack(kind, length)[0] if len(length) == width else 0
    text = file.read(size) if 0 < size <= MAX_HEADER else b""
    if not text or len(text) < size:
        raise DiaboloError(f"cannot read {where}: its header is cut short or longer than {MAX_HEADER:,} bytes")
    try:
        words = text.decode("utf-8" if start[6] == 3 else "latin-1")
        said = ast.literal_eval(re.sub(r"(\d)L\b", r"\1", words).strip())  # Python 2 wrote 28L
        shape = tuple(said["shape"])
        order: Literal["C", "F"] = {False: "C", True: "F"}[said["fortran_order"]]  # type: ignore[assignment]
        dtype = np.dtype(_described(said["descr"]))
    except (
        Exception
    ) as error:  # unclosed brackets, nesting without end, no dictionary, no such type: each its own error
        raise DiaboloError(
            f"cannot read {where}: its header makes no sense ({' '.join(str(error).split())[:80]})"
        ) from error
    if dtype.hasobject:
        raise DiaboloError(f"{where} {PICKLES}")
    if dtype.names is not None or dtype.itemsize == 0:
        raise DiaboloError(f"{where} holds records of several fields; save the field of the images as a plain array")
    if not all(type(side) is int and side >= 0 for side in shape):
        raise DiaboloError(f"cannot read {where}: its header claims the shape {shape}, which no array has")
    return NpyHeader(dtype, shape, order, 8 + width + size)


def map_npy(path: Path) -> NDArray[Any]:
    """The array in a .npy file, memory-mapped for reading. DiaboloError when it is damaged or not as long as it says."""
    check_regular(path)
    try:
        with open(path, "rb") as file:
            header = read_npy_header(file, str(path))
            held = os.fstat(file.fileno()).st_size - header.offset
            if held < header.nbytes:
                raise DiaboloError(
                    f"cannot read {path}: it is cut short, its header says {header.nbytes:,} bytes and {held:,} are there"
                )
            if header.nbytes == 0:
                return np.empty(header.shape, header.dtype)
            return np.memmap(file, header.dtype, "r", header.offset, header.shape, header.order)
    except (OSError, ValueError, OverflowError) as error:
        if isinstance(error, DiaboloError):
            raise
        raise DiaboloError(f"cannot read {path}: {' '.join(str(error).split())}") from error


def stream_npy(file: IO[bytes], size: int, where: str) -> NDArray[Any]:
    """The array in a .npy file of `size` bytes that can only be read forwards, as a member of an archive is.

    It is held in memory, or, where that is much, in a nameless file that vanishes with the array.
    """
    header = read_npy_header(file, where)
    if size - header.offset < header.nbytes:
        raise DiaboloError(
            f"cannot read {where}: it is cut short, its header says {header.nbytes:,} bytes, and "
            f"{size - header.offset:,} are there"
        )
    if header.nbytes == 0:
        return np.empty(header.shape, header.dtype)
    if header.nbytes <= IN_MEMORY:
        flat = np.empty(header.nbytes, np.uint8)
    else:
        home = default_cache()
        try:
            home.mkdir(parents=True, exist_ok=True)
            if shutil.disk_usage(home).free < header.nbytes:
                raise OSError(None, "the disk is too full")
            with tempfile.TemporaryFile(dir=home) as kept:
                flat = np.memmap(kept, np.uint8, "w+", shape=(header.nbytes,))
        except OSError as error:
            raise DiaboloError(
                f"the {header.nbytes / 1e9:.1f} GB of {where} do not fit into {home}: {error.strerror or error}"
            ) from error
    at = 0
    while at < header.nbytes:
        piece = file.read(min(CHUNK_BYTES, header.nbytes - at))
        if not piece:
            raise DiaboloError(f"cannot read {where}: it is cut short after {at:,} of {header.nbytes:,} bytes")
        flat[at : at + len(piece)] = np.frombuffer(piece, np.uint8)
        at += len(piece)
    return flat.view(header.dtype).reshape(header.shape, order="F" if header.order == "F" else "C")


def _described(descr: Any) -> Any:
    """A type as headers describe it: a string, or fields as a list of tuples."""
    if not isinstance(descr, str | list | tuple):
        raise TypeError(f"type {descr!r}")
    return descr
