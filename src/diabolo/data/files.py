"""Which image files there are, in a folder or in a .zip, read into memory one by one and never extracted."""

import os
import threading
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol

from diabolo.data.pixels import BadImageError
from diabolo.errors import DiaboloError

EXTENSIONS = frozenset(
    (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm")
)
MAX_BYTES = 1 << 28  # of one file; a zip member may claim to be small and unpack without end


class Files(Protocol):
    """Image files that can be read in any order and from several threads."""

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


@dataclass(frozen=True)
class DiskFiles:
    """Files under one folder."""

    folder: Path
    names: Sequence[str]
    stamps: Sequence[tuple[int, int]]

    def read(self, index: int) -> bytes:
        """The bytes of one file."""
        try:
            with open(self.folder / self.names[index], "rb") as file:
                return _limited(file.read(MAX_BYTES + 1), self.where(index))
        except OSError as error:
            raise BadImageError(f"{self.where(index)} cannot be read: {error.strerror or error}.") from error

    def where(self, index: int) -> str:
        """How to name one file in a message."""
        return str(self.folder / self.names[index])


@dataclass(frozen=True)
class ZipFiles:
    """Members of an archive, unpacked in memory: where their names would point on a disk makes no difference."""

    path: Path
    names: Sequence[str]
    stamps: Sequence[tuple[int, int]]
    archive: zipfile.ZipFile
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, index: int) -> bytes:
        """The bytes of one file."""
        try:
            with self.lock, self.archive.open(self.names[index]) as member:
                return _limited(member.read(MAX_BYTES + 1), self.where(index))
        except DiaboloError:
            raise
        except Exception as error:  # bad checksum, unknown compression, encrypted, truncated: each its own type
            raise BadImageError(f"{self.where(index)} cannot be read: {' '.join(str(error).split())}.") from error

    def where(self, index: int) -> str:
        """How to name one file in a message."""
        return f"{self.names[index]} in {self.path}"


def disk_files(folder: Path, names: Iterable[str] | None = None) -> DiskFiles:
    """The image files under a folder, at any depth and sorted, or just those named; DiaboloError if there are none."""
    if not folder.is_dir():
        raise DiaboloError(f"there is no folder {folder}.")
    try:
        found = sorted(_walk(folder, "")) if names is None else list(names)
        stamps = []
        for name in found:
            info = os.stat(folder / name)
            stamps.append((info.st_size, info.st_mtime_ns))
    except OSError as error:
        raise DiaboloError(f"{error.filename or folder} cannot be read: {error.strerror or error}.") from error
    if not found:
        raise DiaboloError(f"there are no images in {folder} (looked for {', '.join(sorted(EXTENSIONS))}).")
    return DiskFiles(folder, found, stamps)


def zip_files(path: Path) -> ZipFiles:
    """The images in an archive; DiaboloError if there are none or it cannot be read."""
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise DiaboloError(f"{path} cannot be read as a .zip file: {' '.join(str(error).split())}.") from error
    members = sorted((m for m in archive.infolist() if is_image(m.filename)), key=lambda m: m.filename)
    if not members:
        raise DiaboloError(f"there are no images in {path} (looked for {', '.join(sorted(EXTENSIONS))}).")
    return ZipFiles(path, [m.filename for m in members], [(m.file_size, m.CRC) for m in members], archive)


def is_image(name: str) -> bool:
    """By its ending; not what the Finder and others hide in "._x.jpg", ".cache/" or "__MACOSX/"."""
    path = PurePosixPath(name)
    hidden = any((part.startswith(".") and part != "..") or part == "__MACOSX" for part in path.parts)
    return path.suffix.lower() in EXTENSIONS and not hidden


def _walk(folder: Path, prefix: str) -> list[str]:
    found: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir() and not entry.name.startswith("."):
                if not entry.is_symlink():  # a link may lead back up
                    found += _walk(Path(entry.path), f"{prefix}{entry.name}/")
            elif is_image(entry.name):
                found.append(prefix + entry.name)
    return found


def _limited(data: bytes, where: str) -> bytes:
    if len(data) > MAX_BYTES:
        raise BadImageError(f"{where} is refused: more than {MAX_BYTES:,} bytes.")
    return data
