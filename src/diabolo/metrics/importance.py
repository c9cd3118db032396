"""Importance weights of codes, summed over the samples of each image: what likelihoods are estimated from."""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

import torch
from torch import Tensor

from diabolo import distributed
from diabolo.autoencoder import Autoencoder
from diabolo.bottlenecks import Variational
from diabolo.codec import as_input, evaluating
from diabolo.data.columns import column
from diabolo.data.images import Images
from diabolo.errors import DiaboloError
from diabolo.hardware import wide
from diabolo.likelihoods import Bernoulli
from diabolo.memory import at_once
from diabolo.objectives.iwae import check_densities, log_densities
from diabolo.observations import AsIs, Dequantised, Observation, as_observation
from diabolo.randomness import Draws, generator

NUMBERS = {"cpu": 2**20, "cuda": 2**26}  # pixels that are decoded at once: within a CPU's cache, enough for a GPU


@dataclass(frozen=True)
class Sums:
    """Over the samples of each image, (N,) in float64, of its importance weights w = p(x|z) p(z) / q(z|x): log Σ w, log Σ w²,
    Σ log w; and Σ log p(x|z)."""

    weights: Tensor
    squares: Tensor
    logs: Tensor
    likelihoods: Tensor
    unit: str

    @property
    def effective(self) -> Tensor:
        """(Σ w)² / Σ w²: how many of the samples count."""
        return (2 * self.weights - self.squares).exp()


@distributed.alone()
def importance_sums(
    model: Autoencoder,
    images: Images | Any,
    samples: int,
    seed: int,
    y: Tensor | None,
    rows: int | None,
    observation: str | Observation | None,
    only: slice | None = None,
) -> Sums:
    """Those of `samples` codes of each of the `images`; arguments as in `likelihood.nll`."""
    bottleneck = check_densities(model)
    if samples < 1 or not len(images):
        raise DiaboloError(
            f"a likelihood is measured with 1 sample or more on 1 image or more, not {samples}, {len(images)}"
        )
    pixels, known = (images.images, column(images, model.needs_column)) if isinstance(images, Images) else (images, y)
    kind = model.observation if observation is None else as_observation(observation)
    drawn = None if isinstance(kind, AsIs) else _observed(model, pixels, seed, observation)  # of all images together
    rows = rows or at_once(NUMBERS.get(model.device.type, NUMBERS["cpu"]), math.prod(model.input_shape))
    draws = Draws(generator(seed, "importance", device=model.device))
    wanted = range(len(pixels))[only or slice(None)]
    if not wanted or wanted.step != 1:
        raise DiaboloError(f"{only} is no run of images among {len(pixels)}")
    together = at_once(rows, samples)  # images in a piece
    first = wanted.start // together * together  # a piece that holds a wanted image is computed whole, as it always is
    with torch.no_grad(), evaluating(model):
        parts, grey = [], False
        for i in range(0, wanted.stop, together):
            few = (
                _observed(model, pixels[i : i + together], seed, observation)
                if drawn is None
                else drawn[i : i + together]
            )
            grey = grey or bool(((few != 0) & (few != 1)).any())
            posterior, to_decoder = _encoded(model, bottleneck, few, None if known is None else known[i : i + together])
            codes = _codes(bottleneck, posterior, draws, samples, rows)
            if i < first:
                deque(codes, 0)  # drawn and let go, so that later images have the codes that they always have
                continue
            both = [log_densities(model, few, z, posterior, to_decoder) for z in codes]
            of_pixels = torch.stack([wide(log_likelihood).sum(1) for log_likelihood, _ in both]).sum(0)
            parts.append((*add_up(wide(one) + wide(other) for one, other in both), of_pixels))
    found = slice(wanted.start - first, wanted.stop - first)
    weights, squares, logs, likelihoods = (torch.cat(column)[found].cpu() for column in zip(*parts, strict=True))
    unit = model.unit
    if grey and type(model.likelihood) is Bernoulli:
        unit = "nats per image (cross entropy of grey pixels, no likelihood)"
    return Sums(weights, squares, logs, likelihoods, unit)


def _observed(model: Autoencoder, pixels: Any, seed: int, observation: str | Observation | None) -> Tensor:
    """What is taken to be the images."""
    if observation is None:
        return model.scaling(model.observe(pixels, seed))  # type: ignore[no-any-return]  # a module's call is untyped
    x = as_input(pixels, model.input_shape, model.device, scaling=model.scaling)
    chosen = as_observation(observation)
    if isinstance(chosen, Dequantised) and not torch.allclose(255 * x, (255 * x).round(), atol=1e-3):
        raise DiaboloError("only 8-bit pixels can be dequantised, and these are not multiples of 1/255")
    drawn: Tensor = chosen(x, Draws(generator(seed, "observation", device=x.device)))
    return drawn


def _encoded(
    model: Autoencoder, bottleneck: Variational, x: Tensor, known: Tensor | None
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """What q(z|x) of the images `x` (n, …) is made of, and what the decoder is given of them, `known` (n, …) of each."""
    given = model.condition.pick(x, None if known is None else known.to(x.device))
    if given is not None:
        model.condition.check(given)
    to_encoder, to_decoder = model.condition(given)
    return bottleneck.posterior(model.encoder(x, *to_encoder)), to_decoder


def _codes(
    bottleneck: Variational, posterior: tuple[Tensor, ...], draws: Draws, samples: int, rows: int
) -> Iterator[Tensor]:
    """Codes z ~ q(z|x), (n, ≤ rows, D), until there are `samples` of each image."""
    return (bottleneck.draw(posterior, draws, min(rows, samples - start)) for start in range(0, samples, rows))


def add_up(log_weights: Iterable[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """log Σ w, log Σ w² and Σ log w, each (n,), of weights that come as pieces (n, k₁), (n, k₂), … of log w."""

    def merged(
        one: tuple[Tensor, Tensor, Tensor], other: tuple[Tensor, Tensor, Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        return torch.logaddexp(one[0], other[0]), torch.logaddexp(one[1], other[1]), one[2] + other[2]

    return reduce(merged, ((w.logsumexp(1), (2 * w).logsumexp(1), w.sum(1)) for w in log_weights))
