"""What the bottleneck of a model says of the images, beyond their codes."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diabolo.bottlenecks import Discrete, Gaussian
from diabolo.codec import Codec, joined
from diabolo.data.columns import column
from diabolo.data.images import Images
from diabolo.latents.codes import check_finite, pieces
from diabolo.metrics.usage import active_units, live_units
from diabolo.randomness import Draws, generator


def has_posterior(codec: Codec) -> bool:
    """Whether its codes are means of a Gaussian posterior q(z|x)."""
    return isinstance(codec.bottleneck, Gaussian)


def units_in_use(codec: Codec, codes: NDArray[Any]) -> NDArray[np.bool_]:
    """Which units (D,) of the `codes` (N, D) say anything: the active ones of posterior means, the live ones of other codes.
    All others are rounding, or noise that the decoder cannot see, and must not be divided by a deviation of their own."""
    return active_units(codes) if has_posterior(codec) else live_units(codes)


def gaussian_posterior(codec: Codec, images: Images, seed: int = 0) -> tuple[Tensor, Tensor] | None:
    """μ and log σ² of q(z|x) for all `images`, (N, D) in float64; None for a codec that has no such posterior. `seed` is of
    what it takes to be the image, where that is drawn.

    Raises:
        DiaboloError: when they are NaN or infinite.
    """
    if not has_posterior(codec):
        return None
    several = (codec.bottleneck.posterior(features) for features in _features(codec, images, seed))
    both = joined((torch.stack([mu, logvar], 1).cpu().double() for mu, logvar in several), len(images))
    check_finite(both, images)
    return both[:, 0].contiguous(), both[:, 1].contiguous()


def sampled_codes(
    codec: Codec, train: Images, test: Images, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """One draw z ~ q(z|x) for each image of `train` and of `test`, (N, D) and (M, D): what the decoder is trained with, in
    which a unit says no more than its noise leaves. None for a codec without a Gaussian posterior."""
    drawn = []
    for part, images in (("train", train), ("test", test)):
        posterior = gaussian_posterior(codec, images, seed)
        if posterior is None:
            return None
        mu, logvar = posterior
        noise = Draws(generator(seed, "sampled codes", part)).normal(mu)
        drawn.append((mu + (0.5 * logvar).exp() * noise).float().numpy())
    return drawn[0], drawn[1]


def indices(codec: Codec, images: Images, seed: int = 0) -> Tensor | None:
    """The code (N, h, w), int64, at each place of all `images`; None for a codec whose codes are not discrete.

    Raises:
        DiaboloError: when what the encoder gives is NaN or infinite.
    """
    bottleneck = codec.bottleneck
    if not isinstance(bottleneck, Discrete):  # no other has indices
        return None

    def some(features: Tensor) -> Tensor:
        with torch.no_grad():
            check_finite(bottleneck.unquantised(features), images)
            return bottleneck.indices(features).cpu()

    return joined((some(features) for features in _features(codec, images, seed)), len(images))


def _features(codec: Codec, images: Images, seed: int) -> Iterator[Tensor]:
    """What the encoder gives to the bottleneck of what is taken to be the images."""
    for few in pieces(images):
        features = codec.features(codec.observe(few.images, seed), column(few, codec.needs_column))
        with torch.no_grad():
            yield features
