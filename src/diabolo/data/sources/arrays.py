"""Arrays, tensors, torch data sets and `Images` given directly, and the .npy and .npz files that hold them."""

import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.data import scale
from diabolo.data.account import Account
from diabolo.data.arrays import numbers_of, read_array, scaled, spanned
from diabolo.data.classes import named_labels
from diabolo.data.files import check_regular
from diabolo.data.images import Images, extent
from diabolo.data.npy import map_npy, stream_npy
from diabolo.data.splits import Draw, Parts, draw_from, random_split
from diabolo.errors import DiaboloError

PIXEL_KEYS = ("images", "imgs", "x", "X", "data")
LABEL_KEYS = ("labels", "y", "Y", "targets")
TRAIN_KEYS, TEST_KEYS = ("x_train", "X_train"), ("x_test", "X_test")
SPRITES = ("imgs", "latents_values", "latents_classes")  # the members of dSprites, as published
SPRITE_FACTORS = ("colour", "shape", "scale", "orientation", "x", "y")
SPRITE_SHAPES = ("square", "ellipse", "heart")


def array(
    x: Any, draw: Draw, *, labels: Any = None, test_fraction: float = 0.1, value_range: Any = scale.AUTO
) -> Parts:
    """A seeded split of an array, a tensor, a torch data set or `Images`. `labels` are whole numbers, or names of classes."""
    if isinstance(x, Images):
        return Parts(*random_split(read_array(x, labels, "array", value_range)[0], draw, test_fraction))
    (known,), names = named_labels(labels)
    images, notes = read_array(x, known, "array", value_range)
    if known is None and images.labels is not None and images.label_names is None:  # a data set's own
        (known,), names = named_labels(images.labels)
    if names is not None:
        images = replace(images, labels=known, label_names=names)
    return _split(images, draw, test_fraction, "an array", notes)


def npy(path: Path, draw: Draw, *, test_fraction: float = 0.1, value_range: Any = scale.AUTO) -> Parts:
    """A seeded split of the one array in a .npy file, which is memory-mapped."""
    found = map_npy(path)
    span, notes = spanned(found, value_range, path.stem)
    account = _account(path.name, [found], span, notes)
    return _split(scaled(found, span, None, path.stem), draw, test_fraction, path.name, notes, account)


def npz(path: Path, draw: Draw, *, test_fraction: float = 0.1, value_range: Any = scale.AUTO) -> Parts:
    """The arrays `x_train, y_train, x_test, y_test` of a .npz file, or a seeded split of `images` and `labels`.

    `imgs`, `x`, `X` and `data` will do for `images`, and `y`, `Y` and `targets` for `labels`; labels may be missing. Beside
    parts `x_val, y_val` are the validation part. dSprites is read as published. No other member is looked at.
    """
    check_regular(path)
    try:
        archive = zipfile.ZipFile(path)
    except Exception as error:  # zipfile raises what it likes on damaged directories
        raise DiaboloError(f"cannot read {path}: {' '.join(str(error).split())}") from error
    with archive:
        held = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]

        def read(keys: Sequence[str]) -> NDArray[Any] | None:
            key = next((key for key in keys if key in held), None)
            return None if key is None else _member(archive, f"{key}.npy", path)

        if all(any(key in held for key in keys) for keys in (TRAIN_KEYS, TEST_KEYS)):
            xs = [read(TRAIN_KEYS), read(TEST_KEYS), read(("x_val", "X_val"))]
            ys = [read(("y_train", "Y_train")), read(("y_test", "Y_test")), read(("y_val", "Y_val"))]
            return _parts(path, xs, ys, draw, value_range)
        pixels = read(PIXEL_KEYS)
        if pixels is None:
            raise DiaboloError(
                f"{path} holds {', '.join(sorted(held)) or 'nothing'}; expected images (or x) and maybe labels (or y), "
                "or x_train and x_test."
            )
        sprites = all(key in held for key in SPRITES)
        values, classes = (read((key,)) for key in SPRITES[1:]) if sprites else (None, None)
        labels = None if sprites else read(LABEL_KEYS)
    span, notes = spanned(pixels, value_range, path.stem)
    account = _account(path.name, [pixels], span, notes)
    (known,), names = named_labels(labels)
    images = scaled(pixels, span, known, path.stem)
    if sprites:
        images = _sprites(images, values, classes)
    elif names is not None:
        images = replace(images, label_names=names)
    return _split(images, draw, test_fraction, path.name, notes, account)


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


def _parts(path: Path, xs: Sequence[Any], ys: Sequence[Any], draw: Draw, value_range: Any) -> Parts:
    """Train, test and maybe validation images, black and white and classes being the same in all."""
    given = [x for x in xs if x is not None]
    if len({x.dtype for x in given}) > 1:
        raise DiaboloError(f"the parts of {path} are of different types: {', '.join(str(x.dtype) for x in given)}")
    spans = [
        spanned(x, value_range, f"{path.stem} ({what})")
        for x, what in zip(given, ("train", "test", "validation"), strict=False)
    ]
    widest = max(range(len(spans)), key=lambda number: spans[number][0][1])
    span, notes = spans[widest]
    known, names = named_labels(*ys)
    images = [None if x is None else scaled(x, span, y, path.stem) for x, y in zip(xs, known, strict=True)]
    if names is not None:
        images = [i if i is None or i.labels is None else replace(i, label_names=names) for i in images]
    train, test, validation = images
    assert train is not None
    assert test is not None
    parts = [*draw_from(train.called(split="train"), test.called(split="test"), draw)]
    account = _account(path.name, given, span, notes)
    kept = None if validation is None else validation.called(split="validation")
    return _told(Parts(parts[0], parts[1], kept), account, "as laid out")


def _split(
    images: Images, draw: Draw, test_fraction: float, what: str, notes: Sequence[str], account: Account | None = None
) -> Parts:
    account = account or Account(what, channels=images.shape[0] if len(images.shape) == 3 else None, notes=tuple(notes))
    return _told(Parts(*random_split(images, draw, test_fraction)), account, f"split by seed {draw.seed}")


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
    return Parts(*(None if part is None else replace(part, account=account) for part in parts))  # type: ignore[arg-type]


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


def _account(what: str, arrays: Sequence[NDArray[Any]], span: scale.Span, notes: Sequence[str]) -> Account:
    dtype, n = arrays[0].dtype, sum(map(len, arrays))
    ends = [extent(array, what) for array in arrays] if dtype.kind != "b" else [(0.0, 1.0)]
    used = min(low for low, _ in ends), max(high for _, high in ends)
    numbers = numbers_of(dtype, *used)
    depth = "1 bit" if dtype.kind == "b" else "float" if numbers.floats else f"{dtype.itemsize * 8} bit"
    return Account(what, modes={str(dtype): n}, depths={depth: n}, used=used, span=span, notes=tuple(notes))


def _member(archive: zipfile.ZipFile, name: str, path: Path) -> NDArray[Any]:
    where = f"{name} in {path}"
    try:
        with archive.open(name) as member:
            return stream_npy(member, archive.getinfo(name).file_size, where)  # type: ignore[arg-type]
    except DiaboloError:
        raise
    except Exception as error:  # bad checksum, unknown compression, encrypted, truncated: each its own type
        raise DiaboloError(f"cannot read {where}: {' '.join(str(error).split())}") from error
