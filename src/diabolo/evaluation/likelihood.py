"""How probable a model finds the test images."""

from dataclasses import replace
from typing import Any

import numpy as np

from diabolo.autoencoder import Autoencoder
from diabolo.bottlenecks.gaussian import kl_to_standard_normal
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.evaluation.measure import NotApplicable, Section, measure, standing_alone
from diabolo.evaluation.subject import Subject
from diabolo.metrics.likelihood import Nats, bits_per_dimension, elbo_terms, nll
from diabolo.metrics.score import Score
from diabolo.objectives.iwae import check_densities
from diabolo.observations import OBSERVATIONS
from diabolo.ranges import Count

OWN = "own"
LEVELS = 256
TRUSTED = 10  # effective samples from which on the bias of an estimate is known, see `metrics.nll`


@measure(
    {"NLL": 10, "negative ELBO": 65},
    importance_samples="Codes drawn for each image to estimate its −log p(x).",
    nll_images="Test images that −log p(x) is estimated for, drawn by the seed.",
    elbo_samples="Codes drawn for each test image to estimate its −ELBO.",
    likelihood_of="What is taken to be the pixels in likelihoods: own (as in training), as-is, binarised or dequantised.",
)
def likelihood(
    subject: Subject,
    *,
    importance_samples: Count = 1000,
    nll_images: Count = 1000,
    elbo_samples: Count = 10,
    likelihood_of: str = OWN,
) -> Section:
    """−ELBO with its terms, and −log p(x) by importance sampling, in nats per image and bits per dimension."""
    model = densities(subject)
    if likelihood_of not in (OWN, *OBSERVATIONS):
        raise UnknownNameError("kind of pixels", likelihood_of, (OWN, *OBSERVATIONS))
    observation = None if likelihood_of == OWN else likelihood_of
    own = next((name for name, kind in OBSERVATIONS.items() if type(model.observation) is kind), "own")
    pixels = observation or own
    common = {"pixels": pixels, "likelihood": type(model.likelihood).__name__, "seed": subject.seed}
    scores, skipped = dict[str, Score](), dict[str, str]()
    with standing_alone("negative ELBO", skipped):
        terms = elbo_terms(model, subject.test, elbo_samples, subject.seed, observation=observation)
        kl, how, unit = terms["KL"].per_image.numpy(), "from the same draws", terms["KL"].unit
        if pixels == "as-is" and (posterior := subject.posterior) is not None:
            kl, how = kl_to_standard_normal(*posterior).numpy(), "closed form"
        reconstruction = terms["reconstruction"].per_image.numpy()
        drawn = common | {"draws": elbo_samples}
        scores["negative ELBO"] = _score(subject, reconstruction + kl, unit, drawn | {"KL": how})
        scores["reconstruction term"] = _score(subject, reconstruction, unit, drawn)
        scores["KL term"] = _score(subject, kl, "nats per image", common | {"KL": how}, better=None)
    with standing_alone("NLL", skipped):
        few = subject.test.at_most(nll_images, subject.seed)
        found = nll(model, few, importance_samples, subject.seed, observation=observation)
        scores["NLL"] = _score(subject, found.per_image.numpy(), found.unit, common | _trust(found))
    known = float(np.prod(subject.test.shape)) - float(subject.test.holes.mean())  # numbers of an image, on average
    for name in ("negative ELBO", "NLL"):
        if name in scores:
            scores[f"{name} per dimension"] = _per_dimension(scores[name], known, pixels)
    return Section(scores, skipped=skipped)


def densities(subject: Subject) -> Autoencoder:
    """The codec, if its p(x|z), p(z) and q(z|x) are known.

    Raises:
        NotApplicable: when not, and why.
    """
    if not isinstance(subject.codec, Autoencoder):  # no other codec is a density
        raise NotApplicable(f"{subject.codec.name} has no posterior and no likelihood")
    try:
        check_densities(subject.codec)
    except DiaboloError as error:
        raise NotApplicable(str(error)) from None
    return subject.codec


def _score(subject: Subject, values: np.ndarray, unit: str, setting: dict[str, Any], better: Any = "lower") -> Score:
    kept = subject.shared(values) if len(values) == len(subject.test) else None
    return Score.mean(values, unit, subject.test.split, better=better, setting=setting, shared=kept)


def _trust(found: Nats) -> dict[str, Any]:
    """What says how far an estimate by importance samples can be trusted."""
    bias = 0.5 * (1 / found.effective - 1 / found.samples).mean()
    enough = float(found.effective.min()) >= TRUSTED  # with fewer, the bias is larger than its first term says
    return {
        "importance_samples": found.samples,
        "standard_error": found.standard_error,
        "effective_samples_median": float(found.effective.median()),
        "effective_samples_least": float(found.effective.min()),
        "too_large_by_about" if enough else "too_large_by_more_than": float(bias),
    }


def _per_dimension(score: Score, dimensions: float, pixels: str) -> Score:
    """The same in bits for each value of an image that is known."""
    levels = LEVELS if pixels == "dequantised" else 1
    bits: dict[str, Any] = {
        name: bits_per_dimension(nats, dimensions, levels)
        for name in ("value", "low", "high")
        if (nats := getattr(score, name)) is not None
    }
    unit = score.unit.replace("nats per image", "bits per dimension")
    if levels == 1 and pixels == "as-is" and "no likelihood" not in unit and score.setting["likelihood"] != "Bernoulli":
        unit += " (of a density; the pixels were not dequantised)"
    setting = dict(score.setting) | {"dimensions": dimensions, "levels": levels}
    return replace(score, **bits, unit=unit, setting=setting, shared=None)
