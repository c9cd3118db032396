"""The training images nearest to given ones, and whether samples are nearer to them than unseen images are: memorisation."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from diabolo.data.unit import to_float
from diabolo.errors import DiaboloError
from diabolo.memory import at_once
from diabolo.ranges import Count, checked

Floats = NDArray[np.float64]
Rows = NDArray[np.float32] | NDArray[np.float64]
BYTES = 2**26  # of one piece of references, as floats
CLOSE = 1e-12  # of the largest squares: squared distances that are nearer to one another may be equal


@checked
def nearest(
    queries: NDArray[np.generic], references: NDArray[np.generic], k: Count = 1
) -> tuple[NDArray[np.int64], Floats]:
    """The `k` nearest of `references` (N, …) to each of `queries` (n, …), by Euclidean distance, exactly.

    Both are images in [0, 1], uint8 images (divided by 255), or any features of them. The references are taken in pieces, so
    that they may be a memory map.

    Returns:
        indices (n, k), nearest first, of equal ones the earlier first; distances (n, k).

    Raises:
        DiaboloError: for shapes that do not fit, NaN, and fewer references than `k`.

    Example:
        >>> where, distance = diabolo.latents.nearest(np.array([[0.75]]), np.array([[0.0], [1.0], [5.0]]), k=2)
        >>> where, distance
        (array([[1, 0]]), array([[0.25, 0.75]]))
    """
    if queries.shape[1:] != references.shape[1:] or not len(queries):
        raise DiaboloError(f"images {queries.shape} cannot be looked for among images {references.shape}")
    if k > len(references):
        raise DiaboloError(f"{k} nearest images were asked for among {len(references):,}")
    kind = np.float64 if all(_rounds(images.dtype) for images in (queries, references)) else np.float32
    flat = _rows(queries, kind)
    if not np.isfinite(flat).all():
        raise DiaboloError("the images that are looked for hold NaN or infinity")
    size = max(k, BYTES // (4 * flat.shape[1]))
    index, distance = np.empty((len(flat), 0), np.int64), np.empty((len(flat), 0))
    for start in range(0, len(references), size):
        piece = _rows(references[start : start + size], kind)
        if not np.isfinite(piece).all():
            raise DiaboloError("the images that are looked through hold NaN or infinity")
        found, exact = _among(flat, piece, min(k, len(piece)))
        index, distance = _first(k, np.hstack([index, found + start]), np.hstack([distance, exact]))
    return index, distance


def _among(flat: Rows, piece: Rows, k: int) -> tuple[NDArray[np.int64], Floats]:
    """The `k` nearest rows of `piece` (m, D) to each of `flat` (n, D), and their distances. Those are looked for by x² − 2xy +
    y², which is rounded: where the last of them is not surely nearer than what was left out, twice as many are looked at."""
    from sklearn.neighbors import NearestNeighbors  # slow to import

    search = NearestNeighbors(algorithm="brute").fit(piece)
    lengths = (np.square(z, dtype=np.float64).sum(1) for z in (flat, piece))
    unsure = CLOSE * sum(float(length.max()) for length in lengths)
    index, distance = np.empty((len(flat), k), np.int64), np.empty((len(flat), k))
    left, some = np.arange(len(flat)), k
    while len(left):
        some = min(2 * some, len(piece))
        found = search.kneighbors(flat[left], some, return_distance=False)
        exact = np.stack([_distance(flat[left], piece[column]) for column in found.T], 1)
        index[left], distance[left] = _first(k, found, exact)
        beyond = np.square(exact.max(1)) - np.square(distance[left, -1]) <= unsure
        left = left[beyond if some < len(piece) else slice(0)]
    return index, distance


def _first(k: int, index: NDArray[np.int64], distance: Floats) -> tuple[NDArray[np.int64], Floats]:
    """The first `k` of each row by distance, of equal ones the earlier first."""
    order = np.lexsort((index, distance))[:, :k]
    return np.take_along_axis(index, order, 1), np.take_along_axis(distance, order, 1)


@checked
def medoids(points: NDArray[np.generic], labels: NDArray[np.integer]) -> dict[int, int]:
    """The most typical of each class: the index of the one whose mean Euclidean distance to the others of its class is the
    least (Kaufman & Rousseeuw 1987, "Clustering by means of medoids"). Unlike a mean it is one of the points.

    Args:
        points: (N, …), images in [0, 1], uint8 images (divided by 255), or any features of them.
        labels: (N,); points of a label below 0, which is not known, are left out.

    Returns:
        label → index, by rising label; of equally typical ones the earlier.

    Raises:
        DiaboloError: for labels of another length, or NaN.

    Example:
        >>> diabolo.latents.medoids(np.array([[0.0], [1.0], [5.0], [9.0], [8.0]]), np.array([3, 3, 3, 4, 4]))
        {3: 1, 4: 3}
    """
    labels = np.asarray(labels)
    if labels.shape != points.shape[:1]:
        raise DiaboloError(f"medoids: {len(points)} points, but labels {labels.shape}")
    found = {}
    for label in np.unique(labels[labels >= 0]).tolist():
        own = np.flatnonzero(labels == label)
        flat = torch.from_numpy(_rows(points[own], np.float64))
        if not bool(torch.isfinite(flat).all()):
            raise DiaboloError(f"medoids: points of class {label} hold NaN or infinity")
        rows = at_once(BYTES // 8, len(flat))
        far = torch.cat(
            [torch.cdist(few, flat, compute_mode="donot_use_mm_for_euclid_dist").sum(1) for few in flat.split(rows)]
        )
        found[label] = int(own[int(far.argmin())])
    return found


@dataclass(frozen=True)
class Memorisation:
    """Whether samples are copies, by their distances to training images against those of unseen images from the same source.

    Attributes:
        nearer: the share of pairs (sample, unseen image) in which the sample is nearer to the training images: ½ for samples
            of the same distribution as the unseen images, 1 when all are nearer. Blurred samples are nearer too: see
            `copies`.
        z: of that, in standard deviations from ½ (the C_T of Meehan et al. 2020, arXiv 2004.05675, in one cell, with its sign
            turned: above 3, say, is copying).
        p: how probable such samples are to be as near or nearer if they are of the same distribution (Mann & Whitney 1947).
        copies: the share of samples whose nearest training image is so much nearer than the second nearest as it is for 1 %
            of the unseen images only. 0.01 for samples of the same distribution; a blur changes both distances alike.
        copies_p: how probable so many are if samples and unseen images are of the same distribution: exact, whatever that is,
            since then every order of their ratios is as probable as any other.
        samples, unseen: the distance of each to its nearest training image, (n,), (m,).
        index: (n, 2) the two training images nearest to each sample.
        ratio: (n,) of the distances to the two.

    Example:
        >>> fresh, seen, unseen = model.sample(50, seed=0).numpy(), train.images / 255.0, test.images / 255.0
        >>> found = diabolo.latents.memorisation(fresh, seen, unseen)
        >>> found.copies, found.samples.shape, found.unseen.shape
        (0.0, (50,), (100,))
    """

    nearer: float
    z: float
    p: float
    copies: float
    copies_p: float
    samples: Floats
    unseen: Floats
    index: NDArray[np.int64]
    ratio: Floats


LEVEL = 0.01


def memorisation(samples: NDArray[np.generic], train: NDArray[np.generic], unseen: NDArray[np.generic]) -> Memorisation:
    """Compare `samples` (n, …) with `unseen` images (m, …) by how near they are to `train` (N, …); see `nearest` for what
    they are.

    m of 100 or more are needed, since 1 % of them is looked at.

    Example:
        >>> copies, seen, unseen = train.images[:50] / 255.0, train.images / 255.0, test.images / 255.0
        >>> found = diabolo.latents.memorisation(copies, seen, unseen)
        >>> found.copies, found.p < 0.001
        (1.0, True)
    """
    from scipy.stats import mannwhitneyu  # slow to import

    if len(unseen) < 100 or len(samples) < 2 or len(train) < 2:
        raise DiaboloError(
            f"memorisation is judged by 100 unseen images or more, 2 samples and 2 training images, not {len(unseen)}, "
            f"{len(samples)} and {len(train)}"
        )
    index, own = nearest(samples, train, 2)
    _, usual = nearest(unseen, train, 2)
    n, m = len(own), len(usual)
    test = mannwhitneyu(own[:, 0], usual[:, 0], alternative="less", method="asymptotic")
    nearer = 1 - float(test.statistic) / (n * m)
    ratio, of_unseen = (_ratio(pair) for pair in (own, usual))
    found, copies_p = _copies(ratio, of_unseen)
    return Memorisation(
        nearer=nearer,
        z=(nearer - 0.5) / np.sqrt((n + m + 1) / (12 * n * m)),
        p=float(test.pvalue),
        copies=found / n,
        copies_p=copies_p,
        samples=own[:, 0],
        unseen=usual[:, 0],
        index=index,
        ratio=ratio,
    )


def _copies(ratio: Floats, of_unseen: Floats) -> tuple[int, float]:
    """How many of the ratios (n,) are below the k-th smallest of the unseen images' (m,), k = 1 % of m + 1, and its p-value.

    Of one distribution, the ratios come in any order alike. Then x or more of the samples lie before the k-th unseen image with
    the probability that of the first x + k − 1 ratios of all fewer than k are of unseen images: hypergeometric. Where as many
    lie there by chance, it counts how small the ratios of the other samples are (Mann & Whitney 1947), so that p is not
    confined to a few values and under 0.05 in 5 % of cases.
    """
    from scipy.stats import hypergeom, mannwhitneyu  # slow to import

    n, m = len(ratio), len(of_unseen)
    k = max(1, round(LEVEL * (m + 1)))
    bar = np.partition(of_unseen, k - 1)[k - 1]
    x = int((ratio < bar).sum())
    as_many, more = (
        1.0 if i == 0 else 0.0 if i > n else float(hypergeom.cdf(k - 1, n + m, m, i + k - 1)) for i in (x, x + 1)
    )
    rest, others = ratio[ratio >= bar], np.sort(of_unseen)[k:]
    small = 1.0 if not len(rest) else float(mannwhitneyu(rest, others, alternative="less", method="asymptotic").pvalue)
    return x, more + (as_many - more) * small


def _rounds(kind: np.dtype[Any]) -> bool:
    """Whether numbers of that kind are more exact than float32: if both sides are, so is their distance. Beside images of
    float32 or uint8, of which equal ones have a distance of 0, they are not."""
    return not np.can_cast(kind, np.float32)


def _rows(images: NDArray[np.generic], kind: type[np.float32 | np.float64]) -> Rows:
    """(n, …) as (n, D) of that kind; uint8 in [0, 1]."""
    flat = images.reshape(len(images), -1)
    return cast(Rows, to_float(flat, kind).astype(kind, copy=False))


def _distance(a: Rows, b: Rows) -> Floats:
    """Row by row, by differences: the distance of equal rows is 0, which it is not by products."""
    found: Floats = np.sqrt(np.square(a.astype(np.float64) - b.astype(np.float64)).sum(1))
    return found


def _ratio(pair: Floats) -> Floats:
    """Nearest over second nearest; 1 where both are 0, since then neither stands out."""
    return np.divide(pair[:, 0], pair[:, 1], out=np.ones(len(pair)), where=pair[:, 1] > 0)
