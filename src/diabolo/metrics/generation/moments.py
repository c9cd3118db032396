"""Mean and scatter of features, however many pieces or processes they come in."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike

from diabolo import distributed
from diabolo.metrics.generation.features import Floats, check_features


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
