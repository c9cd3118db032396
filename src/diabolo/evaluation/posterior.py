"""What the bottleneck of a model says of the images, beyond their codes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diabolo.autoencoder import Autoencoder, Codec, evaluating
from diabolo.bottlenecks import Discrete, Gaussian
from diabolo.data.columns import column
from diabolo.latents.codes import check_finite, pieces
from diabolo.metrics.usage import active_units, live_units
from diabolo.randomness import Draws, generator

if TYPE_CHECKING:
    from diabolo.evaluation.subject import Part, Subject


def has_posterior(codec: Codec) -> bool:
    """Whether its codes are means of a Gaussian posterior q(z|x)."""
    return isinstance(getattr(codec, "bottleneck", None), Gaussian)


def units_in_use(codec: Codec, codes: NDArray[Any]) -> NDArray[np.bool_]:
    """Which units (D,) of the `codes` (N, D) say anything: the active ones of posterior means, the live ones of other codes.
    All others are rounding, or noise that the decoder cannot see, and must not be divided by a deviation of their own."""
    return active_units(codes) if has_posterior(codec) else live_units(codes)


def gaussian_posterior(subject: "Subject", part: "Part" = "test") -> tuple[Tensor, Tensor] | None:
    """μ and log σ² of q(z|x) for all images of that part, (N, D) in float64; None for a codec that has no such posterior.

    Raises:
        DiaboloError: when they are NaN or infinite.
    """
    if not has_posterior(subject.codec):
        return None
    bottleneck = subject.codec.bottleneck  # type: ignore[attr-defined]
    found = [bottleneck.posterior(features) for features in _features(subject, part)]
    mu, logvar = (torch.cat(column).double().cpu() for column in zip(*found, strict=True))
    check_finite(torch.cat([mu, logvar], 1), subject.part(part))
    return mu, logvar


def sampled_codes(subject: "Subject") -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """One draw z ~ q(z|x) for each training and each test image, (N, D) and (M, D): what the decoder is trained with, in which
    a unit says no more than its noise leaves. None for a codec without a Gaussian posterior."""
    drawn = []
    for part in ("train", "test"):
        posterior = gaussian_posterior(subject, part)
        if posterior is None:
            return None
        mu, logvar = posterior
        noise = Draws(generator(subject.seed, "sampled codes", part)).normal(mu)
        drawn.append((mu + (0.5 * logvar).exp() * noise).float().numpy())
    return drawn[0], drawn[1]


def indices(subject: "Subject") -> Tensor | None:
    """The code (N, h, w), int64, at each place of all test images; None for a codec whose codes are not discrete.

    Raises:
        DiaboloError: when what the encoder gives is NaN or infinite.
    """
    bottleneck = getattr(subject.codec, "bottleneck", None)
    if not isinstance(bottleneck, Discrete):
        return None
    found = []
    for features in _features(subject, "test"):
        with torch.no_grad():
            check_finite(bottleneck.unquantised(features), subject.test)
            found.append(bottleneck.indices(features).cpu())
    return torch.cat(found)


def _features(subject: "Subject", part: "Part") -> Iterator[Tensor]:
    """What the encoder gives to the bottleneck, in evaluation mode, without gradients."""
    model = subject.codec
    assert isinstance(model, Autoencoder)
    for few in pieces(subject.part(part)):
        with torch.no_grad(), evaluating(model):
            x = model.observe(few.images, subject.seed)
            to_encoder, _ = model.condition(model.condition.pick(x, column(few, model.needs_column, x.device)))
            features: Tensor = model.encoder(x, *to_encoder)
        with torch.no_grad():
            yield features
