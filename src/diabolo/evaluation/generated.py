"""The images that a codec makes, in every way that the measures of generation look at."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from diabolo.data.portable_random import permutation
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.evaluation.subject import Subject
from diabolo.latents.codes import decode, known
from diabolo.latents.densities import DENSITIES, PRIOR, check_continuous, draw_images, make_density
from diabolo.randomness import derive

USUAL = (PRIOR, "gaussian", "mixture")
WIDE = 512  # numbers in a code, above which a mixture takes hours
Images = NDArray[np.float32]
Made = tuple[Images, dict[str, Any]]  # the images (n, *input_shape), and what decided them


def check_densities(subject: Subject, names: Sequence[str]) -> None:
    """Refuse, before anything is computed, names that do not exist, and densities that were asked for in vain.

    Raises:
        UnknownNameError, DiaboloError: then.
    """
    for name in names:
        if name not in (PRIOR, *DENSITIES):
            raise UnknownNameError("density", name, (PRIOR, *DENSITIES))
        if name != PRIOR:
            make_density(name)  # which may need a library that is not there
        if name != PRIOR and tuple(names) != USUAL:
            check_continuous(subject.codec, name)


def every_kind(
    subject: Subject, names: Sequence[str], n: int, fit_draws: bool = False
) -> Iterator[tuple[str, Callable[[], Made]]]:
    """What each kind of images is called, and a function that makes it: reconstructions, interpolations and samples, `n` images
    each, or as many as there are test images of the first two. Densities are fitted to the training codes, those of a VAE to
    their means or, where `fit_draws`, to draws of q(z|x).

    Of discrete codes there are no interpolations, nor of the usual densities any but the codec's own prior.
    """
    order = ordered(subject)[:n]
    yield "reconstruction", lambda: (subject.reconstructions[order], {})
    continuous = _is_continuous(subject)
    if continuous:
        of = {"of": "mid-points of random pairs of test codes"}
        yield "interpolation", lambda: (_interpolations(subject, order), of)
    for name in names:
        if name == PRIOR or continuous or tuple(names) != USUAL:
            yield name, partial(_samples, subject, name, n, fit_draws)


def ordered(subject: Subject) -> NDArray[np.int64]:
    """The test images in the random order in which they are reconstructed."""
    return permutation(len(subject.test), derive(subject.seed, "generation"))


def made_from(subject: Subject, name: str, n: int) -> NDArray[np.int64] | None:
    """The numbers of the test images that each of `n` images of `every_kind` was made from: (n, 1) of reconstructions, (n, 2)
    of interpolations, None of samples."""
    order = ordered(subject)[:n]
    return {"reconstruction": order[:, None], "interpolation": np.stack([order, np.roll(order, 1)], 1)}.get(name)


def _is_continuous(subject: Subject) -> bool:
    try:
        check_continuous(subject.codec, "any")
    except DiaboloError:
        return False
    codec = subject.codec  # a U-Net's codes are larger than its images, and no bottleneck
    return math.prod(codec.latent_shape) <= math.prod(codec.input_shape)


def _interpolations(subject: Subject, order: NDArray[np.int64]) -> Images:
    """Decoded mid-points (n, *input_shape) between the codes of the test images `order` (n,) and of others; codes are means,
    never samples. The condition, where there is one, is that of the first of a pair."""
    codes = subject.codes("test")
    y = _conditions(subject)
    chosen = torch.from_numpy(order)
    return decode(subject.codec, (codes[order] + codes[np.roll(order, 1)]) / 2, None if y is None else y[chosen])


def _samples(subject: Subject, name: str, n: int, fit_draws: bool = False) -> Made:
    """`n` images from the density of that name, fitted to the training codes or to draws of their posterior; conditions are
    those of random test images."""
    codec, density, setting = subject.codec, None, {"density": "the model's own prior"}
    if name != PRIOR:
        width = math.prod(codec.latent_shape)
        if name == "mixture" and width > WIDE:
            raise DiaboloError(
                f"it would take hours with codes of {width:,} numbers: take another density, such as gaussian"
            )
        fitted = make_density(name, subject.seed)
        least = fitted.least(width)
        if len(subject.train) < least:
            raise DiaboloError(f"it needs {least:,} training codes or more, not {len(subject.train):,}")
        density = fitted.fit(_codes(subject, fit_draws))
        setting = density.setting
    y = _conditions(subject)
    if y is not None:
        order = permutation(len(y), derive(subject.seed, "conditions"))
        y = y[torch.from_numpy(order[np.arange(n) % len(order)])]
    return draw_images(codec, density, n, subject.seed, y), setting


def _codes(subject: Subject, fit_draws: bool) -> NDArray[np.float32]:
    """What densities are fitted to, (N, D)."""
    drawn = subject.sampled_codes if fit_draws else None
    return subject.codes("train") if drawn is None else drawn[0]


def _conditions(subject: Subject) -> torch.Tensor | None:
    """What the decoder is given of each test image."""
    if not subject.codec.condition.to_decoder:
        return None
    return known(subject.codec, subject.test)
