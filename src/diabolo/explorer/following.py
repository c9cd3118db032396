"""A training that goes on while it is looked at: its history, and the model of its newest checkpoint."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from diabolo.errors import DiaboloError
from diabolo.runs import checkpoint, files
from diabolo.runs.folder import RunFolder
from diabolo.runs.loading import build_model, misfit
from diabolo.surroundings import undisturbed

MODEL = "model/"  # how the names of the model's tensors begin in a checkpoint


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
        watched = ", ".join(
            f"{name.replace('_', ' ')} {value:.3g}" for name, value in (health or {}).items() if _plain(value)
        )
        return "\n".join(filter(None, (self.problem, self.status, watched)))


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
        self._seen: tuple[int, int] | None = None

    def changed(self) -> bool:
        """Whether there is a newer checkpoint than when this was asked last, or the folder has gone."""
        try:
            about = (self.folder.path / checkpoint.FILE).stat()
            now = about.st_mtime_ns, about.st_size
        except OSError:
            now = (-1, int(self.folder.path.exists()))
        before, self._seen = self._seen, now
        return now != before

    def progress(self) -> Progress:
        """Where it stands."""
        if not self.folder.path.exists():
            return Progress([], "", "the run folder has been deleted; what was loaded is still shown")
        try:
            return Progress(list(self.folder.history), self.folder.status)
        except (DiaboloError, OSError) as error:
            return Progress([], "", str(error))

    @undisturbed()
    def model(self) -> Any:
        """The model of the newest checkpoint, in evaluation mode.

        Raises:
            DiaboloError: when there is none, or it does not fit.
        """
        tensors, _ = files.read_tensors(self.folder.path / checkpoint.FILE)
        model = build_model(self.folder.path, self.folder.config)
        own = {name.removeprefix(MODEL): t for name, t in tensors.items() if name.startswith(MODEL)}
        if told := misfit(model, own):
            raise DiaboloError(f"the checkpoint in {self.folder.path} does not fit its config.json: {told}")
        with torch.no_grad():
            model.load_state_dict(own)
        return model.eval()


def _plain(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
