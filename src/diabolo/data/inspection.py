"""`inspect`: the account of a data set in full, whether it can be loaded as it is or not."""

import hashlib
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from diabolo.data import scale
from diabolo.data.account import Account
from diabolo.data.classes import in_order
from diabolo.data.decode import in_threads, span_of
from diabolo.data.depth import BadImageError
from diabolo.data.files import LINK_BACK, Files, disk_files, zip_files
from diabolo.data.finding import check_root
from diabolo.data.images import Images
from diabolo.data.layout import MASK_KIND, TRAIN, read_layout
from diabolo.data.loading import load_parts
from diabolo.data.pixels import Facts, Shaping, read_header, read_pages
from diabolo.data.sources.arrays import class_counts
from diabolo.errors import DiaboloError
from diabolo.paths import as_path

Seen = tuple[str, Facts, bool] | str  # the checksum of a file, what is in it and whether it is grey; or why it is bad


def inspect(name: Any, root: str | os.PathLike[str] | None = None, range: Any = scale.AUTO) -> Account:
    """The account of a data set, a folder, a .zip, .npy or .npz file, an array or `Images`, with duplicates counted.

    Of a folder and a .zip every file is read, whatever its size, and what stands in the way of loading is a note instead of an
    error: damaged files, folders that may be parts or classes, numbers that do not say what is black and white.

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
    asked = {} if wanted == scale.AUTO else {"range": wanted}
    parts = [part for part in load_parts(name, root, **asked) if part is not None]
    account = parts[0].account or _of_images(parts)
    checksums = (hashlib.sha256(image.tobytes()).hexdigest() for part in parts for image in part.images)
    return replace(account, duplicates=_repeated(checksums))


def _of_files(files: Files, path: Path, value_range: scale.Range) -> Account:
    seen: list[Seen] = list(in_threads(lambda index: _look(files, index), range(len(files.names))))
    left = files.listing.left_out
    for name in files.listing.bad:
        left.add("unreadable", name)
    for index, found in enumerate(seen):
        if isinstance(found, str):
            left.add("unreadable", files.names[index])
    good = [(index, found) for index, found in enumerate(seen) if not isinstance(found, str)]
    notes, parts, classes = list[str](), Counter[str](), None
    try:
        layout = read_layout([files.names[index] for index, _ in good], files.listing.folders, path)
    except DiaboloError as error:
        notes.append(f"it cannot be loaded so: {error}")
    else:
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
        span, said = span_of(facts, value_range, f"the pixels of {path}")
        notes += said
    except DiaboloError as error:
        notes.append(f"it cannot be loaded so: {error}")
    nominal = [numbers.nominal for numbers in facts.numbers.values()]
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
        span=span or (nominal[0] if len(nominal) == 1 else None),
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
    low = min(float(part.images.min()) for part in parts)
    high = max(float(part.images.max()) for part in parts)
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
