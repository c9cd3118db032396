"""Regular grids of two-dimensional codes, to be decoded tile by tile."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diabolo import figures
from diabolo.errors import DiaboloError
from diabolo.latents.codes import check_codes
from diabolo.ranges import Above, At, checked

Extent = tuple[float, float, float, float]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """n × n codes as `figures.decoded_grid` wants their images: z₁ runs fastest, z₂ grows from row to row.

    Attributes:
        codes: (n · n, 2).
        extent: of the picture's axes, (x0, x1, y0, y1).
        axis_names: what the axes are.
        placed: codes (N, 2) in float64 → the same on the picture's axes.

    Example:
        >>> grid = diabolo.latents.by_quantiles(n=3)
        >>> tuple(grid.codes.shape), grid.axis_names
        ((9, 2), ('Φ(z₁)', 'Φ(z₂)'))
    """

    codes: NDArray[np.float32]
    extent: Extent
    axis_names: tuple[str, str]
    placed: Callable[[Floats], Floats] = field(default=np.asarray, repr=False, compare=False)

    def places(self, codes: ArrayLike) -> Floats:
        """`codes` (N, 2) on the picture's axes, for a scatter that agrees with the picture point by point."""
        return self.placed(_plane(codes))

    def tiles(self, codes: ArrayLike) -> NDArray[np.int64]:
        """The number of the tile, in the order of the images, that each of `codes` (N, 2) lies in: (N,); −1 outside."""
        n, (x0, x1, y0, y1) = math.isqrt(len(self.codes)), self.extent
        share = (self.places(codes) - (x0, y0)) / (x1 - x0, y1 - y0)
        column, row = np.minimum(np.floor(n * share), np.where(share == 1, n - 1, n)).astype(np.int64).T
        inside = (share >= 0).all(1) & (share <= 1).all(1)
        return np.where(inside, n * row + column, -1)

    def counts(self, codes: ArrayLike) -> NDArray[np.int64]:
        """How many of `codes` (N, 2) lie in each tile: (n · n,), in the order of the images."""
        tiles = self.tiles(codes)
        return np.bincount(tiles[tiles >= 0], minlength=len(self.codes))

    def majority(self, codes: ArrayLike, labels: ArrayLike) -> NDArray[np.int64]:
        """The most frequent of the `labels` (N,), whole numbers from 0, of the `codes` (N, 2) in each tile, the smallest of
        several: (n · n,); −1 where there is no code."""
        tiles, classes = self.tiles(codes), np.asarray(labels, np.int64)
        found = np.zeros((len(self.codes), classes.max(initial=0) + 1), np.int64)
        inside = (tiles >= 0) & (classes >= 0)
        np.add.at(found, (tiles[inside], classes[inside]), 1)
        return np.where(found.any(1), found.argmax(1), -1)


@checked
def over_range(
    codes: ArrayLike, n: Annotated[int, At(2, 1000)] = 20, share: Annotated[float, Above(0, 1)] = 0.98
) -> Grid:
    """Over the rectangle in which the middle `share` of `codes` (N, 2) lie along each axis: for codes that nothing holds near
    N(0, I). Never empty, even where all codes are one.

    Example:
        >>> grid = diabolo.latents.over_range(np.random.default_rng(0).normal(size=(500, 2)), n=5)
        >>> tuple(grid.codes.shape)
        (25, 2)
    """
    z = _plane(codes)
    low, high = np.quantile(z, ((1 - share) / 2, (1 + share) / 2), axis=0)
    room = 1e-3 * max(1.0, *np.abs(low))
    extent = (float(low[0] - room), float(high[0] + room), float(low[1] - room), float(high[1] + room))
    return Grid(figures.latent_grid(extent, n), extent, ("z₁", "z₂"))


@checked
def by_quantiles(n: Annotated[int, At(2, 1000)] = 20, codes: ArrayLike | None = None) -> Grid:
    """At the quantiles (i + ½) / n along each axis: of N(0, 1), for a VAE, so that each tile stands for an equal share of the
    prior (Kingma & Welling 2014, arXiv 1312.6114, figure 4); or of given `codes` (N, 2), for codes that nothing holds near
    N(0, I), so that the crowded middle of the map gets as much room as its outskirts. Its axes are shares, not codes; `places`
    puts other codes on them.

    Example:
        >>> diabolo.latents.by_quantiles(n=3).codes[:3]
        array([[-0.96742153, -0.96742153],
               [ 0.        , -0.96742153],
               [ 0.9674215 , -0.96742153]], dtype=float32)
        >>> grid = diabolo.latents.by_quantiles(4, codes=[[0, 0], [1, 10], [2, 20], [100, 30]])
        >>> grid.places([[0, 0], [2, 15], [999, -1]])
        array([[0.        , 0.        ],
               [0.66666667, 0.5       ],
               [1.        , 0.        ]])
    """
    from scipy.special import ndtr, ndtri

    shares: Extent = (0.0, 1.0, 0.0, 1.0)
    at = figures.latent_grid(shares, n).astype(np.float64)
    if codes is None:
        return Grid(ndtri(at).astype(np.float32), shares, ("Φ(z₁)", "Φ(z₂)"), ndtr)
    ordered = np.sort(_plane(codes), axis=0)
    below = np.linspace(0, 1, len(ordered))

    def placed(z: Floats) -> Floats:
        return np.stack([np.interp(z[:, i], ordered[:, i], below) for i in range(2)], 1)

    found = np.stack([np.interp(at[:, i], below, ordered[:, i]) for i in range(2)], 1)
    return Grid(found.astype(np.float32), shares, ("share of codes below z₁", "share of codes below z₂"), placed)


def _plane(codes: ArrayLike) -> Floats:
    z = check_codes(codes)
    if z.shape[1] != 2:
        raise DiaboloError(f"a grid needs codes of 2 numbers, not {z.shape[1]}: traverse them instead, or project them")
    return z
