"""`as_images`: the one door for numpy arrays, torch tensors and torch data sets of any usual layout."""

import logging
import sys
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from diabolo.data import scale
from diabolo.data.classes import as_labels, named_labels
from diabolo.data.datasets import Found, is_dataset, read_dataset
from diabolo.data.images import Images, chunks, extent
from diabolo.data.pixels import as_array
from diabolo.errors import DiaboloError
from diabolo.ranges import check

log = logging.getLogger("diabolo.data")

COLOURS = (1, 3)
LAYOUTS = "expected (N, H, W), (N, C, H, W), (N, H, W, C) or vectors (N, D)"


def as_images(
    x: Any,
    labels: Any = None,
    name: str = "array",
    range: Any = scale.AUTO,
    image_channels: Literal[1, 3] | None = None,
) -> Images:
    """`Images` from an array, a tensor, or a torch `Dataset` or `DataLoader`; `Images` pass as they are.

    A data set is read once: its transforms are applied then, and labels, attributes and names of classes are kept. Of a
    `DataLoader` the images that its sampler may choose are read, each once and in the order of its data set, through its
    `collate_fn` where that is one's own: order and batch size are those of the training. `Images`, or parts of them, that a
    `Subset` or a `DataLoader` holds come as they are.

    x       images `(N, H, W)`, `(N, C, H, W)` or `(N, H, W, C)` with C 1 or 3, or vectors `(N, D)`; whole numbers, floats in
            [0, 1], or bool. Images become uint8, vectors float32
    labels  whole numbers `(N,)`, -1 where one is not known; or None
    range   which numbers are black and white. "auto": 0 and 255 for bytes, 0 and 1 for floats; but whole numbers that are only
            0 and 1 are black and white, and of wider ones that use 8, 10, 12 or 14 bits the largest of so many is white.
            "dtype": the ends of the type. Or the two numbers: what lies outside is clipped
    image_channels  1 (grey) or 3 (colour), where the shape alone does not say which axis is C

    A uint8 `(N, C, H, W)` array is not copied, so a memory map stays one. DiaboloError when the layout is ambiguous,
    or a number is NaN, infinite or out of range; the message says the range found and how to scale.

    Example:
        >>> mine = diabolo.data.as_images(np.random.default_rng(0).random((20, 8, 8)), name="mine")
        >>> mine.shape
        (1, 8, 8)
    """
    channels = check("image_channels", image_channels, Literal[1, 3] | None)
    images, notes = read_array(x, labels, name, scale.check_range(range), channels)
    for note in notes:
        log.warning("%s: %s", name, note)
    return images


def read_array(
    x: Any, labels: Any, name: str, value_range: scale.Range, channels: int | None = None
) -> tuple[Images, list[str]]:
    """`as_images`, and what should be said of the numbers."""
    found = open_array(x, labels, name)
    if isinstance(found, Images):
        return found, []
    known, names = found.labels, found.names
    if isinstance(known, np.ndarray) and known.dtype.kind == "U" and labels is None:  # words of a data set
        (known,), names = named_labels(known)
    span, notes = spanned(found.pixels, value_range, name)
    return described(scaled(found.pixels, span, known, name, channels), names, found), [*notes, *found.said]


def described(images: Images, names: tuple[str, ...] | None, found: Found) -> Images:
    """The images with the `names` of their classes and the attributes that were found."""
    return replace(images, label_names=names, attributes=found.attributes, attribute_names=found.attribute_names)


def open_array(x: Any, labels: Any, name: str) -> Found | Images:
    """The numbers of an array, a tensor or a torch data set as they are, with the labels given or its own; or the `Images` that
    it is or holds."""
    if isinstance(x, Images):
        refuse_labels(labels, "these Images carry their")
        return x
    if is_dataset(x):
        refuse_labels(labels, "a data set of torch carries its")
        return read_dataset(x)
    return Found(to_numpy(x, name), labels)


def refuse_labels(labels: Any, has: str) -> None:
    """Refuse labels beside something that has its own."""
    if labels is not None:
        raise DiaboloError(f"{has} own labels; give labels only with an array or a tensor")


def spanned(array: NDArray[Any], wanted: scale.Range, name: str) -> tuple[scale.Span, list[str]]:
    """Which numbers of `array` are black and white, and what should be said of it.

    Raises:
        DiaboloError: when it holds no images, or nothing says so.
    """
    if array.size == 0:
        raise DiaboloError(f"the data set {name!r} is empty: its shape is {array.shape}")
    if array.dtype.kind not in "fuib":
        raise DiaboloError(f"{name} holds {array.dtype}, but images are whole numbers, floats in [0, 1] or bool")
    if array.ndim < 2:
        raise DiaboloError(f"{name} has shape {array.shape}; {LAYOUTS}")
    if array.dtype.kind == "b":
        return (0.0, 1.0), []
    low, high = extent(array, f"values of {name}")
    return scale.settle(numbers_of(array.dtype, low, high), wanted, f"values of {name}")


def numbers_of(dtype: np.dtype[Any], low: float, high: float) -> scale.Numbers:
    """What is known of numbers of that type that run from `low` to `high`."""
    if dtype.kind == "f":
        return scale.Numbers(low, high, (0.0, 1.0), floats=True)
    if dtype.kind == "b":
        return scale.Numbers(low, high, (0.0, 1.0), stated=True)
    ends = np.iinfo(dtype)
    return scale.Numbers(low, high, (float(ends.min), float(ends.max)))


def scaled(array: NDArray[Any], span: scale.Span, labels: Any, name: str, channels: int | None = None) -> Images:
    """`Images` of `array`, whose numbers from `span[0]` to `span[1]` are black to white; of so many `channels`, where that is
    known."""
    pixels = _vectors(array, span) if array.ndim == 2 else _bytes(_channels_first(array, name, channels), span)
    return Images(pixels, labels=None if labels is None else as_labels(labels), name=name)


def to_numpy(x: Any, name: str) -> NDArray[Any]:
    """A numpy array from an array, a tensor on any device, or nested lists."""
    torch = sys.modules.get("torch")  # whoever holds a tensor has imported torch already
    if torch is not None and isinstance(x, torch.Tensor):
        try:
            x = x.detach().cpu()
            x = (x.float() if x.dtype == torch.bfloat16 else x).numpy()  # numpy has no bfloat16
        except (TypeError, RuntimeError, NotImplementedError) as error:  # sparse, quantised, on no device
            raise DiaboloError(
                f"{name} is a tensor that cannot become an array: {' '.join(str(error).split())}"
            ) from error
    if isinstance(x, np.ma.MaskedArray):
        if np.ma.is_masked(x):
            raise DiaboloError(f"{name} is a masked array, and masked pixels have no value; give x.filled(value)")
        x = x.data
    if _is_picture(x):
        raise DiaboloError(f"{name} is one picture; give a list of pictures, an array of them, or a folder")
    if isinstance(x, list | tuple) and x and all(map(_is_picture, x)):
        x = [as_array(picture) for picture in x]
    try:
        array = x if isinstance(x, np.ndarray) else np.asarray(x)
    except ValueError as error:  # lists of unequal length
        raise DiaboloError(f"{name} cannot become one array: {str(error).rstrip('.')}") from error
    if array.dtype.kind in "US":
        raise DiaboloError(
            f"{name} holds text, not numbers; give one path as a str, or the images of several files by read_images(paths)[0]"
        )
    if array.dtype == object:
        raise DiaboloError(
            f"{name} is an array of Python objects; images must be one array of numbers of equal size, a torch Dataset with a "
            "length, or a DataLoader"
        )
    return array


def _is_picture(x: Any) -> bool:
    """Whether it is one of Pillow."""
    pillow = sys.modules.get("PIL.Image")  # whoever holds one has imported Pillow already
    return pillow is not None and isinstance(x, pillow.Image)


def _channels_first(array: NDArray[Any], name: str, channels: int | None) -> NDArray[Any]:
    """`(N, C, H, W)`, guessed only where one guess is possible; of so many `channels`, where that is known."""
    if array.ndim == 3 and array.shape[2] in COLOURS[1:] and channels is None:
        raise DiaboloError(
            f"{name} has shape {array.shape}, which may mean one image (H, W, C) or grey images (N, H, {array.shape[2]}); give "
            "x[None] for the one, image_channels=1 (--image-channels 1) for the others"
        )
    if array.ndim == 3 and channels != 1 and channels is not None:
        raise DiaboloError(
            f"{name} has shape {array.shape}, that of grey images (N, H, W), and image_channels is {channels}: leave it out"
        )
    if array.ndim == 3:
        return array[:, None]
    if array.ndim != 4:
        raise DiaboloError(f"{name} has shape {array.shape}; {LAYOUTS}")
    colours = COLOURS if channels is None else (channels,)
    first, last = array.shape[1] in colours, array.shape[3] in colours
    if first and last:
        raise DiaboloError(
            f"{name} has shape {array.shape}, which may mean (N, C, H, W) or (N, H, W, C); "
            "pass diabolo.data.Images(x) with uint8 (N, C, H, W) to say which"
        )
    if not first and not last:
        if array.shape[3] == 4 or array.shape[1] == 4:
            opaque = "x[..., :3]" if array.shape[3] == 4 else "x[:, :3]"
            raise DiaboloError(
                f"{name} has shape {array.shape}: 4 channels, of which the last may be alpha; give {opaque}"
            )
        raise DiaboloError(
            f"{name} has shape {array.shape}: neither axis 1 nor axis 3 is {' or '.join(map(str, colours))} channels; "
            "pass diabolo.data.Images(x) with uint8 (N, C, H, W) for another number of channels"
        )
    return array if first else array.transpose(0, 3, 1, 2)


def _bytes(array: NDArray[Any], span: scale.Span) -> NDArray[np.uint8]:
    if array.dtype == np.uint8 and span == (0.0, 255.0):
        return array if array.flags.c_contiguous else np.ascontiguousarray(array)
    out = np.empty(array.shape, np.uint8)
    start, (low, high) = 0, span
    for chunk in chunks(array):  # in pieces: the float copy of a whole data set may not fit
        out[start : start + len(chunk)] = np.rint(
            np.clip((chunk.astype(np.float64) - low) * (255.0 / (high - low)), 0, 255)
        )
        start += len(chunk)
    return out


def _vectors(array: NDArray[Any], span: scale.Span) -> NDArray[np.float32]:
    if array.dtype == np.float32 and span == (0.0, 1.0) and array.min() >= 0 and array.max() <= 1:
        return array
    out = np.empty(array.shape, np.float32)
    start, (low, high) = 0, span
    for chunk in chunks(array):
        out[start : start + len(chunk)] = np.clip((chunk.astype(np.float64) - low) / (high - low), 0, 1)
        start += len(chunk)
    return out
