"""Training without one class, whose images are anomalies then."""

import numpy as np

from diabolo.data.classes import class_number
from diabolo.data.images import Images
from diabolo.errors import DiaboloError


def without_class(images: Images, wanted: int | str, missing_ok: bool = False) -> Images:
    """`images` but those of the class that is called `wanted`, see `class_number`.

    Raises:
        DiaboloError: when labels are missing or not all known, none is of that class (unless `missing_ok`), or none of another.
    """
    where = f"{images.name} ({images.split})"
    if images.labels is None:
        raise DiaboloError(f"class {wanted} cannot be left out of {where}, which has no labels.")
    if unknown := int((images.labels < 0).sum()):
        raise DiaboloError(
            f"class {wanted} cannot be left out of {where}: the labels of {unknown:,} images are not known."
        )
    try:
        label = class_number(wanted, images.label_names, np.unique(images.labels).tolist(), where)
    except DiaboloError:
        if missing_ok:
            return images
        raise
    others = images.labels != label
    if not others.any():
        raise DiaboloError(f"without class {wanted} nothing is left of {where}.")
    return images.take(others)
