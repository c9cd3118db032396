"""What the posterior q(z|x) of an image holds, made visible: draws from it, with its variance as it is and scaled up; and
what one number of the code does to the image, all others held.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from diabolo.bottlenecks.gaussian import Gaussian, kl_per_unit
from diabolo.codec import Codec
from diabolo.data.columns import column
from diabolo.data.images import Images
from diabolo.errors import DiaboloError
from diabolo.latents.codes import check_codes, decode, encode, known, pieces, refuse_discrete
from diabolo.randomness import derive
from diabolo.ranges import AnySeed, Count, Plural, Positive, checked
from diabolo.surroundings import undisturbed


@checked
@undisturbed()
def draws_of(codec: Codec, images: Images, seed: AnySeed = 0) -> NDArray[np.float32]:
    """One code z ~ q(z|x) of each of `images`, flat (N, D); of a codec without a posterior the codes themselves. All together
    are a sample of the aggregated posterior. Not for interpolation or averages, for which there are the means.

    Example:
        >>> draws = diabolo.latents.draws_of(model, test)
        >>> draws.shape
        (100, 4)
    """
    found = []
    for i, few in enumerate(pieces(images)):
        x, y = few.tensor, column(few, codec.needs_column)
        found.append(codec.sample_codes(x, derive(seed, i), y).flatten(1).float().cpu().numpy())
    return np.concatenate(found)


@checked
@undisturbed()
def scaled_samples(
    codec: Codec, images: Images, scales: Sequence[float] = (1.0, 20.0), n: Count = 8, seed: AnySeed = 0
) -> dict[float, NDArray[np.float32]]:
    """`n` images decoded from the posterior of each of `images`, its variance multiplied by each of `scales`: z' = μ + √s (z
    − μ) with z ~ q(z|x). The same noise is used for every scale, so that only its size differs.

    Returns:
        scale → (N, n, *input_shape).

    Raises:
        DiaboloError: for a codec without a posterior.

    Example:
        >>> found = diabolo.latents.scaled_samples(model, test.take(range(2)), scales=(1.0, 20.0), n=3)
        >>> {scale: images.shape for scale, images in found.items()}
        {1.0: (2, 3, 1, 8, 8), 20.0: (2, 3, 1, 8, 8)}
    """
    refuse_discrete(codec, "a posterior of another variance")
    if not scales or not all(0 <= s < np.inf for s in scales):
        raise DiaboloError(f"give one variance or more, each the posterior's times 0 or more, not {tuple(scales)}")
    mu = encode(codec, images).astype(np.float64)
    z = np.stack([draws_of(codec, images, derive(seed, "draw", i)) for i in range(n)], 1).astype(np.float64)
    if (z == mu[:, None]).all():
        raise DiaboloError(
            f"{codec.name} has no posterior: the code of an image is always the same, whatever its variance"
        )
    y = known(codec, images)
    return {s: decode(codec, mu[:, None] + np.sqrt(s) * (z - mu[:, None]), y) for s in scales}


@undisturbed()
def kl_of_units(codec: Codec, images: Images) -> NDArray[np.float64] | None:
    """The mean KL(q(zⱼ|x) ‖ N(0, 1)) in nats of each unit (D,) over `images`; None for a bottleneck that is not Gaussian.

    Example:
        >>> kl = diabolo.latents.kl_of_units(model, test)
        >>> kl.shape, bool((kl >= 0).all())
        ((4,), True)
    """
    if not isinstance(codec.bottleneck.core, Gaussian):  # of which the formula is
        return None
    found = []
    for few in pieces(images):
        features = codec.features(few.tensor, column(few, codec.needs_column))
        with torch.no_grad():
            mu, logvar = codec.bottleneck.posterior(features)
            found.append(kl_per_unit(mu, logvar).cpu().double())
    return torch.cat(found).mean(0).numpy()


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
