"""How probable a model finds images: −log p(x) by importance sampling, and the bound on it that a VAE is trained by."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diabolo.autoencoder import Autoencoder, evaluating
from diabolo.data.images import Images
from diabolo.data.side import side
from diabolo.errors import DiaboloError
from diabolo.likelihoods import Bernoulli
from diabolo.objectives.iwae import check_densities, log_densities
from diabolo.randomness import Draws, generator

NUMBERS = {"cpu": 2**20, "cuda": 2**26}  # pixels that are decoded at once: within a CPU's cache, enough for a GPU


@dataclass(frozen=True)
class Nats:
    """A measure of N images, in nats each.

    Attributes:
        per_image: (N,), float64.
        effective: how many of the samples count for each image, (N,): (Σ w)² / Σ w², between 1 and `samples`.
        samples: codes drawn for each image.
        unit: "nats per image"; for a cross entropy that is no likelihood it says so.
    """

    per_image: Tensor
    effective: Tensor
    samples: int
    unit: str

    @property
    def mean(self) -> float:
        """The mean over the images."""
        return float(self.per_image.mean())

    @property
    def standard_error(self) -> float | None:
        """Of the mean, by the spread over the images; None for a single one."""
        n = len(self.per_image)
        return float(self.per_image.std() / math.sqrt(n)) if n > 1 else None

    def record(self) -> dict[str, Any]:
        """All that a table should say, JSON-able."""
        return {
            "mean": self.mean,
            "standard_error": self.standard_error,
            "unit": self.unit,
            "images": len(self.per_image),
            "samples": self.samples,
            "effective_samples_median": float(self.effective.median()),
            "effective_samples_least": float(self.effective.min()),
        }


def nll(
    model: Autoencoder,
    images: Images | Tensor | np.ndarray,
    samples: int = 5000,
    seed: int = 0,
    y: Tensor | None = None,
    rows: int | None = None,
) -> Nats:
    """−log p(x) ≈ −log 1/k Σᵢ p(x|zᵢ) p(zᵢ) / q(zᵢ|x), zᵢ ~ q(z|x), i = 1 … k (Burda et al. 2016, arXiv 1509.00519).

    On average too large, by about ½ (1/effective − 1/k) nats: trust it where many samples are effective, and compare models
    at the same k only. A model that binarises gets one draw of each image, fixed by the seed.

    Args:
        model: one with a posterior, a prior and a likelihood in nats.
        images: N images (N, *input_shape).
        samples: k.
        seed: of the codes drawn.
        y: what the model `reads` of each image; `Images` bring it along.
        rows: codes decoded at once, which bounds the memory; chosen by the size of an image when left out.

    Raises:
        DiaboloError: for a model without those densities.
    """
    sums = _sums(model, images, samples, seed, y, rows)
    return Nats(math.log(samples) - sums.weights, sums.effective, samples, sums.unit)


def negative_elbo(
    model: Autoencoder,
    images: Images | Tensor | np.ndarray,
    samples: int = 100,
    seed: int = 0,
    y: Tensor | None = None,
    rows: int | None = None,
) -> Nats:
    """−ELBO = −1/k Σᵢ log p(x|zᵢ) p(zᵢ) / q(zᵢ|x), zᵢ ~ q(z|x): never below −log p(x) on average, whatever k (Kingma & Welling
    2014, arXiv 1312.6114). Arguments as in `nll`; the weight of the KL term is 1 even if it was trained with another."""
    sums = _sums(model, images, samples, seed, y, rows)
    return Nats(-sums.logs / samples, sums.effective, samples, sums.unit)


@dataclass(frozen=True)
class _Sums:
    """Of the importance weights w of each image, (N,) in float64: log Σ w, log Σ w², Σ log w."""

    weights: Tensor
    squares: Tensor
    logs: Tensor
    unit: str

    @property
    def effective(self) -> Tensor:
        return (2 * self.weights - self.squares).exp()


def _sums(
    model: Autoencoder, images: Images | Any, samples: int, seed: int, y: Tensor | None, rows: int | None
) -> _Sums:
    check_densities(model)
    if samples < 1 or not len(images):
        raise DiaboloError(
            f"a likelihood is measured with 1 sample or more on 1 image or more, not {samples}, {len(images)}"
        )
    pixels, known = (images.images, side(images, model.reads)) if isinstance(images, Images) else (images, y)
    x = model.observe(pixels, seed)
    rows = rows or max(1, NUMBERS.get(x.device.type, NUMBERS["cpu"]) // x[0].numel())
    draws = Draws(generator(seed, "importance", device=x.device))
    with torch.no_grad(), evaluating(model):
        together = max(1, rows // samples)  # images
        parts = [
            add_up(
                _log_weights(
                    model, few, None if known is None else known[i : i + together].to(x.device), samples, rows, draws
                )
            )
            for i, few in zip(range(0, len(x), together), x.split(together), strict=True)
        ]
    weights, squares, logs = (torch.cat(column).cpu() for column in zip(*parts, strict=True))
    grey = type(model.likelihood) is Bernoulli and bool(((x != 0) & (x != 1)).any())
    unit = "nats per image (cross entropy of grey pixels, no likelihood)" if grey else model.likelihood.unit
    return _Sums(weights, squares, logs, unit)


def _log_weights(
    model: Autoencoder, x: Tensor, known: Tensor | None, samples: int, rows: int, draws: Draws
) -> Iterator[Tensor]:
    """log w (n, ≤ rows) of the images `x` (n, …), until there are `samples` of each."""
    waist = check_densities(model)
    given = model.condition.pick(x, known)
    if given is not None:
        model.condition.check(given)
    to_encoder, to_decoder = model.condition(given)
    posterior = waist.posterior(model.encoder(x, *to_encoder))
    for start in range(0, samples, rows):
        z = waist.draw(posterior, draws, min(rows, samples - start))
        log_likelihood, log_ratio = log_densities(model, x, z, posterior, to_decoder)
        yield log_likelihood.double() + log_ratio.double()


def add_up(log_weights: Iterable[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """log Σ w, log Σ w² and Σ log w, each (n,), of weights that come as pieces (n, k₁), (n, k₂), … of log w."""

    def merged(
        one: tuple[Tensor, Tensor, Tensor], other: tuple[Tensor, Tensor, Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        return torch.logaddexp(one[0], other[0]), torch.logaddexp(one[1], other[1]), one[2] + other[2]

    return reduce(merged, ((w.logsumexp(1), (2 * w).logsumexp(1), w.sum(1)) for w in log_weights))
