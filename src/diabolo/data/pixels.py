"""One image file to arrays, one for each of its pages: open, check, crop, resize."""

import io
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from itertools import dropwhile
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from diabolo.data.depth import (
    SHALLOW,
    BadImageError,
    deep_colours,
    guarded,
    is_deep,
    is_grey_with_alpha,
    of_colours,
    read_deep,
    type_of,
)
from diabolo.data.scale import Numbers, Span, is_wide
from diabolo.data.steps import in_steps
from diabolo.errors import DiaboloError
from diabolo.ranges import Side, check_fields

if TYPE_CHECKING:
    from PIL import Image
    from PIL.ImageFile import ImageFile

MAX_PIXELS = 1 << 26  # 8192 × 8192; 192 MiB once decoded as RGB
MAX_DECODED = 1 << 30  # bytes of all pages of one file
GREY = ("1", "L", "LA", "La", "I", "F")  # and those that begin with "I;16"
ORIENTATION = 0x0112  # the EXIF tag that says how the camera was held; 5 to 8 swap width and height
NO_PIXELS = {"BUFR", "EPS", "GRIB", "HDF5", "IPTC", "MPEG", "WMF"}  # only named by Pillow, or drawn by another program
PAGED = ("TIFF", "DCX")  # whose further frames are pages: images of their own
SUBFILE, REDUCED, MASK = 254, 1, 4  # the TIFF tag that says that a page is a thumbnail, or a mask, of another
LUMA = (0.299, 0.587, 0.114)  # of red, green and blue: ITU-R 601
PNG = b"\x89PNG\r\n\x1a\n"
PNG_TEXT = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")
PNG_LATE = (b"eXIf", b"tEXt", b"zTXt", b"iTXt")  # what may say how the camera was held


Keep = Literal["bytes", "deep", "own"]


@dataclass(frozen=True)
class Shaping:
    """What is done to each image.

    crop      side of the central square cut out first, in pixels of the file, or None
    size      side of the square it becomes, or None: as it is. The shorter side becomes `size` and the longer is
              trimmed at both ends, in one step: Pillow's bicubic filter, widened when shrinking (antialiased)
    channels  3 (RGB) or 1 (luma, ITU-R 601), or None where it is still to be found out (see `decode.settle`)
    span      the file's own numbers that are black and white, or None: what the file says
    keep      "bytes": black to white in 8 bits. "deep": images of more than 8 bits keep their own type and units, and so do
              those of 8 bits of a span that is wider. "own": all images become float32 in the units of their files
    """

    size: Side | None = None
    crop: Side | None = None
    channels: Literal[1, 3] | None = None
    span: Span | None = None
    keep: Keep = "bytes"

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def widens(self) -> bool:
        """Whether images of 8 bits are kept in a wider type: black to white in bytes would leave them fewer levels."""
        return self.keep == "own" or (self.keep == "deep" and self.span is not None and is_wide(self.span))


@dataclass(frozen=True)
class Header:
    """What a file says about itself before its pixels are decoded; width and height as it is to be looked at."""

    width: int
    height: int
    grey: bool


@dataclass
class Facts:
    """What was met in the images of a set: numbers of images by size, mode and depth, and the numbers in them by depth."""

    sizes: Counter[str] = field(default_factory=Counter)
    modes: Counter[str] = field(default_factory=Counter)
    depths: Counter[str] = field(default_factory=Counter)
    numbers: dict[str, Numbers] = field(default_factory=dict)
    animations: int = 0

    def add(self, other: "Facts") -> None:
        """Take in those of other images."""
        for mine, more in ((self.sizes, other.sizes), (self.modes, other.modes), (self.depths, other.depths)):
            mine.update(more)
        self.animations += other.animations
        for depth, numbers in other.numbers.items():
            known = self.numbers.get(depth)
            self.numbers[depth] = numbers if known is None else _both(known, numbers)

    def as_json(self) -> dict[str, Any]:
        """All of it as plain dictionaries and lists."""
        numbers = {depth: asdict(one) for depth, one in self.numbers.items()}
        counts = {"sizes": dict(self.sizes), "modes": dict(self.modes), "depths": dict(self.depths)}
        return counts | {"numbers": numbers, "animations": self.animations}

    @property
    def used(self) -> Span | None:
        """The least and the greatest number of all; None where depths are mixed, so that numbers mean different things."""
        if len(self.numbers) != 1:
            return None
        (numbers,) = self.numbers.values()
        return numbers.low, numbers.high


@cache
def formats() -> tuple[str, ...]:
    """The kinds of files that Pillow decodes by itself."""
    from PIL import Image

    Image.init()
    return tuple(sorted(set(Image.OPEN) - NO_PIXELS))


def read_header(data: bytes, name: str) -> Header:
    """Size and kind of an image, its pixels left undecoded. BadImageError if it is no image or too large."""
    with _open(data, name) as image:
        width, height = image.size
        grey = is_grey(image)  # before the orientation is looked for, which may load it
        turn = (
            1 if image.format == "TIFF" else _turn_by_header(image, data)
        )  # Pillow turns the size of a TIFF by itself
        if turn >= 5:
            width, height = height, width
        return Header(width, height, grey)


def read_pages(data: bytes, name: str, shaping: Shaping) -> tuple[list[NDArray[Any]], Facts]:
    """The pages of a file, `(C, H, W)` each, and what was met in them; of an animation the first frame. Their type is uint8,
    or that of `shaping.keep`.

    BadImageError, naming the file, if it is broken, too large, or smaller than the crop.
    """
    facts, pages, total = Facts(), list[NDArray[Any]](), 0
    with _open(data, name) as image:
        try:
            paged = image.format in PAGED
            facts.animations = int(not paged and bool(guarded(lambda: getattr(image, "is_animated", False))))
            for page in _pages(image) if paged else (image,):
                if page.size[0] * page.size[1] > MAX_PIXELS:
                    raise BadImageError(f"{name} is refused: one of its pages has more than {MAX_PIXELS:,} pixels")
                pages.append(_shape(page, data, name, shaping, facts))
                total += pages[-1].nbytes
                if total > MAX_DECODED:
                    raise BadImageError(
                        f"{name} is refused: its pages are more than {MAX_DECODED:,} bytes when decoded"
                    )
        except DiaboloError:
            raise
        except Exception as error:  # Pillow's plugins raise anything: OSError, SyntaxError, struct.error, …
            raise BadImageError(f"{name} is damaged: {_words(error)}") from error
    return pages, facts


def _pages(image: "ImageFile") -> Iterator["ImageFile"]:
    """Each page in turn, thumbnails and masks of others left out."""
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        kind = getattr(image, "tag_v2", {}).get(SUBFILE, 0)
        if number == 0 or not (isinstance(kind, int) and kind & (REDUCED | MASK)):
            yield image


def _open(data: bytes, name: str) -> "ImageFile":
    from PIL import Image, UnidentifiedImageError

    try:
        try:
            image = Image.open(io.BytesIO(data), formats=formats())
        except (ValueError, OSError) as error:
            if not data.startswith(PNG) or isinstance(error, Image.DecompressionBombError):
                raise
            image = Image.open(
                io.BytesIO(_without_text(data)), formats=formats()
            )  # too long a text may be all there is wrong
        width, height = image.size
    except Image.DecompressionBombError as error:
        raise BadImageError(f"{name} is refused: more than {MAX_PIXELS:,} pixels ({_words(error)})") from error
    except UnidentifiedImageError as error:
        raise BadImageError(f"{name} is not an image that Pillow can read") from error
    except Exception as error:
        raise BadImageError(f"{name} is damaged: {_words(error)}") from error
    if width * height > MAX_PIXELS:
        raise BadImageError(f"{name} is refused: {width:,}×{height:,} is more than {MAX_PIXELS:,} pixels")
    return image


@dataclass(frozen=True)
class _Picture:
    """An image as pictures of Pillow: one of 8 bits, or one of floats for each channel, which become numbers of a type `within`
    two of them."""

    bands: list["Image.Image"]
    type: np.dtype[Any] = field(default_factory=lambda: np.dtype(np.uint8))
    within: Span | None = None

    def array(self) -> NDArray[Any]:
        """(C, H, W)."""
        if self.type == np.uint8:
            array = np.asarray(self.bands[0], dtype=np.uint8)
            return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
        x = np.stack([np.asarray(band) for band in self.bands])
        if self.within is not None:
            x = x.clip(*self.within)  # a sharp filter overshoots at edges
        return x if self.type.kind == "f" else np.rint(x).astype(self.type)


def _shape(file: "ImageFile", data: bytes, name: str, shaping: Shaping, facts: Facts) -> NDArray[Any]:
    if shaping.size is not None and shaping.crop is None:
        # a JPEG at least four times too large is decoded at 1/2, 1/4 or 1/8: many times faster for photographs
        file.draft(None, (2 * shaping.size, 2 * shaping.size))
    original = file.size
    colours = deep_colours(file, data)
    # both the size and the pixels may still come from a lying header, so load first
    file.load()
    drafted = file.format in ("JPEG", "MPO") and file.size != original
    facts.modes[file.mode] += 1
    turn = _orientation(file)
    if colours is not None:
        picture = _from_colours(*colours(), shaping, facts)
    elif is_deep(file):
        picture = _from_deep(*read_deep(file, data, name), shaping, facts)
    else:
        picture = _from_bytes(file, shaping, facts)
    picture = replace(picture, bands=[_placed(band, turn, name, shaping) for band in picture.bands])
    width, height = file.size if not drafted else original
    facts.sizes[f"{height}×{width}" if turn >= 5 else f"{width}×{height}"] += 1
    return picture.array()


def _placed(image: "Image.Image", turn: int, name: str, shaping: Shaping) -> "Image.Image":
    """The picture upright, cut and resized."""
    from PIL import Image

    if 2 <= turn <= 8:
        image = image.transpose(TURNS[turn])
    width, height = image.size
    if shaping.crop is not None:
        if shaping.crop > min(width, height):
            raise BadImageError(
                f"{name} is {width}×{height}, too small for a crop of {shaping.crop}; at most {min(width, height)} fits"
            )
        left, top = (width - shaping.crop) // 2, (height - shaping.crop) // 2
        image = image.crop((left, top, left + shaping.crop, top + shaping.crop))
        width = height = shaping.crop
    if shaping.size is not None and (width, height) != (shaping.size, shaping.size):
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        square = (left, top, left + side, top + side)
        image = image.resize((shaping.size, shaping.size), Image.Resampling.BICUBIC, box=square)
    return image


# What puts an image upright that was stored by each EXIF orientation; the numbers are those of `PIL.Image.Transpose`
TURNS: dict[int, Any] = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}


def _orientation(image: "Image.Image") -> int:
    """1 to 8; 1, as it is, for a tag that says anything else or cannot be read."""
    return _as_turn(guarded(lambda: image.getexif().get(ORIENTATION, 1)))


def _as_turn(value: Any) -> int:
    return value if type(value) is int and 1 <= value <= 8 else 1


def _turn_by_header(image: "Image.Image", data: bytes) -> int:
    """The same of a file that is not loaded. Pillow decodes a PNG to look for what may stand behind its pixels: nearly always
    nothing does."""
    from PIL import Image

    behind = dropwhile(lambda chunk: chunk[0] != b"IDAT", _chunks(data) if image.format == "PNG" else ())
    if image.format != "PNG" or any(kind in PNG_LATE for kind, _ in behind):
        return _orientation(image)
    return _as_turn(guarded(lambda: Image.Image.getexif(image).get(ORIENTATION, 1)))


def _from_deep(values: NDArray[np.float64], depth: str, numbers: Numbers, shaping: Shaping, facts: Facts) -> _Picture:
    """The picture of numbers (H, W), which `facts` learn."""
    if numbers.floats:
        numbers = replace(numbers, steps=in_steps(values.astype(np.float32), shaping.span or (0.0, 1.0)))
    facts.depths[depth] += 1
    facts.add(Facts(numbers={depth: numbers}))
    return _from_numbers(values[..., None], numbers, shaping)


def _from_colours(
    values: NDArray[np.float64], alpha: NDArray[np.float64] | None, shaping: Shaping, facts: Facts
) -> _Picture:
    """The picture of numbers (H, W, 1 or 3) of 16 bits, put on white where `alpha` (H, W) is given; `facts` learn them."""
    numbers = of_colours(values, alpha)
    facts.depths["16 bit"] += 1
    facts.add(Facts(numbers={"16 bit": numbers}))
    if alpha is not None:
        low, high = shaping.span or numbers.nominal or (0.0, 1.0)
        values = high + (np.clip(values, low, high) - high) * alpha[..., None]
    return _from_numbers(values, numbers, shaping)


def _from_numbers(values: NDArray[np.float64], numbers: Numbers, shaping: Shaping) -> _Picture:
    """The picture of numbers (H, W, 1 or 3): themselves, or in 8 bits, black and white being what is asked or the file says."""
    from PIL import Image

    if shaping.keep == "bytes":
        array = _in_bytes(values, shaping.span or numbers.nominal or (0.0, 1.0))
        image = Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)
        return _Picture([image.convert(_mode(shaping))])
    within = shaping.span or (None if numbers.floats else numbers.nominal)
    values = values if within is None else values.clip(*within)
    if shaping.channels == 1 and values.shape[2] == 3:
        values = (values @ LUMA)[..., None]
    bands = [Image.fromarray(values[..., k].astype(np.float32)) for k in range(values.shape[2])]
    bands = bands * 3 if shaping.channels != 1 and len(bands) == 1 else bands
    return _Picture(bands, np.dtype(np.float32) if shaping.keep == "own" else type_of(numbers), within)


def _mode(shaping: Shaping) -> str:
    return "L" if shaping.channels == 1 else "RGB"


def _in_bytes(values: NDArray[np.float64], span: Span) -> NDArray[np.uint8]:
    low, high = span
    return np.rint(np.clip((values - low) * (255 / (high - low)), 0, 255)).astype(np.uint8)


def _from_bytes(image: "Image.Image", shaping: Shaping, facts: Facts) -> _Picture:
    """The picture of an image of 8 bits, or of 1; `facts` learn its numbers."""
    mode, span, depth = _mode(shaping), shaping.span, SHALLOW[image.mode != "1"]
    facts.depths[depth] += 1
    image = _converted(image, mode)
    extrema: Any = image.getextrema()
    bands = extrema if mode == "RGB" else (extrema,)
    lows, highs = zip(*bands, strict=True)
    numbers = Numbers(float(min(lows)), float(max(highs)), (0.0, 255.0), stated=depth == "1 bit")
    facts.add(Facts(numbers={depth: numbers}))
    if shaping.widens and (depth == "8 bit" or shaping.keep == "own"):
        return _from_numbers(np.atleast_3d(np.asarray(image, np.float64)), numbers, shaping)
    if span is not None and depth == "8 bit":
        table = np.clip((np.arange(256) - span[0]) * (255 / (span[1] - span[0])), 0, 255)
        image = image.point(np.rint(table).astype(int).tolist() * len(bands))
    return _Picture([image])


def _converted(image: "Image.Image", mode: str) -> "Image.Image":
    from PIL import Image

    if image.mode != mode and image.has_transparency_data:
        # what lies under transparent pixels is not to be seen: put them on white
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    return image if image.mode == mode else image.convert(mode)


def is_grey(image: "Image.Image") -> bool:
    """Whether an image, loaded or not, is grey by its mode or its palette."""
    plain = image.mode in GREY or image.mode.startswith("I;16") or (image.mode == "P" and _grey_palette(image))
    return plain or is_grey_with_alpha(image)


def as_array(image: "Image.Image") -> NDArray[Any]:
    """The numbers of a picture of Pillow, (H, W) or (H, W, 3): its own where it is grey or RGB, else those as it is seen."""
    if image.mode in ("1", "L", "F", "RGB") or image.mode.startswith("I"):
        return np.asarray(image)
    return np.asarray(_converted(image, "L" if is_grey(image) else "RGB"))


def _both(one: Numbers, two: Numbers) -> Numbers:
    low, high, steps = min(one.low, two.low), max(one.high, two.high), one.steps and two.steps
    return replace(one, low=low, high=high, steps=steps)


def _without_text(data: bytes) -> bytes:
    """A PNG file without its texts and its colour profile."""
    return b"".join([PNG, *(data[where] for kind, where in _chunks(data) if kind not in PNG_TEXT)])


def _chunks(data: bytes) -> Iterator[tuple[bytes, slice]]:
    """The kind of each chunk of a PNG file, and where it stands."""
    at = len(PNG)
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        yield data[at + 4 : at + 8], slice(at, at + 12 + length)
        at += 12 + length


def _grey_palette(image: "Image.Image") -> bool:
    told = image.palette  # of a GIF or PNG it is there as the file has it, which costs no decoding
    there = told.palette if told is not None and told.mode == "RGB" and told.rawmode in (None, "RGB") else None
    colours = np.asarray(list(there or guarded(image.getpalette) or ()), np.uint8)
    colours = colours[: len(colours) // 3 * 3].reshape(-1, 3)
    return bool(len(colours)) and bool((colours == colours[:, :1]).all())


def _words(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
