"""Data sets that were made from known factors, in the files in which they are published: dSprites, 3D Shapes, MPI3D."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.data.images import Images
from diabolo.errors import DiaboloError

Read = Callable[[str], NDArray[Any]]
Known = Callable[[Images], Images]

SPRITES = (
    ("latents_values", "latents_classes"),
    ("latents/values", "latents/classes"),
)  # in the .npz and the .hdf5 file
SPRITE_FACTORS = ("colour", "shape", "scale", "orientation", "x", "y")
SPRITE_SHAPES = ("square", "ellipse", "heart")

SHAPES_FACTORS = ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")
SHAPE = SHAPES_FACTORS.index("shape")

MPI3D_FACTORS = (
    "object_color", "object_shape", "object_size", "camera_height", "background_color", "horizontal_axis", "vertical_axis",
)  # fmt: skip
SIMPLE, COMPLEX = (6, 6, 2, 3, 3, 40, 40), (4, 4, 2, 3, 3, 40, 40)  # values of each: toy, realistic, real; real complex
MPI3D_SHAPES: dict[tuple[int, ...], tuple[str, ...]] = {
    SIMPLE: ("cone", "cube", "cylinder", "hexagonal", "pyramid", "sphere"),
    COMPLEX: ("coffee cup", "tennis ball", "croissant", "beer cup"),
}


def published(key: str, held: Sequence[str], read: Read, x: NDArray[Any], path: Path) -> Known | None:
    """What adds the factors to the images of a published file, and the shape as the label; None for any other file.

    dSprites (Matthey et al. 2017): imgs with latents_values and latents_classes, or a group latents of both. 3D Shapes (Burgess
    & Kim 2018): images with labels (N, 6) that are no whole numbers. MPI3D (Gondal et al. 2019, arXiv 1906.03292): images
    alone, as many as its factors have combinations, in their order.

    Args:
        key: the name of the images.
        held: the names of all arrays of the file.
        read: gives an array by its name.
        x: the images (N, …).
        path: of the file, for messages.

    Raises:
        DiaboloError: when the factors are not of the shape that was published.
    """
    for values, classes in SPRITES:
        if key == "imgs" and values in held and classes in held:
            return _sprites(read(values), read(classes), len(x), path)
    if key == "images" and "labels" in held and x.ndim == 4:
        labels = read("labels")
        if labels.dtype.kind == "f" and labels.ndim == 2 and labels.shape[1] == len(SHAPES_FACTORS):
            return _shapes(labels, len(x), path)
    sizes = next((sizes for sizes in (SIMPLE, COMPLEX) if math.prod(sizes) == len(x)), None)
    if list(held) == ["images"] and sizes is not None and x.ndim == 4:
        return _combinations(sizes)
    return None


def _sprites(values: NDArray[Any], classes: NDArray[Any], n: int, path: Path) -> Known:
    for what, table in (("latents_values", values), ("latents_classes", classes)):
        _check(table, what, n, len(SPRITE_FACTORS), path)
    shapes = np.asarray(classes[:, 1])
    if not ((shapes >= 0) & (shapes < len(SPRITE_SHAPES))).all():
        raise DiaboloError(f"latents_classes of {path.stem} names other shapes than {', '.join(SPRITE_SHAPES)}")
    return _adding(values, SPRITE_FACTORS, shapes, SPRITE_SHAPES)


def _shapes(labels: NDArray[Any], n: int, path: Path) -> Known:
    _check(labels, "labels", n, len(SHAPES_FACTORS), path)
    shapes = labels[:, SHAPE]
    if not ((shapes == np.rint(shapes)) & (shapes >= 0)).all():
        raise DiaboloError(
            f"labels of {path.stem} are not those of 3D Shapes: column {SHAPE} is not the number of a shape"
        )
    return _adding(labels, SHAPES_FACTORS, shapes, None)


def _combinations(sizes: tuple[int, ...]) -> Known:
    """All combinations of the factors in their order, the last one changing fastest."""
    values = np.stack(np.unravel_index(np.arange(math.prod(sizes)), sizes), 1)
    return _adding(values, MPI3D_FACTORS, values[:, 1], MPI3D_SHAPES[sizes])


def _check(table: NDArray[Any], what: str, n: int, width: int, path: Path) -> None:
    if table.shape != (n, width):
        raise DiaboloError(f"{what} of {path.stem} has shape {table.shape}, not ({n}, {width})")


def _adding(
    values: NDArray[Any], names: tuple[str, ...], shapes: NDArray[Any], called: tuple[str, ...] | None
) -> Known:
    def add(images: Images) -> Images:
        return replace(
            images,
            labels=shapes.astype(np.int64),
            label_names=called,
            factors=values.astype(np.float32),
            factor_names=names,
        )

    return add
