"""A training that goes on while it is looked at: its history, and the model of its newest checkpoint."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from diabolo.errors import DiaboloError
from diabolo.runs import checkpoint, history, lock
from diabolo.runs.folder import RunFolder
from diabolo.runs.loading import build_model, misfit
from diabolo.surroundings import undisturbed

# Of the health of a training, in the words of somebody who has not read how it is measured
HEALTH = {
    "active_units": ("active units", "that differ from image to image"),
    "dead_units": ("dead units", "that are the same for all images"),
    "duplicate_units": ("duplicate units", "that repeat another"),
    "dead_codes": ("dead codes", "that no image uses"),
    "codebook_perplexity": ("codebook perplexity", "how many codes are in use, evenly counted"),
    "code_rms": ("size of the codes", "root mean square"),
    "code_use": ("use of the code", "share of the error with another image's code that the own code takes away"),
    "stuck_share": ("stuck outputs", "share of the variance in pixels that are always 0, or always 1"),
}


@dataclass(frozen=True)
class Progress:
    """Where a training stands.

    Attributes:
        history: one dict an epoch.
        status: in words.
        problem: why nothing can be read of it, in words; "" otherwise.
    """

    history: list[dict[str, Any]]
    status: str
    problem: str = ""

    def losses(self, split: str) -> tuple[list[int], list[float]]:
        """Epochs and totals of "train" or "validation"."""
        lines = [line for line in self.history if line.get(split)]
        return [line["epoch"] for line in lines], [float(line[split]["total"]) for line in lines]

    @property
    def told(self) -> str:
        """What should be known of it, a line each."""
        health = self.history[-1].get("health") if self.history else None
        watched = [_measured(name, value) for name, value in (health or {}).items() if _plain(value)]
        return "\n".join(filter(None, (self.problem, self.status, *watched)))


class Following:
    """A run folder that may grow.

    Args:
        path: the run folder.

    Example:
        >>> diabolo.explorer.following.Following(run.path).progress().status
        'finished after 60 epochs'
    """

    def __init__(self, path: Path) -> None:
        self.folder = RunFolder(path)
        self._seen: tuple[Any, ...] | None = None

    def changed(self) -> bool:
        """Whether there is a further epoch or a newer checkpoint than when this was asked last, nobody trains it any more, or
        the folder has gone."""
        files = [self.folder.path / name for name in (checkpoint.FILE, history.FILE)]
        now = (*map(_age, files), self.folder.path.exists(), self._is_left())
        before, self._seen = self._seen, now
        return now != before

    def progress(self) -> Progress:
        """Where it stands."""
        if not self.folder.path.exists():
            return Progress([], "", "the run folder has been deleted; what was loaded is still shown")
        try:
            status = self.folder.status
            if status.startswith("running") and self._is_left():
                status = f"{status.replace('running', 'stopped', 1)}, and no process trains it now"
                status += f"; {way_on}" if (way_on := checkpoint.way_on(self.folder.path)) else ""
            return Progress(list(self.folder.history), status)
        except (DiaboloError, OSError) as error:
            return Progress([], "", str(error))

    def _is_left(self) -> bool:
        """Whether no process trains it; False where that cannot be seen, since the lock belongs to somebody else."""
        file = self.folder.path / lock.NAME
        hidden = file.exists() and not os.access(file, os.R_OK | os.W_OK)
        return not hidden and lock.holder(self.folder.path) is None

    @undisturbed()
    def model(self) -> Any:
        """The model of the newest checkpoint, in evaluation mode.

        Raises:
            DiaboloError: when there is none, or it does not fit.
        """
        own = checkpoint.weights(self.folder.path)
        model = build_model(self.folder.path, self.folder.config)
        if told := misfit(model, own):
            raise DiaboloError(f"the checkpoint in {self.folder.path} does not fit its config.json: {told}")
        with torch.no_grad():
            model.load_state_dict(own)
        return model.eval()


def _measured(name: str, value: float) -> str:
    words, meaning = HEALTH.get(name, (name.replace("_", " "), ""))
    return f"{words}: {value:.3g}{f' ({meaning})' if meaning else ''}"


def _plain(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _age(path: Path) -> tuple[int, int]:
    """When a file was written last, and how long it is; −1 where there is none."""
    try:
        about = path.stat()
    except OSError:
        return -1, -1
    return about.st_mtime_ns, about.st_size
