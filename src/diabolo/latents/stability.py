"""How alike two codes of the same images are: those of one model from two seeds, say. All of them take (N, D) and (N, E), row
i of both being the code of image i, and none of them minds a rotation, a shift, or a common scale."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from diabolo.codec import Codec
from diabolo.errors import DiaboloError
from diabolo.latents.codes import check_codes, refuse_discrete
from diabolo.ranges import Count, checked

Floats = NDArray[np.float64]
ROUNDING = 1e-12  # of what it would be of one direction: less of an HSIC is none


def procrustes_distance(a: ArrayLike, b: ArrayLike) -> float:
    """The least Σ |aᵢ − s R bᵢ − t|² over rotations and reflections R, scales s and shifts t, as a share of Σ |aᵢ − ā|²: 0
    for the same map, 1 at most (Gower 1975, Psychometrika 40). The smaller of two dimensions counts as filled up with zeros.

    Raises:
        DiaboloError: when all codes of a side are the same.

    Example:
        >>> codes = np.random.default_rng(0).normal(size=(50, 3))
        >>> diabolo.latents.procrustes_distance(codes, 2 * codes[:, ::-1] + 1) < 1e-9
        True
    """
    x, y = _pair(a, b, least=2)
    best = np.linalg.norm((x / np.linalg.norm(x)).T @ (y / np.linalg.norm(y)), "nuc")  # tr over all rotations (Gower)
    return max(0.0, 1 - float(best) ** 2)


@checked
def neighbourhood_overlap(a: ArrayLike, b: ArrayLike, neighbours: Count = 10) -> float:
    """The mean share of the k nearest neighbours of an image that it has in both maps; k / (N − 1) by chance.

    Args:
        a, b: (N, D), (N, E).
        neighbours: k, below N − 1.

    Example:
        >>> codes = np.random.default_rng(0).normal(size=(50, 3))
        >>> diabolo.latents.neighbourhood_overlap(codes, 2 * codes)
        1.0
    """
    from sklearn.neighbors import NearestNeighbors  # slow to import

    x, y = _pair(a, b, least=3)
    if neighbours > len(x) - 2:
        raise DiaboloError(f"the number of neighbours must be from 1 to {len(x) - 2}, not {neighbours}")
    near = [NearestNeighbors(n_neighbors=neighbours).fit(z).kneighbors(return_distance=False) for z in (x, y)]
    both = np.sort(np.concatenate(near, 1), 1)  # whoever is in both stands there twice, side by side
    return float((both[:, 1:] == both[:, :-1]).sum() / (len(x) * neighbours))


def cka(a: ArrayLike, b: ArrayLike, debiased: bool = True) -> float:
    """Centred kernel alignment with linear kernels: HSIC(a, b) / √(HSIC(a, a) HSIC(b, b)), 1 for the same up to rotation and
    scale (Kornblith et al. 2019, arXiv 1905.00414). O(N D E) and no matrix of N × N.

    Args:
        a, b: (N, D), (N, E).
        debiased: with the unbiased HSIC (Song et al. 2012, JMLR 13; for CKA Nguyen et al. 2021, arXiv 2010.15327), which is
            about 0 for unrelated codes of any dimensions; the plain one goes to 1 when dimensions are many and images are
            few.

    Example:
        >>> codes = np.random.default_rng(0).normal(size=(50, 3))
        >>> round(diabolo.latents.cka(codes, 2 * codes[:, ::-1]), 6)
        1.0
    """
    x, y = _pair(a, b, least=4)
    hsic = _unbiased if debiased else _biased
    own = hsic(x, x), hsic(y, y)
    if any(found <= ROUNDING * np.square(np.square(z).sum()) for found, z in zip(own, (x, y), strict=True)):
        raise DiaboloError("the codes of one side do not vary more than by chance: there is nothing to align")
    return float(hsic(x, y) / np.sqrt(own[0] * own[1]))


def _biased(x: Floats, y: Floats) -> float:
    """tr(K L) of centred kernels, = |xᵀ y|²."""
    return float(np.square(x.T @ y).sum())


def _unbiased(x: Floats, y: Floats) -> float:
    """n (n − 3) HSIC₁ = tr K̃L̃ + 1ᵀK̃1 1ᵀL̃1 / ((n−1)(n−2)) − 2/(n−2) 1ᵀK̃L̃1, K̃ being K = x xᵀ with a diagonal of 0."""
    n = len(x)
    k, l = np.square(x).sum(1), np.square(y).sum(1)  # noqa: E741  # the paper's letter; the diagonals
    k1, l1 = -k, -l  # K̃1 = K1 − k, and K1 = x (xᵀ1) = 0 since x is centred
    trace = np.square(x.T @ y).sum() - k @ l
    return float(trace + k1.sum() * l1.sum() / ((n - 1) * (n - 2)) - 2 * (k1 @ l1) / (n - 2))


SIMILARITIES: dict[str, Callable[[ArrayLike, ArrayLike], float]] = {
    "Procrustes distance": procrustes_distance,
    "neighbourhood overlap": neighbourhood_overlap,
    "CKA": cka,
}


def between(codes: Mapping[str, ArrayLike], similarity: Callable[[Any, Any], float]) -> Floats:
    """`similarity` of all pairs among codes of the same images, a matrix in the order of `codes`; it must not mind which is
    first.

    Example:
        >>> codes = np.random.default_rng(0).normal(size=(50, 3))
        >>> maps = {"seed 0": codes, "seed 1": 2 * codes[:, ::-1]}
        >>> diabolo.latents.between(maps, diabolo.latents.cka).round(2)
        array([[1., 1.],
               [1., 1.]])
    """
    every = list(codes.values())
    found = np.empty((len(every),) * 2)
    for i, one in enumerate(every):
        for j, other in enumerate(every[: i + 1]):
            found[i, j] = found[j, i] = similarity(one, other)
    return found


def subspace_angles(a: ArrayLike, b: ArrayLike) -> Floats:
    """The principal angles in degrees, largest first, between the spaces that the rows of `a` (D, P) and `b` (E, P) span
    (Björck & Golub 1973): min(D, E) of them, all 0 when one space holds the other.

    Example:
        >>> diabolo.latents.subspace_angles(np.array([[1.0, 0.0, 0.0]]), np.array([[1.0, 1.0, 0.0]])).round(6)
        array([45.])
    """
    from scipy.linalg import subspace_angles as angles

    x, y = check_codes(a), check_codes(b)
    found: Floats = np.degrees(angles(x.T, y.T))
    return found


def decoded_directions(codec: Codec, codes: ArrayLike) -> Floats:
    """How the image changes along each unit: the rows decode(z̄ + sⱼ eⱼ) − decode(z̄), (D, pixels), z̄ and s being the mean
    and the deviations of `codes` (N, D). For a linear decoder they span what it can draw, so that
    `subspace_angles(decoded_directions(codec, z), pca.components)` says how far that is from the principal subspace; for any
    other it is the tangent at the mean, roughly.

    Example:
        >>> diabolo.latents.decoded_directions(model, model.encode(test.images)).shape
        (4, 64)
    """
    refuse_discrete(codec, "a direction")
    z = check_codes(codes, least=2)
    steps = np.concatenate([np.zeros((1, z.shape[1])), np.diag(z.std(0))]) + z.mean(0)
    x_hat = codec.decode(torch.from_numpy(steps.astype(np.float32)).reshape(-1, *codec.latent_shape))
    flat = x_hat.flatten(1).cpu().double().numpy()
    found: Floats = flat[1:] - flat[0]
    return found


def _pair(a: ArrayLike, b: ArrayLike, least: int) -> tuple[Floats, Floats]:
    """Both centred, which takes the shift out."""
    x, y = check_codes(a, least), check_codes(b, least)
    if len(x) != len(y):
        raise DiaboloError(f"both must be codes of the same images, not of {len(x):,} and {len(y):,}")
    if any((z == z[0]).all() for z in (x, y)):  # less their mean, which is rounded, they may differ from 0
        raise DiaboloError("all codes of one side are the same: there is no map to compare")
    return x - x.mean(0), y - y.mean(0)
