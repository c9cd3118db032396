"""The numbers of an image that has more than 8 bits a channel, or whose 8 bits do not mean 0 for black to 255 for white."""

import io
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from diabolo.data.scale import Numbers, Span
from diabolo.errors import DiaboloError

if TYPE_CHECKING:
    from PIL import Image
    from PIL.ImageFile import ImageFile

SHALLOW = ("1 bit", "8 bit")  # what pictures of 8 bits at most are called; all others are called otherwise
BITS_PER_SAMPLE, PHOTOMETRIC, SAMPLE_FORMAT = 258, 262, 339  # tags of TIFF
WHITE_IS_ZERO, SIGNED = 0, 2
MOST = 65535  # of 16 bits
SWAPPED = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}  # the order that puts lower bytes first

Values = NDArray[np.float64]


class BadImageError(DiaboloError):
    """An image file that cannot be used; the message names it."""


def is_deep(image: "Image.Image") -> bool:
    """Whether the numbers of a grey image say more than Pillow's 8 bits do."""
    return (
        image.mode.startswith("I") or image.mode == "F" or (image.mode == "L" and _tag(image, SAMPLE_FORMAT) == SIGNED)
    )


def read_deep(image: "Image.Image", data: bytes, name: str) -> tuple[Values, str, Numbers]:
    """The numbers (H, W) of such an image, what to call their depth, and what is known of them."""
    values = np.asarray(image)
    if image.mode == "L":  # signed bytes, which Pillow takes for unsigned ones
        values = values.view(np.int8)
    values = values.astype(np.float64)
    white_is_zero = _tag(image, PHOTOMETRIC) == WHITE_IS_ZERO and image.mode != "L"  # Pillow turns over bytes alone
    if image.mode == "F":
        if not np.isfinite(values).all():
            raise BadImageError(f"{name} holds pixels that are NaN or infinite")
        _refuse_turned(white_is_zero, name)
        return values, "float", Numbers(float(values.min()), float(values.max()), (0.0, 1.0), floats=True)
    if image.format == "PPM":
        most = _maxval(data)
        values = values * (most / MOST)
        return np.rint(values), f"0 to {most:,}", _whole(values, (0.0, float(most)), True)
    bits = _first(_tag(image, BITS_PER_SAMPLE), 8 if image.mode == "L" else 16 if ";16" in image.mode else 32)
    if image.mode == "I" and image.format == "PNG":
        bits = 16
    told = image.format == "TIFF"  # which says whether numbers are signed, and says no where it says nothing
    signed = _tag(image, SAMPLE_FORMAT) == SIGNED if told else bits == 32 and values.min() < 0
    if signed:
        _refuse_turned(white_is_zero, name)
        return values, f"{bits} bit signed", _whole(values, (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1), False)
    if image.mode == "I" and bits == 32:  # Pillow keeps unsigned numbers of 32 bits as signed ones
        values = np.where(values < 0, values + 2.0**32, values)
    most = 2**bits - 1
    values = most - values if white_is_zero else values
    return values, f"{bits} bit", _whole(values, (0.0, float(most)), False)


def type_of(numbers: Numbers) -> np.dtype[Any]:
    """What holds such numbers: uint16 or int16 where the file's own lie in that, else float32."""
    low, high = numbers.nominal or (-np.inf, np.inf)
    for dtype in () if numbers.floats else (np.uint16, np.int16):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return np.dtype(dtype)
    return np.dtype(np.float32)


def deep_colours(image: "ImageFile", data: bytes) -> Callable[[], tuple[Values, Values | None]] | None:
    """What reads the numbers (H, W, 1 or 3) and the alpha (H, W) in [0, 1], or None, of an image of 16 bits a channel that is
    in colour or has alpha: Pillow keeps the upper 8 bits at most. None for other images. To be called before it is loaded.
    """
    tiles = [tile for tile in image.tile if isinstance(_raw_mode(tile), str)]
    raw = {_raw_mode(tile) for tile in tiles}
    planar = raw <= {"R", "G", "B", "A"} and _first(_tag(image, BITS_PER_SAMPLE), 8) == 16
    if image.mode not in ("RGB", "RGBA") or "transparency" in image.info or not raw:
        return None
    if not planar and not all(";16" in mode for mode in raw):
        return None
    kind, page = image.format, image.tell()
    order = "L" if data[:2] == b"II" else "B"

    def read(mode: Callable[[str], str]) -> NDArray[np.uint8]:
        from PIL import Image

        again = Image.open(io.BytesIO(data), formats=(str(kind),))
        again.seek(page)
        again.tile = [tile._replace(args=_with(tile.args, mode(_raw_mode(tile)))) for tile in again.tile]
        again.load()
        return np.asarray(again)

    def numbers() -> tuple[Values, Values | None]:
        if raw == {"LA;16B"}:  # four bytes, as those of RGBA are
            four = read(lambda mode: "RGBA").astype(np.float64)
            both = four[..., ::2] * 256 + four[..., 1::2]
            return both[..., :1], both[..., 1] / MOST
        wide = (lambda mode: f"{mode};16{order}") if planar else (lambda mode: mode)
        upper, lower = read(wide), read(lambda mode: wide(mode)[:-1] + SWAPPED[wide(mode)[-1]])
        values = upper.astype(np.float64) * 256 + lower
        return values[..., :3], values[..., 3] / MOST if values.shape[2] == 4 else None

    return numbers


def is_grey_with_alpha(image: "Image.Image") -> bool:
    """Whether an image that is not loaded yet is grey with alpha in 16 bits, which Pillow calls RGBA."""
    return any(_raw_mode(tile) == "LA;16B" for tile in getattr(image, "tile", ()))


def of_colours(values: Values, alpha: Values | None) -> Numbers:
    """What is known of the numbers of such an image; those of pixels that are not to be seen do not count."""
    seen = values if alpha is None or not alpha.any() else values[alpha > 0]
    return _whole(seen, (0.0, float(MOST)), False)


def guarded(read: Any) -> Any:
    """What `read` gives, or None: metadata may be broken in any way, and decides nothing when it is."""
    try:
        return read()
    except Exception:
        return None


def _refuse_turned(white_is_zero: bool, name: str) -> None:
    if white_is_zero:
        raise BadImageError(
            f"{name} calls 0 white, and nothing in it says which number is black; save it with 0 as black"
        )


def _raw_mode(tile: Any) -> Any:
    return tile.args[0] if isinstance(tile.args, tuple) and tile.args else tile.args


def _with(args: Any, raw_mode: str) -> Any:
    return (raw_mode, *args[1:]) if isinstance(args, tuple) else raw_mode


def _tag(image: "Image.Image", tag: int) -> Any:
    """What a TIFF says under that tag, of its first channel; None for other files."""
    value = guarded(lambda: getattr(image, "tag_v2", {}).get(tag))
    return value[0] if isinstance(value, tuple) and value else value


def _whole(values: Values, nominal: Span, stated: bool) -> Numbers:
    return Numbers(float(np.rint(values.min())), float(np.rint(values.max())), nominal, stated=stated)


def _maxval(data: bytes) -> int:
    """The number that is white in a PGM file, from its header."""
    found = re.match(rb"P[25](?:\s*#[^\n]*\n|\s+)*\s*(\d+)(?:\s+|#[^\n]*\n)+(\d+)(?:\s+|#[^\n]*\n)+(\d+)", data)
    return int(found[3]) if found and 0 < int(found[3]) <= MOST else MOST


def _first(value: Any, other: int) -> int:
    return value if type(value) is int and 1 <= value <= 32 else other
