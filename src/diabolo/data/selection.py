"""Which images are kept: not those that two parts of a data set share, not those of a class that is to be an anomaly."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from diabolo.data.classes import class_number
from diabolo.data.images import Images
from diabolo.data.unit import to_float
from diabolo.errors import DiaboloError

NEAR = 0.02  # root mean square difference per pixel below which two images are one: 5 of 255 grey levels
PIECE = 2048  # images compared with as many others at once


def distance_to(images: Images, among: Images) -> NDArray[np.float64]:
    """The root mean square difference per pixel, in [0, 1], of each of `images` (n) to the nearest `among` N: (n,)."""
    best = [np.full(len(part), np.inf, np.float32) for part in _pieces(images)]
    for other in _pieces(among):
        squares = (other**2).sum(1)
        for i, one in enumerate(_pieces(images)):
            best[i] = np.minimum(best[i], (squares - 2 * one @ other.T).min(1) + (one**2).sum(1))
    nearest = np.concatenate(best).astype(np.float64)
    return np.sqrt(np.maximum(nearest, 0) / np.prod(images.shape))


def without_leaks(train: Images, test: Images) -> Images:
    """`train` without the images that are, or nearly are, among `test`.

    Raises:
        DiaboloError: when none would be left.
    """
    apart = distance_to(train, test) >= NEAR
    if not apart.any():
        raise DiaboloError(f"every training image of {train.name} is a test image too: nothing is left to train on")
    return train if apart.all() else train.take(apart)


def _pieces(images: Images) -> Iterator[NDArray[np.float32]]:
    x = images.images
    parts = (x[start : start + PIECE].reshape(-1, int(np.prod(images.shape))) for start in range(0, len(x), PIECE))
    return (to_float(part) for part in parts)


def without_class(images: Images, wanted: int | str, missing_ok: bool = False) -> Images:
    """`images` but those of the class that is called `wanted`, see `class_number`.

    Raises:
        DiaboloError: when labels are missing or not all known, none is of that class (unless `missing_ok`), or none of another.
    """
    where = f"{images.name} ({images.split})"
    if images.labels is None:
        raise DiaboloError(f"class {wanted} cannot be left out of {where}, which has no labels")
    if unknown := int((images.labels < 0).sum()):
        raise DiaboloError(
            f"class {wanted} cannot be left out of {where}: the labels of {unknown:,} images are not known"
        )
    try:
        label = class_number(wanted, images.label_names, np.unique(images.labels).tolist(), where)
    except DiaboloError:
        if missing_ok:
            return images
        raise
    others = images.labels != label
    if not others.any():
        raise DiaboloError(f"without class {wanted} nothing is left of {where}")
    return images.take(others)
