"""Images as the page takes them: sheets of RGBA pixels for its canvases, PNG files for its hints."""

import io
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diabolo.data.unit import to_float

GAP = 1  # pixels between the images of a sheet
RAMP = ("#d7e3f1", "#a9c4e4", "#7ba4d6", "#4d84c6", "#23649f", "#0b3f70")  # of numbers, low to high


def is_picture(shape: tuple[int, ...]) -> bool:
    """Whether examples of that shape can be looked at as pictures: grey, or of three colours."""
    return len(shape) == 3 and shape[0] in (1, 3)


def as_bytes(images: ArrayLike) -> NDArray[np.uint8]:
    """Pictures (…, C, H, W), floats in [0, 1] or uint8, as uint8 (…, H, W, 3).

    Example:
        >>> diabolo.explorer.pixels.as_bytes(np.full((1, 2, 2), 0.5)).shape
        (2, 2, 3)
    """
    x = np.asarray(images)
    if x.dtype != np.uint8:
        x = np.rint(np.nan_to_num(np.asarray(x, np.float32)).clip(0, 1) * 255).astype(np.uint8)
    x = np.moveaxis(x, -3, -1)
    return np.repeat(x, 3, -1) if x.shape[-1] == 1 else np.ascontiguousarray(x)


def rgba(images: ArrayLike) -> NDArray[np.uint32]:
    """A sheet of pictures (R, K, C, H, W), R rows of K, as packed RGBA (height, width) whose first row is the lowest, as Bokeh
    wants it; what lies between the images is transparent.

    Example:
        >>> sheet = diabolo.explorer.pixels.rgba(np.zeros((2, 3, 1, 8, 8)))
        >>> sheet.shape, hex(sheet[0, 0])
        ((17, 26), '0xff000000')
    """
    x = as_bytes(images)
    rows, columns, height, width, _ = x.shape
    sheet = np.zeros((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 4), np.uint8)
    for r in range(rows):
        for c in range(columns):
            top, left = r * (height + GAP), c * (width + GAP)
            sheet[top : top + height, left : left + width, :3] = x[r, c]
            sheet[top : top + height, left : left + width, 3] = 255
    found: NDArray[np.uint32] = np.ascontiguousarray(sheet[::-1]).view(np.uint32)[..., 0]
    return found


def heat(values: ArrayLike) -> NDArray[np.uint32]:
    """Numbers in [0, 1], (H, W), as packed RGBA, light to dark blue."""
    share = np.asarray(values, np.float64).clip(0, 1)[..., None]
    low, high = np.array([236, 240, 245]), np.array([0, 72, 140])
    x = np.concatenate([np.rint(low + share * (high - low)), np.full_like(share, 255)], -1).astype(np.uint8)
    found: NDArray[np.uint32] = np.ascontiguousarray(x[::-1]).view(np.uint32)[..., 0]
    return found


def png(images: ArrayLike) -> bytes:
    """Pictures (K, C, H, W) side by side as a PNG file."""
    from PIL import Image

    row = as_bytes(images)
    gap = np.full((row.shape[1], GAP, 3), 255, np.uint8)
    parts: list[NDArray[Any]] = [part for image in row for part in (image, gap)][:-1]
    file = io.BytesIO()
    Image.fromarray(np.concatenate(parts, 1)).save(file, "png")
    return file.getvalue()


def difference(one: ArrayLike, other: ArrayLike) -> NDArray[np.float32]:
    """|one − other| of two images in [0, 1], uint8 or floats, (C, H, W): dark is equal."""
    found: NDArray[np.float32] = np.abs(to_float(np.asarray(one)) - to_float(np.asarray(other)))
    return found
