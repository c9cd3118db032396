"""A run followed from its file: metrics.jsonl of a training that is over, goes on, or was resumed."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from diabolo.errors import DiaboloError
from diabolo.paths import as_path
from diabolo.plain import count
from diabolo.runs import history, lock
from diabolo.runs.config import Config
from diabolo.runs.folder import RunFolder
from diabolo.runs.history import History
from diabolo.tracking.tracker import Tracker

EVERY = 1.0  # seconds between two looks at the file


@dataclass(frozen=True)
class Followed:
    """A run as a tracker reads it; its model is not built."""

    path: Path
    config: Config
    history: History
    status: str


def follow(
    path: str | os.PathLike[str],
    tracker: Tracker,
    every: float = EVERY,
    say: Callable[[str], None] = lambda _: None,
) -> int:
    """Pass the epochs of the run in the folder `path` on to `tracker`: those that are there, and as long as a process trains it
    those that are added. Each once, whoever passed on the others.

    Args:
        path: the run folder, or the `Run`.
        tracker: where to.
        every: seconds between two looks.
        say: is told when there is something to wait for.

    Returns:
        How many epochs it passed on.

    Raises:
        DiaboloError: when it is no run folder, metrics.jsonl is damaged, or the tracker raises.

    Example:
        >>> diabolo.tracking.follow(run, diabolo.tracking.TensorBoard("events"))
        60
    """
    folder = RunFolder(as_path(path))
    config, lines, waiting = folder.config, folder.history, False
    passed: int = 0
    try:
        tracker.done = tracker.open(Followed(folder.path, config, lines, folder.status))
        try:
            while True:
                writer = lock.holder(folder.path)  # asked first: what it wrote before it let go is read below
                before = _stamp(folder.path)
                lines = folder.history
                passed += len([line for line in lines if line["epoch"] > tracker.done])
                tracker.add(lines)
                if writer is None:
                    break
                if not waiting:
                    say(f"{count(len(lines), 'epoch')} so far; {folder} is being written by {writer}, Ctrl-C ends this")
                waiting = True
                while _stamp(folder.path) == before and lock.holder(folder.path) is not None:
                    time.sleep(every)
        finally:
            tracker.close(folder.status)
    except (DiaboloError, OSError):
        raise
    except Exception as error:  # whatever a tracker dies of
        reason = " ".join(str(error).split())
        raise DiaboloError(
            f"{type(tracker).__name__} raised {type(error).__name__} after epoch {tracker.done}: {reason}; the same line "
            "goes on from there"
        ) from error
    return passed


def _stamp(path: Path) -> tuple[int, int]:
    """What changes when a line is added to metrics.jsonl, or the file is written anew."""
    try:
        found = os.stat(path / history.FILE)
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns
