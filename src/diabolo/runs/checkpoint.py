"""Everything needed to go on bit-exactly, in one file, so that it is never half old and half new; but for the record of the
epochs, which is metrics.jsonl: of that it holds the length and a digest."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from diabolo import disk
from diabolo.errors import DiaboloError
from diabolo.plain import count
from diabolo.runs import files, history
from diabolo.runs.lines import shell_line

FILE = "checkpoint/last.safetensors"
BEST = "best.safetensors"
NEXT_BEST = "checkpoint/best.safetensors"  # of an epoch that no checkpoint holds yet: a kill, and it has never been
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
        epochs: of how many in all; None where that was not noted.
        length, digest: of metrics.jsonl with the lines of `history`.
    """

    epoch: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    best: float | None = None
    best_epoch: int = 0
    waited: int = 0
    status: str = "running"
    epochs: int | None = None
    length: int = 0
    digest: str = ""


def save(path: Path, tensors: dict[str, Tensor], state: State) -> None:
    """Write the checkpoint of the run folder `path`, all that the training needs to go on (`Step.state`); the one before it
    stays until this one is whole. With it the best weights since then become those of the run."""
    about = asdict(replace(state, history=[]))
    del about["history"]
    files.write_tensors(path / FILE, tensors, about)
    settle_best(path, state.epoch)


def note_best(path: Path, weights: dict[str, Tensor], epoch: int) -> None:
    """Lay the best weights so far, those of `epoch`, beside the checkpoint of the run folder `path` until there is one of that
    epoch: best.safetensors is always of the history that the checkpoint tells."""
    files.write_tensors(path / NEXT_BEST, weights, {"epoch": epoch})


def settle_best(path: Path, epoch: int) -> None:
    """Make what `note_best` has laid aside the best weights of the run folder `path`, whose checkpoint is of `epoch`; or take
    it away, where it is of a later one, which was lost with the process that trained it."""
    noted = path / NEXT_BEST
    if not noted.exists():
        return None
    try:
        about = files.read_about(noted)
    except DiaboloError:  # damaged
        about = None
    if isinstance(about, dict) and isinstance(about.get("epoch"), int) and about["epoch"] <= epoch:
        return files.move(noted, path / BEST)
    try:
        noted.unlink()
    except OSError as error:
        raise disk.refusal(f"{noted} could not be taken away", error) from error


def mark(path: Path, status: str) -> None:
    """Note in the checkpoint of the run folder `path`, which stays as it is otherwise, how training ended."""
    tensors, about = files.read_tensors(path / FILE)
    files.write_tensors(path / FILE, tensors, about | {"status": status})


def restore(path: Path, put: Callable[[dict[str, Tensor]], None]) -> State:
    """Let `put` (`Step.restore`) have the tensors in the checkpoint of the run folder `path`; where training stands.

    Raises:
        DiaboloError: when there is none, it is damaged, or it is of another model.
    """
    if not (path / FILE).exists():
        raise DiaboloError(f"{path} holds no checkpoint, {path / FILE} is missing: it cannot go on, train a new run")
    tensors, about = files.read_tensors(path / FILE)
    state = _parse(path, about)
    if "history" not in about:
        state.history = history.confirmed(path, state.length, state.digest)
    if not state.history:
        state.length, state.digest = 0, ""
    try:
        put(tensors)
    except (KeyError, RuntimeError, TypeError, IndexError, AttributeError) as error:
        reason = " ".join(str(error.args[0] if error.args else error).split())
        raise DiaboloError(f"the checkpoint in {path} does not fit its config.json: {reason}; {files.BACK}") from error
    return state


def _parse(path: Path, about: Any) -> State:
    """The state that the header of a checkpoint holds."""
    if not (isinstance(about, dict) and {"epoch", "status"} <= about.keys()):
        raise DiaboloError(
            f"the checkpoint in {path} is damaged: its header does not say where training stands; {files.BACK}"
        )
    try:
        state = State(**about)
    except TypeError as error:
        raise DiaboloError(f"the checkpoint in {path} is damaged: {error}; {files.BACK}") from error
    for name in about:
        if not _is_of_kind(name, getattr(state, name)):
            raise DiaboloError(
                f"the checkpoint in {path} is damaged: its header says nonsense of {name!r}; {files.BACK}"
            )
    return state


def _is_of_kind(name: str, value: Any) -> bool:
    """Whether that attribute of a `State` can be so."""
    match name:
        case "status" | "digest":
            return isinstance(value, str)
        case "history":
            return isinstance(value, list) and all(map(history.is_record, value))
        case "best":
            return value is None or (type(value) in (int, float) and not math.isnan(value))
        case _:
            return (type(value) is int and value >= 0) or (name == "epochs" and value is None)


def status(path: Path) -> str:
    """Where the run in folder `path` stands, in words."""
    if not (path / FILE).exists():
        return "finished" if (path / "model.safetensors").exists() else "not started"
    state = _read_state(path)
    return f"{state.status} after {count(state.epoch, 'epoch')}"


def way_on(path: Path) -> str:
    """How to go on with the run in folder `path`, in words; "" where its training has ended well."""
    state = _read_state(path) if (path / FILE).exists() else State()
    if state.status.startswith(BROKEN_OFF):
        return f"resuming would repeat what broke it off: train a new run with a lower --lr{with_weights(path)}"
    if state.status in ("running", "interrupted") or not is_kept(path):
        return f"go on with: {shell_line('resume', path)}"
    return ""


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
        raise DiaboloError(f"{path} holds no trained weights: no epoch of it has ended well; name another run")
    return {
        name.removeprefix(kind): tensor
        for kind in ("model/", "average/")
        for name, tensor in tensors.items()
        if name.startswith(kind)
    }


def loss_scale(path: Path, player: str = "model") -> float | None:
    """What the loss was multiplied by in the last step that the run folder `path` keeps, in a training in float16; None in any
    other."""
    scale = files.read_tensors(path / FILE)[0].get(f"scaler/{player}/scale")
    return None if scale is None else float(scale)


def is_kept(path: Path) -> bool:
    """Whether model.safetensors of the run folder `path` is there and of the epoch that the checkpoint is of (a process can be
    killed between the two)."""
    kept = path / "model.safetensors"
    if not (path / FILE).exists():  # solved in closed form
        return kept.exists()
    try:
        about = files.read_about(kept)
    except DiaboloError:
        return False
    return isinstance(about, dict) and about.get("epoch") == _read_state(path).epoch


def has_ended(path: Path) -> bool:
    """Whether the training in folder `path` has ended well, and its weights are kept."""
    return status(path).startswith(("finished", "stopped early")) and is_kept(path)


def verify(path: Path) -> None:
    """Compare all weights in the run folder `path`, and its checkpoint, with their checksums.

    Raises:
        DiaboloError: which names the first that is damaged.
    """
    for name in ("model.safetensors", BEST, FILE):
        if (path / name).exists():
            files.read_tensors(path / name)


def _read_state(path: Path) -> State:
    return _parse(path, files.read_about(path / FILE))
