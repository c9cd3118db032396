"""Whether classes lie in heaps of their own, though no label was ever seen."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.errors import DiaboloError


@dataclass(frozen=True)
class Clusters:
    """How well clusters agree with classes.

    Attributes:
        nmi: mutual information of cluster and class, over the mean of their entropies: 0 for none, 1 for the same partition;
            chance is a little above 0, the more so the fewer examples there are.
        ari: adjusted Rand index: 0 on average for random clusters, 1 for the same partition (Hubert & Arabie 1985).
        assigned: (M,), the cluster of each test example.
    """

    nmi: float
    ari: float
    assigned: NDArray[np.int64]


def kmeans_agreement(
    x: NDArray[Any], test_x: NDArray[Any], test_y: NDArray[np.int64], clusters: int, starts: int = 4, seed: int = 0
) -> Clusters:
    """k-means fitted to `x` (N, D) without labels; its clusters of `test_x` (M, D) against the classes `test_y` (M,).

    Args:
        x, test_x, test_y: as above; Euclidean distance in x as it is.
        clusters: k.
        starts: of k-means++; that of least inertia counts.
        seed: of the starts.

    Raises:
        DiaboloError: for fewer different codes than clusters, NaN or infinity.

    Example:
        >>> x = np.repeat([[0.0], [10.0]], 20, axis=0)
        >>> found = diabolo.metrics.kmeans_agreement(x, x, np.repeat([0, 1], 20), clusters=2)
        >>> found.nmi, found.ari
        (1.0, 1.0)
    """
    from sklearn.cluster import KMeans  # slow to import
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    if len(x) < clusters:
        raise DiaboloError(f"{len(x)} codes cannot lie in {clusters} clusters")
    if not all(np.isfinite(z).all() for z in (x, test_x)):
        raise DiaboloError("k-means was given codes that hold NaN or infinity")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # refused below
        fitted = KMeans(clusters, n_init=starts, random_state=seed).fit(x)
    if (found := len(np.unique(fitted.labels_))) < clusters:
        raise DiaboloError(f"the codes hold only {found} different ones: they cannot lie in {clusters} clusters")
    assigned = fitted.predict(test_x.astype(x.dtype)).astype(np.int64)
    nmi, ari = normalized_mutual_info_score(test_y, assigned), adjusted_rand_score(test_y, assigned)
    return Clusters(float(nmi), float(ari), assigned)
