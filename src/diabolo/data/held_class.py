"""Training without one class, whose images are anomalies then."""

import numpy as np

from diabolo.data.images import Images
from diabolo.errors import DiaboloError


def without_class(images: Images, label: int) -> Images:
    """`images` but those of the class `label`.

    Raises:
        DiaboloError: when labels are missing or not all known, none is `label`, or none is another.
    """
    where = f"{images.name} ({images.split})"
    if images.labels is None:
        raise DiaboloError(f"class {label} cannot be left out of {where}, which has no labels.")
    if unknown := int((images.labels < 0).sum()):
        raise DiaboloError(
            f"class {label} cannot be left out of {where}: the labels of {unknown:,} images are not known."
        )
    others = images.labels != label
    if others.all():
        held = ", ".join(str(other) for other in np.unique(images.labels)[:20])
        raise DiaboloError(f"there is no class {label} in {where}; the labels are {held}.")
    if not others.any():
        raise DiaboloError(f"without class {label} nothing is left of {where}.")
    return images.take(others)
