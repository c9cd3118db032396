"""The kernel distance between two sets of features: KID, when they are Inception's."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from diabolo.errors import DiaboloError
from diabolo.metrics.generation.features import Floats, check_alike, check_features
from diabolo.randomness import derive
from diabolo.statistics import mean_interval

SIZE = 1000
LEAST = 10  # subsets, so that they have an interval


@dataclass(frozen=True)
class Kernel:
    """A kernel distance; without bias, so that it may be a little below 0 where there is no difference.

    Attributes:
        subsets: the estimate of each disjoint subset, (S,).
        size: images in each, on either side.
    """

    subsets: Floats
    size: int

    @property
    def value(self) -> float:
        """The mean over subsets."""
        return float(self.subsets.mean())

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % by Student's t over subsets, which share no image and so are independent; None for a single one."""
        return mean_interval(self.subsets) if len(self.subsets) > 1 else None


def polynomial_mmd(one: ArrayLike, other: ArrayLike) -> float:
    """The unbiased estimate of the squared maximum mean discrepancy with the kernel k(x, y) = (xᵀy / F + 1)³:

    1/(m (m − 1)) Σᵢ≠ⱼ k(xᵢ, xⱼ) + 1/(n (n − 1)) Σᵢ≠ⱼ k(yᵢ, yⱼ) − 2/(m n) Σᵢⱼ k(xᵢ, yⱼ)

    Bińkowski et al. 2018, arXiv 1801.01401; Gretton et al. 2012.

    Args:
        one, other: features (m, F) and (n, F).
    """
    x, y = check_features(one, "images"), check_features(other, "images")
    check_alike(x, y)

    def among(z: Floats) -> float:
        k = _kernel(z, z)
        return float(k.sum() - k.trace()) / (len(z) * (len(z) - 1))

    return among(x) + among(y) - 2 * float(_kernel(x, y).mean())


def _kernel(x: Floats, y: Floats) -> Floats:
    k: Floats = x @ y.T / x.shape[1] + 1
    return k * k * k


def kid(generated: ArrayLike, real: ArrayLike, size: int = SIZE, seed: int = 0) -> Kernel:
    """The kernel distance between features (M, F) of generated and (N, F) of real images, over as many disjoint subsets of
    `size` images as there are; of fewer images where that would give fewer than ten subsets.

    Args:
        generated, real: features of one extractor.
        size: images in a subset, on either side.
        seed: of which image falls into which.
    """
    x, y = check_features(generated, "generated images", 4), check_features(real, "real images", 4)
    check_alike(x, y)
    if size < 2:
        raise DiaboloError(f"a subset holds two images or more, not {size}")
    size = min(size, max(2, min(len(x), len(y)) // LEAST))
    random = np.random.default_rng(derive(seed, "kernel"))
    subsets = math.floor(min(len(x), len(y)) / size)
    x, y = (z[random.permutation(len(z))[: subsets * size]].reshape(subsets, size, -1) for z in (x, y))
    return Kernel(np.array([polynomial_mmd(a, b) for a, b in zip(x, y, strict=True)]), size)
