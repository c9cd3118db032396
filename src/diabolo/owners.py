"""Who wrote a temporary file or holds a lock: which machine, which process, and when that process started. By this, what a dead
process has left is told from the work of one that is alive, even when its number has been given to another since."""

import hashlib
import os
import platform
import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

PATTERN = r"[0-9a-f]{8}-\d+-\d+"


@dataclass(frozen=True)
class Owner:
    """A process.

    Attributes:
        machine: a digest of the machine's name, the moment it was booted and the process namespace (containers have their own).
        pid: the process number.
        start: when it started, in the kernel's ticks since boot; 0 where the system does not say.
    """

    machine: str
    pid: int
    start: int

    def __str__(self) -> str:
        return f"{self.machine}-{self.pid}-{self.start}"

    @classmethod
    def parse(cls, text: str) -> "Owner | None":
        """The owner that `str` wrote; None where `text` is none."""
        if not re.fullmatch(PATTERN, text):
            return None
        machine, pid, start = text.split("-")
        return cls(machine, int(pid), int(start))

    def is_here(self) -> bool:
        """Whether it is, or was, a process of this machine since it was booted, so that `is_dead` can tell."""
        return self.machine == _machine()

    def is_dead(self) -> bool:
        """Whether it is known to have ended; False for a process of another machine, of which nothing is known here."""
        return self.is_here() and not _is_running(self.pid, self.start)


def me() -> Owner:
    """This process."""
    return _owner(os.getpid())  # after a fork another one


@lru_cache(maxsize=4)
def _owner(pid: int) -> Owner:
    seen = _seen(pid)
    return Owner(_machine(), pid, seen[1] if seen else 0)


@lru_cache(maxsize=1)
def _machine() -> str:
    told = [platform.node()]
    with suppress(OSError):
        told.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8"))
    with suppress(OSError):
        told.append(os.readlink("/proc/self/ns/pid"))
    return hashlib.blake2b("|".join(told).encode(), digest_size=4).hexdigest()


def _seen(pid: int) -> tuple[str, int] | None:
    """State and start of a process, from Linux's /proc; None elsewhere, and of one that is not there."""
    try:
        line = Path(f"/proc/{pid}/stat").read_bytes().decode(errors="replace")
    except OSError:
        return None
    fields = line.rpartition(")")[2].split()  # what stands before is its name, which may hold anything
    return fields[0], int(fields[19])


def _is_running(pid: int, start: int) -> bool:
    if seen := _seen(pid):
        return seen[0] not in "ZX" and (not start or seen[1] == start)
    return _exists(pid)


if sys.platform == "win32":

    def _exists(pid: int) -> bool:
        import ctypes

        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.OpenProcess.restype = ctypes.c_void_p
        handle = kernel.OpenProcess(0x00100000, False, pid)  # SYNCHRONIZE: may be waited for
        if not handle:
            return bool(ctypes.get_last_error() == 5)  # access denied: it is there, and someone else's
        ended = kernel.WaitForSingleObject(ctypes.c_void_p(handle), 0) == 0
        kernel.CloseHandle(ctypes.c_void_p(handle))
        return not ended

else:

    def _exists(pid: int) -> bool:
        try:
            os.kill(pid, 0)  # sends nothing
        except ProcessLookupError:
            return False
        except OSError:  # it is there, and someone else's
            return True
        return True
