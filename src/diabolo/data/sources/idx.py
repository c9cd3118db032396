"""The format of MNIST (LeCun, Cortes & Burges 1998, http://yann.lecun.com/exdb/mnist) and of the sets that took its place: four
files, each a head and then its bytes. Once they are on the disk, nothing else is needed to read them."""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diabolo.errors import DiaboloError

STEMS = {"train": "train", "test": "t10k"}
BYTES = 8  # what a head calls numbers of one byte


def complete(raw: Path) -> bool:
    """Whether the four files are in the folder `raw`."""
    return all(path.is_file() for split in STEMS for path in _files(raw, split))


def read(raw: Path, split: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The pixels (N, H, W) and labels (N,) of the split "train" or "test" in the folder `raw`.

    Raises:
        DiaboloError: for a file of another format or length.
        OSError: for one that cannot be read.

    Example:
        >>> import pathlib, struct, tempfile, diabolo.data.sources.idx
        >>> raw = pathlib.Path(tempfile.mkdtemp())
        >>> images = raw / "t10k-images-idx3-ubyte"
        >>> _ = images.write_bytes(bytes([0, 0, 8, 3]) + struct.pack(">3I", 2, 1, 2) + bytes([0, 10, 20, 30]))
        >>> labels = raw / "t10k-labels-idx1-ubyte"
        >>> _ = labels.write_bytes(bytes([0, 0, 8, 1]) + struct.pack(">I", 2) + bytes([7, 1]))
        >>> pixels, labels = diabolo.data.sources.idx.read(raw, "test")
        >>> pixels.tolist(), labels.tolist()
        ([[[0, 10]], [[20, 30]]], [7, 1])
    """
    images, labels = _files(raw, split)
    return _array(images, 3), _array(labels, 1).astype(np.int64)


def _files(raw: Path, split: str) -> tuple[Path, Path]:
    stem = STEMS[split]
    return raw / f"{stem}-images-idx3-ubyte", raw / f"{stem}-labels-idx1-ubyte"


def _array(path: Path, axes: int) -> NDArray[np.uint8]:
    """The bytes of a file, whose head says of how many axes they are and how long each is."""
    head = 4 + 4 * axes
    with path.open("rb") as file:
        begin = file.read(head)
        if len(begin) < head or begin[:4] != bytes([0, 0, BYTES, axes]):
            raise DiaboloError(f"{path.name} does not begin as an IDX file of bytes with {axes} axes does")
        shape = tuple(int.from_bytes(begin[at : at + 4], "big") for at in range(4, head, 4))
        there = path.stat().st_size - head
        if there != math.prod(shape):
            raise DiaboloError(f"{path.name} should hold {' × '.join(map(str, shape))} bytes and holds {there:,}")
        return np.fromfile(file, np.uint8).reshape(shape)
