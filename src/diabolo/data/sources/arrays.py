"""Arrays, tensors and `Images` given directly, and the .npy and .npz files that hold them."""

import zlib
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from diabolo.data.arrays import as_images
from diabolo.data.images import Images
from diabolo.data.splits import Draw, draw_from, random_split
from diabolo.errors import DiaboloError

PIXEL_KEYS = ("images", "x", "X", "data")
LABEL_KEYS = ("labels", "y", "Y", "targets")


def array(x: Any, draw: Draw, *, labels: Any = None, test_fraction: float = 0.1) -> tuple[Images, Images]:
    """A seeded split of an array, a tensor or `Images`."""
    return random_split(as_images(x, labels), draw, test_fraction)


def npy(path: Path, draw: Draw, *, test_fraction: float = 0.1) -> tuple[Images, Images]:
    """A seeded split of the one array in a .npy file, which is memory-mapped."""
    return random_split(as_images(_open(path), name=path.stem), draw, test_fraction)


def npz(path: Path, draw: Draw, *, test_fraction: float = 0.1) -> tuple[Images, Images]:
    """The arrays `x_train, y_train, x_test, y_test` of a .npz file, or a seeded split of `images` and `labels`.

    `x`, `X` and `data` will do for `images`, and `y`, `Y` and `targets` for `labels`; labels may be missing.
    """
    with _open(path) as members:
        held = {key: _member(members, key, path) for key in members.files}
    if "x_train" in held and "x_test" in held:
        train = as_images(held["x_train"], held.get("y_train"), path.stem)
        test = as_images(held["x_test"], held.get("y_test"), path.stem)
        return draw_from(train.called(split="train"), test.called(split="test"), draw)
    pixels = [key for key in PIXEL_KEYS if key in held]
    if not pixels:
        raise DiaboloError(
            f"{path} holds {', '.join(sorted(held)) or 'nothing'}; expected images (or x) and maybe labels (or y), "
            "or x_train and x_test."
        )
    labels = next((held[key] for key in LABEL_KEYS if key in held), None)
    return random_split(as_images(held[pixels[0]], labels, path.stem), draw, test_fraction)


def _open(path: Path) -> Any:
    try:
        # never unpickled: allow_pickle stays off
        return np.load(path, mmap_mode="r" if path.suffix.lower() == ".npy" else None, allow_pickle=False)
    except (OSError, ValueError, EOFError, BadZipFile, zlib.error) as error:
        raise _unreadable(path, error) from error


def _member(members: Any, key: str, path: Path) -> Any:
    try:
        return members[key]
    except (OSError, ValueError, EOFError, BadZipFile, zlib.error) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> DiaboloError:
    if "pickle" in str(error).lower() or "object" in str(error).lower():
        return DiaboloError(f"{path} holds Python objects (pickles), which are never opened; save plain arrays.")
    return DiaboloError(f"cannot read {path}: {' '.join(str(error).split())}")
