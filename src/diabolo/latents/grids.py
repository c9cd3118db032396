"""Regular grids of two-dimensional codes, to be decoded tile by tile."""

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diabolo import figures
from diabolo.errors import DiaboloError
from diabolo.latents.codes import check_codes
from diabolo.ranges import Above, At, checked

Extent = tuple[float, float, float, float]


@dataclass(frozen=True)
class Grid:
    """n × n codes as `figures.decoded_grid` wants their images: z₁ runs fastest, z₂ grows from row to row.

    Attributes:
        codes: (n · n, 2).
        extent: of the picture's axes, (x0, x1, y0, y1).
        axis_names: what the axes are.

    Example:
        >>> grid = diabolo.latents.by_quantiles(n=3)
        >>> tuple(grid.codes.shape), grid.axis_names
        ((9, 2), ('Φ(z₁)', 'Φ(z₂)'))
    """

    codes: NDArray[np.float32]
    extent: Extent
    axis_names: tuple[str, str]

    def counts(self, codes: ArrayLike) -> NDArray[np.int64]:
        """How many of `codes` (N, 2), on the picture's axes, lie in each tile: (n · n,), in the order of the images."""
        z, n = _plane(codes), math.isqrt(len(self.codes))
        x0, x1, y0, y1 = self.extent
        found, _, _ = np.histogram2d(z[:, 1], z[:, 0], bins=n, range=((y0, y1), (x0, x1)))
        return found.astype(np.int64).ravel()


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
def by_quantiles(n: Annotated[int, At(2, 1000)] = 20) -> Grid:
    """At the quantiles Φ⁻¹((i + ½) / n) of N(0, 1) along each axis, so that each tile stands for an equal share of the prior
    (Kingma & Welling 2014, arXiv 1312.6114, figure 4): for a VAE. Its axes are shares, not codes.

    Example:
        >>> diabolo.latents.by_quantiles(n=3).codes[:3]
        array([[-0.96742153, -0.96742153],
               [ 0.        , -0.96742153],
               [ 0.9674215 , -0.96742153]], dtype=float32)
    """
    from scipy.special import ndtri

    shares: Extent = (0.0, 1.0, 0.0, 1.0)
    codes: NDArray[np.float32] = ndtri(figures.latent_grid(shares, n).astype(np.float64)).astype(np.float32)
    return Grid(codes, shares, ("Φ(z₁)", "Φ(z₂)"))


def _plane(codes: ArrayLike) -> NDArray[np.float64]:
    z = check_codes(codes)
    if z.shape[1] != 2:
        raise DiaboloError(f"a grid needs codes of 2 numbers, not {z.shape[1]}: traverse them instead, or project them")
    return z
