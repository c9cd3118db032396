"""How sure a classifier is of each image, and how various its answers are: the Inception score, when it is Inception."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from diabolo.metrics.generation.features import Floats, check_features
from diabolo.randomness import derive
from diabolo.statistics import bootstrap


@dataclass(frozen=True)
class InceptionScore:
    """From 1 (every answer the same, or all unsure) to the number of classes (every answer sure, all classes alike often).

    Attributes:
        value: the score.
        low, high: the 95 % percentile interval of a bootstrap over images.
    """

    value: float
    low: float
    high: float


def inception_score(logits: ArrayLike, resamples: int = 200, seed: int = 0) -> InceptionScore:
    """exp E[KL(p(y|x) ‖ p(y))] of the logits (N, K) of N generated images (Salimans et al. 2016, arXiv 1606.03498), over all of
    them at once rather than over tenths.

    It does not look at real images at all: a model that gives one perfect image of each class gets the highest score.

    Args:
        logits: of a classifier.
        resamples: of the bootstrap.
        seed: of it.
    """
    from scipy.special import log_softmax  # slow to import

    log_p = log_softmax(check_features(logits, "images"), axis=1)
    p = np.exp(log_p)
    surely = (p * log_p).sum(1)
    low, high = bootstrap(_score, p, surely, n_resamples=resamples, seed=derive(seed, "inception score"))
    return InceptionScore(_score(p, surely), low, high)


def _score(p: Floats, surely: Floats) -> float:
    """Of probabilities (N, K) and minus their entropies (N,)."""
    mean = np.maximum(p.mean(0), np.finfo(np.float64).tiny)  # 0 log 0 is 0
    return float(np.exp(surely.mean() - (mean * np.log(mean)).sum()))
