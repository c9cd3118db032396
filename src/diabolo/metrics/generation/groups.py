"""Which kinds of images are generated and which hardly ever: groups of images, and how many images fall into each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diabolo.metrics.generation.features import check_alike, check_features

GROUPS = 20
SELDOM = 0.1  # of its due, below which a group counts as lost
FEWEST = 10  # images a group, on average, of which there must be as many to group by and to compare


@dataclass(frozen=True)
class Kinds:
    """K groups of images, and how often each is seen.

    Attributes:
        real: (K,), the share of the real images in each group.
        drawn: (K,), the share of the generated images in each.
        counts: how many real and generated images were looked at.
    """

    real: NDArray[np.float64]
    drawn: NDArray[np.float64]
    counts: tuple[int, int]

    @property
    def lost(self) -> float:
        """The share of the real images whose kind is generated hardly ever: less than a tenth as often as it is real."""
        return float(self.real[self.drawn < SELDOM * self.real].sum())

    @property
    def shown(self) -> int:
        """How many groups there are among the generated images, at least a tenth as often as among the real ones."""
        return int(((self.drawn >= SELDOM * self.real) & (self.drawn > 0)).sum())

    @property
    def different(self) -> float:
        """The share of the groups whose two shares differ significantly, by a z test at 5 % each: NDB/K of Richardson & Weiss
        2018 (arXiv 1805.12462). 0.05 is expected of two samples of the same images."""
        n, m = self.counts
        pooled = (n * self.real + m * self.drawn) / (n + m)
        error = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
        apart = np.abs(self.real - self.drawn) > 1.96 * error
        return float(apart.mean())


def kinds(generated: ArrayLike, real: ArrayLike, reference: ArrayLike, groups: int = GROUPS, seed: int = 0) -> Kinds:
    """Group `reference` images by k-means, and count `real` and `generated` images by the nearest centre.

    Args:
        generated, real: pixels or features, (M, …) and (N, …).
        reference: others of the real kind, such as training images, to make the groups of: (R, …).
        groups: how many.
        seed: of k-means.

    Raises:
        DiaboloError: for images of different sizes, fewer than ten a group of any, and NaN or infinity.

    Example:
        >>> from diabolo.metrics.generation import kinds
        >>> x = np.repeat([0.0, 1.0], 20)[:, None]
        >>> found = kinds(generated=x[:20], real=x, reference=x, groups=2)
        >>> found.lost, found.shown
        (0.5, 1)
    """
    reference = check_features(_flat(reference), "reference images", FEWEST * groups)
    real = check_features(_flat(real), "real images", FEWEST * groups)
    generated = check_features(_flat(generated), "generated images", FEWEST * groups)
    check_alike(reference, real)
    check_alike(reference, generated)
    from sklearn.cluster import KMeans  # slow to import

    fitted = KMeans(groups, n_init=1, random_state=seed).fit(reference)
    there, made = (np.bincount(fitted.predict(x), minlength=groups) / len(x) for x in (real, generated))
    return Kinds(there, made, (len(real), len(generated)))


def _flat(x: ArrayLike) -> NDArray[np.float64]:
    """(N, …) → (N, D)."""
    array = np.asarray(x, np.float64)
    return array.reshape(len(array), -1) if array.ndim else array
