"""Images in a .tar archive: in the WebDataset layout, each with its label beside it, or in folders as in a .zip. The archive is
read where it lies: nothing is extracted.
"""

import json
import tarfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Annotated, Any, Literal

import numpy as np

from diabolo.data import scale
from diabolo.data.classes import named_labels
from diabolo.data.depth import BadImageError
from diabolo.data.files import MAX_BYTES, REMEDY, Listing, is_hidden, is_image, open_regular, portable
from diabolo.data.options import Cache, Draw
from diabolo.data.pixels import Shaping
from diabolo.data.sources.file_labels import LabelTable
from diabolo.data.sources.folder import of_files, of_labelled
from diabolo.data.splits import Parts
from diabolo.errors import DiaboloError
from diabolo.plain import count
from diabolo.ranges import ItsOwn, PartOf, Side

LABELS = ("cls", "txt", "json")  # the endings of what may hold a label, the plainest first
KEYS = ("label", "cls", "class", "target", "y")  # of the label in a .json
MAX_LABEL = 1 << 16  # bytes of what holds one label
ALL_DIFFERENT = 20  # texts that are all different, and more than so many, are captions


@dataclass(frozen=True)
class TarFiles:
    """Members of an archive, read where they lie in it."""

    path: Path
    names: Sequence[str]
    stamps: Sequence[tuple[int, int]]
    listing: Listing
    file: IO[bytes]
    places: Sequence[tuple[int, int]]
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, index: int) -> bytes:
        """The bytes of one file."""
        start, size = self.places[index]
        if size > MAX_BYTES:
            raise BadImageError(f"{self.where(index)} is refused: more than {MAX_BYTES:,} bytes")
        try:
            return read_at(self.file, self.lock, start, size)
        except OSError as error:
            raise BadImageError(f"{self.where(index)} cannot be read: {error.strerror or error}") from error

    def where(self, index: int) -> str:
        """How to name one file in a message."""
        return f"{self.names[index]} in {self.path}"

    def only(self, indices: Sequence[int]) -> "TarFiles":
        """Those files of them."""
        names, stamps = [self.names[i] for i in indices], [self.stamps[i] for i in indices]
        return replace(self, names=names, stamps=stamps, places=[self.places[i] for i in indices])


def read_at(file: IO[bytes], lock: threading.Lock, start: int, size: int) -> bytes:
    """`size` bytes from `start` of a file that several threads read."""
    with lock:
        file.seek(start)
        return file.read(size)


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
    """The images `(C, H, W)` of an archive. Where labels lie beside them, as 0001.cls, .txt or .json beside 0001.jpg, they are
    a seeded split; where none do, folders are parts and classes as in a .zip. A table of `labels` stands for both."""
    shaping, table = Shaping(size, crop, image_channels, keep="deep"), LabelTable.given(labels, label_column)
    try:
        file = open_regular(path)
    except OSError as error:
        raise DiaboloError(f"{path} cannot be read: {error.strerror or error}") from error
    with file:
        files, beside = tar_files(path, file, skip_bad)
        known, said = (None, []) if table is not None else labels_beside(files, beside)
        if known is None:
            return of_files(files, path, draw, shaping, skip_bad, cache, test_fraction, range, table)
        (numbers,), names = named_labels(np.array(known))
        return of_labelled(files, numbers, names, path, draw, shaping, skip_bad, cache, test_fraction, range, said)


def tar_files(path: Path, file: IO[bytes], skip_bad: bool) -> tuple[TarFiles, dict[str, dict[str, tuple[int, int]]]]:
    """The images in an open archive, sorted by name; and beside them, key → ending → where it lies.

    Raises:
        DiaboloError: when it is damaged or holds no images.
    """
    found, members, beside = Listing(), dict[str, tuple[int, int]](), dict[str, dict[str, tuple[int, int]]]()
    end = file.seek(0, 2)
    file.seek(0)
    try:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            for member in archive:
                _sort(member, end, found, members, beside)
    except (tarfile.TarError, OSError, ValueError, EOFError, OverflowError, IndexError) as error:
        raise DiaboloError(
            f"{path} cannot be read as a .tar file ({' '.join(str(error).split())}): unpack it first if it is compressed"
        ) from error
    if found.bad and not skip_bad:
        name, reason = next(iter(found.bad.items()))
        raise BadImageError(f"{name} in {path} {reason}; {REMEDY}")
    if not members:
        several = f"; it holds {found.left_out.line()}" if found.left_out.counts else ""
        raise DiaboloError(f"there are no images in {path} (looked for the endings that Pillow reads){several}")
    found.names = sorted(members)
    places = [members[name] for name in found.names]
    changed = path.stat().st_mtime_ns
    stamps = [(size, changed + start) for start, size in places]
    return TarFiles(path, found.names, stamps, found, file, places), beside


def _sort(
    member: tarfile.TarInfo,
    end: int,
    found: Listing,
    members: dict[str, tuple[int, int]],
    beside: dict[str, dict[str, tuple[int, int]]],
) -> None:
    """Put one member of the archive where it belongs."""
    name = portable(member.name)
    if not name or is_hidden(name):
        if not member.isdir():
            found.left_out.add("hidden", name or member.name)
        return
    parents = name if member.isdir() else name.rpartition("/")[0]
    while parents and parents not in found.folders:
        found.folders.add(parents)
        parents = parents.rpartition("/")[0]
    if member.isdir():
        return
    key, _, ending = name.rpartition("/")[2].partition(".")
    key = name[: len(name) - len(ending) - 1] if ending else name
    place = (member.offset_data, member.size)
    if member.issym() or member.islnk():
        found.left_out.add("links", name)
    elif not member.isreg() or member.issparse():
        found.left_out.not_image(name)
    elif is_image(name):
        if member.size < 0 or member.offset_data + member.size > end:
            found.bad[name] = "is cut short"
            return
        if name in members:
            found.left_out.add("replaced by a later file of the same name", name)
        members[name] = place
    elif ending.lower() in LABELS and 0 <= member.size <= MAX_LABEL and member.offset_data + member.size <= end:
        beside.setdefault(key, {})[ending.lower()] = place
    else:
        found.left_out.not_image(name)


def labels_beside(files: TarFiles, beside: dict[str, dict[str, tuple[int, int]]]) -> tuple[list[str] | None, list[str]]:
    """The label of each image as text, None where they have none; and what to say of it.

    Raises:
        DiaboloError: when some have one and others do not.
    """
    keys = [_key(name) for name in files.names]
    for ending in LABELS:
        there = [beside.get(key, {}).get(ending) for key in keys]
        if not any(there):
            continue
        found = [None if place is None else _label(files, place, ending) for place in there]
        if ending == "json" and not any(found):
            continue  # which says something else
        lacking = [name for name, label in zip(files.names, found, strict=True) if label is None]
        if lacking:
            raise DiaboloError(
                f"{lacking[0]} in {files.path} has no label in a .{ending} beside it, as {len(keys) - len(lacking):,} of "
                f"{count(len(keys), 'image')} have: add the {len(lacking):,} that are missing, or leave them all out"
            )
        known = [label for label in found if label is not None]
        if ending == "txt" and len(set(known)) == len(known) > ALL_DIFFERENT:
            return None, []  # captions
        return known, [f"the labels are its .{ending} files"]
    return None, []


def _key(name: str) -> str:
    """What WebDataset calls the key of a member: its path to the first dot of its name."""
    folder, slash, last = name.rpartition("/")
    return folder + slash + last.partition(".")[0]


def _label(files: TarFiles, place: tuple[int, int], ending: str) -> str | None:
    text = read_at(files.file, files.lock, *place).decode("utf-8", "replace").strip()
    if ending != "json":
        return text or None
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(told, dict):
        told = next((told[key] for key in KEYS if key in told), None)
    return str(told) if isinstance(told, str | int) and not isinstance(told, bool) and str(told) else None
