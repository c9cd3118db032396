"""TensorBoard: event files in a folder."""

import os
from pathlib import Path
from typing import Any

from diabolo.errors import DiaboloError
from diabolo.paths import as_path
from diabolo.runs.unwritten import needs_folder
from diabolo.tracking.tracker import Tracked, Tracker, identity, title

FOLDER = "tensorboard"  # of a run folder


class TensorBoard(Tracker):
    """Writes TensorBoard's events, as `--tensorboard` does. Needs the extra `tensorboard`.

    Args:
        where: the folder for events of many runs, each in a folder of its own; `tensorboard` in the run folder when left out.

    Example:
        >>> tracker = diabolo.tracking.TensorBoard("events")
        >>> run = diabolo.fit("pca", train, latent_dim=2, out=None, quiet=True, callbacks=[tracker])
        >>> tracker.place.startswith("events")
        True
    """

    def __init__(self, where: str | os.PathLike[str] | None = None) -> None:
        self.where = None if where is None else as_path(where)
        self.folder = self.where
        self.writer: Any = None
        event_writer_class()

    @property
    def place(self) -> str:
        """The folder of events."""
        return str(self.folder)

    def open(self, run: Tracked) -> int:
        """Begin a file of events behind those that are there."""
        if self.where is not None:
            self.folder = self.where / f"{title(run)}-{identity(run.path)[:6]}"
        elif run.path is None:
            raise needs_folder("TensorBoard() without a folder")
        else:
            self.folder = Path(run.path) / FOLDER
        done = last_step(self.folder)
        self.writer = event_writer_class()(str(self.folder), purge_step=done + 1)
        return done

    def log(self, epoch: int, values: dict[str, float]) -> None:
        """One scalar each."""
        for name, value in values.items():
            self.writer.add_scalar(name, value, epoch)
        self.writer.flush()

    def close(self, status: str) -> None:
        """Close the file."""
        if self.writer is not None:
            self.writer.close()


def event_writer_class() -> Any:
    """TensorBoard's writer.

    Raises:
        DiaboloError: when the extra is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise DiaboloError("--tensorboard needs the extra: pip install 'diabolo[tensorboard]'") from error
    return SummaryWriter


def last_step(folder: Path) -> int:
    """The last step that the event files in `folder` hold; 0 where there are none."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    last = 0
    for file in sorted(folder.glob("events.out.tfevents.*")):
        for event in EventFileLoader(str(file)).Load():
            if event.HasField("summary"):
                last = max(last, int(event.step))
    return last
