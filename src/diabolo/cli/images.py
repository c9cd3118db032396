"""Image files in and out, for the verbs that need them."""

import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from diabolo.data import read_images
from diabolo.data.files import extensions
from diabolo.errors import DiaboloError
from diabolo.training import files, runs

PIECE = 1024  # images that are floats at a time


def read_for(run: Path, model: Any, paths: Sequence[Path], skip_bad: bool) -> tuple[np.ndarray, list[str]]:
    """The images at `paths` (files, or one folder) as the model of `run` wants them: uint8 (N, C, H, W), and their names.

    They are cut and resized as its training images were. The names are the paths as given or, for a folder, those within it.
    """
    if len(model.input_shape) != 3:
        raise DiaboloError(f"{run} holds a model of vectors of {model.input_shape[0]} numbers; it takes no image files")
    if len(paths) > 1 and any(path.is_dir() for path in paths):
        raise DiaboloError("give image files, or one folder; not several folders, nor both")
    channels, height, width = model.input_shape
    if height != width:
        raise DiaboloError(
            f"the model in {run} takes images of {height}×{width} pixels; files are read as squares only"
        )
    trained = runs.read_config(run)["data"]["train"].get("origin") or {}
    crop = (trained.get("load") or {}).get("crop")
    span = trained.get("span") or "auto"  # the numbers of the files that were black and white in training
    given = paths[0] if _is_folder(paths) else list(paths)
    images, names = read_images(given, size=height, channels=channels, crop=crop, skip_bad=skip_bad, value_range=span)
    return images, list(names)


def in_pieces(
    function: Callable[[np.ndarray, Tensor | None], Tensor], images: np.ndarray, y: Tensor | None = None
) -> np.ndarray:
    """`function` of the uint8 images and what is known of each, `y`, some at a time, so that not all are floats at once.

    Raises:
        DiaboloError: when what it gives holds NaN or infinity.
    """
    starts = range(0, len(images), PIECE)
    found = [function(images[i : i + PIECE], None if y is None else y[i : i + PIECE]).numpy() for i in starts]
    return finite(np.concatenate(found))


def finite(found: np.ndarray) -> np.ndarray:
    """What a model gave for images (N, …); refused when it holds NaN or infinity."""
    if bad := int((~np.isfinite(found)).reshape(len(found), -1).any(1).sum()):
        raise DiaboloError(f"the model is broken: it gave NaN or infinity for {bad:,} of {len(found):,} images")
    return found


def names_within(out: Path, paths: Sequence[Path], names: Sequence[str]) -> list[str]:
    """What the PNG file of each image is called in the folder `out`: the path below the folder that holds them all.

    Raises:
        DiaboloError: when two would have one name, or one would overwrite an image that was given.
    """
    sources = [os.path.abspath(paths[0] / name if _is_folder(paths) else name) for name in names]
    top = os.path.abspath(paths[0]) if _is_folder(paths) else os.path.commonpath([os.path.dirname(s) for s in sources])
    taken: dict[str, str] = {}
    for source in sources:
        path = os.path.relpath(source, top)
        file, page, number = path.rpartition("#")  # "stack.tif#2" is a page of several
        plain = PurePosixPath(file if number.isdecimal() else path).with_suffix("")
        target = f"{plain}{page + number if number.isdecimal() else ''}.png"
        if target in taken:
            raise DiaboloError(
                f"{taken[target]} and {source} would both be written to {out / target}; use --out FILE.npy"
            )
        taken[target] = source
    for target in taken:
        if os.path.abspath(out / target) in sources:
            raise DiaboloError(f"{out / target} is one of the images given and would be overwritten; use another --out")
    return list(taken)


def check_out(out: Path, shape: tuple[int, ...]) -> None:
    """Refuse an `out` that images of `shape` cannot be written to, before any work is done."""
    if out.suffix.lower() == ".npy":
        return
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise DiaboloError(f"this model gives arrays of shape {shape}, which are no images; use --out FILE.npy")
    if out.suffix.lower() in extensions() | {".npz", ".csv", ".svg", ".pdf"}:
        raise DiaboloError(f"images are written into a folder, or as one .npy file, not to {out.name}")


def write_images(out: Path, images: np.ndarray, names: Sequence[str]) -> None:
    """Write images (N, C, H, W), float in [0, 1], as PNG files of those names in the folder `out`; or as one .npy file."""
    if out.suffix.lower() == ".npy":
        write_array(out, images)
        return
    files.make_folder(out)
    pixels = (images.clip(0, 1) * 255).round().astype(np.uint8)
    for name, image in zip(names, pixels, strict=True):
        png = io.BytesIO()
        Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0)).save(png, "png")
        write(out / name, png.getvalue())


def write_array(path: Path, array: np.ndarray) -> None:
    """Write one .npy file."""
    files.make_folder(path.parent)
    content = io.BytesIO()
    np.save(content, array)
    write(path, content.getvalue())


def write(path: Path, content: bytes) -> None:
    """Write one file, whole or not at all; its folder is made."""
    if not path.parent.is_dir():
        files.make_folder(path.parent)
    files.write(path, content)


def _is_folder(paths: Sequence[Path]) -> bool:
    return len(paths) == 1 and paths[0].is_dir()
