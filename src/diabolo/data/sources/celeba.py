"""CelebA in torchvision's layout; a partial folder will do, and of the tables only that of the attributes is needed."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from diabolo.data.cache import kept
from diabolo.data.decode import page_names
from diabolo.data.files import disk_files, open_regular
from diabolo.data.images import Images
from diabolo.data.options import Cache, Draw
from diabolo.data.pixels import Shaping
from diabolo.data.sources.fetching import alone_in
from diabolo.data.sources.missing import missing
from diabolo.data.splits import random_split, split_by_group
from diabolo.errors import DiaboloError
from diabolo.ranges import Side

log = logging.getLogger("diabolo.data")

PICTURES, ATTRIBUTES = "img_align_celeba", "list_attr_celeba.txt"
PARTITION, IDENTITY = "list_eval_partition.txt", "identity_CelebA.txt"
TRAIN, TEST = 0, 2  # in the partition table; 1 is the validation part


def load(
    root: Path,
    draw: Draw,
    *,
    size: Side = 64,
    crop: Side | None,
    split: Literal["official", "random", "persons"] | None,
    skip_bad: bool,
    cache: Cache,
    identity: bool,
) -> tuple[Images, Images]:
    """Portraits `(3, size, size)` with 40 attributes, from `root/celeba`.

    Without `split` it is the official one where list_eval_partition.txt is there (the images that it has for validation belong
    to no part), else a random one. A split by persons has no person of identity_CelebA.txt in both parts, as the official one
    has none. A `crop` of 148 or so shows little but the face.
    """
    home = root / "celeba"
    with alone_in(root):
        if not (home / PICTURES).is_dir() and not (home / ATTRIBUTES).is_file():
            _download(root, home)
    for needed in (PICTURES, ATTRIBUTES):
        if not (home / needed).exists():
            raise DiaboloError(f"celeba in {home} lacks {needed}: put it there (unpacked, if it came in a .zip)")

    files = disk_files(home / PICTURES, skip_bad=skip_bad)
    attribute_names, attributes = _attributes(home / ATTRIBUTES, files.names)
    persons = _column(home / IDENTITY, files.names) if identity or split == "persons" else None
    if split is None:
        split = "official" if (home / PARTITION).is_file() else "random"
        log.info("celeba: %s split", split)
    part = _column(home / PARTITION, files.names) if split == "official" else None

    found = kept(files, Shaping(size, crop, channels=3), home / PICTURES, skip_bad, cache=cache)
    owners = found.owners
    images = Images(
        found.pixels,
        names=tuple(page_names(files, owners.tolist())),
        labels=persons[owners] if persons is not None and identity else None,
        attributes=attributes[owners],
        attribute_names=attribute_names,
        name="celeba",
    )
    if split == "persons" and persons is not None:
        return split_by_group(images, persons[owners], draw)
    if part is None:
        return random_split(images, draw)
    part = part[owners]
    for code, what in ((TRAIN, "train"), (TEST, "test")):
        if not (part == code).any():
            raise DiaboloError(f"no image in {home / PICTURES} is in the official {what} part; use split='random'")
    return images.take(part == TRAIN), images.take(part == TEST)


def _download(root: Path, home: Path) -> None:
    import torchvision

    log.info("celeba is not in %s: downloading", home)
    try:
        torchvision.datasets.CelebA(root, split="all", download=True)
    except Exception as error:  # no network, no gdown, a quota page instead of a file: each its own type
        raise missing("celeba", home, error) from error


def _attributes(path: Path, names: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.bool_]]:
    """Names of the attributes, and one row of them for each image. Only the rows of images present are parsed."""
    lines = _lines(path)
    if len(lines) < 3:
        raise DiaboloError(f"{path} is cut short: it has {len(lines)} lines")
    # the first line counts the images, the second names the attributes
    columns = tuple(lines[1].split())
    rows = _rows(path, lines[2:], names)
    try:
        values = np.fromstring(" ".join(rows), dtype=np.int8, sep=" ")  # an order faster than int() on each
    except ValueError:
        values = np.empty(0, np.int8)
    if len(values) != len(rows) * len(columns) or not np.isin(values, (-1, 1)).all():
        bad = next((n for n, row in zip(names, rows, strict=True) if not _is_row(row, len(columns))), names[-1])
        raise DiaboloError(f"{path} is damaged: the row of {bad} is not {len(columns)} numbers 1 or -1")
    return columns, values.reshape(len(rows), len(columns)) > 0


def _column(path: Path, names: Sequence[str]) -> NDArray[np.int64]:
    """The one whole number that a table gives for each image."""
    if not path.is_file():
        raise DiaboloError(f"there is no {path}, which this option needs")
    try:
        return np.array([int(row) for row in _rows(path, _lines(path), names)], dtype=np.int64)
    except ValueError as error:
        raise DiaboloError(f"{path} is damaged: {error}") from error


def _rows(path: Path, lines: Sequence[str], names: Sequence[str]) -> list[str]:
    """What follows the file name in the line of each image."""
    table = {name: rest for name, _, rest in (line.partition(" ") for line in lines)}
    try:
        return [table[name] for name in names]
    except KeyError as error:
        raise DiaboloError(f"{error.args[0]} is among the images but not in {path}") from error


def _lines(path: Path) -> list[str]:
    try:
        with open_regular(path) as file:
            return file.read().decode("ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DiaboloError(f"{path} cannot be read: {error}") from error


def _is_row(row: str, columns: int) -> bool:
    values = row.split()
    return len(values) == columns and set(values) <= {"1", "-1"}
