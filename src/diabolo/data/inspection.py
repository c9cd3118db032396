"""`inspect`: the account of a data set in full, whether it can be loaded as it is or not."""

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.data import scale
from diabolo.data.account import Account
from diabolo.data.classes import in_order
from diabolo.data.decode import kept_as, shown_as
from diabolo.data.depth import BadImageError
from diabolo.data.files import LINK_BACK, Files, disk_files, open_regular, zip_files
from diabolo.data.finding import check_root
from diabolo.data.frames import is_frame, table_of
from diabolo.data.images import Images, extent
from diabolo.data.layout import MASK_KIND, TRAIN, read_layout
from diabolo.data.loading import load_parts
from diabolo.data.pixels import Facts, Shaping, read_header, read_pages
from diabolo.data.sources.arrays import class_counts, counts_of
from diabolo.data.table import Table, TableOptions, facts_of, label_of, labels_of, rows_of
from diabolo.data.threads import in_threads
from diabolo.errors import DiaboloError
from diabolo.paths import as_path

Seen = tuple[str, Facts, bool] | str  # the checksum of a file, what is in it and whether it is grey; or why it is bad


def inspect(
    name: Any, root: str | os.PathLike[str] | None = None, range: Any = scale.AUTO, key: str | None = None
) -> Account:
    """The account of a data set, a folder, a file of any kind that is read, an array, a frame or `Images`, with duplicates
    counted. `key` is the array of a .npz or .h5 file that is looked at, where their names do not say.

    Of a folder, a .zip and a .tar every image is read, whatever its size, of a table every column, and what stands in the
    way of loading is a note instead of an error: damaged files, folders that may be parts or classes, columns of text,
    missing values, numbers that do not say what is black and white.

    Raises:
        DiaboloError: when there is no such thing, it holds no image, or an array cannot be loaded.

    Example:
        >>> account = diabolo.data.inspect("digits")
        >>> account.parts, account.sizes, account.duplicates
        ({'train': 1437, 'test': 360}, {'8×8': 1797}, 0)
    """
    wanted = scale.check_range(range)
    check_root(name, root)
    path = as_path(name) if isinstance(name, str | os.PathLike) else None
    if path is not None and path.is_dir():
        return _of_files(disk_files(path, skip_bad=True), path, wanted)
    if path is not None and path.suffix.lower() == ".zip" and os.path.lexists(path):
        files = zip_files(path, skip_bad=True)
        with files.archive:
            return _of_files(files, path, wanted)
    if path is not None and path.is_file() and (look := LOOKS.get(path.suffix.lower())) is not None:
        return look(path, wanted)
    if is_frame(name):
        return _of_table(table_of(name, "the table"), "a table")
    asked = ({} if wanted == scale.AUTO else {"range": wanted}) | ({} if key is None else {"key": key})
    parts = [part for part in load_parts(name, root, **asked) if part is not None]
    account = parts[0].account or _of_images(parts)
    checksums = (hashlib.sha256(image.tobytes()).hexdigest() for part in parts for image in part.images)
    return replace(account, duplicates=_repeated(checksums))


def _of_csv(path: Path, _: scale.Range) -> Account:
    from diabolo.data.sources import csv

    return _of_table(csv.read(path), path.name)


def _of_parquet(path: Path, value_range: scale.Range) -> Account:
    from diabolo.data.sources import parquet

    file, options = parquet.opened(path), TableOptions()
    with parquet.damage(path):
        image = parquet.image_column(file, options)
    if image is None:
        return _of_table(parquet.read(path, file), path.name)
    files, labels, names, _ = parquet.pictures(path, file, image, options)
    known = None if labels is None else [str(label) if names is None else names[label] for label in labels]
    return _of_files(files, path, value_range, known)


def _of_tar(path: Path, value_range: scale.Range) -> Account:
    from diabolo.data.sources import tar

    try:
        file = open_regular(path)
    except OSError as error:
        raise DiaboloError(f"{path} cannot be read: {error.strerror or error}") from error
    with file:
        files, beside = tar.tar_files(path, file, skip_bad=True)
        return _of_files(files, path, value_range, tar.labels_beside(files, beside)[0])


LOOKS = {
    ".csv": _of_csv,
    ".tsv": _of_csv,
    ".parquet": _of_parquet,
    ".tar": _of_tar,
}  # what looks into a file, by its ending


def _of_table(table: Table, what: str) -> Account:
    """The account of a table, whether its columns can be read as numbers or not."""
    label, _ = label_of(table, TableOptions())
    counted: tuple[dict[str, int] | None, int] = (None, 0)
    if label is not None:
        labels, names = labels_of(table, label)
        counted = counts_of(labels, names)
    used: tuple[float, float] | None = None
    try:
        rows = rows_of(table)
        notes, used = list(rows.said), (float(rows.numbers.min()), float(rows.numbers.max()))
    except DiaboloError as error:
        notes = [*table.notes, f"it cannot be loaded so: {error}"]
    return Account(
        what=what,
        parts={"all": len(table)},
        division="split by a seed when loaded",
        classes=counted[0],
        unlabelled=counted[1],
        used=used,
        notes=tuple(notes),
        duplicates=len(table) - len(np.unique(_digests(table))),
        columns=facts_of(table),
    )


def _digests(table: Table) -> NDArray[np.uint64]:
    """A number of 64 bits for each row, the same for equal rows and for hardly any others."""
    found = np.zeros(len(table), np.uint64)
    for values in table.columns.values():
        if values.dtype.kind in "OU":
            values = np.unique(np.array(["" if v is None else f"={v}" for v in values.tolist()]), return_inverse=True)[
                1
            ]
        bits = (values.astype(np.float64) + 0.0).view(np.uint64) if values.dtype.kind in "fiub" else np.uint64(0)
        found = (found ^ bits) * np.uint64(0x9E3779B97F4A7C15)
        found ^= found >> np.uint64(29)
        found *= np.uint64(0xBF58476D1CE4E5B9)
        found ^= found >> np.uint64(32)
    return found


def _of_files(files: Files, path: Path, value_range: scale.Range, known: Sequence[str] | None = None) -> Account:
    """The account of image files; `known` are their classes where these are not their folders."""
    seen: list[Seen] = list(in_threads(lambda index: _look(files, index), range(len(files.names))))
    left = files.listing.left_out
    for name in files.listing.bad:
        left.add("unreadable", name)
    for index, found in enumerate(seen):
        if isinstance(found, str):
            left.add("unreadable", files.names[index])
    good = [(index, found) for index, found in enumerate(seen) if not isinstance(found, str)]
    notes, parts, classes = list[str](), Counter[str](), None
    if known is not None:
        classes = dict.fromkeys(in_order(known), 0)
        for index, (_, more, _) in good:
            parts["all"] += sum(more.sizes.values())
            classes[known[index]] += sum(more.sizes.values())
    try:
        layout = (
            None if known is not None else read_layout([files.names[i] for i, _ in good], files.listing.folders, path)
        )
    except DiaboloError as error:
        notes.append(f"it cannot be loaded so: {error}")
        layout = None
    if layout is not None:
        for place in layout.masks:
            left.add(MASK_KIND, files.names[good[place][0]])
        kept = [place for place in range(len(good)) if place not in layout.masks]
        pages = {place: sum(good[place][1][1].sizes.values()) for place in kept}
        for place in kept:
            parts["all" if layout.parts is None else layout.parts[place]] += pages[place]
        if layout.classes is not None:
            names = [layout.classes[place] for place in kept]
            classes = dict.fromkeys(in_order(names), 0)
            for place, name in zip(kept, names, strict=True):
                classes[name] += pages[place]
        good = [good[place] for place in kept]
    facts = Facts()
    for _, (_, more, _) in good:
        facts.add(more)
    span = None
    try:
        how = kept_as(facts, value_range, f"the pixels of {path}", "deep")
        span = shown_as(facts, how)
        notes += how.notes
    except DiaboloError as error:
        notes.append(f"it cannot be loaded so: {error}")
    if facts.animations:
        notes.append(f"{facts.animations:,} animations, of which the first frame is taken")
    if len(facts.sizes) > 1:
        notes.append("sizes differ, so loading needs size=… (--size) or crop=… (--crop)")
    return Account(
        what=f"{'folder' if path.is_dir() else 'archive'} {path.name}",
        files=(len(good) + left.counts.total() - left.counts[LINK_BACK], len(good)),
        left_out=dict(left.counts),
        examples=left.examples,
        parts=dict(parts),
        division="as laid out" if TRAIN in parts else "split by a seed when loaded" if parts else "",
        classes=classes,
        sizes=dict(facts.sizes),
        modes=dict(facts.modes),
        depths=dict(facts.depths),
        channels=1 if all(grey for _, (_, _, grey) in good) else 3,
        used=facts.used,
        span=span,
        notes=tuple(notes),
        duplicates=_repeated(checksum for _, (checksum, _, _) in good),
    )


def _look(files: Files, index: int) -> Seen:
    try:
        data, where = files.read(index), files.where(index)
        return hashlib.sha256(data).hexdigest(), read_pages(data, where, Shaping())[1], read_header(data, where).grey
    except BadImageError as error:
        return str(error)


def _of_images(parts: list[Images]) -> Account:
    """The account of a set that comes with none: one known by name."""
    first = parts[0]
    classes, unlabelled = class_counts(parts)
    total, shape = sum(map(len, parts)), first.shape
    pictures = len(shape) == 3
    extents = [extent(part.images, f"values of {part.name}", part.missing) for part in parts]
    low, high = min(low for low, _ in extents), max(high for _, high in extents)
    return Account(
        what=f"data set {first.name}",
        parts={part.split: len(part) for part in parts},
        classes=classes,
        unlabelled=unlabelled,
        sizes={"×".join(map(str, shape[1:] if pictures else shape)): total},
        modes={str(first.images.dtype): total},
        depths={"8 bit" if first.images.dtype == np.uint8 else "float": total},
        channels=shape[0] if pictures else None,
        used=(low, high),
        span=(0.0, 255.0) if first.images.dtype == np.uint8 else first.span,
    )


def _repeated(checksums: Any) -> int:
    return sum(count - 1 for count in Counter(checksums).values())
