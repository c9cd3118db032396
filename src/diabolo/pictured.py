"""A codec of numbers in any units, and its images, as pictures: black to white in [0, 1], for all that is drawn or is measured
on pictures."""

from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from diabolo.codec import Codec, as_tensor
from diabolo.data.gather import stacked
from diabolo.data.images import Images, chunks
from diabolo.data.unit import to_float
from diabolo.scaling import UNIT, Scaling, Unscaled


class _Pictured:
    """`codec`, given and giving pictures; all else is the codec's own."""

    def __init__(self, codec: Codec) -> None:
        self.codec, self.scaling = codec, Unscaled()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.codec, name)

    def encode(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return self.codec.encode(self._own(x), y)

    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self._picture(self.codec.decode(z, y))

    def reconstruct(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return self._picture(self.codec.reconstruct(self._own(x), y))

    def sample(self, n: int, seed: int = 0, y: Tensor | None = None) -> Tensor:
        return self._picture(self.codec.sample(n, seed, y))

    def sample_codes(self, x: Tensor, seed: int = 0, y: Tensor | None = None) -> Tensor:
        return self.codec.sample_codes(self._own(x), seed, y=y)

    def features(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return self.codec.features(self._own(x), y)

    def observe(self, x: Tensor, seed: int = 0) -> Tensor:
        return self._picture(self.codec.observe(self._own(x), seed))

    def corrupt(self, x: Tensor, seed: int = 0) -> Tensor:
        return self._picture(self.codec.corrupt(self._own(x), seed))

    def _own(self, x: Any) -> Tensor:
        low, high = self.codec.scaling.shown
        return to_float(as_tensor(x, "images")) * (high - low) + low

    def _picture(self, x: Tensor) -> Tensor:
        return self.codec.scaling.as_picture(x)


def as_pictures(codec: Codec) -> Codec:
    """`codec` as one that is given and gives pictures in [0, 1]: itself where it is so already.

    Example:
        >>> table = diabolo.data.Images(np.random.default_rng(0).normal(50, 9, (40, 1, 8, 8)))
        >>> pca = diabolo.fit("pca", table, latent_dim=2, quiet=True).model
        >>> shown = diabolo.pictured.as_pictures(pca).sample(5)
        >>> bool(shown.min() >= 0), bool(shown.max() <= 1), bool(pca.sample(5).max() > 1)
        (True, True, True)
    """
    scaling = getattr(codec, "scaling", Unscaled())  # a prior over codes has none
    return codec if scaling.reach == UNIT else cast(Codec, _Pictured(codec))


def pictures_of(images: Images, scaling: Scaling) -> Images:
    """`images` as pictures of 8 bits, by what the `scaling` of a model shows as black and white; of floats, NaN among them,
    where some pixels are not known; themselves where they are so already.

    Example:
        >>> diabolo.pictured.pictures_of(train, diabolo.scaling.Unscaled()) is train
        True
    """
    if scaling.reach == UNIT:
        return images
    pieces = (scaling.as_picture(torch.from_numpy(to_float(piece))) for piece in chunks(images.images))
    if images.holes.any():
        return replace(
            images, images=stacked((piece.float().numpy() for piece in pieces), len(images), "pictures"), span=None
        )
    found = (np.rint(piece.numpy() * 255).astype(np.uint8) for piece in pieces)
    return replace(images, images=stacked(found, len(images), "pictures"), span=None)
