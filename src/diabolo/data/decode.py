"""Many image files to one uint8 array, decoded on every core this process may use.

Threads suffice: Pillow lets go of Python's lock while it decodes and resizes.
"""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from diabolo.data.files import DiskFiles, Files, disk_files
from diabolo.data.pixels import BadImageError, Header, Shaping, read_header, read_pixels
from diabolo.errors import DiaboloError

log = logging.getLogger("diabolo.data")

TASK = 64  # images a thread takes at once
REMEDY = "Mend or remove it, or leave damaged images out with skip_bad=True (--skip-bad)."

T = TypeVar("T")


def read_images(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    size: int | None = None,
    channels: int | None = None,
    crop: int | None = None,
    skip_bad: bool = False,
) -> tuple[NDArray[np.uint8], list[str]]:
    """Images from files, or from all files under a folder: uint8 `(N, C, H, W)`, and the name of each.

    paths     a folder, one file, or several files
    size      side of the square they become (see `Shaping`); None needs images of equal size
    channels  3 or 1; None takes 1 if all are grey, else 3
    crop      side of the central square cut out first, or None
    skip_bad  leave damaged files out, with a warning that names them; else the first one is a DiaboloError
    """
    files = _listed(paths)
    shaping = settle(files, Shaping(size, crop, channels), skip_bad)
    arrays, skipped = list[NDArray[np.uint8]](), list[int]()
    for good, bad in decode(files, shaping, skip_bad):
        arrays += good
        skipped += bad
    tell_skipped(files, skipped)
    gone = set(skipped)
    return np.stack(arrays), [name for index, name in enumerate(files.names) if index not in gone]


def settle(files: Files, asked: Shaping, skip_bad: bool) -> Shaping:
    """The shaping with its channels known, from the headers of all files where they must be found out.

    DiaboloError, naming the file and both sizes, when images differ in size and neither `size` nor `crop` is given.
    """
    same_size = asked.size is None and asked.crop is None
    if not same_size and asked.channels is not None:
        return asked
    first: tuple[str, Header] | None = None
    grey = True
    for index, header in enumerate(_headers(files, skip_bad)):
        if header is None:
            continue
        grey &= header.grey
        name, known = first = first or (files.where(index), header)
        if same_size and (header.width, header.height) != (known.width, known.height):
            raise DiaboloError(
                f"the images differ in size: {name} is {known.width}×{known.height}, "
                f"{files.where(index)} is {header.width}×{header.height}; pass size=… (--size) to resize them."
            )
    return asked if asked.channels is not None else replace(asked, channels=1 if grey else 3)


def decode(files: Files, shaping: Shaping, skip_bad: bool) -> Iterator[tuple[list[NDArray[np.uint8]], list[int]]]:
    """The images `(C, H, W)` in the order of the files, some at a time, and the indices of the damaged among them.

    Raises BadImageError at the first damaged file unless `skip_bad`, and DiaboloError if no image is left.
    """

    def some(start: int) -> tuple[list[NDArray[np.uint8]], list[int]]:
        good, bad = list[NDArray[np.uint8]](), list[int]()
        for index in range(start, min(start + TASK, len(files.names))):
            try:
                good.append(read_pixels(files.read(index), files.where(index), shaping))
            except BadImageError as error:
                if not skip_bad:
                    raise BadImageError(f"{error} {REMEDY}") from error
                bad.append(index)
        return good, bad

    any_good = False
    for good, bad in _in_threads(some, range(0, len(files.names), TASK)):
        any_good = any_good or bool(good)
        yield good, bad
    if not any_good:
        raise DiaboloError(f"none of the {len(files.names):,} images can be read; the first is {files.where(0)}.")


def tell_skipped(files: Files, skipped: Sequence[int]) -> None:
    """One warning that names what was left out, the first twenty at most."""
    if skipped:
        named = ", ".join(files.where(index) for index in skipped[:20])
        more = f" and {len(skipped) - 20:,} more" if len(skipped) > 20 else ""
        log.warning("%d of %d images are damaged and left out: %s%s", len(skipped), len(files.names), named, more)


def cores() -> int:
    """How many cores this process may really use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _headers(files: Files, skip_bad: bool) -> Iterator[Header | None]:
    """What each file says about itself; None for a damaged one that `decode` will leave out."""

    def some(start: int) -> list[Header | None]:
        found = list[Header | None]()
        for index in range(start, min(start + TASK, len(files.names))):
            try:
                found.append(read_header(files.read(index), files.where(index)))
            except BadImageError as error:
                if not skip_bad:
                    raise BadImageError(f"{error} {REMEDY}") from error
                found.append(None)
        return found

    for found in _in_threads(some, range(0, len(files.names), TASK)):
        yield from found


def _in_threads(function: Callable[[int], T], items: Iterable[int]) -> Iterator[T]:
    """`map` on all cores; when the caller stops early or a task fails, what has not begun is dropped."""
    pool = ThreadPoolExecutor(cores(), thread_name_prefix="diabolo-decode")
    try:
        yield from pool.map(function, items)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _listed(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> DiskFiles:
    if isinstance(paths, str | os.PathLike):
        path = Path(paths).expanduser()
        return disk_files(path) if path.is_dir() else disk_files(Path(), [str(path)])
    several = [str(Path(path).expanduser()) for path in paths]
    if not several:
        raise DiaboloError("no image files are given.")
    return disk_files(Path(), several)
