"""The Fréchet distance between two sets of features: FID, when they are Inception's.

‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½)    (Heusel et al. 2017, arXiv 1706.08500; Dowson & Landau 1982)

μ and Σ are taken from `Moments`, however many pieces or processes the features come in.
"""

import math
import warnings
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from diabolo import distributed
from diabolo.errors import DiaboloError
from diabolo.metrics.generation.features import Floats, check_features
from diabolo.metrics.generation.parents import Parents, gathered, parents
from diabolo.randomness import derive
from diabolo.statistics import Estimate, Shared, shared


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
    summed: Floats = distributed.total(torch.from_numpy(x)).numpy()
    return summed


ENOUGH = 10_000  # images, under which the bias is told of
SPLITS = 4  # into halves, to measure the bias
WIDE = 256  # features, from which on one split has to do
NOTHING = 1e-10  # of the largest variance: a direction of features in which nothing varies


@dataclass(frozen=True)
class Frechet:
    """A Fréchet distance, in squared units of the features, with what each image adds to it.

    Attributes:
        value: the distance of these images; too large by about c/n, so that values at different n must not be compared.
        bias: by how much it is too large, measured by halving the images; None where half of them are too few.
        by_generated: (M,), were generated image i drawn once more, the distance would change by so much, to first order; they
            sum to 0.
        by_real: (N,) the same of the real images.
        of: (M, P) the real images that each generated one was made from.
    """

    value: float
    bias: float | None
    by_generated: Floats
    by_real: Floats
    of: Parents

    @property
    def error(self) -> float:
        """The standard error, over other draws of as many images: from what each image adds (the infinitesimal jackknife, Efron
        1982). What generated images have in common with the real ones that they were made from is counted once."""
        total = self.by_real + gathered(self.by_generated, self.of, len(self.by_real))
        repeated = (self.of.shape[1] - 1) * np.square(
            self.by_generated
        ).sum()  # a pair of parents counts its image twice
        return math.sqrt(max(0.0, float(np.square(total).sum() - repeated)))

    @property
    def estimate(self) -> Estimate:
        """The distance as it is found on as many images."""
        return Estimate(self.value, self.error)

    @property
    def low(self) -> float:
        """Where the 95 % interval begins of the mean distance over all draws of as many images: value − 1.96 · error, not below
        0. Of other single draws some 83 of 100 lie within, for they vary as well (√2)."""
        return max(0.0, self.estimate.interval()[0])

    @property
    def high(self) -> float:
        """Where it ends: value + 1.96 · error."""
        return self.estimate.interval()[1]

    @property
    def without_bias(self) -> Estimate | None:
        """What infinitely many images would give, as far as these tell: value − bias (Chong & Forsyth 2020, arXiv 1911.07023),
        with the same error. It may be a little below 0."""
        return None if self.bias is None else Estimate(self.value - self.bias, self.error)

    def shared(self, of: str, block: NDArray[np.int64]) -> Shared:
        """What it owes to the real images, by blocks of them (N,): generated images count with the first that they were made
        from. See `diabolo.statistics.blocks`."""
        first = self.of[:, :1]
        own = 0.0 if self.of.shape[1] else float(np.square(self.by_generated).sum())
        return shared(of, self.by_real + gathered(self.by_generated, first, len(self.by_real)), block, own)


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


def fid(generated: ArrayLike, real: ArrayLike, of: ArrayLike | None = None, seed: int = 0) -> Frechet:
    """The Fréchet distance between features (M, F) of generated and (N, F) of real images.

    Args:
        generated, real: features of one extractor.
        of: of images that were made from real ones, such as reconstructions (M,) or mid-points of pairs (M, 2): which row of
            `real` (or rows) each comes from. Without it they are taken to be independent of the real images, and the interval
            of reconstructions would be far too wide.
        seed: of the halves by which the bias is measured.

    Raises:
        DiaboloError: for fewer than F + 1 images on either side, or an `of` that does not fit.

    Warns:
        UserWarning: under 10,000 images on either side.
    """
    x, y = check_features(generated, "generated images"), check_features(real, "real images")
    made = parents(of, len(x), len(y))
    one, other = Moments.of(x), Moments.of(y)
    value = frechet_distance(one, other)
    if min(len(x), len(y)) < ENOUGH:
        warnings.warn(
            f"a Fréchet distance of {len(x):,} to {len(y):,} images is too large by more than that of {ENOUGH:,}: compare it "
            f"with those of as many images only",
            stacklevel=2,
        )
    return Frechet(value, _bias(value, x, y, made, seed), _added(x, one, other), _added(y, other, one), made)


def _added(x: Floats, own: Moments, other: Moments) -> Floats:
    """What each of the images x (N, F) adds to the distance, (N,), to first order in its weight. With a = x − μ₁ it is

    2 a·(μ₁ − μ₂) / N + (aᵀ (1 − T) a − its mean) / (N − 1),    T = Σ₁^-½ (Σ₁^½ Σ₂ Σ₁^½)^½ Σ₁^-½

    where T a is where the optimal transport from N(μ₁, Σ₁) to N(μ₂, Σ₂) moves a (Olkin & Pukelsheim 1982)."""
    away = x - own.mean
    moved = away - away @ _transport(own.covariance, other.covariance)
    squares = np.einsum("nf,nf->n", away, moved)
    added: Floats = 2 * away @ (own.mean - other.mean) / len(x) + (squares - squares.mean()) / (len(x) - 1)
    return added


def _transport(one: Floats, other: Floats) -> Floats:
    """T (F, F), symmetric; 0 in directions in which the first set does not vary at all, where it moves nothing."""
    values, axes = np.linalg.eigh(one)
    varies = values > NOTHING * max(values[-1], 0)
    sizes = np.sqrt(np.where(varies, values, 0))
    root, inverse = (
        (axes * each) @ axes.T for each in (sizes, np.divide(1, sizes, out=np.zeros_like(sizes), where=varies))
    )
    product = root @ other @ root
    squares, turned = np.linalg.eigh((product + product.T) / 2)
    middle = (turned * np.sqrt(np.maximum(squares, 0))) @ turned.T
    found: Floats = inverse @ middle @ inverse
    return found


def _bias(value: float, x: Floats, y: Floats, made: Parents, seed: int) -> float | None:
    """By how much the distance is too large. To first order that goes with 1/n, so halves are too large by twice as much: their
    mean distance less that of the whole. Images that were made from real ones stay with (the first of) them."""
    width, paired = x.shape[1], made.shape[1] > 0
    random = np.random.default_rng(derive(seed, "frechet"))
    found = []
    for _ in range(1 if width > WIDE else SPLITS):
        second = _half(len(y), random)
        half = second[made[:, 0]] if paired else _half(len(x), random)
        for side in (half, ~half), (second, ~second):
            if min(np.count_nonzero(part) for part in side) <= width:
                return None
        found += [
            frechet_distance(Moments.of(x[half == here]), Moments.of(y[second == here])) for here in (False, True)
        ]
    return float(np.mean(found)) - value


def _half(n: int, random: np.random.Generator) -> NDArray[np.bool_]:
    """A random half of n images."""
    half: NDArray[np.bool_] = random.permutation(n) < n // 2
    return half
