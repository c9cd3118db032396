"""What the waist of a model says of the test images, beyond their codes."""

from collections.abc import Iterator

import torch
from torch import Tensor

from diabolo.autoencoder import Autoencoder, evaluating
from diabolo.bottlenecks import Discrete, Gaussian
from diabolo.data.side import side
from diabolo.evaluation.subject import Subject
from diabolo.latents.codes import check_finite, pieces


def gaussian_posterior(subject: Subject) -> tuple[Tensor, Tensor] | None:
    """μ and log σ² of q(z|x) for all test images, (N, D) in float64; None for a codec that has no such posterior.

    Raises:
        DiaboloError: when they are NaN or infinite.
    """
    waist = getattr(subject.codec, "bottleneck", None)
    if not isinstance(waist, Gaussian):
        return None
    parts = [waist.posterior(features) for features in _features(subject)]
    mu, logvar = (torch.cat(column).double().cpu() for column in zip(*parts, strict=True))
    check_finite(torch.cat([mu, logvar], 1), subject.test)
    return mu, logvar


def indices(subject: Subject) -> Tensor | None:
    """The code (N, h, w), int64, at each place of all test images; None for a codec whose codes are not discrete.

    Raises:
        DiaboloError: when what the encoder gives is NaN or infinite.
    """
    waist = getattr(subject.codec, "bottleneck", None)
    if not isinstance(waist, Discrete):
        return None
    found = []
    for features in _features(subject):
        with torch.no_grad():
            check_finite(waist.unquantised(features), subject.test)
            found.append(waist.indices(features).cpu())
    return torch.cat(found)


def _features(subject: Subject) -> Iterator[Tensor]:
    """What the encoder gives to the waist, in evaluation mode, without gradients."""
    model = subject.codec
    assert isinstance(model, Autoencoder)
    for few in pieces(subject.test):
        with torch.no_grad(), evaluating(model):
            x = model.observe(few.images, subject.seed)
            to_encoder, _ = model.condition(model.condition.pick(x, side(few, model.reads, x.device)))
            features: Tensor = model.encoder(x, *to_encoder)
        with torch.no_grad():
            yield features
