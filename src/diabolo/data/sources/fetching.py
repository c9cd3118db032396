"""One download at a time into a folder: a second process waits, and finds the files whole."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

log = logging.getLogger("diabolo.data")


@contextmanager
def alone_in(root: Path) -> Iterator[None]:
    """Inside the block no other process is in a block of the same `root`, which is made where it lacks.

    The lock is on the folder itself, so no file is left, and the system lifts it when a process dies. Where folders cannot be
    locked (Windows, some network drives) the block runs all the same.
    """
    try:
        import fcntl

        root.mkdir(parents=True, exist_ok=True)
        folder = os.open(root, os.O_RDONLY)
    except (ImportError, OSError):  # of a root that cannot be, whoever downloads into it tells
        yield
        return
    try:
        with suppress(OSError):
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                log.info("another process is at the data sets in %s: waiting for it", root)
                fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
