"""What of a run is shared, and what is not."""

import os
import shutil
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from diabolo import disk, regular
from diabolo.data.catalogue import names
from diabolo.data.options import DataOptions
from diabolo.data.origin import Record
from diabolo.errors import DiaboloError
from diabolo.hub import card
from diabolo.paths import as_path
from diabolo.runs.config import Config
from diabolo.runs.folder import RunFolder, numbered
from diabolo.runs.loading import Run

PRIOR = "prior/0001-prior-codes"  # the one that is used, by one name, so that another takes its place
CHARTS = ("curves", "steps", "health")  # figures on which no image is seen
PICTURES = ("samples", "reconstructions", "decoded-grid", "latent", "progress-reconstructions", "progress-samples")


def save(
    run: Run,
    folder: str | os.PathLike[str],
    licence: str | None = None,
    pictures: bool | None = None,
    name: str = "user/name",
) -> Path:
    """Write the model of `run` into `folder`, for others: config.json, model.safetensors, README.md (its card), figures, and
    the prior over its codes where it has one. No path of this machine is in it.

    Args:
        run: a run that has a folder.
        folder: where to; made when it is not there, and what is there of an earlier one is replaced.
        licence: of the weights, by its id (`diabolo.hub.LICENCES`), such as "apache-2.0".
        name: what it is called on the Hub, for the lines of the card.
        pictures: whether figures on which images are seen go with it. When left out, those of data sets that are known by name
            and may be shown. Of a data set that may not, none ever do.

    Returns:
        The folder.

    Raises:
        DiaboloError: when the training has not finished, the licence is unknown, or the pictures may not be shown.

    Example:
        >>> from diabolo.hub import save
        >>> sorted(path.name for path in save(run, "shared", "mit").iterdir())
        ['README.md', 'config.json', 'model.safetensors']
    """
    source, target = run.folder, as_path(folder)
    card.check_licence(licence)
    config = source.config
    shown = may_show(config, pictures)
    weights = source.path / "model.safetensors"
    source.weights()  # whole, and of a training that has finished
    if (target / "checkpoint").exists() or target.resolve() == source.path.resolve():
        raise DiaboloError(f"{target} is a run folder: what is shared is written into another")
    disk.make_folder(target)
    with disk.refusing(f"{target} could not be written"):
        for old in ("figures", "prior"):
            shutil.rmtree(target / old, ignore_errors=True)
        public(config).write(target)
        shutil.copyfile(weights, target / weights.name)
        _copy_prior(source, target)
        drawn = _copy_figures(source.path, target, shown)
        text = card.text(run, public(config), licence, drawn, target, name)
        disk.write(target / "README.md", text.encode())
    return target


def public(config: Config) -> Config:
    """`config` without what is of this machine alone: where images lie, and run folders."""
    options = {name: value for name, value in config.options.items() if name not in ("out", "init", "name")}
    watched = None if config.validation is None else _public(config.validation)
    return config.but(train=_public(config.train), validation=watched, options=options, then=(), stage=None, more={})


def _public(about: Record) -> Record:
    """What is said of images, without where they lie: of a data set that is known by name all but its root."""
    if about.origin is None:
        return about
    load = about.load
    kept: dict[str, Any] = {name: value for name, value in about.origin.items() if name != "load"}
    if load.get("name") in names():
        own = {field.name for field in fields(DataOptions)} - {"root"} | {"name"}
        return replace(about, origin={**kept, "load": {name: value for name, value in load.items() if name in own}})
    return replace(about, name=Path(about.name).name, origin=None)


def may_show(config: Config, asked: bool | None) -> bool:
    """Whether pictures of the images of a run, and what the model makes of them, may be shown to others.

    Raises:
        DiaboloError: when they are asked for and may not.
    """
    known = names().get(str(config.train.load.get("name")))
    if known is None:
        return bool(asked)
    if not known.shown and asked:
        raise DiaboloError(
            f"pictures of {config.train.name} may not be shown to others ({known.licence}): leave them out (--no-pictures)"
        )
    return known.shown and asked is not False


def _copy_prior(source: RunFolder, target: Path) -> None:
    """The newest prior over the codes, where it is of these weights."""
    fitted = [prior for prior in numbered(source.path / "prior") if (prior / "model.safetensors").exists()]
    if not fitted:
        return
    prior = RunFolder(fitted[-1])
    config = prior.config
    if config.model.get("fitted_to") != source.fingerprint():
        return
    (target / PRIOR).mkdir(parents=True)
    public(config).write(target / PRIOR)
    shutil.copyfile(prior.path / "model.safetensors", target / PRIOR / "model.safetensors")


def _copy_figures(source: Path, target: Path, pictures: bool) -> list[Path]:
    found = []
    for name in (*CHARTS, *(PICTURES if pictures else ())):
        drawn = regular.inside(source / "figures", f"{name}.png", (".png",))
        if drawn.is_file():
            (target / "figures").mkdir(exist_ok=True)
            found.append(target / "figures" / drawn.name)
            shutil.copyfile(drawn, found[-1])
    return found
