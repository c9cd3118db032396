"""One image file to one uint8 array: open, check, crop, resize."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from diabolo.errors import DiaboloError

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 1 << 26  # 8192 × 8192; 192 MiB once decoded as RGB
GREY = ("1", "L", "LA", "La", "I;16", "I;16L", "I;16B")
ORIENTATION = 0x0112  # the EXIF tag that says how the camera was held; 5 to 8 swap width and height


@dataclass(frozen=True)
class Shaping:
    """What is done to each image.

    crop      side of the central square cut out first, in pixels of the file, or None
    size      side of the square it becomes, or None: as it is. The shorter side becomes `size` and the longer is
              trimmed at both ends, in one step: Pillow's bicubic filter, widened when shrinking (antialiased)
    channels  3 (RGB) or 1 (luma, ITU-R 601), or None where it is still to be found out (see `decode.settle`)
    """

    size: int | None = None
    crop: int | None = None
    channels: int | None = None

    def __post_init__(self) -> None:
        for what, side in (("size", self.size), ("crop", self.crop)):
            if side is not None and (isinstance(side, bool) or not isinstance(side, int) or not 1 <= side <= 8192):
                raise DiaboloError(f"{what} is a number of pixels from 1 to 8192, or None, got {side!r}.")
        if self.channels not in (None, 1, 3):
            raise DiaboloError(f"channels must be 1 (grey) or 3 (colour), got {self.channels!r}.")


class BadImageError(DiaboloError):
    """An image file that cannot be used; the message names it."""


@dataclass(frozen=True)
class Header:
    """What a file says about itself before its pixels are decoded; width and height as it is to be looked at."""

    width: int
    height: int
    grey: bool


def read_header(data: bytes, name: str) -> Header:
    """Size and kind of an image, its pixels left undecoded. BadImageError if it is no image or too large."""
    with _open(data, name) as image:
        width, height = image.size
        if image.getexif().get(ORIENTATION, 1) >= 5:
            width, height = height, width
        grey = image.mode in GREY or (image.mode == "P" and _grey_palette(image))
        return Header(width, height, grey)


def read_pixels(data: bytes, name: str, shaping: Shaping) -> NDArray[np.uint8]:
    """uint8 `(C, H, W)`. BadImageError, naming the file, if it is broken, too large, or smaller than the crop."""
    with _open(data, name) as image:
        try:
            return _shape(image, name, shaping)
        except DiaboloError:
            raise
        except Exception as error:  # Pillow's plugins raise anything: OSError, SyntaxError, struct.error, …
            raise BadImageError(f"{name} is damaged: {_words(error)}.") from error


def _open(data: bytes, name: str) -> "Image.Image":
    from PIL import Image, UnidentifiedImageError

    try:
        image = Image.open(io.BytesIO(data))
        width, height = image.size
    except Image.DecompressionBombError as error:
        raise BadImageError(f"{name} is refused: more than {MAX_PIXELS:,} pixels ({_words(error)}).") from error
    except UnidentifiedImageError as error:
        raise BadImageError(f"{name} is not an image that Pillow can read.") from error
    except Exception as error:
        raise BadImageError(f"{name} is damaged: {_words(error)}.") from error
    if width * height > MAX_PIXELS:
        raise BadImageError(f"{name} is refused: {width:,}×{height:,} is more than {MAX_PIXELS:,} pixels.")
    return image


def _shape(image: "Image.Image", name: str, shaping: Shaping) -> NDArray[np.uint8]:
    from PIL import Image, ImageOps

    if shaping.size is not None and shaping.crop is None:
        # a JPEG at least four times too large is decoded at 1/2, 1/4 or 1/8: many times faster for photographs
        image.draft(None, (2 * shaping.size, 2 * shaping.size))
    # both the size and the pixels may still come from a lying header, so load first
    image.load()
    if image.getexif().get(ORIENTATION, 1) != 1:
        image = ImageOps.exif_transpose(image)
    image = _to_mode(image, "L" if shaping.channels == 1 else "RGB", name)
    width, height = image.size
    if shaping.crop is not None:
        if shaping.crop > min(width, height):
            raise BadImageError(f"{name} is {width}×{height}, too small for a crop of {shaping.crop}.")
        left, top = (width - shaping.crop) // 2, (height - shaping.crop) // 2
        image = image.crop((left, top, left + shaping.crop, top + shaping.crop))
        width = height = shaping.crop
    if shaping.size is not None and (width, height) != (shaping.size, shaping.size):
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        square = (left, top, left + side, top + side)
        image = image.resize((shaping.size, shaping.size), Image.Resampling.BICUBIC, box=square)
    array = np.asarray(image, dtype=np.uint8)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def _to_mode(image: "Image.Image", mode: str, name: str) -> "Image.Image":
    from PIL import Image

    if image.mode == mode:
        return image
    if image.mode.startswith("I;16"):  # Pillow would clip at 255
        wide = np.asarray(image).astype(np.uint32)
        return Image.fromarray(((wide * 255 + 32767) // 65535).astype(np.uint8)).convert(mode)
    if image.mode in ("I", "F"):
        raise BadImageError(f"{name} holds 32-bit pixels without a known range; save it with 8 or 16 bits.")
    if image.has_transparency_data:  # what lies under transparent pixels is not to be seen: put them on white
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    return image.convert(mode)


def _grey_palette(image: "Image.Image") -> bool:
    colours = np.asarray(image.getpalette() or [], np.uint8).reshape(-1, 3)
    return bool(len(colours)) and bool((colours == colours[:, :1]).all())


def _words(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
