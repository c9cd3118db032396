"""A callback that passes each epoch on to somewhere else, once."""

import math
import re
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from diabolo.errors import DiaboloError
from diabolo.runs import files
from diabolo.runs.config import Config
from diabolo.runs.history import History
from diabolo.tracking.callback import Callback

FILE = "tracking.json"  # of a run folder: the name by which trackers know it again


class Tracked(Protocol):
    """What a tracker reads of a `Run`."""

    @property
    def path(self) -> Any:
        """The run folder, or None."""
        ...

    @property
    def config(self) -> Config:
        """What defines it."""
        ...

    @property
    def history(self) -> History:
        """Its epochs so far."""
        ...

    @property
    def status(self) -> str:
        """Where it stands."""
        ...


class Tracker(Callback):
    """Passes each epoch on once, also when a training is resumed or followed twice: it asks the tracker which epoch it has
    last. A new one writes three methods: `open`, `log` and `close`.

    Example:
        >>> class Printed(diabolo.tracking.Tracker):
        ...     def log(self, epoch, values):
        ...         print(epoch, sorted(values)[:2])
        >>> run = diabolo.fit("pca", train, latent_dim=2, quiet=True, callbacks=[Printed()])
        1 ['images_per_second', 'reconstruction/train']
    """

    done = 0  # the last epoch that the tracker has

    def open(self, run: Tracked) -> int:
        """Begin, or go on; the last epoch of this run that the tracker has already, 0 for none."""
        return 0

    def log(self, epoch: int, values: dict[str, float]) -> None:
        """Keep the numbers of `epoch` by name (`scalars`)."""
        raise NotImplementedError

    def close(self, status: str) -> None:
        """The training is over, or not followed any more; `status` as in a `Run`."""

    @property
    def place(self) -> str:
        """Where it keeps what it is given, in words."""
        return type(self).__name__

    def on_start(self, run: Tracked) -> None:
        """Go on behind the last epoch that the tracker has."""
        self.done = self.open(run)
        self.add(run.history)

    def on_epoch(self, line: dict[str, Any], run: Tracked) -> None:
        """Pass the epoch on."""
        self.add([line])

    def on_end(self, run: Tracked) -> None:
        """Close."""
        self.close(run.status)

    def add(self, lines: Iterable[dict[str, Any]]) -> None:
        """Pass on those epochs that the tracker does not have. After a crash, epochs that no checkpoint holds are trained once
        more: on the same device with the same number of threads to the same bits, and the tracker keeps the first."""
        for line in lines:
            if line["epoch"] > self.done:
                self.log(line["epoch"], scalars(line))
                self.done = line["epoch"]


def scalars(line: dict[str, Any]) -> dict[str, float]:
    """The numbers of a line of metrics.jsonl by the name that trackers show: "total/train", "health/active_units", "lr".

    Example:
        >>> diabolo.tracking.tracker.scalars({"epoch": 1, "train": {"total": 2.5}, "validation": None, "lr": 0.1})
        {'total/train': 2.5, 'lr': 0.1}
    """
    found: dict[str, Any] = {}
    for split in ("train", "validation"):
        found |= {f"{name}/{split}": value for name, value in (line.get(split) or {}).items()}
    found |= {f"health/{name}": value for name, value in (line.get("health") or {}).items()}
    found |= {f"weight/{name}": value for name, value in (line.get("weights") or {}).items()}
    found |= {name: line.get(name) for name in ("lr", "ema", "seconds", "images_per_second", "peak_memory_mib")}
    return {
        name: float(value)
        for name, value in found.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    }


def title(run: Tracked) -> str:
    """The name of a run as it is shown: that of its folder, or of its model."""
    return str(run.config.name if run.path is None else Path(run.path).resolve().name)


def settings(config: Config) -> dict[str, Any]:
    """What defines a run, for the table that a tracker has of it: model, images, options of recipe and training."""
    told = {"model": config.name, "data": config.train.name, "images": config.train.images}
    own = {f"model.{name}": value for name, value in (config.recipe or {}).items()}
    return told | own | {name: value for name, value in config.options.items() if value is not None}


def identity(path: Path | None) -> str:
    """What tells the run in the folder `path` from all others: drawn when that is first asked for, and kept in the folder. What
    trackers write is written without the lock of the folder, which a training that is followed holds.

    Raises:
        DiaboloError: when the folder cannot be written to.
    """
    if path is None:
        return secrets.token_hex(8)
    try:
        told = files.read_json(path / FILE)
    except DiaboloError:  # not there yet, or damaged
        told = None
    known = told.get("id") if isinstance(told, dict) else None
    if isinstance(known, str) and re.fullmatch(r"[0-9a-f]{16}", known):  # it goes into searches and names of folders
        return known
    drawn = secrets.token_hex(8)
    files.write_json(path / FILE, {"id": drawn})
    return drawn
