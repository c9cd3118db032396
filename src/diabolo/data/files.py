"""Which image files there are, in a folder or in a .zip, read into memory one by one and never extracted."""

import os
import re
import stat
import threading
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from diabolo.data.account import LeftOut
from diabolo.data.depth import BadImageError
from diabolo.data.pixels import formats
from diabolo.errors import DiaboloError

MAX_BYTES = 1 << 28  # of one file; a zip member may claim to be small and unpack without end
REMEDY = "mend or remove it, or leave damaged images out with skip_bad=True (--skip-bad)"
LINK_BACK = "links to a folder that is read already"
HIDDEN = {"__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information"}
KINDS = {stat.S_ISFIFO: "a FIFO", stat.S_ISSOCK: "a socket", stat.S_ISCHR: "a device", stat.S_ISBLK: "a device"}


@dataclass
class Listing:
    """What a walk through a folder or an archive found.

    names     the images, relative, sorted, with "/" between folders
    folders   all folders below, those without an image too
    left_out  what is no image, or is not followed
    bad       name → reason, of what is called like an image but cannot be opened, and of folders that cannot be listed
    """

    names: list[str] = field(default_factory=list)
    folders: set[str] = field(default_factory=set)
    left_out: LeftOut = field(default_factory=LeftOut)
    bad: dict[str, str] = field(default_factory=dict)


class Files(Protocol):
    """Image files that can be read in any order and from several threads."""

    @property
    def listing(self) -> Listing:
        """How they were found."""
        ...

    @property
    def names(self) -> Sequence[str]:
        """Relative, with "/" between folders."""
        ...

    @property
    def stamps(self) -> Sequence[tuple[int, int]]:
        """Byte size and time of change (or checksum) of each: another one when the file has changed."""
        ...

    def read(self, index: int) -> bytes:
        """The bytes of one file; BadImageError if it cannot be read."""
        ...

    def where(self, index: int) -> str:
        """How to name one file in a message."""
        ...

    def only(self, indices: Sequence[int]) -> "Files":
        """Those files of them."""
        ...


@dataclass(frozen=True)
class DiskFiles:
    """Files under one folder."""

    folder: Path
    names: Sequence[str]
    stamps: Sequence[tuple[int, int]]
    listing: Listing

    def read(self, index: int) -> bytes:
        """The bytes of one file."""
        try:
            with open_regular(self.folder / self.names[index]) as file:
                return _limited(file.read(MAX_BYTES + 1), self.where(index))
        except OSError as error:
            raise BadImageError(f"{self.where(index)} cannot be read: {error.strerror or error}") from error

    def where(self, index: int) -> str:
        """How to name one file in a message."""
        return str(self.folder / self.names[index])

    def only(self, indices: Sequence[int]) -> "DiskFiles":
        """Those files of them."""
        return replace(self, names=[self.names[i] for i in indices], stamps=[self.stamps[i] for i in indices])


@dataclass(frozen=True)
class ZipFiles:
    """Members of an archive, unpacked in memory: where their names would point on a disk makes no difference."""

    path: Path
    names: Sequence[str]
    stamps: Sequence[tuple[int, int]]
    listing: Listing
    archive: zipfile.ZipFile
    members: Sequence[zipfile.ZipInfo]
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, index: int) -> bytes:
        """The bytes of one file."""
        try:
            with self.lock, self.archive.open(self.members[index]) as member:
                return _limited(member.read(MAX_BYTES + 1), self.where(index))
        except DiaboloError:
            raise
        except Exception as error:  # bad checksum, unknown compression, truncated: each its own type
            raise BadImageError(f"{self.where(index)} cannot be read: {' '.join(str(error).split())}") from error

    def where(self, index: int) -> str:
        """How to name one file in a message."""
        return f"{self.names[index]} in {self.path}"

    def only(self, indices: Sequence[int]) -> "ZipFiles":
        """Those files of them."""
        names, stamps = [self.names[i] for i in indices], [self.stamps[i] for i in indices]
        return replace(self, names=names, stamps=stamps, members=[self.members[i] for i in indices])


@cache
def extensions() -> frozenset[str]:
    """The endings, in small letters, of every kind of file that Pillow can decode by itself."""
    from PIL import Image

    known = {*formats(), "MPO"}  # which is opened as JPEG
    return frozenset(ending for ending, kind in Image.registered_extensions().items() if kind in known)


def disk_files(folder: Path, names: Iterable[str] | None = None, skip_bad: bool = False) -> DiskFiles:
    """The image files under a folder, at any depth and sorted, or just those named.

    Links to folders are followed, each folder being read once; only regular files are taken. DiaboloError if there are no
    images, or something that is called like one is none and not `skip_bad`.
    """
    if not folder.is_dir():
        raise DiaboloError(f"there is no folder {folder}")
    found = _walk(folder) if names is None else Listing(list(names))
    stamps, kept = list[tuple[int, int]](), list[str]()
    for name in found.names:
        try:
            info = os.stat(folder / name)
        except OSError as error:
            found.bad[name] = f"cannot be read: {error.strerror or error}"
            continue
        if reason := _not_regular(info.st_mode):
            found.bad[name] = reason
            continue
        stamps.append((info.st_size, info.st_mtime_ns))
        kept.append(name)
    found.names = kept
    _refuse(found, {name: str(folder / name) for name in found.bad}, folder, skip_bad)
    return DiskFiles(folder, kept, stamps, found)


def zip_files(path: Path, skip_bad: bool = False) -> ZipFiles:
    """The images in an archive; DiaboloError if there are none, it cannot be read, or one is encrypted and not `skip_bad`."""
    check_regular(path)
    try:
        archive = zipfile.ZipFile(path)
        infos = archive.infolist()
    except Exception as error:  # zipfile raises what it likes on damaged directories
        raise DiaboloError(f"{path} cannot be read as a .zip file: {' '.join(str(error).split())}") from error
    found, members = Listing(), dict[str, zipfile.ZipInfo]()
    for info in infos:
        name = portable(info.filename)
        folder = info.filename.endswith(("/", "\\"))
        if not name or is_hidden(name):
            if not folder:
                found.left_out.add("hidden", name or info.filename)
            continue
        parents = name if folder else name.rpartition("/")[0]
        while parents and parents not in found.folders:
            found.folders.add(parents)
            parents = parents.rpartition("/")[0]
        if folder:
            continue
        if not is_image(name):
            found.left_out.not_image(name)
        elif info.create_system == 3 and stat.S_ISLNK(info.external_attr >> 16):
            found.left_out.add("links", name)
        elif info.flag_bits & 1:
            found.bad[name] = "is encrypted"
        else:
            if name in members:
                found.left_out.add("replaced by a later file of the same name", name)
            members[name] = info
    found.names = sorted(members)
    _refuse(found, {name: f"{name} in {path}" for name in found.bad}, path, skip_bad)
    chosen = [members[name] for name in found.names]
    return ZipFiles(path, found.names, [(m.file_size, m.CRC) for m in chosen], found, archive, chosen)


def open_regular(path: Path) -> BinaryIO:
    """A file opened for reading that is a regular one for certain: a FIFO is refused and never waited for."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        if reason := _not_regular(os.fstat(handle).st_mode):
            raise OSError(None, reason)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def check_regular(path: Path) -> None:
    """DiaboloError unless `path` is a regular file that can be looked at."""
    try:
        reason = _not_regular(os.stat(path).st_mode)
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
    if reason:
        raise DiaboloError(f"{path} {reason}")


def is_image(name: str) -> bool:
    """By its ending; not what the Finder and others hide in "._x.jpg", ".cache/" or "__MACOSX/"."""
    return PurePosixPath(name).suffix.lower() in extensions() and not is_hidden(name)


def is_hidden(name: str) -> bool:
    """Whether a part of the path is one that systems hide."""
    return any(part.startswith(".") or part in HIDDEN for part in name.split("/"))


def portable(name: str) -> str:
    """The name of an archive's member as parts joined by "/", whatever system wrote it: "C:\\a\\..\\b.png" is "a/b.png"."""
    parts = re.sub(r"^[A-Za-z]:", "", name.replace("\\", "/")).split("/")
    return "/".join(part for part in parts if part not in ("", ".", ".."))


def _walk(folder: Path) -> Listing:
    """All below `folder`; folders behind links come last, so that a link never takes the place of what it points to."""
    found = Listing()
    home = os.path.realpath(folder)
    read = {_identity(os.stat(folder))}
    plain, links = [""], list[str]()
    while plain or links:
        linked_here = not plain
        prefix = plain.pop() if plain else links.pop(0)
        path = folder / prefix
        try:
            if prefix:
                # a link to a folder around this one would bring in all that stands beside it
                around = linked_here and home.startswith(os.path.join(os.path.realpath(path), ""))
                identity = _identity(os.stat(path))
                if around or identity in read:
                    found.left_out.add(LINK_BACK, prefix)
                    continue
                read.add(identity)
                found.folders.add(prefix)
            deeper, linked = _list(path, f"{prefix}/" if prefix else "", found)
        except OSError as error:
            found.bad[prefix] = f"cannot be read: {error.strerror or error}"
            continue
        plain += deeper
        links = sorted(links + linked)
    found.names.sort()
    return found


def _list(path: Path, prefix: str, found: Listing) -> tuple[list[str], list[str]]:
    """Sort the entries of one folder into `found`; the folders in it, and the links to folders."""
    deeper, linked = list[str](), list[str]()
    with os.scandir(path) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            name = prefix + entry.name
            if is_hidden(entry.name):
                if entry.name != ".diabolo":
                    found.left_out.add("hidden", name)
            elif entry.is_dir(follow_symlinks=False):
                deeper.append(name)
            elif entry.is_symlink() and os.path.isdir(entry.path):
                linked.append(name)
            elif is_image(entry.name):
                found.names.append(name)
            elif entry.is_symlink() and not os.path.exists(entry.path):
                found.left_out.add("links to nothing", name)
            else:
                found.left_out.not_image(name)
    return deeper, linked


def _identity(info: os.stat_result) -> tuple[int, int]:
    return info.st_dev, info.st_ino


def _not_regular(mode: int) -> str | None:
    if stat.S_ISREG(mode):
        return None
    kind = next((word for test, word in KINDS.items() if test(mode)), "a folder")
    return f"is {kind}, not a regular file"


def _refuse(found: Listing, where: dict[str, str], home: Path, skip_bad: bool) -> None:
    """Refuse what is bad unless that is to be skipped, and a place without images."""
    if found.bad and not skip_bad:
        name, reason = next(iter(found.bad.items()))
        raise BadImageError(f"{where[name]} {reason}; {REMEDY}")
    if not found.names:
        several = f"; it holds {found.left_out.line()}" if found.left_out.counts else ""
        raise DiaboloError(
            f"there are no images in {home} (looked for the endings that Pillow reads, .png and .jpg among them){several}"
        )


def _limited(data: bytes, where: str) -> bytes:
    if len(data) > MAX_BYTES:
        raise BadImageError(f"{where} is refused: more than {MAX_BYTES:,} bytes")
    return data
