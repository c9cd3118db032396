"""How probable a model finds images: −log p(x) by importance sampling, and the bound on it that a VAE is trained by."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

from diabolo import distributed
from diabolo.autoencoder import Autoencoder
from diabolo.data.images import Images
from diabolo.errors import DiaboloError
from diabolo.metrics.importance import importance_sums
from diabolo.observations import Observation


@dataclass(frozen=True)
class Nats:
    """A measure of N images, in nats each.

    Attributes:
        per_image: (N,), float64.
        effective: how many of the samples count for each image, (N,): (Σ w)² / Σ w², between 1 and `samples`.
        samples: codes drawn for each image.
        unit: "nats per image"; for a cross entropy that is no likelihood it says so.

    Example:
        >>> found = diabolo.metrics.nll(model, test, samples=20)
        >>> isinstance(found, diabolo.metrics.Nats), sorted(found.record())
        (True, ['effective_samples_least', 'effective_samples_median', 'images', 'mean', 'samples', 'standard_error', 'unit'])
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

    def over_processes(self) -> "Nats":
        """Of the images of all processes, the same in each; to be called in each."""
        return replace(self, per_image=distributed.rows(self.per_image), effective=distributed.rows(self.effective))

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
    observation: str | Observation | None = None,
    only: slice | None = None,
) -> Nats:
    """−log p(x) ≈ −log 1/k Σᵢ p(x|zᵢ) p(zᵢ) / q(zᵢ|x), zᵢ ~ q(z|x), i = 1 … k (Burda et al. 2016, arXiv 1509.00519).

    On average too large: by about ½ (1/effective − 1/k) nats where ten samples or more are effective (the first term of a
    series). With fewer it is too large by more than that, and nobody knows by how much, for then `effective` is itself too
    large. Compare models at the same k only. A model that binarises gets one draw of each image, fixed by the seed.

    Args:
        model: one with a posterior, a prior and a likelihood in nats.
        images: N images (N, *input_shape).
        samples: k.
        seed: of the codes drawn.
        y: what the model needs to know of each image (`needs_column`); `Images` bring it along.
        rows: codes decoded at once, which bounds the memory; chosen by the size of an image when left out.
        observation: what is taken to be the image, "binarised" or "dequantised" say; the model's own when left out.
        only: which of the images to measure, a run of them, with the draws that they have among all. Several processes find
            what one would by `nll(…, only=distributed.mine(len(images))).over_processes()`.

    Raises:
        DiaboloError: for a model without those densities.

    Example:
        >>> found = diabolo.metrics.nll(model, test, samples=50, observation="binarised")
        >>> tuple(found.per_image.shape), found.unit
        ((100,), 'nats per image')
    """
    sums = importance_sums(model, images, samples, seed, y, rows, observation, only)
    return Nats(math.log(samples) - sums.weights, sums.effective, samples, sums.unit)


def negative_elbo(
    model: Autoencoder,
    images: Images | Tensor | np.ndarray,
    samples: int = 100,
    seed: int = 0,
    y: Tensor | None = None,
    rows: int | None = None,
    observation: str | Observation | None = None,
    only: slice | None = None,
) -> Nats:
    """−ELBO = −1/k Σᵢ log p(x|zᵢ) p(zᵢ) / q(zᵢ|x), zᵢ ~ q(z|x): never below −log p(x) on average, whatever k (Kingma & Welling
    2014, arXiv 1312.6114). Arguments as in `nll`; the weight of the KL term is 1 even if it was trained with another.

    Example:
        >>> bound = diabolo.metrics.negative_elbo(model, test, samples=50)
        >>> likelihood = diabolo.metrics.nll(model, test, samples=50)
        >>> bool(likelihood.mean < bound.mean)
        True
    """
    sums = importance_sums(model, images, samples, seed, y, rows, observation, only)
    return Nats(-sums.logs / samples, sums.effective, samples, sums.unit)


def elbo_terms(
    model: Autoencoder,
    images: Images | Tensor | np.ndarray,
    samples: int = 10,
    seed: int = 0,
    y: Tensor | None = None,
    rows: int | None = None,
    observation: str | Observation | None = None,
    only: slice | None = None,
) -> dict[str, Nats]:
    """The two terms of −ELBO, and it, estimated with the same draws z ~ q(z|x): "reconstruction" E −log p(x|z), and "KL"
    E log q(z|x) − log p(z). Arguments as in `nll`.

    Example:
        >>> terms = diabolo.metrics.elbo_terms(model, test, samples=5)
        >>> list(terms)
        ['reconstruction', 'KL', 'negative ELBO']
    """
    sums = importance_sums(model, images, samples, seed, y, rows, observation, only)
    values = {
        "reconstruction": -sums.likelihoods / samples,
        "KL": (sums.likelihoods - sums.logs) / samples,
        "negative ELBO": -sums.logs / samples,
    }
    return {name: Nats(value, sums.effective, samples, sums.unit) for name, value in values.items()}


def bits_per_dimension(nats: float, dimensions: float, levels: int = 1) -> float:
    """nats / (D ln 2) + log₂ levels: nats per image as bits for each of its D values.

    `levels` is 256 for the density of dequantised 8-bit pixels, of which it makes a bound on the bits of the pixels themselves
    (see `observations.Dequantised`), and 1 where nothing was dequantised.

    Example:
        >>> round(float(diabolo.metrics.bits_per_dimension(64 * np.log(2), dimensions=64)), 6)
        1.0
    """
    if dimensions < 1 or levels < 1:
        raise DiaboloError(f"there are no bits for each of {dimensions} dimensions of {levels} levels")
    return nats / (dimensions * math.log(2)) + math.log2(levels)
