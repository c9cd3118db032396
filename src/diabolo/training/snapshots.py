"""Samples and reconstructions as training goes: of the same few images and the same noise, every so many epochs.

    RUN/progress/00005.safetensors     of epoch 5: images, reconstructions and samples, uint8 (N, C, H, W)
    RUN/figures/progress-*.png         all of them, a row for each epoch

Nothing of it is drawn from the random numbers of the training, so its weights are those of one without pictures.
"""

import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from diabolo import disk
from diabolo.data.columns import column
from diabolo.data.images import Images
from diabolo.errors import DiaboloError, NoPriorError
from diabolo.pictured import as_pictures, pictures_of
from diabolo.runs import files

if TYPE_CHECKING:
    from diabolo.figures import Figure

FOLDER = "progress"
SHOWN = 10  # images in a row
ROWS = 12  # epochs in a figure


def pictured(model: Any) -> bool:
    """Whether what `model` reconstructs are pictures: grey, or of three colours."""
    shape = model.input_shape
    return hasattr(model, "decode") and model.reconstructs and len(shape) == 3 and shape[0] in (1, 3)


def keep(path: Path, model: Any, images: Images, epoch: int) -> None:
    """Lay samples and the reconstructions of `images` after `epoch` into the run folder `path`, and draw all so far."""
    model, images = as_pictures(model), pictures_of(images, model.scaling)
    x, y = images.tensor, column(images, model.needs_column)
    shown = {"images": x, "reconstructions": _bytes(model.reconstruct(x, y))}
    with suppress(NoPriorError):  # which is fitted when training has ended
        shown["samples"] = _bytes(model.sample(len(x), 0, _condition(model, x, y)))
    files.make_folder(path / FOLDER)
    files.write_tensors(path / FOLDER / f"{epoch:05d}.safetensors", shown, {"epoch": epoch})
    from diabolo import figures

    for what, figure in drawn(path, model.name).items():
        figures.save(figure, path / "figures" / f"{what}.png")


def cut(path: Path, epoch: int) -> None:
    """Take away what is of later epochs than `epoch`, from which the run in the folder `path` goes on."""
    for file in _kept(path):
        if int(file.stem) > epoch:
            with disk.refusing(f"{file} could not be taken away"):
                file.unlink()


def drawn(path: Path, name: str) -> dict[str, "Figure"]:
    """The figures of what `keep` has left in the run folder `path` of a model called `name`; none where it left nothing."""
    kept = _kept(path)
    if not kept:
        return {}
    from diabolo import figures

    chosen = np.unique(np.linspace(0, len(kept) - 1, min(ROWS, len(kept))).round().astype(int))
    rows: dict[str, dict[str, NDArray[np.uint8]]] = {"reconstructions": {}, "samples": {}}
    images = None
    for file in (kept[i] for i in chosen):
        try:
            shown = _read(file)
        except DiaboloError as error:  # one picture less, and no training lost
            warnings.warn(f"{error}: it is left out of the pictures by epoch", stacklevel=2)
            continue
        if images is not None and shown["images"].shape != images.shape:
            continue
        images = shown["images"]
        for what, row in rows.items():
            if what in shown:
                row[f"epoch {int(file.stem)}"] = shown[what]
    if images is None:
        return {}
    made = {
        "progress-reconstructions": figures.reconstructions(
            images, rows["reconstructions"], f"{name}: reconstructions by epoch"
        )
    }
    if rows["samples"]:
        made["progress-samples"] = figures.strips(
            rows["samples"], title=f"{name}: samples from the same noise by epoch"
        )
    return made


def read(path: Path) -> dict[int, dict[str, NDArray[np.uint8]]]:
    """What `keep` has left in the run folder `path`, by epoch: "images", "reconstructions" and "samples", each (N, C, H, W)."""
    return {int(file.stem): _read(file) for file in _kept(path)}


def _read(file: Path) -> dict[str, NDArray[np.uint8]]:
    """What is in one of the files; each of the same pictures."""
    shown = {what: tensor.numpy() for what, tensor in files.read_tensors(file)[0].items()}
    x = shown.get("images", np.empty(0, np.uint8))
    alike = all(picture.shape == x.shape and picture.dtype == np.uint8 for picture in shown.values())
    if not (alike and x.ndim == 4 and x.size and x.shape[1] in (1, 3) and "reconstructions" in shown):
        raise DiaboloError(f"{file} was edited or damaged: it holds no images and their reconstructions; delete it")
    return shown


def _kept(path: Path) -> list[Path]:
    """The files of all epochs, in their order."""
    return sorted(file for file in (path / FOLDER).glob("*.safetensors") if file.stem.isdecimal())


def _condition(model: Any, x: torch.Tensor, y: torch.Tensor | None) -> torch.Tensor | None:
    """What samples are conditioned on: each class in turn, or what is known of the images; None where the decoder is given the
    code alone."""
    if not model.condition.to_decoder:
        return None
    every = model.condition.every(model.device)
    known: torch.Tensor | None = (
        model.condition.pick(x, y) if every is None else every[torch.arange(len(x)) % len(every)]
    )
    return known


def _bytes(x: torch.Tensor) -> torch.Tensor:
    return x.clamp(0, 1).mul(255).round().to(torch.uint8).cpu()
