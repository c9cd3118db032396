"""New images from a codec and a density over its codes."""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diabolo.codec import Codec
from diabolo.errors import DiaboloError
from diabolo.latents.codes import decode
from diabolo.latents.densities.density import Density
from diabolo.randomness import derive
from diabolo.ranges import AnySeed, Count, checked
from diabolo.surroundings import undisturbed

PRIOR = "prior"  # not one of the densities: what the codec itself draws from, an autoregressive one over discrete codes, say
PIECE = 1024  # images made at once


def check_continuous(codec: Codec, name: str) -> None:
    """Refuse a density over codes that stand for indices, or over no code at all.

    Raises:
        DiaboloError: then.
    """
    if codec.bottleneck.discrete:
        raise DiaboloError(
            f"the density {name!r} is over real numbers, and the codes of {codec.name} are discrete: use {PRIOR!r}, "
            f"the autoregressive one that is fitted by: diabolo fit-prior RUN"
        )
    if not math.prod(codec.latent_shape):
        raise DiaboloError(f"{codec.name} has no code, so that there is no density over codes: use {PRIOR!r}")


@checked
@undisturbed()
def draw_images(
    codec: Codec, density: Density | None, n: Count, seed: AnySeed = 0, y: Tensor | None = None
) -> NDArray[np.float32]:
    """`n` new images (n, *input_shape) in [0, 1].

    Args:
        codec: a trained model.
        density: fitted to its codes, flat; None for the prior of the codec itself.
        n: how many.
        seed: the same seed gives the same images.
        y: what they are conditioned on, one entry for each, where the decoder is given something.

    Example:
        >>> density = diabolo.latents.fit_density("gaussian", model.encode(train.images))
        >>> diabolo.latents.draw_images(model, density, 5).shape
        (5, 1, 8, 8)
    """
    if density is not None:
        check_continuous(codec, density.name)
        return decode(codec, density.sample(n, seed), y)
    found: list[NDArray[Any]] = []
    for start in range(0, n, PIECE):
        few = min(PIECE, n - start)
        own = seed if n <= PIECE else derive(seed, "piece", start)
        images = codec.sample(few, own, None if y is None else y[start : start + few])
        found.append(images.float().clamp(0, 1).cpu().numpy())  # PCA leaves [0, 1]
    return np.concatenate(found)


def take_turns(y: Tensor | None, n: int) -> Tensor | None:
    """`n` entries of `y` (M, …), in turn."""
    return None if y is None else y[torch.arange(n) % len(y)]
