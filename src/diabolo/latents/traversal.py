"""What one number of the code does to the image, all others held."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from diabolo.codec import Codec
from diabolo.data.images import Images
from diabolo.errors import DiaboloError
from diabolo.latents.codes import check_codes, decode, encode, refuse_discrete
from diabolo.latents.posterior import draws_of, kl_of_units
from diabolo.ranges import AnySeed, Count, Plural, Positive, checked
from diabolo.surroundings import undisturbed

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Units:
    """The numbers of a code, those that tell most first.

    Attributes:
        order: (U,) their indices.
        told: (U,) how much each tells, in that order.
        unit: what that is measured in: "nats of KL" for a model with a posterior, else "variance".
        middle, width: (D,) of every unit, in its own place: the mean of its codes, and the deviation of what the decoder gets,
            which for a VAE counts the posterior's own width in: about 1, for units that tell nothing too.

    Example:
        >>> found = diabolo.latents.units(model, train)
        >>> sorted(found.order.tolist()), found.unit
        ([0, 1, 2, 3], 'nats of KL')
    """

    order: NDArray[np.int64]
    told: Floats
    unit: str
    middle: Floats
    width: Floats


@checked
@undisturbed()
def units(codec: Codec, images: Images, seed: AnySeed = 0) -> Units:
    """Which units of `codec` tell most of `images`: by KL where there is a Gaussian posterior, else by variance. Those of PCA
    come out in the order of its components, and their widths are √λ.

    Example:
        >>> found = diabolo.latents.units(model, train)
        >>> len(found.told), found.unit
        (4, 'nats of KL')
    """
    refuse_discrete(codec, "a traversal")
    z = check_codes(encode(codec, images), least=2)
    kl = kl_of_units(codec, images)
    told = z.var(0) if kl is None else kl
    order = np.argsort(-told, kind="stable")
    drawn = check_codes(draws_of(codec, images, seed))
    return Units(order, told[order], "variance" if kl is None else "nats of KL", z.mean(0), drawn.std(0))


@checked
def traverse(
    codec: Codec,
    code: ArrayLike,
    units: Units,
    reach: Positive = 3.0,
    steps: Plural = 7,
    most: Count | None = None,
    y: Tensor | None = None,
) -> NDArray[np.float32]:
    """The images (U, steps, *input_shape) of `code` with one unit after the other, in the order of `units`, set to its middle
    ± `reach` of its widths.

    Args:
        codec: of continuous codes.
        code: (D,), the units that are held: the code of an image, or `units.middle`.
        units: of this codec.
        reach: in deviations; in a VAE those of the aggregated posterior, which is near the prior's 1.
        steps: images a row.
        most: rows; all units when left out.
        y: what the decoder is given, one entry (1, …).

    Example:
        >>> units = diabolo.latents.units(model, train)
        >>> diabolo.latents.traverse(model, model.encode(test.images[:1])[0], units, steps=5).shape
        (4, 5, 1, 8, 8)
    """
    z = check_codes(np.atleast_2d(np.asarray(code, np.float64)))
    if len(z) != 1:
        raise DiaboloError(f"a traversal is of 1 code, not of {len(z)}: give the code of one image, or `units.middle`")
    chosen = units.order[:most]
    moved = np.tile(z, (len(chosen), steps, 1))
    for row, j in zip(moved, chosen, strict=True):
        row[:, j] = units.middle[j] + np.linspace(-reach, reach, steps) * units.width[j]
    found: NDArray[np.float32] = decode(codec, moved[None], y)[0]
    return found
