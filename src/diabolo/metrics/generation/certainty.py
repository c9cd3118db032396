"""What a classifier says of generated images: how sure it is of each, and how various its answers are (the Inception score,
when it is Inception); and whether a model draws what it is asked for.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from diabolo.autoencoder import Autoencoder
from diabolo.errors import DiaboloError
from diabolo.metrics.generation.features import Extractor, Floats, check_features, extract
from diabolo.metrics.score import Score
from diabolo.statistics import Estimate, wilson


@dataclass(frozen=True)
class InceptionScore:
    """From 1 (every answer the same, or all unsure) to the number of classes (every answer sure, all classes alike often).

    Attributes:
        value: the score of these images; a little too small, since few images are less various than many.
        low, high: a 95 % interval of the score of infinitely many, without that bias.
    """

    value: float
    low: float
    high: float


def inception_score(logits: ArrayLike) -> InceptionScore:
    """exp E[KL(p(y|x) ‖ p(y))] of the logits (N, K) of N generated images (Salimans et al. 2016, arXiv 1606.03498), over all of
    them at once rather than over tenths.

    It does not look at real images at all: a model that gives one perfect image of each class gets the highest score.

    Args:
        logits: of a classifier.

    Raises:
        DiaboloError: for fewer than two images, NaN or infinity.
    """
    from scipy.special import log_softmax  # slow to import

    log_p = log_softmax(check_features(logits, "images"), axis=1)
    p = np.exp(log_p)
    found = information(p, (p * log_p).sum(1))
    value = math.exp(found.value - _bias(p))
    low, high = (min(max(1.0, math.exp(end)), float(p.shape[1])) for end in found.interval())
    return InceptionScore(value, min(low, value), max(high, value))


def information(p: Floats, surely: Floats) -> Estimate:
    """E[KL(p(y|x) ‖ p(y))] in nats, of probabilities (N, K) and minus their entropies (N,): the mutual information of image and
    class.

    The mean answer of N images is less various than that of many by Σₖ var(pₖ) / (2 N mean(pₖ)) nats (Miller 1955), which is
    added. The error is that of a mean of KL divergences, and of that correction: tr((D⁻¹C)²) / (2 N²) with C the covariance of
    p and D its mean, which is what is left where all images are equally sure.
    """
    n, mean = len(p), np.maximum(p.mean(0), np.finfo(np.float64).tiny)  # 0 log 0 is 0
    each = surely - p @ np.log(mean)
    spread = (p - p.mean(0)) / mean
    turned = spread.T @ (p - p.mean(0)) / (n - 1)
    variance = each.var(ddof=1) / n + float((turned * turned.T).sum()) / (2 * n * n)
    return Estimate(float(each.mean()) + _bias(p), math.sqrt(variance), n - 1)


def _bias(p: Floats) -> float:
    """By how many nats the mean answer of these images is less various than that of infinitely many."""
    mean = np.maximum(p.mean(0), np.finfo(np.float64).tiny)
    return float((p.var(0, ddof=1) / mean).sum() / (2 * len(p)))


def read(classifier: Extractor, images: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The class (N,) that the classifier reads each of `images` (N, C, H, W) as, and its probability (N,).

    Raises:
        DiaboloError: for an extractor that knows no classes.
    """
    logits = extract(classifier, images).logits
    if logits is None:
        raise DiaboloError(f"the extractor {classifier.name!r} knows no classes")
    shares = np.exp(logits - logits.max(1, keepdims=True))
    return logits.argmax(1), (shares / shares.sum(1, keepdims=True)).max(1)


def clearly_read(classifier: Extractor, images: NDArray[np.float32], least: float = 0.9) -> Score:
    """The share of `images` (N, C, H, W) whose likeliest class has a probability of `least` or more, with its interval: how
    clear they look, not how various they are.

    Raises:
        DiaboloError: for an extractor that knows no classes.
    """
    sure = int((read(classifier, images)[1] >= least).sum())
    unit = f"share of images that {classifier.name} reads with a probability of {least:g} or more"
    return Score(sure / len(images), unit, len(images), "generated", *wilson(sure, len(images)), "Wilson", "higher")


def asked_for(
    model: Autoencoder, classifier: Extractor, per_class: int = 1000, seed: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """`per_class` samples of each class that a conditional model can be asked for: which it was (N,), and which the classifier
    reads (N,). The codes are the same for every class, so that nothing but the condition differs between them.

    Raises:
        DiaboloError: for a model that is not conditioned on a class.
    """
    every = model.condition.every(model.device)
    if every is None:
        raise DiaboloError(f"{model.name} cannot be asked for a class")
    found = [read(classifier, model.sample(per_class, seed, y.expand(per_class)).cpu().numpy())[0] for y in every]
    return torch.arange(len(every)).repeat_interleave(per_class).numpy(), np.concatenate(found)
