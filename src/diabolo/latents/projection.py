"""Codes of many dimensions as points of a plane, by PCA, t-SNE or UMAP."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diabolo.data.portable_random import permutation
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.latents.codes import check_codes, check_differ, different
from diabolo.plain import percent
from diabolo.randomness import derive
from diabolo.ranges import AnySeed, At, checked
from diabolo.surroundings import ready_numba, undisturbed

Floats = NDArray[np.float64]
MOST = {"pca": 100_000, "t-sne": 5_000, "umap": 20_000}  # points in a minute or so; of openTSNE see `most_of`
OPEN_TSNE = 20_000


@dataclass(frozen=True)
class Projection:
    """Points of a plane.

    Attributes:
        points: (n, 2).
        chosen: (n,) the indices of their codes, in rising order.
        how: "pca", "t-sne" or "umap".
        told: the method and its settings in words; where not all codes were taken, how many of how many.
        axis_names: of a figure.

    Example:
        >>> found = diabolo.latents.project(model.encode(test.images).numpy())
        >>> isinstance(found, diabolo.latents.Projection), found.how
        (True, 'pca')
    """

    points: Floats
    chosen: NDArray[np.int64]
    how: str
    told: str
    axis_names: tuple[str, str]


@checked
@undisturbed()
def project(
    codes: ArrayLike, how: str = "pca", seed: AnySeed = 0, most: Annotated[int, At(4)] | None = None, **options: Any
) -> Projection:
    """Project `codes` (N, D) to two dimensions.

    Distances between far groups mean nothing in t-SNE and UMAP (Wattenberg et al. 2016, Distill); PCA is the one that is
    linear.

    Args:
        codes: (N, D), D of 2 or more.
        how: "pca"; "t-sne" (van der Maaten & Hinton 2008, JMLR 9) by openTSNE where that is installed, else scikit-learn;
            "umap" (McInnes et al. 2018, arXiv 1802.03426) by umap-learn, the extra `umap`.
        seed: of the subsample and of the method; the same seed takes the same codes for each method of the same `most`.
        most: points; of more codes as many are drawn. When left out, what the method does in about a minute.
        **options: of the method: `perplexity` of t-SNE; `n_neighbors`, `min_dist` of UMAP.

    Raises:
        UnknownNameError: for a method that there is not.
        DiaboloError: for too few codes, or too few different ones, and without umap-learn for UMAP.

    Example:
        >>> found = diabolo.latents.project(model.encode(test.images).numpy(), how="pca")
        >>> found.points.shape
        (100, 2)
    """
    usual = most_of(how)
    z = check_codes(codes, least=4)
    check_differ(z, "a map")
    if z.shape[1] < 2:
        raise DiaboloError("codes of one number are a line and need no projection: draw them as histograms")
    most = usual if most is None else most
    chosen = np.sort(permutation(len(z), seed)[:most]).astype(np.int64)
    if z.shape[1] == 2 and how == "pca":
        points, told, axes = z[chosen], "the codes themselves", ("z₁", "z₂")
    else:
        points, told, axes = METHODS[how](z[chosen], seed, options)
    if len(chosen) < len(z):
        told += f"; {len(chosen):,} of {len(z):,} codes, drawn by seed {seed}"
    return Projection(points, chosen, how, told, axes)


def most_of(how: str) -> int:
    """How many points the method is given when nobody says; UnknownNameError for a method that there is not.

    Example:
        >>> diabolo.latents.most_of("t-sne")
        5000
    """
    if how not in METHODS:
        raise UnknownNameError("projection", how, METHODS)
    return OPEN_TSNE if how == "t-sne" and find_spec("openTSNE") else MOST[how]


Drawn = tuple[Floats, str, tuple[str, str]]


def _pca(z: Floats, seed: int, options: dict[str, Any]) -> Drawn:
    from sklearn.decomposition import PCA  # slow to import

    _check(options, ())
    fitted = PCA(2, svd_solver="full" if z.size < 2**22 else "covariance_eigh").fit(z)
    shares = [f"{percent(share)}" for share in np.nan_to_num(fitted.explained_variance_ratio_)]
    axes = (f"PC 1 ({shares[0]} of the variance)", f"PC 2 ({shares[1]})")
    return fitted.transform(z), f"PCA; {shares[0]} and {shares[1]} of the variance", axes


def _apart(z: Floats, least: int, what: str) -> tuple[Floats, NDArray[np.int64] | slice]:
    """The codes that a method of neighbours is to place, each once, and how to lay its points out for all of `z` (N, D). Equal
    codes are neighbours without a distance, at which such methods fail: they are placed together. Far from 0, or very large or
    small, codes lose their differences in the float32 of the libraries: then they are centred and scaled."""
    found, which = different(z, least, what)
    back: NDArray[np.int64] | slice = which
    if len(found) == len(z):  # in the order in which they came
        found, back = z, slice(None)
    middle = found.mean(0)
    spread = float(np.abs(found - middle).max())
    if not 1e-6 < spread < 1e6 or float(np.abs(middle).max()) > 1e3 * spread:
        found = (found - middle) / spread
    return found, back


def _tsne(z: Floats, seed: int, options: dict[str, Any]) -> Drawn:
    _check(options, ("perplexity",))
    z, back = _apart(z, 4, "t-SNE")
    perplexity = float(options.get("perplexity", min(30.0, (len(z) - 1) / 3)))
    if not 0 < perplexity < len(z):
        raise DiaboloError(
            f"the perplexity of t-SNE must lie between 0 and the number of codes, {len(z)}, not {perplexity:g}"
        )
    if find_spec("openTSNE"):
        import openTSNE

        points = np.asarray(openTSNE.TSNE(perplexity=perplexity, random_state=_state(seed)).fit(z))
    else:
        from sklearn.manifold import TSNE  # slow to import

        points = TSNE(perplexity=perplexity, init="pca", random_state=_state(seed)).fit_transform(z)
    return points.astype(np.float64)[back], f"t-SNE, perplexity {perplexity:g}", ("t-SNE 1", "t-SNE 2")


def _umap(z: Floats, seed: int, options: dict[str, Any]) -> Drawn:
    _check(options, ("n_neighbors", "min_dist"))
    try:
        ready_numba()
        import umap
    except ImportError as error:
        raise DiaboloError("UMAP is not part of diabolo itself: pip install 'diabolo[umap]'") from error
    z, back = _apart(z, 4, "UMAP")
    neighbours = int(options.get("n_neighbors", min(15, len(z) - 1)))
    distance = float(options.get("min_dist", 0.1))
    # The random start is for few codes, of which the usual one, by eigenvectors of their graph, cannot be had.
    start = "spectral" if len(z) > 2 * neighbours else "random"
    reducer = umap.UMAP(n_neighbors=neighbours, min_dist=distance, init=start, random_state=_state(seed), n_jobs=1)
    told = f"UMAP, {neighbours} neighbours, least distance {distance:g}"
    return np.asarray(reducer.fit_transform(z), np.float64)[back], told, ("UMAP 1", "UMAP 2")


METHODS: dict[str, Callable[[Floats, int, dict[str, Any]], Drawn]] = {"pca": _pca, "t-sne": _tsne, "umap": _umap}


def _check(options: dict[str, Any], known: tuple[str, ...]) -> None:
    for option in options:
        if option not in known:
            raise UnknownNameError("option", option, known, " of the projection")


def _state(seed: int) -> int:
    return derive(seed, "projection") % 2**32
