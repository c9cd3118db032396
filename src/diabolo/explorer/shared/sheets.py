"""Many small pictures as one file."""

import base64
import io
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from diabolo.explorer.pixels import as_bytes


@dataclass(frozen=True)
class Sheet:
    """Pictures in rows of `columns`, from the upper left.

    Attributes:
        file: a PNG or JPEG file.
        kind: "png" or "jpeg".
        width, height: of one picture.
        columns: pictures in a row.
    """

    file: bytes
    kind: str
    width: int
    height: int
    columns: int

    @property
    def address(self) -> str:
        """All of it, for a page."""
        return f"data:image/{self.kind};base64,{base64.b64encode(self.file).decode()}"

    def described(self) -> dict[str, int]:
        """Where a picture lies, JSON-able."""
        return {"width": self.width, "height": self.height, "columns": self.columns}


def sheet(pictures: ArrayLike, side: int, exact: bool = True) -> Sheet:
    """A sheet of pictures (N, C, H, W), floats in [0, 1] or uint8.

    Args:
        pictures: grey ones, or of three colours.
        side: the largest width and height that they keep; larger ones are reduced.
        exact: as PNG, which keeps each pixel; else those of three colours as JPEG, which takes a fifth.

    Example:
        >>> found = diabolo.explorer.shared.sheets.sheet(np.zeros((5, 1, 8, 8)), 32)
        >>> found.columns, found.width, found.kind
        (3, 8, 'png')
    """
    x = _reduced(as_bytes(pictures), side)
    n, height, width, _ = x.shape
    columns = math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    tiles = np.zeros((rows * columns, height, width, 3), np.uint8)
    tiles[:n] = x
    whole = tiles.reshape(rows, columns, height, width, 3).swapaxes(1, 2).reshape(rows * height, columns * width, 3)
    grey = bool((whole == whole[..., :1]).all())
    image = Image.fromarray(np.ascontiguousarray(whole[..., 0]) if grey else whole)
    file, kind = io.BytesIO(), "png" if exact or grey else "jpeg"
    image.save(file, kind, **({"optimize": True} if kind == "png" else {"quality": 88, "subsampling": 0}))
    return Sheet(file.getvalue(), kind, width, height, columns)


def _reduced(x: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Pictures (N, H, W, 3) of at most `side` pixels in width and height."""
    height, width = x.shape[1:3]
    if max(height, width) <= side:
        return x
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.stack([np.asarray(Image.fromarray(one).resize(size, Image.Resampling.BOX)) for one in x])
