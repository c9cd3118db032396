"""How much of what is generated looks real, and how much of what is real is generated: precision, recall, density, coverage.

Around each image lies a ball that reaches to its k-th nearest neighbour of the same set. What lies on its surface lies outside,
as in the code of Naeem et al.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from diabolo.errors import DiaboloError
from diabolo.memory import at_once
from diabolo.metrics.generation.features import Floats, check_alike, check_features

PAIRS = 2**20  # distances held at once: within the cache
CLOSE = 1e-12  # of the largest: squared distances that are nearer to one another may be equal


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
    x = torch.from_numpy(check_features(values, "images", k + 1))
    points = x - x.mean(0)
    others = [_squares(few, points).topk(k + 1, 1, largest=False).indices[:, k] for few in points.split(_rows(len(x)))]
    return _lengths(x, x[torch.cat(others)]).numpy()


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
    made, there, middle = torch.from_numpy(x), torch.from_numpy(y), torch.from_numpy(y.mean(0))
    reach, own_reach = torch.from_numpy(others), torch.from_numpy(own)
    within, recalled, covered = [], torch.zeros(len(y), dtype=torch.bool), torch.zeros(len(y), dtype=torch.bool)
    rows = _rows(len(y))
    for few, reach_of_few in zip(made.split(rows), own_reach.split(rows), strict=True):
        squares = _squares(few - middle, there - middle)
        inside = _nearer(squares, few, there, reach.expand(len(few), -1))
        within.append(inside.sum(1))
        covered |= inside.any(0)
        recalled |= _nearer(squares, few, there, reach_of_few[:, None].expand(-1, len(y))).any(0)
    return Manifold(torch.cat(within).numpy(), recalled.numpy(), covered.numpy(), k)


def _nearer(squares: Tensor, x: Tensor, y: Tensor, reach: Tensor) -> Tensor:
    """Whether the distance of `x` (n, F) and `y` (m, F) is less than `reach`, (n, m). Where the squared distances, which lost
    digits in x² − 2xy + y², cannot say, by differences: images that lie on a ball, as copies do, lie outside it."""
    reach_squared = reach.square()
    found = squares < reach_squared
    unsure = ((squares - reach_squared).abs() <= CLOSE * (squares.max() + reach_squared)).nonzero()
    for few in unsure.split(_rows(x.shape[1])):
        i, j = few.T
        found[i, j] = _lengths(x[i], y[j]) < reach[i, j]
    return found


def _lengths(x: Tensor, y: Tensor) -> Tensor:
    """The distance of each of `x` from that of `y`, (n, F) both: (n,)."""
    parts = [
        (a - b).square().sum(1) for a, b in zip(x.split(_rows(x.shape[1])), y.split(_rows(x.shape[1])), strict=True)
    ]
    return torch.cat(parts).sqrt()


SUBSETS = 5


def spread(generated: ArrayLike, real: ArrayLike, k: int = 5) -> dict[str, float]:
    """The standard errors of precision, recall, density and coverage of features (M, F) and (N, F) in random order, by name:
    the standard deviation over five disjoint subsets of both, over √5. Empty where a subset would be too small.

    The share of hits alone, as of independent trials, would leave out that the balls are drawn as well: with 600 images and
    eight features such an interval holds the recall of other draws in 83 % of cases.
    """
    x, y = check_features(generated, "generated images"), check_features(real, "real images")
    size = min(len(x), len(y)) // SUBSETS
    if size < 2 * (k + 1):
        return {}
    parts = [slice(i * size, (i + 1) * size) for i in range(SUBSETS)]
    found = [manifold(x[part], y[part], k) for part in parts]
    return {
        name: float(np.std([getattr(one, name) for one in found], ddof=1)) / math.sqrt(SUBSETS)
        for name in ("precision", "recall", "density", "coverage")
    }


def _squares(x: Tensor, y: Tensor) -> Tensor:
    """Squared distances (n, m) of `x` (n, F) to `y` (m, F), which are centred, so that x² − 2xy + y² loses few digits."""
    return (x.square().sum(1, keepdim=True) + y.square().sum(1) - 2 * (x @ y.T)).clamp_(min=0)


def _rows(columns: int) -> int:
    return at_once(PAIRS, columns)
