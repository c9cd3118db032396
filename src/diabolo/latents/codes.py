"""What everything in latent space starts from: codes of images as flat rows, images of such rows, and codes as the data of a
second model: M2 on the codes of M1 (Kingma, Rezende, Mohamed & Welling 2014, arXiv 1406.5298), or one autoencoder upon
another.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from diabolo.codec import Codec, joined, piece
from diabolo.data.columns import column
from diabolo.data.images import Images
from diabolo.errors import DiaboloError
from diabolo.surroundings import undisturbed

PIECE = 1024  # images that go through the codec at once, unless another number is asked for


def check_codes(codes: ArrayLike, least: int = 1) -> NDArray[np.float64]:
    """`codes` (N, D) in float64.

    Raises:
        DiaboloError: for another shape, fewer than `least`, and NaN or infinity among them.
    """
    z = np.asarray(codes, np.float64)
    if z.ndim != 2 or not z.shape[1]:
        raise DiaboloError(f"codes must be of the shape (N, D), not {z.shape}; flatten maps first")
    if len(z) < least:
        raise DiaboloError(f"{least} codes or more are needed, not {len(z)}")
    if bad := int((~np.isfinite(z)).any(1).sum()):
        raise DiaboloError(f"{bad:,} of {len(z):,} codes hold NaN or infinity: the model they come from is broken")
    return z


def check_differ(z: NDArray[np.float64], what: str) -> None:
    """Refuse codes `z` (N, D) that are all the same, of which `what` can say nothing."""
    if len(z) and (z == z[0]).all():
        different(z, 2, what)


def different(z: NDArray[np.float64], least: int, what: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The one check before codes are given to a method that stands or falls with how they differ: the different ones among
    `z` (N, D), which `check_codes` has passed, in rising order, and for each of the N which of them it is.

    Args:
        z: the codes.
        least: how many different ones `what` needs.
        what: the method, for the message.

    Raises:
        DiaboloError: for fewer; the message names both causes there can be.
    """
    found, which = np.unique(z, axis=0, return_inverse=True)
    if len(found) < least:
        same = (
            f"all {len(z):,} codes are the same" if len(found) == 1 else f"only {len(found)} of {len(z):,} codes differ"
        )
        raise DiaboloError(
            f"{same}, and {what} needs {least} different ones or more: either the images repeat, or the encoder gives "
            f"different images one code (it has collapsed)"
        )
    return found, which.reshape(-1).astype(np.int64)


def refuse_discrete(codec: Codec, what: str) -> None:
    """Refuse a codec whose codes stand for indices, and one without codes: `what` is done with sums of codes."""
    if codec.bottleneck.discrete:
        raise DiaboloError(
            f"{what} adds codes up, and those of {codec.name} are discrete: what lies between means nothing"
        )
    if not math.prod(codec.latent_shape):
        raise DiaboloError(f"{what} needs a code, and {codec.name} has none")


def known(codec: Codec, images: Images) -> Tensor | None:
    """What the decoder is given of each of `images` besides its code, as `decode` takes it; None where that is nothing."""
    y = column(images, codec.needs_column)
    reads = codec.condition.needs_unit_range  # the image itself; of many nothing is read for any other
    return codec.condition.pick(images.tensor if reads else torch.empty(0), y)


def pieces(images: Images) -> Iterator[Images]:
    """`images`, some at a time, so that they need not all be floats at once."""
    n = piece(PIECE)
    return (images.take(np.arange(i, min(i + n, len(images)))) for i in range(0, len(images), n))


@undisturbed()
def encode(codec: Codec, images: Images) -> NDArray[np.float32]:
    """The deterministic codes (N, D) of `images`, flat: means, never samples.

    Raises:
        DiaboloError: when some are NaN or infinite.
    """
    codes = (codec.encode(few.tensor, column(few, codec.needs_column)) for few in pieces(images))
    z = joined((few.flatten(1).float() for few in codes), len(images))
    check_finite(z, images)
    return z.cpu().numpy()


def check_finite(z: Tensor, images: Images) -> None:
    """Refuse what an encoder made of `images`, (N, …), where it is NaN or infinite."""
    if bad := int((~z.flatten(1).isfinite()).any(1).sum()):
        raise DiaboloError(
            f"{bad:,} of {len(z):,} codes of {images.name} ({images.split}) hold NaN or infinity: the model is broken"
        )


@undisturbed()
def decode(codec: Codec, codes: NDArray[Any], y: Tensor | None = None) -> NDArray[np.float32]:
    """The images (P, …, *input_shape) of flat codes (P, …, D), in the units of the data.

    Args:
        codes: any number of them for each of P images.
        y: what the decoder is given, one entry for each of the P; see `known`.
    """
    *shape, width = codes.shape
    if width != math.prod(codec.latent_shape):
        raise DiaboloError(f"the codes of {codec.name} have {math.prod(codec.latent_shape)} numbers, not {width}")
    z = torch.from_numpy(np.ascontiguousarray(codes, np.float32)).reshape(math.prod(shape), *codec.latent_shape)
    if y is not None and shape[0]:
        y = y.repeat_interleave(len(z) // shape[0], 0)
    n = piece(PIECE)
    x_hat = [codec.decode(few, None if y is None else y[i * n : (i + 1) * n]) for i, few in enumerate(z.split(n))]
    pixels = codec.scaling.held(torch.cat(x_hat).float()).cpu().numpy()
    return pixels.reshape(*shape, *codec.input_shape)


def codes_as_images(codec: Codec, train: Images, *others: Images) -> tuple[Images, ...]:
    """The codes of `train` and of `others` as vectors (N, D) in [0, 1], with the labels that the images have.

    Each number of the code is centred on ½ by its mean over `train`, and one scale for all numbers brings the farthest of
    `train` to 0 or 1, so distances between codes keep their proportions. What lies beyond in `others` is cut off.

        m1 = diabolo.load("runs/0001-vae-mnist")
        codes, test_codes = latents.codes_as_images(m1, few, test)
        diabolo.fit(zoo.m2(codes.shape, 8, likelihood="gaussian"), codes, test_codes, labelled_per_batch=32)

    Raises:
        DiaboloError: for discrete codes, and such as are NaN or infinite.

    Example:
        >>> train_codes, test_codes = diabolo.latents.codes_as_images(model, train, test)
        >>> train_codes.shape, len(test_codes)
        ((4,), 100)
    """
    refuse_discrete(codec, "a model of codes")
    z = encode(codec, train)
    centre = z.mean(0)
    width = 2 * float(np.abs(z - centre).max()) or 1.0
    found = []
    for images in (train, *others):
        codes = z if images is train else encode(codec, images)
        scaled = (0.5 + (codes - centre) / width).clip(0, 1)
        found.append(replace(images, images=scaled, name=f"codes of {images.name} by {codec.name}", origin=None))
    return tuple(found)
