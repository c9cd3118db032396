"""A folder or a .zip of images: flat or in folders of classes, with folders of parts (train, val, test) above or without."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from diabolo.data import scale
from diabolo.data.account import Account, LeftOut
from diabolo.data.arrays import Kept as HowKept
from diabolo.data.cache import Kept, kept
from diabolo.data.classes import in_order
from diabolo.data.decode import kept_as, page_names, shown_as
from diabolo.data.files import LINK_BACK, Files, disk_files, zip_files
from diabolo.data.images import Images
from diabolo.data.layout import MASK_KIND, TEST, TRAIN, VALIDATION, Layout, read_layout
from diabolo.data.options import Cache, Draw
from diabolo.data.pixels import Shaping
from diabolo.data.sources.arrays import class_counts
from diabolo.data.sources.file_labels import LabelTable
from diabolo.data.splits import Parts, draw_from, random_split
from diabolo.plain import count
from diabolo.ranges import ItsOwn, PartOf, Side


def load(
    path: Path,
    draw: Draw,
    *,
    size: Side | None,
    image_channels: Literal[1, 3] | None,
    crop: Side | None,
    skip_bad: bool,
    cache: Cache,
    test_fraction: PartOf,
    range: scale.Range,
    labels: Annotated[Any, ItsOwn()],
    label_column: str | None,
) -> Parts:
    """The parts of a folder or a .zip as `Images` `(C, H, W)`. A .zip is read in memory: nothing is extracted.

    Without `size` or `crop` all images must be equal in size. A table of `labels` stands for folders of classes.
    """
    shaping, table = Shaping(size, crop, image_channels, keep="deep"), LabelTable.given(labels, label_column)
    if path.is_dir():
        files = disk_files(path, skip_bad=skip_bad)
        return of_files(files, path, draw, shaping, skip_bad, cache, test_fraction, range, table)
    packed = zip_files(path, skip_bad)
    with packed.archive:
        return of_files(packed, path, draw, shaping, skip_bad, cache, test_fraction, range, table)


def of_labelled(
    files: Files,
    labels: NDArray[np.int64] | None,
    label_names: tuple[str, ...] | None,
    path: Path,
    draw: Draw,
    shaping: Shaping,
    skip_bad: bool,
    cache: Cache,
    test_fraction: float,
    value_range: scale.Range,
    said: Sequence[str] = (),
) -> Parts:
    """A seeded split of image files whose labels, one for each file, are known, whatever folders their names are in; `said` is
    what the account says besides."""
    found = kept(files, shaping, path, skip_bad, value_range, cache)
    how = kept_as(found.facts, value_range, f"the pixels of {path}", shaping.keep)
    known = None if labels is None else labels[found.owners]
    images = Images(
        found.pixels,
        labels=known,
        label_names=label_names,
        name=path.stem,
        names=tuple(page_names(files, found.owners.tolist())),
        span=how.span if how.to == "own" else None,
    )
    parts = random_split(images, draw, test_fraction)
    return _accounted(parts, "" if draw.whole else f"split by seed {draw.seed}", files, path, found, how, said)


def of_files(
    files: Files,
    path: Path,
    draw: Draw,
    shaping: Shaping,
    skip_bad: bool,
    cache: Cache,
    test_fraction: float,
    value_range: scale.Range,
    table: LabelTable | None,
) -> Parts:
    """The same of files from anywhere; `path` gives the name, and the place of the decoded copy."""
    layout = read_layout(files.names, files.listing.folders, path, table is None)  # refused before anything is decoded
    for index in sorted(layout.masks):
        files.listing.left_out.add(MASK_KIND, files.names[index])
    files = files.only([index for index in range(len(files.names)) if index not in layout.masks])
    told = None if table is None else table.of(files.names)
    found = kept(files, shaping, path, skip_bad, value_range, cache)
    names = page_names(files, found.owners.tolist())
    layout = read_layout([files.names[owner] for owner in found.owners], files.listing.folders, path, table is None)
    how = kept_as(found.facts, value_range, f"the pixels of {path}", shaping.keep)
    span = how.span if how.to == "own" else None
    images = Images(found.pixels, name=path.stem or "folder", names=tuple(names), span=span)
    if told is None:
        images = _labelled(images, layout)
    else:
        images = replace(images, labels=told.labels[found.owners], label_names=told.names)
    parts, division = _parted(images, layout, draw, test_fraction)
    return _accounted(parts, division, files, path, found, how, [] if told is None else [told.said])


def _accounted(
    parts: Sequence[Images | None],
    division: str,
    files: Files,
    path: Path,
    kept: Kept,
    how: HowKept,
    said: Sequence[str] = (),
) -> Parts:
    """The parts with the account of them all."""
    given = list({id(part): part for part in parts if part is not None}.values())
    account = describe(files, path, kept, [*how.notes, *said])
    classes, unlabelled = class_counts(given)
    account = replace(
        account,
        parts={part.split: len(part) for part in given},
        division=division,
        classes=classes,
        unlabelled=unlabelled,
        span=shown_as(kept.facts, how),
    )
    told = {id(part): replace(part, account=account) for part in given}
    return Parts(*(None if part is None else told[id(part)] for part in parts))  # type: ignore[arg-type]  # two are there


def describe(files: Files, path: Path, kept: Kept, notes: Sequence[str]) -> Account:
    """The account of files, their pixels and what was left out, with no parts and classes yet."""
    left = LeftOut(files.listing.left_out.counts.copy(), {k: [*v] for k, v in files.listing.left_out.examples.items()})
    for name in files.listing.bad:
        left.add("unreadable", name)
    for index in kept.bad:
        left.add("unreadable", files.names[index])
    said = list(notes)
    if kept.facts.animations:
        said.append(f"{count(kept.facts.animations, 'animation')}, of which the first frame was taken")
    taken = len(np.unique(kept.owners))
    if len(kept.owners) > taken:
        said.append(f"{len(kept.owners):,} images, being the pages of {count(taken, 'file')}")
    return Account(
        what=f"{'folder' if path.is_dir() else 'archive'} {path.name}",
        files=(taken + left.counts.total() - left.counts[LINK_BACK], taken),
        left_out=dict(left.counts),
        examples=left.examples,
        sizes=dict(kept.facts.sizes),
        modes=dict(kept.facts.modes),
        depths=dict(kept.facts.depths),
        channels=int(kept.pixels.shape[1]),
        used=kept.facts.used,
        notes=tuple(said),
        store=kept.store,
    )


def _labelled(images: Images, layout: Layout) -> Images:
    if layout.classes is None:
        return images
    names = in_order(layout.classes)
    numbers = {name: number for number, name in enumerate(names)}
    labels = np.array([numbers[name] for name in layout.classes], np.int64)
    return replace(images, labels=labels, label_names=names)


def _parted(images: Images, layout: Layout, draw: Draw, test_fraction: float) -> tuple[tuple[Images | None, ...], str]:
    """Train, test and validation (or None), and how they came about in words."""
    if layout.parts is None:
        division = "" if draw.whole else f"split by seed {draw.seed}"
        return (*random_split(images, draw, test_fraction), None), division
    where = np.array(layout.parts)
    of = {
        part: replace(images.take(where == part), split=part)
        for part in (TRAIN, VALIDATION, TEST)
        if (where == part).any()
    }
    if set(of) == {TRAIN}:
        return (*random_split(of[TRAIN], draw, test_fraction), None), f"a folder train alone, split by seed {draw.seed}"
    if TEST not in of:
        return (*draw_from(of[TRAIN], of[VALIDATION].called(split=TEST), draw), None), (
            "as laid out; the validation part is the test part, since there is no other"
        )
    return (*draw_from(of[TRAIN], of[TEST], draw), of.get(VALIDATION)), "as laid out"
