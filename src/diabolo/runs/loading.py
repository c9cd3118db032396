"""A run that can be used: its model, built as the folder describes it, with the weights that lie there."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from diabolo import display, parts
from diabolo.errors import DiaboloError, NotTrustedError, UnknownNameError
from diabolo.hardware import choose_device
from diabolo.paths import as_path
from diabolo.plain import count
from diabolo.runs import files, tied
from diabolo.runs.config import Config
from diabolo.runs.folder import WEIGHTS, RunFolder, numbered
from diabolo.runs.history import History
from diabolo.runs.lines import shell_line
from diabolo.surroundings import undisturbed
from diabolo.trust import Trust, trusting


@dataclass(frozen=True)
class Run:
    """A finished, or interrupted, training.

    Attributes:
        model: the trained model, in evaluation mode.
        path: the run folder; None of a training with out=None, which left none.
        history: one dict per epoch, the lines of metrics.jsonl.
        config: what config.json holds, typed.
        status: why training ended: "finished", "stopped early: …" or "interrupted"; with "… after 10 epochs" of
            one read from disk.

    Example:
        >>> run.status, len(run.history), run.config.name
        ('finished', 60, 'vae')
    """

    model: Any
    path: Any  # a Path, or None, and who asked for None knows it
    history: History
    config: Config
    status: str

    def __repr__(self) -> str:
        where = "in memory" if self.path is None else repr(str(self.path))
        return f"Run({where}: {self.config.name}, {count(len(self.history), 'epoch')}, {self.status})"

    def _repr_html_(self) -> str:
        """What it is and how it ended, in a notebook."""
        weights = sum(p.numel() for p in self.model.parameters())  # a PCA has none
        with_them = f" with {count(weights, 'parameter')}" if weights else ""
        about = f"{self.config.name}{with_them}, {self.status}; {self.path or 'in memory'}"
        last: Mapping[str, Any] = self.history[-1] if self.history else {"train": {}}
        splits = [split for split in ("train", "validation") if last.get(split)]
        rows = [
            (
                term.replace("_", " "),
                *(last[split].get(term) for split in splits),
                self.config.words(self.config.units.get(term, "")),
            )
            for term in last["train"]
        ]
        columns = (f"loss of epoch {last['epoch']}", *splits, "unit") if rows else ()
        return display.table(self.config.name if self.path is None else self.path.name, about, columns, rows)

    def __fspath__(self) -> str:
        """A run stands for its folder wherever one is asked for: `diabolo.compare([first, second])`."""
        return str(self.folder.path)

    @property
    def folder(self) -> RunFolder:
        """What lies on disk: weights, images, scores.

        Raises:
            DiaboloError: when the training was to leave none.
        """
        if self.path is None:
            raise DiaboloError(
                "this run left no folder, as out=None asked: use its model, or train with a folder of runs, such as out='runs'"
            )
        return RunFolder(self.path)

    def save_pretrained(
        self, folder: str | os.PathLike[str], licence: str | None = None, pictures: bool | None = None
    ) -> Path:
        """Write the model into `folder`, for others: config.json, model.safetensors, a card (README.md), figures. As
        `diabolo.hub.save`; `diabolo.from_pretrained` opens it.

        Example:
            >>> folder = run.save_pretrained("shared", licence="mit")
            >>> diabolo.from_pretrained(folder).name
            'vae'
        """
        hub = import_module("diabolo.hub")  # what a card says of a run is known far above: this is a door to it
        saved: Path = hub.save(self, folder, licence, pictures)
        return saved


@undisturbed()
def load(
    path: str | os.PathLike[str], weights: str = "model", device: str | torch.device = "cpu", trust: Trust = ()
) -> Any:
    """The model of a run folder, in evaluation mode.

    Args:
        path: the run folder, or a `Run`.
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
    folder = RunFolder(as_path(path))
    if weights not in WEIGHTS:
        raise UnknownNameError("weights", weights, WEIGHTS)
    with trusting(trust):
        model = _load(folder, weights, choose_device(str(device)))
        if hasattr(model, "fitted_to"):
            run = folder.path.parent.parent
            raise DiaboloError(f"{folder.path} holds a prior over codes: load the run that it belongs to, {run}")
        if model.bottleneck.discrete:
            _attach_prior(model.bottleneck, folder, weights)
        return model


@undisturbed()
def load_run(
    path: str | os.PathLike[str], weights: str = "model", device: str | torch.device = "cpu", trust: Trust = ()
) -> Run:
    """The whole of a run folder: the model as `load` gives it, and what was written down while it was trained.

    Example:
        >>> same = diabolo.load_run(run.path)
        >>> same.status, same.history == run.history
        ('finished after 60 epochs', True)
    """
    folder = RunFolder(as_path(path))
    model = load(folder.path, weights, device, trust)
    return Run(model, folder.path, folder.history, folder.config, folder.status)


def _attach_prior(bottleneck: Any, folder: RunFolder, weights: str) -> None:
    """Let it draw from the newest prior in the run folder, if that was fitted to the codes of these weights."""
    how = f"fit one with: {shell_line('fit-prior', folder.path)}"
    fitted = [prior for prior in numbered(folder.path / "prior") if (prior / "model.safetensors").exists()]
    if not fitted:
        bottleneck.attach(None, how)
        return
    try:
        prior = _load(RunFolder(fitted[-1]), "model", choose_device("cpu"))
    except NotTrustedError:
        raise
    except DiaboloError as error:  # the model itself can be used
        bottleneck.attach(None, f"the one in {fitted[-1]} cannot be used ({error}); {how}")
        return
    ours = getattr(prior, "fitted_to", None) == folder.fingerprint(weights)
    bottleneck.attach(prior if ours else None, "" if ours else f"the one in {fitted[-1]} is of other weights; {how}")


def _load(folder: RunFolder, weights: str, device: torch.device) -> Any:
    model, tensors = build_model(folder.path, folder.config), folder.weights(weights)
    if told := misfit(model, tensors):
        raise DiaboloError(f"the weights in {folder.path} do not fit its config.json: {told}; {files.BACK}")
    model.load_state_dict(tensors)
    return model.to(device).eval()


def misfit(model: nn.Module, tensors: Mapping[str, Tensor]) -> str:
    """The first of the weights and statistics of `model` that `tensors` do not fit, in words; "" where all do."""
    wanted = model.state_dict()
    for name, tensor in wanted.items():
        if name not in tensors:
            return f"{name!r} is not among them"
        if tensors[name].shape != tensor.shape:
            return f"{name!r} has the shape {tuple(tensors[name].shape)}, not {tuple(tensor.shape)}"
    return next((f"the model has no {name!r}" for name in tensors if name not in wanted), "")


def build_model(path: Path, config: Config) -> Any:
    """An untrained model as `config`, that of the run folder `path`, describes it.

    Raises:
        DiaboloError: when it describes none.
    """
    try:
        model = parts.build(config.model, path)
        if not (isinstance(model, nn.Module) and hasattr(model, "input_shape") and hasattr(model, "units")):
            raise DiaboloError(f"{config.model.get('part')!r} is not a model")
        tied.tie(model, config.tied)
    except NotTrustedError:
        raise
    except DiaboloError as error:
        raise config.damaged(path, str(error), "does not describe a model") from error
    model.name = config.name  # type: ignore[assignment]  # which nn.Module knows nothing of
    return model
