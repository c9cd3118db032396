"""How much memory is free, and whether what is to be read fits into it: asked before any of it is allocated."""

import math
from pathlib import Path

import psutil

from diabolo.errors import DiaboloError

CGROUPS = (  # limit and use of this container: version 2, version 1
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def host_memory() -> int:
    """Bytes of memory that are free, no more than this container may take."""
    available = psutil.virtual_memory().available
    return int(min(available, *(_left_in(cgroup) for cgroup in CGROUPS)))


def check_room(size: int, what: str) -> None:
    """Refuse `what`, of `size` bytes once read, where so much memory is not free.

    Raises:
        DiaboloError: with both numbers.

    Example:
        >>> diabolo.data.room.check_room(1 << 60, "x.csv")
        Traceback (most recent call last):
        diabolo.errors.DiaboloError: x.csv would take 1,152,921,504.6 GB of memory, and ... GB are free: ...
    """
    free = host_memory()
    if size > free:
        raise DiaboloError(
            f"{what} would take {size / 1e9:,.1f} GB of memory, and {free / 1e9:,.1f} GB are free: read fewer rows or columns, "
            "or save it as a .npy file, which is mapped from disk"
        )


def _left_in(cgroup: tuple[str, str]) -> float:
    """Bytes that the container may still take; infinity where it is not limited."""
    try:
        limit, used = (Path(file).read_text(encoding="ascii").strip() for file in cgroup)
        return max(0, int(limit) - int(used))
    except (OSError, ValueError):  # no such cgroup, or the limit is "max"
        return math.inf
