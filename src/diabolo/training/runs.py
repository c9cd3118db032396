"""Run folders: numbered, readable without diabolo, and never half-written.

runs/0007-vae-mnist/
    config.json          everything that defines the run, fully resolved
    metrics.jsonl        one line an epoch
    model.safetensors    the weights kept
    best.safetensors     the weights of the lowest validation loss, when there was validation
    checkpoint/          everything needed to go on bit-exactly
    figures/             drawn after training, with figures.json beside it once all of them are
    .lock                while a process writes into it: which one

A run is seen once config and first checkpoint are whole, so that whatever is seen can be gone on with (`folders`). All weights
carry a checksum (`files`), and one process at a time writes (`lock`).
"""

import hashlib
import platform
import re
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diabolo import parts, regular, zoo  # noqa: F401  # importing the zoo makes every part known by name
from diabolo.bottlenecks import Discrete
from diabolo.data.images import Images
from diabolo.errors import DiaboloError, NotTrustedError, UnknownNameError
from diabolo.paths import as_path, shell_line
from diabolo.pca import PCA
from diabolo.priors import CodePrior
from diabolo.surroundings import undisturbed
from diabolo.training import checkpoint, files, tied
from diabolo.training.folders import create, numbered
from diabolo.training.hardware import choose_device
from diabolo.training.history import History
from diabolo.training.history import read as read_history
from diabolo.trust import Trust, trusting
from diabolo.updates.trainable import can_be_trained
from diabolo.version import __version__

__all__ = [
    "History",
    "Run",
    "build_model",
    "create",
    "damaged",
    "describe",
    "fingerprint",
    "load",
    "load_run",
    "numbered",
    "read_config",
    "read_history",
    "read_weights",
    "units_of",
]

FORMAT = 1  # of a run folder; raised when an older Diabolo could not make sense of it

# What config.json must hold, so that nobody who reads it needs to ask: place → kinds, of which null is one where it may lack
WANTED: dict[str, tuple[type, ...]] = {
    "name": (str,),
    "model": (dict,),
    "options": (dict,),
    "units": (dict,),
    "versions": (dict,),
    "data": (dict,),
    "data.train": (dict,),
    "data.train.origin": (dict, NoneType),
    "data.train.origin.load": (dict, NoneType),
    "data.train.label_names": (list, NoneType),
    "data.validation": (dict, NoneType),
}


@dataclass(frozen=True)
class Run:
    """A finished, or interrupted, training.

    Attributes:
        model: the trained model, in evaluation mode.
        path: the run folder.
        history: one dict per epoch, the lines of metrics.jsonl.
        config: what config.json holds.
        status: why training ended: "finished", "stopped early: …" or "interrupted"; with "… after 10 epochs" of
            one read from disk.

    Example:
        >>> run.status, len(run.history), run.config["name"]
        ('finished', 60, 'vae')
    """

    model: Any
    path: Path
    history: History
    config: dict[str, Any]
    status: str


def describe(
    model: Any, options: dict[str, Any], resolved: dict[str, Any], train: Images, validation: Images | None
) -> dict[str, Any]:
    """What config.json holds."""
    return {
        "format": FORMAT,
        "name": model.name,
        "model": parts.describe(model),
        "tied": tied.groups(model),
        "recipe": getattr(model, "recipe", None),
        "units": units_of(model),
        "options": options,
        "resolved": resolved,
        "data": {"train": _about(train), "validation": _about(validation)},
        "versions": {
            "diabolo": __version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }


def units_of(model: Any) -> dict[str, str]:
    """What each column of metrics.jsonl is measured in."""
    parts = [unit if name == "reconstruction" else f"weight × {name}" for name, unit in model.units.items()]
    units = set(model.units.values())
    return {"total": units.pop() if len(units) == 1 else " + ".join(parts), **model.units}


def _about(images: Images | None) -> dict[str, Any] | None:
    if images is None:
        return None
    return {
        "name": images.name,
        "split": images.split,
        "images": len(images),
        "shape": list(images.shape),
        "fingerprint": images.fingerprint,
        "origin": images.origin,
        "label_names": None if images.label_names is None else list(images.label_names),
    }


def read_config(path: Path) -> dict[str, Any]:
    """config.json of the run folder `path`.

    Raises:
        DiaboloError: when `path` is no run folder, its config was damaged, or it is of a newer Diabolo.
    """
    if not path.is_dir():
        raise DiaboloError(f"there is no folder {path}")
    regular.check_folder(path)
    if not (path / "config.json").is_file():
        raise DiaboloError(f"{path} is not a run folder: it holds no config.json")
    config = files.read_json(path / "config.json")
    form = config.get("format", 0) if isinstance(config, dict) else 0
    if isinstance(form, int) and form > FORMAT:
        raise damaged(path, config, f"its format is {form}, and {FORMAT} is known here")
    for place, kinds in WANTED.items():
        value = config
        for key in place.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if not isinstance(value, kinds):
            raise damaged(path, config, f"{place!r} is missing or not a {kinds[0].__name__}")
    for part in ("train", "validation"):
        if (about := config["data"].get(part)) is not None and not _is_about(about):
            raise damaged(path, config, f"'data.{part}' does not say which images they are")
    return config  # type: ignore[no-any-return]  # JSON: checked above


def _is_about(about: Any) -> bool:
    """Whether it is what `_about` makes of images."""
    return (
        all(isinstance(about.get(word), str) for word in ("name", "split", "fingerprint"))
        and type(about.get("images")) is int
        and isinstance(about.get("shape"), list)
        and all(type(side) is int for side in about["shape"])
    )


def damaged(path: Path, config: Any, why: str, words: str = "was edited or damaged") -> DiaboloError:
    """What to raise when something in `config`, that of the run folder `path`, makes no sense: it was written by a newer
    Diabolo, or it `words`."""
    found = config if isinstance(config, dict) else {}
    versions, form = found.get("versions"), found.get("format")
    its = versions.get("diabolo") if isinstance(versions, dict) else None
    if (isinstance(form, int) and form > FORMAT) or _number(its) > _number(__version__):
        who = f"Diabolo {its}" if _number(its) > _number(__version__) else "a newer Diabolo"
        remedy = "upgrade it with pip install --upgrade diabolo"
        return DiaboloError(f"{path} was written by {who}, and this is {__version__}: {remedy} ({why})")
    return DiaboloError(f"{path / 'config.json'} {words}: {why}")


def _number(version: Any) -> list[int]:
    """The leading numbers of a version, to compare; of what is none, nothing."""
    found = re.match(r"\d+(\.\d+)*", version) if isinstance(version, str) else None
    return [int(part) for part in found[0].split(".")] if found else []


def read_weights(path: Path, weights: str = "model") -> dict[str, Tensor]:
    """The tensors of `weights`.safetensors of the run folder `path`.

    Raises:
        DiaboloError: when they are not there yet, or damaged.
    """
    if not (path / f"{weights}.safetensors").exists():
        resume = f"go on with: {shell_line('resume', path)}"
        why = {
            "model": f"its training has not finished; {checkpoint.way_on(path) or resume}",
            "best": "it had no validation images, or no epoch after the weights of its loss had settled",
        }
        raise DiaboloError(f"{path} holds no {weights}.safetensors: {why[weights]}")
    tensors, _ = files.read_tensors(path / f"{weights}.safetensors")
    return tensors


@undisturbed()
def load(path: str | Path, weights: str = "model", device: str | torch.device = "cpu", trust: Trust = ()) -> Any:
    """The model of a run folder, in evaluation mode.

    Args:
        path: the run folder.
        weights: "model" (what the training kept) or "best" (lowest validation loss).
        device: where to put it.
        trust: packages whose code the folder may name, such as "my_pkg", for a model with parts of one's own: importing them
            runs that code.

    Raises:
        NotTrustedError: when it names code outside diabolo that is not trusted.
        DiaboloError: when it is no run folder, or its config or weights are damaged or do not fit together.

    Example:
        >>> same = diabolo.load(run.path)
        >>> torch.equal(same.encode(test.images), model.encode(test.images))
        True
    """
    path = as_path(path)
    if weights not in ("model", "best"):
        raise UnknownNameError("weights", weights, ("model", "best"))
    with trusting(trust):
        model = _load(path, weights, choose_device(str(device)))
        if isinstance(model, CodePrior):
            raise DiaboloError(
                f"{path} holds a prior over codes: load the run that it belongs to, {path.parent.parent}"
            )
        bottleneck = getattr(model, "bottleneck", None)
        if isinstance(bottleneck, Discrete):
            _attach_prior(bottleneck, path, weights)
        return model


@undisturbed()
def load_run(path: str | Path, weights: str = "model", device: str | torch.device = "cpu", trust: Trust = ()) -> Run:
    """The whole of a run folder: the model as `load` gives it, and what was written down while it was trained."""
    path = as_path(path)
    return Run(load(path, weights, device, trust), path, read_history(path), read_config(path), checkpoint.status(path))


def _attach_prior(bottleneck: Discrete, path: Path, weights: str) -> None:
    """Let it draw from the newest prior in the run folder `path`, if that was fitted to the codes of these weights."""
    how = f"fit one with: {shell_line('fit-prior', path)}"
    fitted = [prior for prior in numbered(path / "prior") if (prior / "model.safetensors").exists()]
    if not fitted:
        return bottleneck.attach(None, how)
    try:
        prior = _load(fitted[-1], "model", choose_device("cpu"))
    except NotTrustedError:
        raise
    except DiaboloError as error:  # the model itself can be used
        return bottleneck.attach(None, f"the one in {fitted[-1]} cannot be used ({error}); {how}")
    if not isinstance(prior, CodePrior) or prior.fitted_to != fingerprint(path, weights):
        return bottleneck.attach(None, f"the one in {fitted[-1]} is of other weights; {how}")
    return bottleneck.attach(prior)


def fingerprint(path: Path, weights: str = "model") -> str:
    """A digest of the weights of the run folder `path`."""
    return hashlib.blake2b((path / f"{weights}.safetensors").read_bytes(), digest_size=16).hexdigest()


def _load(path: Path, weights: str, device: torch.device) -> Any:
    model = build_model(path, read_config(path))
    try:
        model.load_state_dict(read_weights(path, weights))
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise DiaboloError(f"the weights in {path} do not fit its config.json: {reason}") from error
    return model.to(device).eval()


def build_model(path: Path, config: dict[str, Any]) -> Any:
    """An untrained model as `config`, that of the run folder `path`, describes it.

    Raises:
        DiaboloError: when it describes none.
    """
    try:
        model = parts.build(config["model"], path)
        if not (isinstance(model, PCA) or can_be_trained(model)):
            raise DiaboloError(f"{config['model'].get('part')!r} is not a model")
        tied.tie(model, config.get("tied", []))
    except NotTrustedError:
        raise
    except DiaboloError as error:
        raise damaged(path, config, str(error), "does not describe a model") from error
    model.name = config["name"]
    return model
