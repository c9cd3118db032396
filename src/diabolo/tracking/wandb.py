"""Weights & Biases, and trackio, which has the same functions and keeps its numbers on this machine."""

import importlib
import inspect
from typing import Any, ClassVar, Literal

from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.tracking.tracker import Tracked, Tracker, identity, settings, title

PACKAGES = ("wandb", "trackio")


class Wandb(Tracker):
    """Keeps a run in a project of wandb, or of trackio (extra `track`): one row an epoch, and what defines the run.

    Args:
        project: of the tracker.
        package: "wandb" or "trackio".

    Example:
        >>> tracker = diabolo.tracking.Wandb("faces", "trackio")  # doctest: +SKIP
        >>> run = diabolo.fit("vae", train, test, callbacks=[tracker])  # doctest: +SKIP
    """

    PROJECT: ClassVar[str] = "diabolo"
    # what one of them takes and the other does not: no numbers but those of the run, and no page in a notebook
    MORE: ClassVar[dict[str, Any]] = {"auto_log_gpu": False, "auto_log_cpu": False, "embed": False}

    def __init__(self, project: str = PROJECT, package: Literal["wandb", "trackio"] = "wandb") -> None:
        if package not in PACKAGES:
            raise UnknownNameError("package", package, PACKAGES)
        self.project, self.package = project, package
        self.run: Any = None
        self.module = _module(package)

    @property
    def place(self) -> str:
        """The project."""
        return f"the project {self.project!r} of {self.package}"

    def open(self, run: Tracked) -> int:
        """Find the run again by its name, or make a new one."""
        own = identity(run.path)
        takes = inspect.signature(self.module.init).parameters
        more = {name: value for name, value in {"id": own, **self.MORE}.items() if name in takes}
        name = f"{title(run)}-{own[:6]}"  # which trackio knows it by
        self.run = self.module.init(
            project=self.project, name=name, config=settings(run.config), resume="allow", **more
        )
        step = getattr(self.run, "step", None)  # the next one; trackio has no public name for it
        return max(0, int(self.run._next_step if step is None else step) - 1)

    def log(self, epoch: int, values: dict[str, float]) -> None:
        """One row."""
        self.run.log(values, step=epoch)

    def close(self, status: str) -> None:
        """Send what waits."""
        if self.run is not None:
            self.run.finish()


def _module(package: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError as error:
        how = "pip install 'diabolo[track]'" if package == "trackio" else f"pip install {package}"
        raise DiaboloError(f"{package} is not installed: {how}") from error
