"""The kernel distance between two sets of features: KID, when they are Inception's."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diabolo.errors import DiaboloError
from diabolo.metrics.generation.features import Floats, check_alike, check_features
from diabolo.metrics.generation.parents import Parents, parents, related
from diabolo.randomness import derive
from diabolo.statistics import Shared, mean_interval

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

    def shared(self, of: str) -> Shared | None:
        """What each subset adds, so that two distances with the same real images in the same subsets are compared subset by
        subset. See `diabolo.statistics.blocks`."""
        if len(self.subsets) < 2:
            return None
        return Shared(of, tuple(((self.subsets - self.value) / len(self.subsets)).tolist()))


def polynomial_mmd(one: ArrayLike, other: ArrayLike, of: ArrayLike | None = None) -> float:
    """The unbiased estimate of the squared maximum mean discrepancy with the kernel k(x, y) = (xᵀy / F + 1)³:

    1/(m (m − 1)) Σᵢ≠ⱼ k(xᵢ, xⱼ) + 1/(n (n − 1)) Σᵢ≠ⱼ k(yᵢ, yⱼ) − 2/(m n) Σᵢⱼ k(xᵢ, yⱼ)

    Bińkowski et al. 2018, arXiv 1801.01401; Gretton et al. 2012.

    Args:
        one, other: features (m, F) and (n, F).
        of: (m,) or (m, P): which rows of `other` each row of `one` was made from, such as a reconstruction. Pairs of such
            kin are left out of all sums, as i = j is: an image is like its own reconstruction, and the distance would be too
            small.

    Raises:
        DiaboloError: where nothing is left to compare.
    """
    x, y = check_features(one, "images"), check_features(other, "images")
    check_alike(x, y)
    made = parents(of, len(x), len(y))
    own = np.arange(len(y))[:, None]
    kin = related(made, made) | np.eye(len(x), dtype=bool)
    return (
        _mean(_kernel(x, x), kin) + _mean(_kernel(y, y), np.eye(len(y), dtype=bool))
        - 2 * _mean(_kernel(x, y), related(made, own))
    )  # fmt: skip


def _mean(k: Floats, without: NDArray[np.bool_]) -> float:
    """The mean of a matrix but for some of its entries."""
    left = k.size - np.count_nonzero(without)
    if not left:
        raise DiaboloError("each of these images was made from every other: a kernel distance needs more of them")
    return float((k.sum() - k[without].sum()) / left)


def _kernel(x: Floats, y: Floats) -> Floats:
    k: Floats = x @ y.T / x.shape[1] + 1
    return k * k * k


def kid(generated: ArrayLike, real: ArrayLike, size: int = SIZE, seed: int = 0, of: ArrayLike | None = None) -> Kernel:
    """The kernel distance between features (M, F) of generated and (N, F) of real images, over as many disjoint subsets of
    `size` images as there are; of fewer images where that would give fewer than ten subsets.

    Args:
        generated, real: features of one extractor.
        size: images in a subset, on either side.
        seed: of which image falls into which.
        of: (M,) or (M, P): which real image (or images) each generated one was made from. A subset then holds real images and
            what was made from them alone. Mid-points of images a, b, of b, c, of c, d … are best given in that order.

    Raises:
        DiaboloError: for fewer than four images of either kind, or an `of` that does not fit.
    """
    x, y = check_features(generated, "generated images", 4), check_features(real, "real images", 4)
    if size < 2:
        raise DiaboloError(f"a subset holds two images or more, not {size}")
    made = parents(of, len(x), len(y))
    random = np.random.default_rng(derive(seed, "kernel"))
    order = random.permutation(len(y))  # drawn first: the same real images for any that are generated
    if made.shape[1]:
        return _among_kin(x, y, made, size, order)
    size = _size(size, min(len(x), len(y)))
    subsets = min(len(x), len(y)) // size
    a, b = (z[rows[: subsets * size]].reshape(subsets, size, -1) for z, rows in
            ((x, random.permutation(len(x))), (y, order)))  # fmt: skip
    return Kernel(np.array([polynomial_mmd(*pair) for pair in zip(a, b, strict=True)]), size)


def _size(size: int, images: int) -> int:
    return min(size, max(2, images // LEAST))


def _among_kin(x: Floats, y: Floats, made: Parents, size: int, order: NDArray[np.int64]) -> Kernel:
    """Over subsets of the real images that anything was made from, each with what was made of it."""
    runs = made[
        np.sort(np.unique(made[:, 0], return_index=True)[1]), 0
    ]  # which keep most of what was made from two of them
    used = order[np.isin(order, made)] if made.shape[1] == 1 else runs
    least = 2 if made.shape[1] == 1 else 2 * made.shape[1] + 2  # so that two in a subset are no kin
    if len(used) < least:
        raise DiaboloError(f"images made from {len(used)} real ones are too few for a kernel distance")
    size = min(size, max(least, len(used) // LEAST))
    where = np.full(len(y), -1)
    found = []
    for start in range(0, len(used) // size * size, size):
        rows = used[start : start + size]
        where[rows] = np.arange(size)
        inside = (where[made] >= 0).all(1)
        found.append(polynomial_mmd(x[inside], y[rows], where[made[inside]]))
        where[rows] = -1
    return Kernel(np.array(found), size)
