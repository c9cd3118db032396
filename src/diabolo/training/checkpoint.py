"""Everything needed to go on bit-exactly, in one file, so that it is never half old and half new."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from diabolo.errors import DiaboloError
from diabolo.training import files
from diabolo.training.step import Step

FILE = "checkpoint/last.safetensors"
BROKEN_OFF = "broken off"  # how the status of a training begins that ended in NaN or infinity


@dataclass
class State:
    """Where a training stands.

    Attributes:
        epoch: finished epochs.
        history: one dict per finished epoch.
        best: lowest validation loss so far.
        best_epoch: the epoch that had it.
        waited: epochs since then that have not improved on it.
        status: "running", or why training ended.
    """

    epoch: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    best: float | None = None
    best_epoch: int = 0
    waited: int = 0
    status: str = "running"


def save(path: Path, step: Step, state: State) -> None:
    """Write the checkpoint of the run folder `path`; the one before it stays until this one is whole."""
    files.write_tensors(path / FILE, step.state(), asdict(state))


def mark(path: Path, status: str) -> None:
    """Note in the checkpoint of the run folder `path`, which stays as it is otherwise, how training ended."""
    tensors, about = files.read_tensors(path / FILE)
    files.write_tensors(path / FILE, tensors, about | {"status": status})


def restore(path: Path, step: Step) -> State:
    """Put the checkpoint of the run folder `path` into `step`; where training stands.

    Raises:
        DiaboloError: when there is none, it is damaged, or it is of another model.
    """
    tensors, about = files.read_tensors(path / FILE)
    state = _parse(path, about)
    try:
        step.restore(tensors)
    except (KeyError, RuntimeError, TypeError, IndexError, AttributeError) as error:
        reason = " ".join(str(error.args[0] if error.args else error).split())
        raise DiaboloError(f"the checkpoint in {path} does not fit its config.json: {reason}") from error
    return state


def _parse(path: Path, about: Any) -> State:
    """The state that the header of a checkpoint holds."""
    wanted = {"epoch": int, "history": list, "status": str}
    if not isinstance(about, dict) or not all(isinstance(about.get(key), kind) for key, kind in wanted.items()):
        raise DiaboloError(f"the checkpoint in {path} is damaged: its header does not say where training stands")
    try:
        return State(**about)
    except TypeError as error:
        raise DiaboloError(f"the checkpoint in {path} is damaged: {error}") from error


def status(path: Path) -> str:
    """Where the run in folder `path` stands, in words."""
    if not (path / FILE).exists():
        return "finished" if (path / "model.safetensors").exists() else "not started"
    state = _read_state(path)
    return f"{state.status} after {state.epoch} epoch{'' if state.epoch == 1 else 's'}"


def way_on(path: Path) -> str:
    """How to go on with the run in folder `path`, in words; "" where its training has ended well."""
    state = _read_state(path) if (path / FILE).exists() else State()
    if state.status.startswith(BROKEN_OFF):
        return f"resuming would repeat what broke it off: train a new run with a lower --lr{with_weights(path)}"
    return f"go on with: diabolo resume {path}" if state.status in ("running", "interrupted") else ""


def with_weights(path: Path) -> str:
    """How a new run takes over the weights in the checkpoint of folder `path`, in words; "" where no epoch has ended well."""
    epoch = _read_state(path).epoch
    return f", and --init {path} for the weights of epoch {epoch}" if epoch else ""


def weights(path: Path) -> dict[str, Tensor]:
    """The weights and statistics of the model in the checkpoint of the run folder `path`: of the last epoch that was saved,
    averaged where the training keeps an average.

    Raises:
        DiaboloError: when no epoch has ended well, or the checkpoint is damaged.
    """
    tensors, about = files.read_tensors(path / FILE)
    if not _parse(path, about).epoch:
        raise DiaboloError(f"{path} holds no trained weights: no epoch of it has ended well")
    return {
        name.removeprefix(kind): tensor
        for kind in ("model/", "average/")
        for name, tensor in tensors.items()
        if name.startswith(kind)
    }


def _read_state(path: Path) -> State:
    _, about = files.read_tensors(path / FILE)
    return _parse(path, about)
