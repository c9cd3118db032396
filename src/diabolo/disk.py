"""Bytes to disk, whole or not at all: a temporary file that names its owner, fsync, rename. And what was left half-written by
processes that were killed, which is swept away."""

import errno
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from diabolo import owners
from diabolo.errors import DiaboloError, NotWrittenError

# the disk is full, over its quota, read-only, or fails: nobody asked for what cannot be
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)
NOT_OURS = (errno.EACCES, errno.EPERM)  # to whoever writes, that is the disk's fault too
WINDOWS = os.name == "nt"
PATIENCE = 2.0  # seconds for which Windows may keep a file open that someone reads, or looks for viruses in
DAY, HOUR, MINUTE = 86_400.0, 3_600.0, 60.0  # seconds: nothing is half-written for a day
TEMPORARY = re.compile(rf"\..+\.({owners.PATTERN})-[0-9a-f]{{8}}\.tmp")
# what Diabolo 0.1 called half-written files, and how it claimed the number of a run folder for an instant
OF_OLD = re.compile(r"\..+\.(json|jsonl|safetensors|npz|npy|md|html|pdf|ipynb)\.[a-z0-9_]{8}|\..+\.[0-9a-f]{32}\.tmp")
CLAIM_OF_OLD = re.compile(r"\.\d{4,}")


def refusal(what: str, error: OSError) -> DiaboloError:
    """The error that tells the user of `error`, met when something was to be written, which `what` says: one kind, and one exit
    code, for the disk."""
    kind = NotWrittenError if error.errno in (*DISK, *NOT_OURS) else DiaboloError
    return kind(f"{what}: {error.strerror or error}")


def has_failed(error: BaseException) -> bool:
    """Whether `error` is of a disk that is full, read-only or fails: that is so for all that is to be written, so what may fail
    by itself must not keep it to itself."""
    return isinstance(error, NotWrittenError) or (isinstance(error, OSError) and error.errno in DISK)


@contextmanager
def refusing(what: str) -> Iterator[None]:
    """Whatever the disk refuses inside the block is told as `what`: of files in a hidden folder the user knows nothing."""
    try:
        yield
    except OSError as error:
        raise refusal(what, error) from error
    except DiaboloError as error:
        if isinstance(error.__cause__, OSError):
            raise refusal(what, error.__cause__) from error
        raise


@contextmanager
def desk() -> Iterator[Path]:
    """A folder for what is needed inside the block alone.

    Raises:
        NotWrittenError: when there is nowhere to make it, or no room in it.
    """
    with ExitStack() as stack:
        try:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        except OSError as error:
            raise NotWrittenError(
                f"no folder for temporary files can be made ({error.strerror or error}): make room for it, or name "
                "another place by the variable TMPDIR"
            ) from error
        try:
            yield folder
        except OSError as error:
            if error.errno in DISK:
                raise refusal(f"the folder {folder} for temporary files could not be written to", error) from error
            raise


def temporary(path: Path) -> Path:
    """A hidden name beside `path` for what is to become it, which says whose it is."""
    return path.with_name(f".{path.name}.{owners.me()}-{secrets.token_hex(4)}.tmp")


def make_folder(path: Path) -> None:
    """Make the folder `path`, and those above it, where they are not there; what dead processes left half-written in it is
    swept away. What is about to write into a folder calls this first.

    Raises:
        DiaboloError: when that cannot be.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refusal(f"the folder {path} could not be made", error) from error
    sweep(path)


def write(path: Path, *content: bytes | memoryview) -> None:
    """`write_pieces` of what is there already."""
    write_pieces(path, content)


def write_pieces(path: Path, content: Iterable[bytes | memoryview]) -> None:
    """Put `content`, each piece made when its turn comes, at `path`; whatever stops it, the old file stays as it was.

    Raises:
        NotWrittenError: when the disk is full, read-only, or fails.
        DiaboloError: when nothing may be written there.
    """
    part = temporary(path)
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        try:
            try:
                for piece in content:
                    _put(handle, piece)
                os.fsync(handle)
            finally:
                os.close(handle)
            move(part, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(part)
            raise
    except OSError as error:
        told = refusal(f"{path} could not be written", error)
        kept = " (the one written before it is untouched)" if os.path.isfile(path) else ""
        raise type(told)(f"{told}{kept}") from error
    settle(path.parent)


def move(source: Path, target: Path) -> None:
    """Rename `source`, in place of `target` where that is there.

    Raises:
        OSError: when that cannot be. On Windows, where no file is replaced while another program has it open, not before
            `PATIENCE` seconds have passed.
    """
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return os.replace(source, target)
        except PermissionError:
            if not WINDOWS or time.monotonic() > until:
                raise
        time.sleep(0.02)


def append(path: Path, content: bytes, at: int) -> None:
    """Put `content` into the file `path` behind its first `at` bytes, in place of what was half-written there.

    Raises:
        NotWrittenError, DiaboloError: as `write`; the first `at` bytes stay as they were.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        try:
            if os.fstat(handle).st_size > at:
                os.ftruncate(handle, at)
            os.lseek(handle, at, os.SEEK_SET)
            try:
                _put(handle, content)
                os.fsync(handle)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(handle, at)
                raise
        finally:
            os.close(handle)
    except OSError as error:
        raise refusal(f"{path} could not be written", error) from error


def _put(handle: int, content: bytes | memoryview) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]


def settle(folder: Path) -> None:
    """See to it that new names in `folder` outlast a power cut, where the system can do that."""
    if WINDOWS:
        return
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sweep(folder: Path, alone: bool = False) -> None:
    """Take away what processes that have died left half-written in `folder`, files and folders; never what a live one is
    writing.

    Args:
        folder: the folder itself, not those within it.
        alone: whether nobody else may write there at present (its lock is held), so that what processes of other machines left
            is of dead ones too. Otherwise such is left alone for a day.
    """
    for entry in entries(folder):
        with suppress(OSError, RecursionError):  # the latter: folders deeper within each other than can be taken away
            if not _is_left(entry, alone):
                continue
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)


def _is_left(entry: "os.DirEntry[str]", alone: bool) -> bool:
    """Whether `entry` is half-written and its process is dead; `alone` as for `sweep`."""
    if not entry.name.startswith("."):
        return False
    age = time.time() - entry.stat(follow_symlinks=False).st_mtime
    if named := TEMPORARY.fullmatch(entry.name):
        owner = owners.Owner.parse(named[1])
        return owner is not None and (owner.is_dead() if owner.is_here() else alone or age > DAY)
    if CLAIM_OF_OLD.fullmatch(entry.name):
        return age > MINUTE and entry.is_dir(follow_symlinks=False)
    return bool(OF_OLD.fullmatch(entry.name)) and (alone or age > HOUR)


def entries(folder: Path) -> Iterator["os.DirEntry[str]"]:
    """What lies in `folder`; nothing where it cannot be read."""
    with suppress(OSError), os.scandir(folder) as found:
        yield from list(found)
