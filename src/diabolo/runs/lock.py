"""One writer at a time: a lock per run folder, which dies with the process that holds it, however that ends.

The lock is the operating system's, on the open file RUN/.lock: `flock` on POSIX, `msvcrt.locking` on Windows. It also holds
between machines that share a folder by NFS (Linux 2.6.12 and later), SMB or another file system that passes locks on. Where a
file system knows no locks at all, what is written in the file decides: the folder is refused while that process lives on this
machine, and for a process of another machine until the file is deleted by hand.
"""

import errno
import json
import os
import platform
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from diabolo import disk, regular
from diabolo.errors import DiaboloError, InUseError
from diabolo.owners import Owner, me

NAME = ".lock"
PATIENCE = (
    0.2  # seconds: for as long another may hold it without being "another writer" (it is looked at, or just let go)
)
UNKNOWN = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOLCK, errno.EINVAL)  # there are no locks here


@dataclass
class _Held:
    """A lock that this process holds, by one thread, which may take it again within."""

    handle: int
    thread: int
    times: int = 1


_held: dict[str, _Held] = {}
_guard = threading.Lock()


@contextmanager
def held(folder: Path, verb: str, patience: float = PATIENCE) -> Iterator[None]:
    """Inside the block nobody else holds the lock of `folder`. What dead processes left half-written in a run folder is swept
    away first.

    Args:
        folder: which is there.
        verb: what is being done, told to whoever comes second.
        patience: seconds to wait for the lock.

    Raises:
        InUseError: when another process, or another thread of this one, has it; names the process.
        DiaboloError: when nothing can be written into `folder`, or its lock is no regular file.
    """
    key, until = os.path.realpath(folder), time.monotonic() + patience
    try:
        while not _take(key, verb):
            if time.monotonic() > until:
                who = _told(folder / NAME)
                raise InUseError(f"{folder} is being written by {who}: wait until that has ended, or stop it")
            time.sleep(0.005)
    except OSError as error:
        raise disk.refusal(f"{folder} could not be written to", error) from error
    try:
        if _held[key].times == 1 and (folder / "config.json").is_file():
            sweep(folder)
            out = Path(key).parent  # the folder of run folders: half-made ones, and its lock
            disk.sweep(out)
            tidy(out)
        yield
    finally:
        _let_go(key)


@contextmanager
def writing(target: Path, verb: str) -> Iterator[None]:
    """The lock of the run folder that `target` lies in, or is; none where it lies in no run folder."""
    place = Path(os.path.abspath(target))
    run = next((folder for folder in (place, *place.parents) if (folder / "config.json").is_file()), None)
    if run is None:
        yield
        return
    with held(run if run != place else target, verb):
        yield


def holder(folder: Path) -> str | None:
    """Who is writing into `folder` at this moment, in words; None when nobody is."""
    key, file = os.path.realpath(folder), folder / NAME
    if key in _held:
        return _told(file)
    try:
        handle = _open(file)
    except (OSError, DiaboloError):  # not there, or not to be written to by us
        return None
    try:
        return None if _lock(handle) else _told(file)
    finally:
        os.close(handle)


def sweep(folder: Path) -> None:
    """Take away what dead processes left half-written anywhere in `folder`, whose lock is held; of run folders within it, which
    have locks of their own, only where that is of a dead process."""
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        disk.sweep(place, alone=True)
        for entry in disk.entries(place):
            if not entry.is_dir(follow_symlinks=False):
                continue
            if os.path.exists(os.path.join(entry.path, "config.json")):
                tidy(Path(entry.path))
            else:
                waiting.append(Path(entry.path))


def tidy(folder: Path) -> None:
    """Take away the lock of `folder` that a dead process has left, and sweep what lies beside it."""
    if (folder / NAME).exists() and os.path.realpath(folder) not in _held:
        with suppress(DiaboloError), held(folder, "sweeping", 0.0):
            pass


def _take(folder: str, verb: str) -> bool:
    with _guard:
        mine = _held.get(folder)
        if mine is not None:
            if mine.thread != threading.get_ident():
                return False
            mine.times += 1
            return True
        file = Path(folder, NAME)
        handle = _open(file, os.O_CREAT)
        if not (_lock(handle) and _is_at(handle, file)):  # another has it, or it was taken away as we opened it
            os.close(handle)
            return False
        about = {"owner": str(me()), "host": platform.node(), "verb": verb}
        about["since"] = datetime.now().astimezone().isoformat(timespec="seconds")
        with suppress(OSError):  # the lock is ours; a full disk will be met by what we came for
            os.ftruncate(handle, 0)
            os.lseek(handle, 0, os.SEEK_SET)
            os.write(handle, json.dumps(about).encode())
        _held[folder] = _Held(handle, threading.get_ident())
        return True


def _let_go(folder: str) -> None:
    with _guard:
        mine = _held[folder]
        mine.times -= 1
        if mine.times:
            return
        del _held[folder]
        with suppress(OSError):  # Windows deletes no open file: then it lies there, unlocked
            os.unlink(Path(folder, NAME))
        os.close(mine.handle)
        if disk.WINDOWS:
            with suppress(OSError):
                os.unlink(Path(folder, NAME))


def _open(file: Path, flags: int = 0) -> int:
    """The handle of a lock, which is written into: never of what a link leads to, which may be any file of this machine.

    Raises:
        OSError: when there is none, or nothing can be written to it.
        DiaboloError: when it is no regular file.
    """
    regular.check_file(file)
    return os.open(file, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | flags, 0o666)


def _is_at(handle: int, file: Path) -> bool:
    """Whether the open file is the one that lies there: not one that its owner took away meanwhile."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(file))
    except OSError:
        return False


def _forget() -> None:
    """In a fork: the locks are the parent's, and must not outlive it."""
    for one in _held.values():
        with suppress(OSError):
            os.close(one.handle)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)

if sys.platform == "win32":
    import msvcrt

    def _system_lock(handle: int) -> None:
        os.lseek(handle, 2**30, os.SEEK_SET)  # far behind what stands in the file, which others may read
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(handle, 0, os.SEEK_SET)

else:
    import fcntl

    def _system_lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _lock(handle: int) -> bool:
    """Whether the lock of the open file is ours now."""
    try:
        _system_lock(handle)
    except OSError as error:
        if error.errno not in UNKNOWN:
            return False
        os.lseek(handle, 0, os.SEEK_SET)
        owner = Owner.parse(_about(os.read(handle, 4096)).get("owner", ""))
        return owner is None or owner.is_dead()
    return True


def _about(content: bytes) -> dict[str, str]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return {name: str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def _told(file: Path) -> str:
    """The process that stands in the file, in words."""
    try:
        about = _about(regular.read_bytes(file))
    except (OSError, DiaboloError):
        about = {}
    owner = Owner.parse(about.get("owner", ""))
    if owner is None:
        return "another process"
    where = "" if owner.is_here() else f" on {about.get('host', 'another machine')}"
    who = "another thread of this process" if owner == me() else f"process {owner.pid}{where}"
    return f"{who} ({about.get('verb', 'diabolo')}, since {about.get('since', '?').replace('T', ' ')[:16]})"
