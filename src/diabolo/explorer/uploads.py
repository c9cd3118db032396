"""A picture that a browser sends: decoded by the code that reads all pictures, in memory, never written to disk."""

from typing import Any

from numpy.typing import NDArray

from diabolo.data.pixels import Shaping, read_pages
from diabolo.errors import DiaboloError

LARGEST = 4 * 2**20  # bytes


def read_picture(content: bytes, shape: tuple[int, ...]) -> NDArray[Any]:
    """The picture in a file of bytes, cut and resized to `shape` (C, H, W), uint8.

    Raises:
        DiaboloError: for what is too large, no picture, damaged, or a bomb; and for a model that takes no pictures.
    """
    if len(content) > LARGEST:
        raise DiaboloError(f"a picture has at most {LARGEST >> 20} MiB, and this file {len(content) / 2**20:.1f}")
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise DiaboloError("this model takes no pictures")
    channels, height, width = shape
    size = height if height == width else None
    pages, _ = read_pages(content, "the picture", Shaping(size, channels=1 if channels == 1 else 3))
    if pages[0].shape != tuple(shape):
        raise DiaboloError(
            f"this model takes pictures of {height}×{width} pixels, not {'×'.join(map(str, pages[0].shape[1:]))}"
        )
    return pages[0]
