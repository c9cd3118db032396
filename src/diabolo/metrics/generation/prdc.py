"""How much of what is generated looks real, and how much of what is real is generated: precision, recall, density, coverage.

Around each image lies a ball that reaches to its k-th nearest neighbour of the same set.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from diabolo.errors import DiaboloError
from diabolo.metrics.generation.features import Floats, check_alike, check_features

PAIRS = 2**20  # distances held at once: within the cache


@dataclass(frozen=True)
class Manifold:
    """M generated and N real images, each within balls of the others.

    Attributes:
        within: (M,), in how many balls of real images each generated one lies.
        recalled: (N,), whether each real one lies in the ball of a generated one.
        covered: (N,), whether the ball of each real one holds a generated one.
        k: the neighbour that a ball reaches to.
    """

    within: NDArray[np.int64]
    recalled: NDArray[np.bool_]
    covered: NDArray[np.bool_]
    k: int

    @property
    def precision(self) -> float:
        """The share of generated images that lie in the ball of a real one (Kynkäänniemi et al. 2019, arXiv 1904.06991)."""
        return float((self.within > 0).mean())

    @property
    def recall(self) -> float:
        """The share of real images that lie in the ball of a generated one (the same)."""
        return float(self.recalled.mean())

    @property
    def density(self) -> float:
        """In how many balls of real images a generated one lies, over k: 1 where both are alike, and no outlier can blow it up
        (Naeem et al. 2020, arXiv 2002.09797)."""
        return float(self.within.mean() / self.k)

    @property
    def coverage(self) -> float:
        """The share of real images whose ball holds a generated one (the same)."""
        return float(self.covered.mean())


def radii(values: ArrayLike, k: int = 5) -> Floats:
    """The distance from each of the features (N, F) to its k-th nearest neighbour among the others: (N,).

    Raises:
        DiaboloError: for no more than k of them.
    """
    if k < 1:
        raise DiaboloError(f"neighbours are counted from 1, not {k}")
    x = check_features(values, "images", k + 1)
    points = torch.from_numpy(x - x.mean(0))
    found = [
        _squares(few, points).topk(k + 1, 1, largest=False).values[:, k] for few in points.split(_rows(len(points)))
    ]
    return torch.cat(found).sqrt().numpy()


def manifold(generated: ArrayLike, real: ArrayLike, k: int = 5, real_radii: Floats | None = None) -> Manifold:
    """Which of the generated images, by their features (M, F), lie among the real ones (N, F), and the other way round.

    Args:
        generated, real: features of one extractor; for comparable numbers as many of each.
        k: the neighbour that the ball around an image reaches to.
        real_radii: `radii(real, k)`, where they are known already.
    """
    x, y = check_features(generated, "generated images", k + 1), check_features(real, "real images", k + 1)
    check_alike(x, y)
    own, others = radii(x, k), radii(y, k) if real_radii is None else real_radii
    made, there = torch.from_numpy(x - y.mean(0)), torch.from_numpy(y - y.mean(0))
    reach = torch.from_numpy(others).square()
    within, recalled, nearest = [], torch.zeros(len(y), dtype=torch.bool), torch.full((len(y),), math.inf).double()
    rows = _rows(len(y))
    for few, reach_of_few in zip(made.split(rows), torch.from_numpy(own).square().split(rows), strict=True):
        squares = _squares(few, there)
        within.append((squares <= reach).sum(1))
        recalled |= (squares <= reach_of_few[:, None]).any(0)
        nearest = torch.minimum(nearest, squares.min(0).values)
    return Manifold(torch.cat(within).numpy(), recalled.numpy(), (nearest <= reach).numpy(), k)


def _squares(x: Tensor, y: Tensor) -> Tensor:
    """Squared distances (n, m) of `x` (n, F) to `y` (m, F), which are centred, so that x² − 2xy + y² loses few digits."""
    return (x.square().sum(1, keepdim=True) + y.square().sum(1) - 2 * (x @ y.T)).clamp_(min=0)


def _rows(columns: int) -> int:
    return max(1, PAIRS // columns)
