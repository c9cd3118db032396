"""Numbered run folders that come into being whole: filled under a hidden name that says whose they are, then renamed once."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from diabolo import disk
from diabolo.runs import lock

NUMBERED = re.compile(r"(\d{4,})-.*")
PATIENCE = 60.0  # seconds; a number is taken in a millisecond


def create(out: Path, name: str, fill: Callable[[Path], None] = lambda folder: None) -> Path:
    """A new folder `out/NNNN-name` with the lowest number above those there, which holds what `fill` writes into it: it is not
    seen before it is whole. Two processes never get the same number. What others that have died left of theirs is swept away.

    Raises:
        DiaboloError: when `out` cannot be written to.
    """
    safe = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "run"
    half = disk.temporary(out / "new")
    with disk.refusing(f"no run folder can be made in {out}"):
        out.mkdir(parents=True, exist_ok=True)
        try:
            half.mkdir()
            (half / "checkpoint").mkdir()
            (half / "figures").mkdir()
            fill(half)
            with lock.held(out, "numbering a new run", PATIENCE):
                disk.sweep(out)
                path = out / f"{max(map(number_of, out.iterdir()), default=0) + 1:04d}-{safe}"
                disk.move(half, path)
        except BaseException:
            shutil.rmtree(half, ignore_errors=True)
            raise
    disk.settle(out)
    return path


def number_of(path: Path) -> int:
    """The number of a run folder; 0 of anything else."""
    found = NUMBERED.fullmatch(path.name)
    return int(found[1]) if found else 0


def numbered(out: Path) -> list[Path]:
    """The run folders in `out`, the oldest first."""
    found = [path for path in out.iterdir() if number_of(path) and path.is_dir()] if out.is_dir() else []
    return sorted(found, key=lambda path: (number_of(path), path.name))
