"""Folders that someone else may have made: only regular files are opened, and none that a link leads out to.

A FIFO would be waited on for ever, a device could hold anything, and a link could put any file of this machine into a report.
"""

import os
import stat
from pathlib import Path

from diabolo.errors import DiaboloError

KINDS = ((stat.S_ISFIFO, "a FIFO"), (stat.S_ISSOCK, "a socket"), (stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device"))

MOST = 2**28  # bytes of JSON, or of a figure: larger ones than are ever written would fill the memory


def check_folder(folder: Path) -> None:
    """Refuse a folder in which something is neither a file nor a folder, or a link leads out of it.

    Raises:
        DiaboloError: with the first such thing.
    """
    home, waiting = os.path.realpath(folder), [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_symlink():
                        _check_link(entry.path, home)
                    elif entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif not entry.is_file(follow_symlinks=False):
                        _check_kind(entry.path)
        except FileNotFoundError:  # taken away at this moment, such as the temporary file of a training that goes on
            continue
        except OSError as error:
            raise DiaboloError(f"{folder} cannot be looked through: {error.strerror}") from error


def check_file(path: Path) -> None:
    """Refuse a file that is to be written in place, where something else than a regular file lies there, such as a link.

    Raises:
        DiaboloError: when that is so.
    """
    _check_kind(str(path))


def read_bytes(path: Path) -> bytes:
    """The content of a regular file of at most `MOST` bytes.

    Raises:
        OSError: when it is not there, or cannot be read.
        DiaboloError: when it is no regular file, or larger.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise DiaboloError(_no_file(str(path), os.fstat(handle).st_mode))
        content = file.read(MOST + 1) if os.fstat(handle).st_size <= MOST else b""
        if len(content) > MOST or os.fstat(handle).st_size > MOST:
            raise DiaboloError(
                f"{path} is larger than {MOST / 2**20:,.0f} MiB, as no file written there is: take it away"
            )
        return content


def inside(folder: Path, name: object, endings: tuple[str, ...]) -> Path:
    """The path of the file that a record in `folder` names: relative to it, within it, and a regular file where there is one.

    Raises:
        DiaboloError: for any other.
    """
    path = Path(name) if isinstance(name, str) and name and "\0" not in name else None
    if path is None or path.is_absolute() or ".." in path.parts or path.suffix.lower() not in endings:
        raise DiaboloError(f"{folder} names {name!r}, which is not a {' or '.join(endings)} file within that folder")
    found = folder / path
    if not Path(os.path.realpath(found)).is_relative_to(os.path.realpath(folder)):
        raise DiaboloError(f"{found} is a link that leads out of {folder}: put the file itself there")
    _check_kind(os.path.realpath(found))
    return found


def _check_link(path: str, home: str) -> None:
    real = os.path.realpath(path)
    if real != home and not real.startswith(home + os.sep):
        raise DiaboloError(f"{path} is a link that leads out of its folder: put the file itself there")
    if not os.path.exists(real) and os.path.islink(path):
        raise DiaboloError(f"{path} is a link to nothing: take it away")


def _check_kind(path: str) -> None:
    """Refuse what lies at `path` where that is no regular file. It is looked at once: what another process takes away between
    two looks is neither there nor a file."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return
    if stat.S_ISLNK(mode):
        raise DiaboloError(f"{path} is a link where a file is wanted: take it away")
    if not stat.S_ISREG(mode):
        raise DiaboloError(_no_file(path, mode))


def _no_file(path: str, mode: int) -> str:
    kind = next(
        (words for holds, words in KINDS if holds(mode)), "a folder" if stat.S_ISDIR(mode) else "no regular file"
    )
    return f"{path} is {kind} where a file is wanted: take it away"
