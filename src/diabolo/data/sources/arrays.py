"""Arrays, tensors, torch data sets and `Images` given directly, and the .npy and .npz files that hold them."""

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from diabolo.data import scale
from diabolo.data.account import Account, between
from diabolo.data.arrays import Kept, Missing, decided, described, made, numbers_of, open_array
from diabolo.data.axes import laid_out
from diabolo.data.classes import named_labels
from diabolo.data.files import check_regular
from diabolo.data.images import Images, extent
from diabolo.data.npy import map_npy, stream_npy
from diabolo.data.options import Draw
from diabolo.data.splits import Parts, draw_from, random_split
from diabolo.errors import DiaboloError, listed
from diabolo.ranges import PartOf

PIXEL_KEYS = ("images", "imgs", "x", "X", "data")
LABEL_KEYS = ("labels", "y", "Y", "targets")
PARTS = ("train", "test", "val")
PARTED = (("x_{}", "y_{}"), ("X_{}", "y_{}"), ("X_{}", "Y_{}"), ("{}_images", "{}_labels"))  # the last as in MedMNIST
SPRITES = ("imgs", "latents_values", "latents_classes")  # the members of dSprites, as published
SPRITE_FACTORS = ("colour", "shape", "scale", "orientation", "x", "y")
SPRITE_SHAPES = ("square", "ellipse", "heart")

Channels = Literal[1, 3] | None


@dataclass(frozen=True)
class _Reading:
    """How an array is read: which numbers are black and white, and how many channels it has or what its axes are, where that is
    known; and whether some are missing."""

    range: scale.Range
    channels: Channels
    axes: str
    missing: bool


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
) -> Parts:
    """A seeded split of an array, a tensor, a torch data set or `Images`. `labels` are whole numbers, or names of classes."""
    found = open_array(x, labels, "array")
    if isinstance(found, Images):
        return Parts(*random_split(found, draw, test_fraction))
    known, names = found.labels, found.names
    if names is None:
        (known,), names = named_labels(known)

    def then(images: Images) -> Images:
        return described(images, names, found)

    how = _Reading(range, image_channels, axes, missing == "mask")
    return _split(found.pixels, known, names, draw, test_fraction, how, "array", "an array", found.said, then)


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
    how = _Reading(range, image_channels, axes, missing == "mask")
    return _split(map_npy(path), None, None, draw, test_fraction, how, path.stem, path.name)


def npz(
    path: Path,
    draw: Draw,
    *,
    test_fraction: PartOf,
    image_channels: Channels,
    range: scale.Range,
    axes: str,
    missing: Missing,
) -> Parts:
    """The arrays `x_train, y_train, x_test, y_test` of a .npz file, or a seeded split of `images` and `labels`.

    `imgs`, `x`, `X` and `data` will do for `images`, as does the only array that there is, and `y`, `Y` and `targets` for
    `labels`; labels may be missing. Beside parts `x_val, y_val` are the validation part. dSprites and MedMNIST are read as
    published. No other member is looked at.
    """
    check_regular(path)
    how = _Reading(range, image_channels, axes, missing == "mask")
    try:
        archive = zipfile.ZipFile(path)
    except Exception as error:  # zipfile raises what it likes on damaged directories
        raise DiaboloError(f"cannot read {path}: {' '.join(str(error).split())}") from error
    with archive:
        held = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]

        def read(keys: Sequence[str]) -> NDArray[Any] | None:
            key = next((key for key in keys if key in held), None)
            return None if key is None else _member(archive, f"{key}.npy", path)

        for image, label in PARTED:
            if {image.format("train"), image.format("test")} <= {*held}:
                xs, ys = ([read((key.format(part),)) for part in PARTS] for key in (image, label))
                return _parts(path, xs, ys, draw, how)
        pixels = read(PIXEL_KEYS if len(held) != 1 else held)
        if pixels is None:
            raise DiaboloError(
                f"{path} holds {listed(sorted(held)) or 'nothing'}; expected images (or x) and maybe labels (or y), "
                "or x_train and x_test"
            )
        sprites = all(key in held for key in SPRITES)
        values, classes = (read((key,)) for key in SPRITES[1:]) if sprites else (None, None)
        labels = None if sprites else read(LABEL_KEYS)
    (known,), names = named_labels(labels)
    then = (lambda images: _sprites(images, values, classes)) if sprites else None
    return _split(pixels, known, names, draw, test_fraction, how, path.stem, path.name, then=then)


def _sprites(images: Images, values: Any, classes: Any) -> Images:
    """dSprites: the factors of each image, and its shape as the label."""
    n = len(images)
    for what, table in (("latents_values", values), ("latents_classes", classes)):
        if table.shape != (n, len(SPRITE_FACTORS)):
            raise DiaboloError(f"{what} of {images.name} has shape {table.shape}, not ({n}, {len(SPRITE_FACTORS)})")
    shapes = np.asarray(classes[:, 1])
    if not ((shapes >= 0) & (shapes < len(SPRITE_SHAPES))).all():
        raise DiaboloError(f"latents_classes of {images.name} names other shapes than {', '.join(SPRITE_SHAPES)}")
    return replace(
        images,
        labels=shapes.astype(np.int64),
        label_names=SPRITE_SHAPES,
        factors=values.astype(np.float32),
        factor_names=SPRITE_FACTORS,
    )


def _parts(path: Path, xs: Sequence[Any], ys: Sequence[Any], draw: Draw, how: _Reading) -> Parts:
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


def _split(
    pixels: NDArray[Any],
    labels: Any,
    names: tuple[str, ...] | None,
    draw: Draw,
    test_fraction: float,
    how: _Reading,
    name: str,
    what: str,
    said: Sequence[str] = (),
    then: Callable[[Images], Images] | None = None,
) -> Parts:
    """A seeded split of one array, to the images of which `then` adds what is known besides."""
    pixels = laid_out(pixels, name, how.channels, how.axes)
    kept = decided([pixels], how.range, name, how.missing)
    images = made(pixels, kept, labels, name)
    images = images if names is None else replace(images, label_names=names)
    account = _account(what, [pixels], kept, [*kept.notes, *said])
    parts = random_split(images if then is None else then(images), draw, test_fraction)
    return _told(Parts(*parts), account, f"split by seed {draw.seed}")


def _told(parts: Parts, account: Account, division: str) -> Parts:
    """The parts with the account of them all."""
    given = [part for part in parts if part is not None]
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
    validation = None if parts.validation is None else replace(parts.validation, account=account)
    return Parts(replace(parts.train, account=account), replace(parts.test, account=account), validation)


def class_counts(parts: Sequence[Images]) -> tuple[dict[str, int] | None, int]:
    """How many images each class has in all parts together, None without labels; and how many have no known label."""
    labels = [part.labels for part in parts if part.labels is not None]
    if not labels:
        return None, 0
    every = np.concatenate(labels)
    names = parts[0].label_names
    counts = np.bincount(every[every >= 0], minlength=len(names or ()))
    told = {(str(k) if names is None else names[k]): int(n) for k, n in enumerate(counts) if n or names}
    return told, int((every < 0).sum())


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
