"""Codes as the data of a second model: M2 on the codes of M1 (Kingma, Rezende, Mohamed & Welling 2014, arXiv 1406.5298), or one
autoencoder upon another."""

from dataclasses import replace

import numpy as np

from diabolo.codec import Codec
from diabolo.data.images import Images
from diabolo.latents.codes import encode, refuse_discrete


def codes_as_images(codec: Codec, train: Images, *others: Images) -> tuple[Images, ...]:
    """The codes of `train` and of `others` as vectors (N, D) in [0, 1], with the labels that the images have.

    Each number of the code is mapped so that those of `train` fill [0, 1]; what lies beyond in `others` is cut off. A number
    that never varies is 0.

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
    low, width = z.min(0), np.ptp(z, axis=0)
    found = []
    for images in (train, *others):
        codes = z if images is train else encode(codec, images)
        scaled = np.divide(codes - low, width, out=np.zeros_like(codes), where=width > 0).clip(0, 1)
        found.append(replace(images, images=scaled, name=f"codes of {images.name} by {codec.name}", origin=None))
    return tuple(found)
