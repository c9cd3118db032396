"""How sure a classifier is of each image, and how various its answers are: the Inception score, when it is Inception."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from diabolo.metrics.generation.features import Floats, check_features
from diabolo.statistics import Estimate


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
