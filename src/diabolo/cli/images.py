"""Image files in and out, for the verbs that need them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from diabolo.data import read_images
from diabolo.errors import DiaboloError


def read_for(model: Any, paths: Sequence[Path], skip_bad: bool) -> tuple[np.ndarray, list[str]]:
    """The images at `paths` (files or one folder) as the model wants them: uint8 (N, C, H, W), and their names."""
    if len(model.input_shape) != 3:
        raise DiaboloError(f"this model takes vectors of {model.input_shape[0]} numbers, not images")
    channels, height, width = model.input_shape
    if height != width:
        raise DiaboloError(f"this model takes images of {height}×{width} pixels; files are read as squares only")
    given = paths[0] if len(paths) == 1 and paths[0].is_dir() else list(paths)
    images, names = read_images(given, size=height, channels=channels, skip_bad=skip_bad)
    return images, list(names)


def write_images(folder: Path, images: np.ndarray, names: Sequence[str]) -> None:
    """Write images (N, C, H, W), float in [0, 1], as PNG files of those names in `folder`; or all as one .npy file."""
    if folder.suffix == ".npy":
        folder.parent.mkdir(parents=True, exist_ok=True)
        np.save(folder, images)
        return
    folder.mkdir(parents=True, exist_ok=True)
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise DiaboloError(f"arrays of shape {images.shape[1:]} are no images; use --out FILE.npy")
    pixels = (images.clip(0, 1) * 255).round().astype(np.uint8)
    for name, image in zip(names, pixels, strict=True):
        picture = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
        target = folder / Path(name).with_suffix(".png")
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(target)
