"""The codebook of a quantiser: the vectors its codes stand for, and how often each is used."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diabolo.bottlenecks.quantizer import Discrete, counts_of, rows_of
from diabolo.codec import Codec
from diabolo.data.columns import column
from diabolo.data.images import Images
from diabolo.errors import DiaboloError
from diabolo.latents.codes import check_finite, pieces


def codebook(codec: Codec) -> NDArray[np.float32]:
    """The vectors (K, D) that the codes stand for.

    Example:
        >>> quantised = diabolo.zoo.vqvae(train.shape, latent_dim=4, codes=8, width=8, residual_width=4)
        >>> diabolo.latents.codebook(quantised).shape
        (8, 4)
    """
    bottleneck = _discrete(codec)
    with torch.no_grad():
        vectors = bottleneck.codes_of(torch.arange(bottleneck.codes, device=codec.device).view(-1, 1, 1))
    return vectors.flatten(1).float().cpu().numpy()


def unquantised(codec: Codec, images: Images) -> NDArray[np.float32]:
    """What the encoder gives for `images` before it is quantised: (N · h · w, D), one vector for each place of their maps.

    Example:
        >>> quantised = diabolo.zoo.vqvae(train.shape, latent_dim=4, codes=8, width=8, residual_width=4)
        >>> diabolo.latents.unquantised(quantised, test).shape
        (400, 4)
    """
    bottleneck, found = _discrete(codec), list[NDArray[np.float32]]()
    for features in _features(codec, images):
        with torch.no_grad():
            found.append(rows_of(bottleneck.unquantised(features)).cpu().numpy())
    return np.concatenate(found)


def uses(codec: Codec, images: Images) -> NDArray[np.int64]:
    """How often each code (K,) is used for `images`; in all, as often as there are places in their maps.

    Example:
        >>> quantised = diabolo.zoo.vqvae(train.shape, latent_dim=4, codes=8, width=8, residual_width=4)
        >>> int(diabolo.latents.uses(quantised, test).sum())  # 100 images of 2×2 codes
        400
    """
    bottleneck = _discrete(codec)
    counts = np.zeros(bottleneck.codes, np.int64)
    for features in _features(codec, images):
        with torch.no_grad():
            check_finite(bottleneck.unquantised(features), images)
            counts += counts_of(bottleneck.indices(features), bottleneck.codes).cpu().numpy().astype(np.int64)
    assert counts.sum() == len(images) * math.prod(bottleneck.latent_shape[1:])
    return counts


def _features(codec: Codec, images: Images) -> Iterator[Tensor]:
    """What the encoder gives to the bottleneck."""
    for few in pieces(images):
        yield codec.features(few.tensor, column(few, codec.needs_column))


def _discrete(codec: Codec) -> Discrete:
    bottleneck = codec.bottleneck
    if not isinstance(bottleneck, Discrete):  # no other has indices
        raise DiaboloError(f"{codec.name} has no codebook: its codes are not discrete")
    return bottleneck
