"""Arrays, tensors, torch data sets and `Images` given directly, and the .npy and .npz files that hold them."""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from diabolo.data import scale
from diabolo.data.account import Account, between
from diabolo.data.arrays import Kept, decided, described, made, numbers_of, open_array
from diabolo.data.axes import laid_out
from diabolo.data.classes import named_labels
from diabolo.data.column_types import Types
from diabolo.data.files import check_regular
from diabolo.data.images import Images, extent
from diabolo.data.npy import map_npy, stream_npy
from diabolo.data.options import Draw
from diabolo.data.sources import factors
from diabolo.data.splits import Parts, draw_from, random_split
from diabolo.data.table import Missing, TableOptions
from diabolo.errors import DiaboloError, UnknownNameError, listed
from diabolo.ranges import PartOf

PIXEL_KEYS = ("images", "imgs", "x", "X", "data")
LABEL_KEYS = ("labels", "y", "Y", "targets")
PARTS = ("train", "test", "val")
PARTED = (("x_{}", "y_{}"), ("X_{}", "y_{}"), ("X_{}", "Y_{}"), ("{}_images", "{}_labels"))  # the last as in MedMNIST

Channels = Literal[1, 3] | None


@dataclass(frozen=True)
class Reading:
    """How an array is read.

    Attributes:
        range: which numbers are black and white.
        channels: how many it has, where that is known.
        axes: what each axis is, or auto.
        missing: whether NaN is a number that is not known.
    """

    range: scale.Range
    channels: Channels
    axes: str
    missing: bool = False


def array(
    x: Any,
    draw: Draw,
    *,
    labels: Any,
    test_fraction: PartOf,
    image_channels: Channels,
    range: scale.Range,
    axes: str,
    missing: Missing,
    label_column: str | None,
    without_column: tuple[str, ...],
    columns_types: Types,
) -> Parts:
    """A seeded split of an array, a tensor, a frame, a sparse matrix, a data set of torch or Hugging Face, or `Images`.
    `labels` are whole numbers, or names of classes."""
    found = open_array(x, labels, "array", TableOptions(label_column, without_column, columns_types, missing))
    if isinstance(found, Images):
        return Parts(*random_split(found, draw, test_fraction))
    known, names = found.labels, found.names
    if names is None:
        (known,), names = named_labels(known)

    def then(images: Images) -> Images:
        return described(images, names, found)

    how = Reading(range, image_channels, axes, missing == "mask")
    what, facts = ("an array", {}) if found.rows is None else ("a table", found.rows.facts)
    return split(found.pixels, known, names, draw, test_fraction, how, "array", what, found.said, then, facts)


def npy(
    path: Path,
    draw: Draw,
    *,
    test_fraction: PartOf,
    image_channels: Channels,
    range: scale.Range,
    axes: str,
    missing: Missing,
) -> Parts:
    """A seeded split of the one array in a .npy file, which is memory-mapped."""
    how = Reading(range, image_channels, axes, missing == "mask")
    return split(map_npy(path), None, None, draw, test_fraction, how, path.stem, path.name)


def npz(
    path: Path,
    draw: Draw,
    *,
    key: str | None,
    test_fraction: PartOf,
    image_channels: Channels,
    range: scale.Range,
    axes: str,
    missing: Missing,
) -> Parts:
    """The arrays of a .npz file, see `members`. No other member is looked at."""
    check_regular(path)
    try:
        archive = zipfile.ZipFile(path)
    except Exception as error:  # zipfile raises what it likes on damaged directories
        raise DiaboloError(f"cannot read {path}: {' '.join(str(error).split())}") from error
    with archive:
        held = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]

        def read(name: str) -> NDArray[Any]:
            return _member(archive, f"{name}.npy", path)

        return members(
            held, read, path, draw, Reading(range, image_channels, axes, missing == "mask"), test_fraction, key
        )


def members(
    held: Sequence[str],
    read: Callable[[str], NDArray[Any]],
    path: Path,
    draw: Draw,
    how: Reading,
    test_fraction: float,
    key: str | None = None,
) -> Parts:
    """The arrays `x_train, y_train, x_test, y_test` of a file of several, or a seeded split of `images` and `labels`.

    `imgs`, `x`, `X` and `data` will do for `images`, as does the only array that there is, and `y`, `Y` and `targets` for
    `labels`; labels may be missing. Beside parts `x_val, y_val` are the validation part. MedMNIST, dSprites, 3D Shapes and
    MPI3D are read as published, see `factors`.

    Args:
        held: the names of the arrays.
        read: gives one by its name.
        path: of the file.
        draw, how, test_fraction: as for `split`.
        key: the name of the images, where it is none of those.

    Raises:
        DiaboloError: when no name says which array holds the images.
    """
    if key is not None and key not in held:
        raise UnknownNameError("array", key, held, f" in {path}")
    for image, label in PARTED:
        if key is None and {image.format("train"), image.format("test")} <= {*held}:
            xs, ys = (
                [read(name) if (name := kind.format(part)) in held else None for part in PARTS]
                for kind in (image, label)
            )
            return _parts(path, xs, ys, draw, how)
    pixels = key or next((name for name in (PIXEL_KEYS if len(held) != 1 else held) if name in held), None)
    if pixels is None:
        raise DiaboloError(
            f"{path} holds {listed(sorted(held)) or 'nothing'}; expected images (or x) and maybe labels (or y), "
            "or x_train and x_test; or say which one the images are by key= (--key)"
        )
    x = read(pixels)
    if (known := factors.published(pixels, held, read, x, path)) is not None:
        return split(x, None, None, draw, test_fraction, how, path.stem, path.name, then=known)
    within = pixels.rpartition("/")[0]  # labels lie beside the images
    places = [f"{within}/{k}" if within else k for k in LABEL_KEYS]
    beside = next((place for place in places if place in held and place != pixels), None)
    (labels,), names = named_labels(None if beside is None else read(beside))
    return split(x, labels, names, draw, test_fraction, how, path.stem, path.name)


def _parts(path: Path, xs: Sequence[Any], ys: Sequence[Any], draw: Draw, how: Reading) -> Parts:
    """Train, test and maybe validation images, black and white and classes being the same in all."""
    given = [x for x in xs if x is not None]
    if len({x.dtype for x in given}) > 1:
        raise DiaboloError(f"the parts of {path} are of different types: {', '.join(str(x.dtype) for x in given)}")
    named = [(x, f"{path.stem} ({part})") for x, part in zip(xs, PARTS, strict=True)]
    laid = [None if x is None else laid_out(x, name, how.channels, how.axes) for x, name in named]
    given = [x for x in laid if x is not None]
    kept = decided(given, how.range, path.stem, how.missing)
    alone = [
        decided([x], how.range, f"{path.stem} ({part})", how.missing).span
        for x, part in zip(given, PARTS, strict=False)
    ]
    if {*alone} != {kept.span}:
        ends = [f"{part} {_read_as(one)}" for part, one in zip(PARTS, alone, strict=False)]
        said = f"parts alone would be read as {', '.join(ends)}, and all are read as {_read_as(kept.span)}"
        kept = replace(kept, notes=(*kept.notes, said))
    known, names = named_labels(*ys)
    images = [None if x is None else made(x, kept, y, path.stem) for x, y in zip(laid, known, strict=True)]
    if names is not None:
        images = [i if i is None or i.labels is None else replace(i, label_names=names) for i in images]
    train, test, validation = images
    assert train is not None
    assert test is not None
    parts = [*draw_from(train.called(split="train"), test.called(split="test"), draw)]
    account = _account(path.name, given, kept, kept.notes)
    watched = None if validation is None else validation.called(split="validation")
    return _told(Parts(parts[0], parts[1], watched), account, "as laid out")


def split(
    pixels: NDArray[Any],
    labels: Any,
    names: tuple[str, ...] | None,
    draw: Draw,
    test_fraction: float,
    how: Reading,
    name: str,
    what: str,
    said: Sequence[str] = (),
    then: Callable[[Images], Images] | None = None,
    columns: Mapping[str, str] | None = None,
) -> Parts:
    """A seeded split of one array, to the images of which `then` adds what is known besides.

    Args:
        pixels: the numbers `(N, …)`.
        labels, names: of the N, and of the classes; None where there are none.
        draw: how many of each part, and by which seed.
        test_fraction: the share to test with.
        how: how the array is read.
        name: of the data set; `what` it is called in the account.
        said: what the account should say.
        then: what gives the images what else is known.
        columns: of a table, what each holds.
    """
    pixels = laid_out(pixels, name, how.channels, how.axes)
    kept = decided([pixels], how.range, name, how.missing)
    images = made(pixels, kept, labels, name)
    images = images if names is None else replace(images, label_names=names)
    account = replace(_account(what, [pixels], kept, [*kept.notes, *said]), columns=columns or {})
    parts = random_split(images if then is None else then(images), draw, test_fraction)
    return _told(Parts(*parts), account, "" if draw.whole else f"split by seed {draw.seed}")


def _told(parts: Parts, account: Account, division: str) -> Parts:
    """The parts with the account of them all."""
    given = list({id(part): part for part in parts if part is not None}.values())
    classes, unlabelled = class_counts(given)
    shape = given[0].shape
    account = replace(
        account,
        parts={part.split: len(part) for part in given},
        division=division,
        classes=classes,
        unlabelled=unlabelled,
        channels=shape[0] if len(shape) == 3 else None,
        sizes={"×".join(map(str, shape[1:] if len(shape) == 3 else shape)): sum(map(len, given))},
    )
    told = {id(part): replace(part, account=account) for part in given}
    return Parts(*(None if part is None else told[id(part)] for part in parts))  # type: ignore[arg-type]  # two are there


def class_counts(parts: Sequence[Images]) -> tuple[dict[str, int] | None, int]:
    """How many images each class has in all parts together, None without labels; and how many have no known label."""
    labels = [part.labels for part in parts if part.labels is not None]
    if not labels:
        return None, 0
    return counts_of(np.concatenate(labels), parts[0].label_names)


def counts_of(labels: NDArray[np.int64], names: tuple[str, ...] | None) -> tuple[dict[str, int], int]:
    """How many of the `labels` each class has; and how many are not known."""
    counts = np.bincount(labels[labels >= 0], minlength=len(names or ()))
    told = {(str(k) if names is None else names[k]): int(n) for k, n in enumerate(counts) if n or names}
    return told, int((labels < 0).sum())


def _read_as(span: scale.Span | None) -> str:
    return "numbers of their own units" if span is None else between(span)


def _account(what: str, arrays: Sequence[NDArray[Any]], kept: Kept, notes: Sequence[str]) -> Account:
    dtype, n, used = arrays[0].dtype, sum(map(len, arrays)), _used(arrays, what, kept.missing)
    numbers = numbers_of(dtype, *used)
    depth = "1 bit" if dtype.kind == "b" else "float" if numbers.floats else f"{dtype.itemsize * 8} bit"
    return Account(what, modes={str(dtype): n}, depths={depth: n}, used=used, span=kept.span, notes=tuple(notes))


def _used(arrays: Sequence[NDArray[Any]], what: str, missing: bool) -> scale.Span:
    """The least and the greatest number of all."""
    ends = [extent(array, what, missing) for array in arrays] if arrays[0].dtype.kind != "b" else [(0.0, 1.0)]
    return min(low for low, _ in ends), max(high for _, high in ends)


def _member(archive: zipfile.ZipFile, name: str, path: Path) -> NDArray[Any]:
    where = f"{name} in {path}"
    try:
        with archive.open(name) as member:
            return stream_npy(member, archive.getinfo(name).file_size, where)
    except DiaboloError:
        raise
    except Exception as error:  # bad checksum, unknown compression, encrypted, truncated: each its own type
        raise DiaboloError(f"cannot read {where}: {' '.join(str(error).split())}") from error
