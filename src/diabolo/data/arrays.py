"""`as_images`: the one door for numpy arrays, torch tensors and torch data sets of any usual layout."""

import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from diabolo.data import scale
from diabolo.data.account import between
from diabolo.data.axes import COLOURS, check_axes, laid_out
from diabolo.data.classes import as_labels, named_labels
from diabolo.data.column_types import Types, check_types
from diabolo.data.datasets import Found, is_dataset, pictures_of, read_dataset
from diabolo.data.frames import dense, is_frame, is_hugging_face, is_sparse, table_of
from diabolo.data.images import Images, chunks, extent
from diabolo.data.pixels import as_array
from diabolo.data.room import check_room
from diabolo.data.steps import in_steps
from diabolo.data.table import Missing, Rows, TableOptions, rows_of
from diabolo.errors import DiaboloError
from diabolo.ranges import check

log = logging.getLogger("diabolo.data")


def as_images(
    x: Any,
    labels: Any = None,
    name: str = "array",
    range: Any = scale.AUTO,
    image_channels: Literal[1, 3] | None = None,
    axes: str = "auto",
    missing: Missing = "refuse",
    columns_types: Types = "numbers",
) -> Images:
    """`Images` from an array, a tensor, a frame of pandas or polars, a table of Arrow, a sparse matrix of scipy, a data set of
    Hugging Face, or a torch `Dataset` or `DataLoader`; `Images` pass as they are.

    A data set is read once: its transforms are applied then, and labels, attributes and names of classes are kept. Of a
    `DataLoader` the images that its sampler may choose are read, each once and in the order of its data set, through its
    `collate_fn` where that is one's own: order and batch size are those of the training. `Images`, or parts of them, that a
    `Subset` or a `DataLoader` holds come as they are.

    The rows of a table become vectors of its numbers, with the names of the columns; a column called label, target, class or y
    holds the labels where it can and no others are given. A sparse matrix is made dense, where it fits into memory.

    x       images `(N, H, W)`, `(N, C, H, W)` or `(N, H, W, C)` with C 1 or 3, or vectors `(N, D)`; anything else by `axes`.
            Whole numbers, floats, or bool
    labels  whole numbers `(N,)`, -1 where one is not known; or None
    range   which numbers of images are black and white. "auto": 0 and 255 for bytes, 0 and 1 for floats that lie between; but
            whole numbers that are only 0 and 1 are black and white, and of wider ones that use 8, 10, 12 or 14 bits the largest
            of so many is white; of other numbers none are. "dtype": the ends of the type. Or the two numbers: what lies
            outside is clipped. "own": none are, whatever they are
    image_channels  1 (grey) or 3 (colour), where the shape alone does not say which axis is C
    missing what NaN is: "refuse": an error. "mask": a number that is not known, which models are made to do without
    columns_types  of a table, "numbers", or "auto", which one-hot encodes columns of texts; see `DataOptions`
    axes    a letter for each axis: N examples, C channels, and L, H W or D H W: "NCL" for signals, "NDHW" for grey volumes

    Nothing is rounded: images of 8 bits, and floats that are steps of 8 bits, become uint8; vectors of bytes, bits and numbers
    in [0, 1] become float32 in [0, 1]; all else stays in its own type and units, which the `scaling` of a model brings into
    those of a network. Bytes of which others than 0 and 255 are black and white, or none, become int16 of the same numbers. Any
    other uint8 `(N, C, H, W)` array is not copied, so a memory map stays one. DiaboloError when the layout is
    ambiguous, or a number is NaN or infinite.

    Example:
        >>> mine = diabolo.data.as_images(np.random.default_rng(0).random((20, 8, 8)), name="mine")
        >>> mine.shape
        (1, 8, 8)
    """
    channels = check("image_channels", image_channels, Literal[1, 3] | None)
    table = TableOptions(columns_types=check_types(columns_types), missing=missing)
    images, notes = read_array(x, labels, name, scale.check_range(range), channels, check_axes(axes), table)
    for note in notes:
        log.warning("%s: %s", name, note)
    return images


def read_array(
    x: Any,
    labels: Any,
    name: str,
    value_range: scale.Range,
    channels: int | None = None,
    axes: str = "auto",
    options: TableOptions | None = None,
) -> tuple[Images, list[str]]:
    """`as_images`, and what should be said of the numbers."""
    found = open_array(x, labels, name, options)
    if isinstance(found, Images):
        return found, []
    known, names = found.labels, found.names
    if isinstance(known, np.ndarray) and known.dtype.kind == "U" and labels is None:  # words of a data set
        (known,), names = named_labels(known)
    array = laid_out(found.pixels, name, channels, axes)
    how = decided([array], value_range, name, options is not None and options.missing == "mask")
    return described(made(array, how, known, name), names, found), [*how.notes, *found.said]


def described(images: Images, names: tuple[str, ...] | None, found: Found) -> Images:
    """The images with the `names` of their classes, and the attributes and columns that were found."""
    images = replace(images, label_names=names, attributes=found.attributes, attribute_names=found.attribute_names)
    return images if found.rows is None else with_columns(images, found.rows)


def with_columns(images: Images, rows: Rows) -> Images:
    """The images with the names and types of the columns that they are rows of."""
    return replace(images, feature_names=rows.names, column_types=rows.types)


def open_array(x: Any, labels: Any, name: str, options: TableOptions | None = None) -> Found | Images:
    """The numbers of an array, a tensor, a table or a data set as they are, with the labels given or its own; or the `Images`
    that it is or holds."""
    if isinstance(x, Images):
        refuse_labels(labels, "these Images carry their")
        return x
    if is_dataset(x):
        refuse_labels(labels, "a data set of torch carries its")
        return read_dataset(x)
    if is_sparse(x):
        return Found(dense(x, name), labels)
    if is_hugging_face(x) and (pictures := pictures_of(x, (options or TableOptions()).label_column)) is not None:
        refuse_labels(labels, "a data set carries its")
        return read_dataset(pictures)
    if is_frame(x) or is_hugging_face(x):
        rows = rows_of(table_of(x, name), options, labelled=labels is not None)
        return Found(
            rows.numbers, rows.labels if labels is None else labels, rows.label_names, rows=rows, said=rows.said
        )
    return Found(to_numpy(x, name), labels)


def refuse_labels(labels: Any, has: str) -> None:
    """Refuse labels beside something that has its own."""
    if labels is not None:
        raise DiaboloError(f"{has} own labels; give labels only with an array or a tensor")


@dataclass(frozen=True)
class Kept:
    """How numbers are kept.

    Attributes:
        to: "bytes": black to white in 8 bits. "unit": vectors, black to white as floats in [0, 1]. "own": in their own type and
            units.
        span: which of them are black and white; None where none are.
        notes: what should be said of it.
        missing: whether NaN is a number that is not known.
    """

    to: Literal["bytes", "unit", "own"]
    span: scale.Span | None
    notes: tuple[str, ...] = ()
    missing: bool = False


def decided(arrays: Sequence[NDArray[Any]], wanted: scale.Range, name: str, missing: bool = False) -> Kept:
    """How the numbers of all `arrays` (N, *shape), which are of one type, are kept; NaN among them where some are `missing`.

    Raises:
        DiaboloError: when they hold none, NaN or infinity, or `wanted` does not fit them.
    """
    first = arrays[0]
    if not all(array.size for array in arrays):
        raise DiaboloError(f"the data set {name!r} is empty: its shape is {first.shape}")
    vectors = first.ndim == 2
    if first.dtype.kind == "b":
        return Kept("unit" if vectors else "bytes", (0.0, 1.0))
    ends = [extent(array, f"values of {name}", missing) for array in arrays]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    numbers = numbers_of(first.dtype, low, high)
    if wanted == scale.OWN or (missing and first.dtype != np.uint8):  # no byte is missing
        return Kept("own", wanted if isinstance(wanted, tuple) else None, missing=missing)
    if wanted == scale.AUTO and not _are_grey(first, numbers):
        return Kept("own", None, () if first.ndim != 4 else (_own_units(numbers),))
    if vectors:
        span, notes = scale.settle(numbers, wanted, f"values of {name}")
        return Kept("unit", span, tuple(notes))
    return settled(numbers, wanted, f"values of {name}", lambda span: all(_in_steps(array, span) for array in arrays))


def of_pictures(numbers: scale.Numbers, wanted: scale.Range, what: str, exact: Callable[[scale.Span], bool]) -> Kept:
    """How the `numbers` of grey pictures, or of pictures in colour, are kept where they are not of 8 bits.

    Args:
        numbers: what is known of all of them.
        wanted: "auto", "dtype", "own", or black and white.
        what: how a message names them.
        exact: whether floats are steps of 8 bits from black to white.

    Raises:
        DiaboloError: when `wanted` does not fit them.
    """
    if wanted == scale.OWN:
        return Kept("own", None)
    if wanted == scale.AUTO and not _are_black_to_white(numbers):
        return Kept("own", None, (_own_units(numbers),))
    return settled(numbers, wanted, what, exact)


def settled(numbers: scale.Numbers, wanted: scale.Range, what: str, exact: Callable[[scale.Span], bool]) -> Kept:
    """How numbers of which some are black and white are kept: as bytes where that loses nothing, else as they are."""
    span, notes = scale.settle(numbers, wanted, what)
    few = not numbers.floats and not scale.is_wide(span)
    return Kept("bytes" if few or exact(span) else "own", span, tuple(notes))


def _own_units(numbers: scale.Numbers) -> str:
    low, high = numbers.low, numbers.high
    hint = f"where these are black and white, say so by --range {low:.10g} {high:.10g}"
    return f"values {between((low, high))} keep their own units; {hint}"


def _are_grey(array: NDArray[Any], numbers: scale.Numbers) -> bool:
    """Whether their type and range alone say that they are black to white."""
    if array.dtype == np.uint8:
        return True
    pictures = array.ndim == 4 and array.shape[1] in COLOURS
    return (numbers.floats or pictures) and _are_black_to_white(numbers)


def _are_black_to_white(numbers: scale.Numbers) -> bool:
    if numbers.floats:
        return numbers.low >= -scale.HAIR and numbers.high <= 1 + scale.HAIR
    return numbers.low >= 0 and numbers.high < 2 ** scale.BITS[-1]


def _in_steps(array: NDArray[Any], span: scale.Span) -> bool:
    """Whether all are floats that are steps of 8 bits from black to white."""
    return array.dtype.kind == "f" and array.ndim == 4 and all(in_steps(chunk, span) for chunk in chunks(array))


def numbers_of(dtype: np.dtype[Any], low: float, high: float) -> scale.Numbers:
    """What is known of numbers of that type that run from `low` to `high`."""
    if dtype.kind == "f":
        return scale.Numbers(low, high, (0.0, 1.0), floats=True)
    if dtype.kind == "b":
        return scale.Numbers(low, high, (0.0, 1.0), stated=True)
    ends = np.iinfo(dtype)
    return scale.Numbers(low, high, (float(ends.min), float(ends.max)))


def made(array: NDArray[Any], how: Kept, labels: Any, name: str) -> Images:
    """`Images` of `array` (N, *shape), kept so."""
    labels = None if labels is None else as_labels(labels)
    match how.to:
        case "bytes":
            return Images(_bytes(array, how.span or (0.0, 255.0)), labels=labels, name=name)
        case "unit":
            return Images(_in_unit(array, how.span or (0.0, 1.0)), labels=labels, name=name)
    array = _as_type(array, name)
    if how.span is None:
        return Images(array, labels=labels, name=name, missing=how.missing)
    low, high = how.span
    outside = any(chunk.min() < low or chunk.max() > high for chunk in chunks(array))
    return Images(
        array.clip(low, high) if outside else array, labels=labels, name=name, span=how.span, missing=how.missing
    )


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


def _as_type(array: NDArray[Any], name: str) -> NDArray[Any]:
    """The same numbers as torch takes them: forwards, in the byte order of this machine, and of 64 bits at most. Bytes, which
    would be 0 … 1, as int16."""
    dtype = np.dtype(np.float64) if array.dtype.itemsize > 8 else array.dtype.newbyteorder("=")
    dtype = np.dtype(np.int16) if dtype == np.uint8 else dtype
    if dtype == array.dtype and min(array.strides) >= 0:
        return array
    check_room(array.size * dtype.itemsize, name)
    out, start = np.empty(array.shape, dtype), 0
    for chunk in chunks(array):
        out[start : start + len(chunk)] = chunk
        start += len(chunk)
    return out


def _in_unit(array: NDArray[Any], span: scale.Span) -> NDArray[np.float32]:
    forwards = array.dtype == np.float32 and min(array.strides) >= 0
    if forwards and span == (0.0, 1.0) and array.min() >= 0 and array.max() <= 1:
        return array
    out = np.empty(array.shape, np.float32)
    start, (low, high) = 0, span
    for chunk in chunks(array):
        out[start : start + len(chunk)] = np.clip((chunk.astype(np.float64) - low) / (high - low), 0, 1)
        start += len(chunk)
    return out
