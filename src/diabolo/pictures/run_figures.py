"""The figures of one run, drawn from what it left on disk and its test images."""

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from torch import Tensor

from diabolo import figures
from diabolo.conditions import UNKNOWN
from diabolo.data.columns import column
from diabolo.data.images import Images
from diabolo.errors import DiaboloError, NoPriorError
from diabolo.figures.style import MAX_CLASSES
from diabolo.latents.codes import encode
from diabolo.pictured import as_pictures, pictures_of
from diabolo.pictures.examples import examples
from diabolo.runs import files
from diabolo.runs.config import Config
from diabolo.runs.folder import RunFolder
from diabolo.runs.history import History
from diabolo.runs.loading import Run
from diabolo.training import snapshots
from diabolo.training.snapshots import SHOWN

RECORD = "figures.json"  # in the run folder: which figures were drawn, and of which weights
SAMPLES = 36
IN_ROW = 10  # samples of one class
TRIES = 5  # samples for one test image, where the model is given of it
POINTS = 10_000  # in a scatter
NUMBERS = 2**25  # in the codes of one: those of a U-Net are larger than its images
PIECE = 1024  # images encoded at a time


def draw(run: Run, test: Images | None = None) -> list[Path]:
    """Draw curves, health, reconstructions, samples and the latent map of `run` into its folder.

    Args:
        run: a finished or interrupted run.
        test: images to show; when left out, the test images of the data set it was trained on, loaded again.

    Returns:
        The files written. A model of what are no pictures, or one that learnt no decoder, has no samples to show, and the
        latter no reconstructions.
    """
    name, about = run.config.name, run.config.train
    model: Any = as_pictures(run.model)
    if not hasattr(model, "decode"):  # a prior over codes
        test = None
    elif test is None and about.origin is not None:
        test = run.folder.images("test")
    drawn = {}
    if len(run.history) > 1:
        drawn["curves"] = figures.loss_curves(losses(run), f"{name}: loss")
        if sum(bool(line.get("health")) for line in run.history) > 1:
            drawn["health"] = figures.health_timeline(run.history, title=f"{name}: codes and reconstructions")
    if run.history and len(steps := run.folder.steps) > 1:
        drawn["steps"] = figures.loss_curves(losses(run, steps), f"{name}: loss within epochs")
    drawn |= snapshots.drawn(run.path, name)
    pictures = snapshots.pictured(model)
    if pictures:
        try:
            drawn |= _samples(model, test and pictures_of(shown(test), run.model.scaling))
        except NoPriorError as error:
            warnings.warn(f"no picture of samples: {error}", stacklevel=2)
    if test is not None and run.model.reconstructs:
        few, title = shown(test), f"{name}: {test.name} ({test.split})"
        drawn["reconstructions"] = examples(run.model, few, reconstruct(run.model, few).cpu().numpy(), title)
    if test is not None and len(test) > 1 and math.prod(model.latent_shape):
        n = min(POINTS, len(test), max(2, NUMBERS // math.prod(model.latent_shape)))
        drawn |= _latent_map(run, test.subset(n, 0), pictures)
    written = [
        figures.save(figure, run.path / "figures" / f"{what}.png", words=run.config.words)
        for what, figure in drawn.items()
    ]
    if (run.path / "model.safetensors").exists():
        files.write_json(
            run.path / RECORD, {"weights": run.folder.fingerprint(), "drawn": [path.name for path in written]}
        )
    return written


def lacks_figures(path: Path) -> bool:
    """Whether figures were to be drawn into the run folder `path` once it was trained, and are not there: the process was
    killed, they are of earlier weights, or one was deleted."""
    if "figures" not in Config.read(path).then:
        return False
    try:
        found = files.read_json(path / RECORD)
        names, of = [str(name) for name in found["drawn"]], found["weights"]
    except (DiaboloError, KeyError, TypeError):
        return True
    return of != RunFolder(path).fingerprint() or not all((path / "figures" / name).exists() for name in names)


def is_told(model: Any) -> bool:
    """Whether the decoder of `model` is given something besides the code."""
    return bool(model.condition.to_decoder)


def _samples(model: Any, test: Images | None) -> dict[str, "figures.Figure"]:
    """Samples; of a conditional model a row for each class, or what it makes of the conditions of a few `test` images."""
    title = samples_title(model)
    if not is_told(model):
        return {"samples": figures.sample_grid(model.sample(SAMPLES).cpu().numpy(), title)}
    every = model.condition.every(model.device)
    if every is not None:
        y = every[:MAX_CLASSES].repeat_interleave(IN_ROW, 0)
        grid = model.sample(len(y), y=y).cpu().numpy()
        return {"samples": figures.sample_grid(grid, f"{title}; each row is asked for one class", IN_ROW)}
    if test is None:
        return {}
    y = model.condition.pick(test.tensor, column(test, model.needs_column))
    rows = {f"sample {i + 1}": model.sample(len(test), i, y).cpu().numpy() for i in range(TRIES)}
    return {"samples": figures.reconstructions(test.images, rows, title)}


def shown(images: Images) -> Images:
    """The few images to look at."""
    return images.spread(SHOWN)


def reconstruct(model: Any, images: Images) -> Tensor:
    """The reconstructions of `images`; the model is given of them what it reads."""
    reconstructions: Tensor = model.reconstruct(images.images, column(images, model.needs_column))
    return reconstructions


def samples_title(model: Any) -> str:
    """What `model.sample` shows: only some models have a prior that they were trained towards."""
    return f"{model.name}: {model.drawn_from}"


def losses(run: Run, lines: History | None = None) -> list[dict[str, Any]]:
    """The history, or the `lines` within epochs, as `figures.loss_curves` wants it: with units and the names of the images, and
    with what was watched beside the loss; a total that is but the reconstruction is left out."""
    units = {term: unit for term, unit in run.config.units.items() if term in run.history[0]["train"]}
    watched = {name: "mean over batches" for name in run.history[0]["train"] if name not in units}
    terms = [*(list(units) if len(units) > 2 else list(units)[1:]), *watched]
    units = units | watched
    watched_on = run.config.validation
    called = {"validation": "test"} if watched_on is not None and watched_on.split == "test" else {}
    last = run.history[-1]
    a_epoch = (last.get("step") or 1) / max(1, last["epoch"])  # steps of an epoch

    def chosen(losses: dict[str, float] | None) -> dict[str, float] | None:
        return losses and {term: losses.get(term, math.nan) for term in terms}

    return [
        {"epoch": line["epoch"] if lines is None else line.get("step", math.nan) / a_epoch, "units": units}
        | {"called": called}
        | {split: chosen(line.get(split)) for split in ("train", "validation")}
        for line in lines or run.history
    ]


def _latent_map(run: Run, images: Images, pictures: bool) -> dict[str, "figures.Figure"]:
    """The codes of `images`, by class where there are classes; and what lies between them when the code has two numbers."""
    name = run.config.name
    model: Any = as_pictures(run.model)
    codes = encode(run.model, images)
    labels, names = images.labels, _names(images)
    if labels is not None and len(np.unique(labels)) > MAX_CLASSES:
        labels = names = None  # more than a legend can hold
    title, axes = f"{name}: codes of {images.name} ({images.split})", ("z₁", "z₂")
    plane = codes
    if codes.shape[1] > 2:
        varied = bool((codes != codes[0]).any())
        plane, axes = PCA(2, random_state=0).fit_transform(codes) if varied else codes[:, :2] * 0, ("PC 1", "PC 2")
        title = f"{name}: {codes.shape[1]}-d codes of {images.name} ({images.split}), first two principal components"
    drawn = {"latent": figures.latent_scatter(plane, labels, names, title, axes)}
    if pictures and codes.shape[1] == 2 and not is_told(model):
        extent = _extent(codes)
        side = 20 if math.prod(model.input_shape[1:]) >= 256 else 12  # tiles; smaller images need to be drawn larger
        tiles = model.decode(figures.latent_grid(extent, side)).cpu().numpy()
        drawn["decoded-grid"] = figures.decoded_grid(
            tiles, extent, f"{name}: decoded over the latent plane, around where codes lie", codes=codes
        )
    return drawn


def _names(images: Images) -> "figures.latent.Names | None":
    """The names of the classes, that of an unknown one among them where there are any."""
    names, labels = images.label_names, images.labels
    if names is None or labels is None or not (labels == UNKNOWN).any():
        return names
    return dict(enumerate(names)) | {UNKNOWN: "not known"}


def _extent(codes: np.ndarray) -> tuple[float, float, float, float]:
    """Where 98 % of the codes (N, 2) lie along each axis: (x0, x1, y0, y1); never empty, even if all codes are one."""
    (x0, y0), (x1, y1) = np.quantile(codes.astype(np.float64), (0.01, 0.99), axis=0).tolist()
    room = 1e-3 * max(1.0, abs(x0), abs(y0))
    return x0 - room, x1 + room, y0 - room, y1 + room
