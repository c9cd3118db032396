"""What a conditional model is told on the command line."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diabolo.cli.images import Given, read_for
from diabolo.data import names
from diabolo.data.classes import class_number
from diabolo.data.finding import READERS
from diabolo.errors import DiaboloError
from diabolo.paths import as_path
from diabolo.plain import count
from diabolo.runs.config import Config

TAKES = {"labels": "label", "attributes": "values", "factors": "values", None: "images"}  # what is read → the option


def told(run: Path, model: Any, label: Sequence[str], values: Sequence[float], images: Sequence[str]) -> Tensor | None:
    """What samples of the model of `run` are conditioned on, some entries to be taken in turn; None where nothing is said.

    Raises:
        DiaboloError: when it is missing, or something else was said.
    """
    takes = TAKES[model.condition.needs_column] if model.condition.to_decoder else None
    for option, given in {"label": label, "values": values, "images": images}.items():
        if given and option != takes:
            raise DiaboloError(
                f"{run} takes no --{option}; its model " + (f"takes --{takes}" if takes else "is given nothing")
            )
    if takes == "label" and label:
        return _labels(run, model, label)
    if takes == "values" and values:
        return torch.tensor([values])
    if takes == "images" and images:
        return torch.from_numpy(np.concatenate(list(read_for(run, model, images).pieces())))
    if takes is not None and model.condition.every(model.device) is None:
        raise DiaboloError(
            f"samples of {run} need --{takes}: its model is conditioned on {model.condition.needs_column or 'images'}"
        )
    return None


def told_of(run: Path, model: Any, label: Sequence[str], values: Sequence[float], images: Given) -> Tensor | None:
    """What the model of `run` is told of the `images` besides their pixels: one entry for each, or the same for all.

    Raises:
        DiaboloError: when it is missing, something else was said, or it is not for so many images.
    """
    takes = _besides(model)
    for option, given in {"label": label, "values": values}.items():
        if given and option != takes:
            needs = f"takes --{takes}" if takes else "is given nothing besides the image"
            raise DiaboloError(f"{run} takes no --{option}; its model {needs}")
    if takes is None:
        return None
    n = len(images)
    if not (label or values):
        known = images.known(model.needs_column, Config.read(run).train.label_names)
        if known is None:
            raise DiaboloError(f"the images do not say what the model of {run} is conditioned on: give --{takes}")
        model.condition.check(known)
        return known
    if len(label) > 1 and len(label) != n:
        raise DiaboloError(f"give one --label for all, or one for each of {count(n, 'image')}, not {len(label)}")
    y = _labels(run, model, label) if takes == "label" else torch.tensor([values])
    y = y.expand(n, *y.shape[1:]) if len(y) == 1 else y
    model.condition.check(y)
    return y


def check_told(
    run: Path, model: Any, label: Sequence[str], values: Sequence[float], images: Sequence[str], labelled: bool = False
) -> None:
    """Refuse, before any image is read, to tell nothing to a model that is given more than image files carry; a data set may
    carry it, or a table by which they are `labelled`."""
    takes = _besides(model)
    file = len(images) == 1 and as_path(images[0]).suffix.lower() in {*READERS} - {"", ".npy"}
    carried = file or (len(images) == 1 and images[0] in names()) or (labelled and takes == "label")
    if takes is not None and not carried and not {"label": label, "values": values}[takes]:
        raise DiaboloError(
            f"{run} holds a model conditioned on {model.condition.needs_column}, which image files do not carry: give --{takes}"
            f"{' or --labels' if takes == 'label' and not labelled else ''}"
        )


def check_carried(run: Path, model: Any, images: Given) -> None:
    """Refuse images that do not carry what the model of `run` is conditioned on, for a verb that is told it in no other way."""
    reads = model.condition.needs_column
    if reads is not None and images.known(reads) is None:
        way = ": name their classes by --labels" if reads == "labels" and images.files else ""
        raise DiaboloError(f"{run} holds a model conditioned on {reads}, which these images do not carry{way}")


def _besides(model: Any) -> str | None:
    """The option for what the model is given besides the image; None where that is nothing."""
    column = model.condition.needs_column
    return None if column is None else TAKES[column]


def _labels(run: Path, model: Any, label: Sequence[str]) -> Tensor:
    """The numbers of the classes that are called so in the images that the model of `run` was trained on."""
    called = Config.read(run).train.label_names
    classes = range(len(called) if called else model.condition.classes)
    return torch.tensor([class_number(one, called, classes, str(run)) for one in label])
