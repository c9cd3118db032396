"""Run folders as they are explored: the model of each, and the images that all of them show."""

import math
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from diabolo.data.images import Images
from diabolo.data.origin import check_columns
from diabolo.errors import DiaboloError
from diabolo.explorer.explored import Explored, points_of
from diabolo.explorer.following import Following
from diabolo.paths import as_path
from diabolo.runs import checkpoint
from diabolo.runs.folder import RunFolder
from diabolo.runs.loading import load


def open_run(path: str | os.PathLike[str], images: tuple[Images, Images] | None = None, seed: int = 0) -> Explored:
    """The run in a folder, with its own images, loaded again, or with others.

    Raises:
        DiaboloError: when it is no run folder, has neither weights nor a checkpoint yet, or the images are rows of other
            columns.
    """
    return open_runs([path], images, seed)[0]


def open_runs(
    runs: Sequence[str | os.PathLike[str]], images: tuple[Images, Images] | None = None, seed: int = 0
) -> list[Explored]:
    """Runs in their folders, which show the same test images, those of the first: a number means one image in all of them.

    Raises:
        DiaboloError: for none; as `open_run`; and for several, of which one has no decoder, or takes images of another shape
            or rows of other columns.
    """
    if not runs:
        raise DiaboloError("name a run to look at")
    folders = [RunFolder(as_path(run)) for run in runs]
    if images is not None:
        if not isinstance(images, tuple | list) or [type(part) for part in images] != [Images, Images]:
            raise DiaboloError("images are a pair (train, test), as diabolo.data.load gives it")
        for folder in folders:
            check_columns(folder.config.train, *images)
    codecs = [_model_of(folder) for folder in folders]
    first = codecs[0]
    for folder, codec in zip(folders, codecs, strict=True):
        if tuple(codec.input_shape) != tuple(first.input_shape):
            shapes = " and ".join(str(tuple(one.input_shape)) for one in (first, codec))
            raise DiaboloError(f"runs that are looked at together take images of one shape, not {shapes}")
        if len(codecs) > 1 and not codec.decodes:
            raise DiaboloError(f"{folder.path.name} has no decoder to show beside another: look at it alone")
    parts = [_images_of(folder, images) for folder in folders]
    _, shown, _ = parts[0]
    if shown is not None:
        for folder in folders[1:]:
            check_columns(folder.config.train, shown)
    width = max(math.prod(codec.latent_shape) for codec in codecs)
    if shown is not None and len(shown) > (most := points_of(width)):
        shown = shown.subset(most, seed)
    found = []
    for folder, codec, (train, test, lacks) in zip(folders, codecs, parts, strict=True):
        own = images is None and test is shown
        found.append(Explored(folder.path.name, codec, train, shown, folder.path, seed, own=own, lacks=lacks))
    if shown is not None and found[0].width:
        with suppress(DiaboloError):  # which the map says: of a broken model the rest can be looked at
            found[0].plane("pca")  # so that the first page is there at once
    return found


def _model_of(folder: RunFolder) -> Any:
    """Its model; that of its checkpoint while it is trained for the first time."""
    trained = (folder.path / "model.safetensors").exists() or not (folder.path / checkpoint.FILE).exists()
    return load(folder.path) if trained else Following(folder.path).model()


def _images_of(folder: RunFolder, images: tuple[Images, Images] | None) -> tuple[Images | None, Images | None, str]:
    """Those for training and for test, and why there are none, in words."""
    if images is not None:
        return *images, ""
    if folder.config.train.origin is None:
        return None, None, "they were given as arrays"
    try:
        return *folder.pair(), ""
    except DiaboloError as error:  # moved, deleted, not trusted: the decoder can be explored all the same
        return None, None, str(error)
