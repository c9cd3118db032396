"""Starting from the weights of another run, as far as they fit: pre-train once, then fine-tune or put a head on."""

from pathlib import Path

from torch import Tensor, nn

from diabolo.errors import DiaboloError
from diabolo.paths import as_path
from diabolo.runs import checkpoint
from diabolo.runs.folder import RunFolder


def take_over(model: nn.Module, path: str | Path) -> str:
    """Copy into `model` the weights and statistics of the run folder `path` whose names and shapes agree; of a training that
    has not finished, those of the last epoch that was saved.

    Returns:
        One sentence: how many were taken, and which parts were not.

    Raises:
        DiaboloError: when it is no run folder, or nothing in it fits.
    """
    state, others = model.state_dict(), fitting(model, path)
    for name, tensor in others.items():
        state[name].copy_(tensor)
    said = f"{len(others)} of {len(state)} tensors taken over from {path}"
    left = list(dict.fromkeys(name.rpartition(".")[0] or name for name in state if name not in others))
    if not left:
        return said
    more = f" and {len(left) - 8} more" if len(left) > 8 else ""
    return f"{said}; not there, or of another shape: {', '.join(left[:8])}{more}"


def fitting(model: nn.Module, path: str | Path) -> dict[str, Tensor]:
    """The tensors of the run folder `path` that `take_over` would copy.

    Raises:
        DiaboloError: when it is no run folder, no weight in it fits, or one that fits holds NaN or infinity.
    """
    path, state = as_path(path), model.state_dict()
    folder = RunFolder(path)
    name = folder.config.name
    unfinished = not (path / "model.safetensors").exists() and (path / checkpoint.FILE).exists()
    there = checkpoint.weights(path) if unfinished else folder.weights()
    found = {name: t for name, t in there.items() if name in state and state[name].shape == t.shape}
    if not any(name in found for name, _ in model.named_parameters()):
        raise DiaboloError(
            f"nothing of {path} (a model {name!r}) fits this model: no weight has the same name and shape; make "
            "it with the same net, widths and latent_dim"
        )
    for name, tensor in found.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise DiaboloError(
                f"the weights of {path} hold NaN or infinity, first in {name!r}: take over those of another run"
            )
    return found
