"""What the posterior q(z|x) of an image holds, made visible: draws from it, with its variance as it is and scaled up."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from diabolo.bottlenecks.gaussian import Gaussian, kl_per_unit
from diabolo.codec import Codec
from diabolo.data.columns import column
from diabolo.data.images import Images
from diabolo.errors import DiaboloError
from diabolo.latents.codes import decode, encode, known, pieces, refuse_discrete
from diabolo.randomness import derive
from diabolo.ranges import AnySeed, Count, checked
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
        x, y = torch.from_numpy(few.images), column(few, codec.needs_column)
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
        features = codec.features(torch.from_numpy(few.images), column(few, codec.needs_column))
        with torch.no_grad():
            mu, logvar = codec.bottleneck.posterior(features)
            found.append(kl_per_unit(mu, logvar).cpu().double())
    return torch.cat(found).mean(0).numpy()
