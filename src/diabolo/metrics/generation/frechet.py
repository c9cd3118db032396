"""The Fréchet distance between two sets of features: FID, when they are Inception's.

‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½)    (Heusel et al. 2017, arXiv 1706.08500; Dowson & Landau 1982)
"""

import warnings
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from diabolo import processes
from diabolo.errors import DiaboloError
from diabolo.metrics.generation.features import Floats, check_alike, check_features
from diabolo.randomness import derive

ENOUGH = 10_000  # images, under which the bias is told of
MANY = 256  # features, from which on a bootstrap would take minutes
BLOCKS = 100


@dataclass(frozen=True)
class Moments:
    """Mean and scatter of features seen so far, in float64; the same whatever the pieces they came in.

    Attributes:
        n: how many.
        mean: (F,).
        scatter: (F, F), Σ (x − mean)(x − mean)ᵀ.
    """

    n: int
    mean: Floats
    scatter: Floats

    @classmethod
    def of(cls, values: ArrayLike) -> Self:
        """Those of features (N, F)."""
        x = check_features(values, "images", 1)
        mean = x.mean(0)
        return cls(len(x), mean, (x - mean).T @ (x - mean))

    def __add__(self, other: "Moments") -> "Moments":
        """Those of both together (Chan, Golub & LeVeque 1983, "Algorithms for computing the sample variance")."""
        n, apart = self.n + other.n, other.mean - self.mean
        between = np.outer(apart, apart) * (self.n * other.n / n)
        return Moments(n, self.mean + apart * (other.n / n), self.scatter + other.scatter + between)

    def over_processes(self) -> "Moments":
        """Those of all processes together, the same in each of them."""
        n, total = _summed(np.array([float(self.n)])), _summed(self.mean * self.n)
        mean = total / n
        apart = self.mean - mean  # scatter about the common mean: no digits are lost as in a sum of x xᵀ
        return Moments(round(float(n[0])), mean, _summed(self.scatter + self.n * np.outer(apart, apart)))

    @property
    def covariance(self) -> Floats:
        """Σ (F, F), over n − 1."""
        return self.scatter / (self.n - 1)


def _summed(x: Floats) -> Floats:
    """The sum of `x` over all processes."""
    summed: Floats = processes.total(torch.from_numpy(x)).numpy()
    return summed


@dataclass(frozen=True)
class Frechet:
    """A Fréchet distance, in squared units of the features.

    Attributes:
        value: the distance; too large by about c/n, so that values at different n must not be compared.
        low, high: value ± 1.96 bootstrap standard errors; None with more than 256 features. What another draw of as many images
            would give, not what infinitely many would.
    """

    value: float
    low: float | None = None
    high: float | None = None


def frechet_distance(one: Moments, other: Moments) -> float:
    """Of two sets of features. tr (Σ₁ Σ₂)^½ = Σᵢ √λᵢ with λ the eigenvalues of Σ₁^½ Σ₂ Σ₁^½: symmetric, so that nothing becomes
    imaginary.

    Raises:
        DiaboloError: for no more than F features of either, whose covariance says nothing in some directions.
    """
    if one.mean.shape != other.mean.shape:
        raise DiaboloError(
            f"features of one extractor are compared, not of {len(one.mean)} and {len(other.mean)} numbers"
        )
    for moments in (one, other):
        if moments.n < len(moments.mean) + 1:
            raise DiaboloError(
                f"a Fréchet distance with {len(moments.mean):,} features needs {len(moments.mean) + 1:,} images or more on "
                f"either side, not {moments.n:,}"
            )
    return _distance(one.mean, one.covariance, other.mean, other.covariance)


def _distance(mean: Floats, covariance: Floats, other_mean: Floats, other_covariance: Floats) -> float:
    values, axes = np.linalg.eigh(covariance)
    root = (axes * np.sqrt(np.maximum(values, 0))) @ axes.T
    product = root @ other_covariance @ root
    between = np.sqrt(np.maximum(np.linalg.eigvalsh((product + product.T) / 2), 0)).sum()
    apart = float(np.square(mean - other_mean).sum())
    return max(0.0, apart + float(np.trace(covariance) + np.trace(other_covariance) - 2 * between))


def fid(generated: ArrayLike, real: ArrayLike, resamples: int = 200, seed: int = 0) -> Frechet:
    """The Fréchet distance between features (M, F) of generated and (N, F) of real images.

    Args:
        generated, real: features of one extractor.
        resamples: of the bootstrap, which draws blocks of images, a hundred on each side, with replacement; 0 for no interval.
        seed: of those draws.

    Raises:
        DiaboloError: for fewer than F + 1 images on either side.

    Warns:
        UserWarning: under 10,000 images on either side.
    """
    x, y = check_features(generated, "generated images"), check_features(real, "real images")
    check_alike(x, y)
    value = frechet_distance(Moments.of(x), Moments.of(y))
    if min(len(x), len(y)) < ENOUGH:
        warnings.warn(
            f"a Fréchet distance of {len(x):,} to {len(y):,} images is too large by more than that of {ENOUGH:,}: compare it "
            f"with those of as many images only",
            stacklevel=2,
        )
    if not resamples or x.shape[1] > MANY:
        return Frechet(value)
    random = np.random.default_rng(derive(seed, "frechet"))
    middle = y.mean(0)
    drawn = np.array(
        [
            _distance(*one, *other)
            for one, other in zip(
                _redrawn(x - middle, resamples, random), _redrawn(y - middle, resamples, random), strict=True
            )
        ]
    )
    half = 1.96 * float(drawn.std(ddof=1))
    return Frechet(value, max(0.0, value - half), value + half)


def _redrawn(x: Floats, times: int, random: np.random.Generator) -> list[tuple[Floats, Floats]]:
    """Mean and covariance of as many blocks of the features `x` (N, F) as there are, drawn with replacement, so many
    `times`."""
    blocks = np.array_split(x, min(BLOCKS, len(x)))
    counts = random.multinomial(len(blocks), np.full(len(blocks), 1 / len(blocks)), size=times).astype(np.float64)
    n = counts @ np.array([len(block) for block in blocks], np.float64)
    means = counts @ np.stack([block.sum(0) for block in blocks]) / n[:, None]
    squares: NDArray[np.float64] = counts @ np.stack([(block.T @ block).ravel() for block in blocks])
    width = x.shape[1]
    return [
        (mean, (square.reshape(width, width) - total * np.outer(mean, mean)) / (total - 1))
        for mean, square, total in zip(means, squares, n, strict=True)
    ]
