"""Models that need no loop: solved at once, one line of metrics."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from diabolo.codec import Codec
from diabolo.data.images import Images
from diabolo.data.unit import to_float
from diabolo.runs import files, history
from diabolo.runs.config import Config
from diabolo.runs.folder import RunFolder
from diabolo.runs.loading import Run
from diabolo.runs.unwritten import Unwritten
from diabolo.training.callbacks import Callbacks
from diabolo.training.progress import Reporter

CHUNK = 4096


def solved_at_once(model: Any) -> bool:
    """Whether `model` is a codec that is fitted by `solve(images, seed)`, and has no weights to train."""
    return callable(getattr(model, "solve", None))


def solve(
    model: Any,
    train: Images,
    validation: Images | None,
    config: Config,
    say: Reporter,
    told: Callbacks,
    new_folder: Callable[[Callable[[Path], None]], RunFolder | Unwritten],
) -> Run:
    """Solve `model` for the images `train` and leave its run folder, which `new_folder` makes of what is written into it."""
    say.say(f"{model.name} with {model.latent_shape[0]} components on {train!r}")
    started = time.perf_counter()
    model.solve(train, config.options["seed"])
    seconds = time.perf_counter() - started
    line: dict[str, Any] = {
        "epoch": 1,
        "train": error(model, train),
        "validation": None if validation is None else error(model, validation),
        "seconds": round(seconds, 4),
        "images_per_second": round(len(train) / seconds, 1),
    }
    say.epoch(line)

    def fill(folder: Path) -> None:
        config.write(folder)
        history.rewrite(folder, [line])
        files.write_tensors(folder / "model.safetensors", dict(model.state_dict()))

    folder = new_folder(fill)
    run = Run(model.eval(), folder.path, [line], config, "finished")
    told.start(replace(run, history=[], status="running"))
    told.epoch([line], run.status)
    told.end(run)
    say.say(f"finished: {folder}")
    return run


def error(model: Codec, images: Images) -> dict[str, float]:
    """Squared error per pixel of the reconstructions, in scaled numbers, as terms of a loss."""
    total = 0.0
    for start in range(0, len(images), CHUNK):
        x = to_float(torch.tensor(images.images[start : start + CHUNK]))
        difference = model.scaling(model.reconstruct(x)) - model.scaling(x)
        total += float(difference.square().flatten(1).mean(1).double().sum())
    return {"total": total / len(images), "reconstruction": total / len(images)}
