"""What a conditional model is told on the command line."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from diabolo.autoencoder import Autoencoder
from diabolo.cli.images import read_for
from diabolo.errors import DiaboloError

TAKES = {"labels": "label", "attributes": "values", "factors": "values", None: "images"}  # what is read → the option


def told(run: Path, model: Any, label: Sequence[int], values: Sequence[float], images: Sequence[Path]) -> Tensor | None:
    """What samples of the model of `run` are conditioned on, some entries to be taken in turn; None where nothing is said.

    Raises:
        DiaboloError: when it is missing, or something else was said.
    """
    conditional = isinstance(model, Autoencoder) and model.condition.to_decoder > 0
    takes = TAKES[model.condition.reads] if conditional else None
    for option, given in {"label": label, "values": values, "images": images}.items():
        if given and option != takes:
            raise DiaboloError(
                f"{run} takes no --{option}; its model " + (f"takes --{takes}" if takes else "is told nothing")
            )
    if takes == "label" and label:
        return torch.tensor(label)
    if takes == "values" and values:
        return torch.tensor([values])
    if takes == "images" and images:
        return torch.from_numpy(read_for(run, model, images, skip_bad=False)[0])
    if takes is not None and model.condition.every(model.device) is None:
        raise DiaboloError(
            f"samples of {run} need --{takes}: its model is conditioned on {model.condition.reads or 'images'}"
        )
    return None


def check_images_suffice(run: Path, model: Any) -> None:
    """Refuse a model that is told what image files do not carry."""
    if isinstance(model, Autoencoder) and model.condition.reads is not None:
        raise DiaboloError(
            f"{run} holds a model conditioned on {model.condition.reads}, which image files do not carry; use it from Python: "
            f"diabolo.load({str(run)!r}).encode(x, y)"
        )
