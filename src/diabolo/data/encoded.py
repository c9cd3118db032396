"""Images for which memory and disk are too small once they are decoded: the bytes of their files, decoded as they are needed.

In one file lie the files one behind the other, and behind them where each begins: F + 1 whole numbers of 8 bytes for F files.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diabolo.data.depth import BadImageError
from diabolo.data.files import MAX_BYTES
from diabolo.data.pixels import Shaping, read_pages
from diabolo.data.threads import cores, in_threads
from diabolo.errors import DiaboloError

PLACE = np.dtype("<i8")  # of where a file begins
TYPES = ("|u1", "<u2", "<i2", "<i4", "<f4", "<f8")  # that decoded images have
INLINE = 8  # files that are decoded without threads
TASK = 64  # files a thread takes at once, at most


class Encoded:
    """The images of some files as an array (N, C, H, W) of which only the bytes of the files are there. `x[rows]`, `x[a:b]` and
    `x[i]` are arrays: those images, decoded on every core that this process may use, to the bits that decoding all of them at
    once gives. `np.asarray(x)` is all of them.

    Args:
        content: the file, see `write`.
        starts: (F + 1,), where each of its files begins, and the last ends.
        owners: (N,), the file that each image is, or is a page of.
        pages: (N,), which page of it, from 0.
        shape: of an image (C, H, W).
        dtype: of its numbers.
        shaping: what is done to each.
        where: what to call it in a message.
    """

    def __init__(
        self,
        content: NDArray[np.uint8],
        starts: NDArray[np.int64],
        owners: NDArray[np.int64],
        pages: NDArray[np.int64],
        shape: Sequence[int],
        dtype: np.dtype[Any],
        shaping: Shaping,
        where: str,
    ) -> None:
        self.content, self.starts, self.owners, self.pages = content, starts, owners, pages
        self.dtype, self.shaping, self.where = dtype, shaping, where
        self.shape = (len(owners), *shape)
        self.ndim, self.size = len(self.shape), math.prod(self.shape)
        self.itemsize, self.nbytes = dtype.itemsize, self.size * dtype.itemsize  # once decoded

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"Encoded({self.shape}, {self.dtype}, {self.stored:,} bytes in {self.where})"

    @property
    def stored(self) -> int:
        """Bytes that the files of these images take."""
        used = np.unique(self.owners)
        return int((self.starts[used + 1] - self.starts[used]).sum())

    def __getitem__(self, key: Any) -> NDArray[Any]:
        if isinstance(key, tuple):
            rows = self[key[0]]
            found: NDArray[Any] = rows[key[1:] if isinstance(key[0], int | np.integer) else (slice(None), *key[1:])]
            return found
        if isinstance(key, int | np.integer):
            image: NDArray[Any] = self._decoded(self._rows([key]))[0]
            return image
        return self._decoded(self._rows(key))

    def __iter__(self) -> Iterator[NDArray[Any]]:
        for start in range(0, len(self), TASK):
            yield from self[start : start + TASK]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("encoded images are decoded into a new array")
        return self[:] if dtype is None else self[:].astype(dtype, copy=False)

    def take(self, rows: ArrayLike) -> "Encoded":
        """Those images of them, still encoded."""
        chosen = self._rows(rows)
        owners, pages = self.owners[chosen], self.pages[chosen]
        return Encoded(self.content, self.starts, owners, pages, self.shape[1:], self.dtype, self.shaping, self.where)

    def _rows(self, key: Any) -> NDArray[np.int64]:
        """The numbers of the images that `key` means, as numpy has it."""
        if isinstance(key, slice):
            return np.arange(*key.indices(len(self)))
        rows = np.asarray(key)
        if rows.dtype == np.bool_ and rows.shape == (len(self),):
            return np.flatnonzero(rows)
        if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iu"):
            raise IndexError(
                f"encoded images are chosen by a slice, whole numbers (n,) or a mask, not by {rows.dtype} {rows.shape}"
            )
        rows = rows.astype(np.int64)
        rows = np.where(rows < 0, rows + len(self), rows)
        if rows.size and not 0 <= rows.min() <= rows.max() < len(self):
            raise IndexError(f"there are {len(self):,} images, and number {int(rows.max())} was asked for")
        return rows

    def _decoded(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Those images (n, C, H, W), each file decoded once."""
        found = np.empty((len(rows), *self.shape[1:]), self.dtype)
        files, whose = np.unique(self.owners[rows], return_inverse=True)
        order = np.argsort(whose, kind="stable")
        ends = np.searchsorted(whose[order], np.arange(len(files) + 1))

        def some(start: int) -> None:
            for i in range(start, min(start + step, len(files))):
                pages = self._read(int(files[i]))
                for place in order[ends[i] : ends[i + 1]]:
                    found[place] = self._checked(pages, int(self.pages[rows[place]]), int(files[i]))

        step = max(1, min(TASK, len(files) // (4 * cores())))
        starts = range(0, len(files), step)
        if len(files) <= INLINE or cores() == 1:
            for start in starts:
                some(start)
        else:
            for _ in in_threads(some, starts):
                pass
        return found

    def _read(self, file: int) -> list[NDArray[Any]]:
        """The pages of one file."""
        start, stop = int(self.starts[file]), int(self.starts[file + 1])
        where = f"file {file:,} in {self.where}"
        try:
            return read_pages(self.content[start:stop].tobytes(), where, self.shaping)[0]
        except BadImageError as error:
            raise self._damaged(str(error)) from error

    def _checked(self, pages: list[NDArray[Any]], page: int, file: int) -> NDArray[Any]:
        if page >= len(pages) or pages[page].shape != self.shape[1:] or pages[page].dtype != self.dtype:
            raise self._damaged(f"file {file:,} in {self.where} is not the image that was kept")
        return pages[page]

    def _damaged(self, why: str) -> DiaboloError:
        return DiaboloError(f"encoded images are damaged ({why}): delete {self.where}, and they are read anew")


def as_encoded(array: object) -> Encoded | None:
    """`array` where it is encoded images, which stand for an array; else None."""
    return array if isinstance(array, Encoded) else None


class Writer:
    """Writes the files of some images into one, as `opened` reads them."""

    def __init__(self, out: IO[bytes]) -> None:
        self.out = out
        self.starts = [0]
        out.seek(0)
        out.truncate()

    def add(self, data: bytes) -> None:
        """One more file."""
        self.out.write(data)
        self.starts.append(self.starts[-1] + len(data))

    def close(self) -> int:
        """Write where each begins; the length of it all in bytes."""
        self.out.write(np.array(self.starts, PLACE).tobytes())
        return self.starts[-1] + PLACE.itemsize * len(self.starts)


def opened(path: Path, owners: NDArray[np.int64], shape: Sequence[int], dtype: str, shaping: Shaping) -> Encoded:
    """The images that `Writer` has written, whose files `owners` (N,) number among all that were found.

    Raises:
        OSError, ValueError: when it cannot be opened, or is not what was written.
    """
    files, whose = np.unique(owners, return_inverse=True)
    tail = PLACE.itemsize * (len(files) + 1)
    with open(path, "rb") as file:
        content = np.memmap(file, np.uint8, "r")
    if len(content) < tail:
        raise ValueError("it is cut short")
    starts = content[len(content) - tail :].view(PLACE).astype(np.int64)
    lengths = np.diff(starts)
    if starts[0] != 0 or starts[-1] != len(content) - tail or (lengths <= 0).any() or (lengths > MAX_BYTES).any():
        raise ValueError("it does not say where its files lie")
    if dtype not in TYPES or len(shape) != 3 or not all(type(side) is int and side > 0 for side in shape):
        raise ValueError(f"its images are said to be {dtype} {tuple(shape)}")
    if not len(owners) or (np.diff(owners) < 0).any():
        raise ValueError("its images are in no order")
    pages = np.arange(len(owners)) - np.searchsorted(whose, whose)
    return Encoded(content, starts, whose.astype(np.int64), pages, shape, np.dtype(dtype), shaping, str(path))
