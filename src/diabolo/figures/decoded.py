"""The latent square made visible: what the decoder draws at every point of a regular grid."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter

from diabolo.errors import DiaboloError

from .checks import some
from .mosaic import Floats, Sheet, as_images, best_columns, lay, show, zoom
from .style import DPI, drawing, shorten, wrap

Extent = tuple[float, float, float, float]
_LEFT, _RIGHT, _BOTTOM, _SIDE, _SMALL_SIDE = 110, 40, 90, 1000, 420  # canvas pixels


def latent_grid(extent: Extent, n: int) -> NDArray[np.float32]:
    """Return the `n * n` codes (n * n, 2) that `decoded_grid` expects images of, in its order.

    The square `extent` (x0, x1, y0, y1) is cut into n × n tiles; a code is the middle of its tile. z₁ runs fastest and
    z₂ grows from row to row, so the first code is the one at the lower left: (lowest z₁, lowest z₂).

    Example:
        >>> diabolo.figures.latent_grid((-1, 1, -1, 1), n=2)
        array([[-0.5, -0.5],
               [ 0.5, -0.5],
               [-0.5,  0.5],
               [ 0.5,  0.5]], dtype=float32)
    """
    if n < 1:
        raise DiaboloError(f"a latent grid needs at least 1 code a side, not {n}")
    x0, x1, y0, y1 = _checked(extent)
    middles = (np.arange(n) + 0.5) / n
    z1, z2 = np.meshgrid(x0 + (x1 - x0) * middles, y0 + (y1 - y0) * middles)
    return np.stack([z1.ravel(), z2.ravel()], axis=1).astype(np.float32)


@drawing
def decoded_grid(
    images: ArrayLike,
    extent: Extent,
    title: str | None = None,
    axis_names: tuple[str, str] = ("z₁", "z₂"),
    codes: ArrayLike | None = None,
    *,
    on: SubFigure | None = None,
) -> Figure:
    """Draw `images` (n * n, C, H, W), decoded from `latent_grid(extent, n)`, as one picture with axes in latent units.

    The first n images are the lowest row of the picture (lowest z₂), left to right by z₁; each tile covers the piece of
    the square that its code is the middle of. Image pixels stay square, also where the extent is not. A line goes around
    95 % of the `codes` (N, 2), where there are some: far beyond it the decoder was never trained.

    Example:
        >>> grid = diabolo.latents.by_quantiles(n=3)
        >>> figure = diabolo.figures.decoded_grid(np.random.default_rng(0).random((9, 1, 8, 8)), grid.extent)
        >>> diabolo.figures.save(figure, "decoded_grid.png").name
        'decoded_grid.png'
    """
    return _page({"": (images, extent)}, _SIDE, title, axis_names, {} if codes is None else {"": codes}, on)


@drawing
def decoded_grids(
    grids: Mapping[str, tuple[ArrayLike, Extent]],
    title: str | None = None,
    axis_names: tuple[str, str] = ("z₁", "z₂"),
    codes: Mapping[str, ArrayLike] | None = None,
    *,
    names: Sequence[str] = (),
    on: SubFigure | None = None,
) -> Figure:
    """Draw several such pictures side by side, three in a line: {"seed 0": (images, extent), …}; `codes` by the same names.
    The n `names` are written at the tiles of both axes, in place of latent units.

    Example:
        >>> images = np.random.default_rng(0).random((9, 1, 8, 8))
        >>> figure = diabolo.figures.decoded_grids({"seed 0": (images, (-2, 2, -2, 2)), "seed 1": (images, (-2, 2, -2, 2))})
        >>> diabolo.figures.save(figure, "decoded_grids.png").name
        'decoded_grids.png'
    """
    some(grids, "decoded_grids: grids")
    return _page(grids, _SMALL_SIDE, title, axis_names, codes or {}, on, names)


def _page(
    grids: Mapping[str, tuple[ArrayLike, Extent]],
    side: int,
    title: str | None,
    axis_names: tuple[str, str],
    codes: Mapping[str, ArrayLike],
    on: SubFigure | None,
    names: Sequence[str] = (),
) -> Figure:
    """Lay out the pictures, each about `side` canvas pixels large, below their names, where they have some."""
    pages = {name: _laid(images) for name, (images, _) in grids.items()}
    extents = [_checked(extent) for _, extent in grids.values()]
    factor = zoom(max(max(page.shape[:2]) for page in pages.values()), side)
    sizes = [(round(page.shape[1] * factor), round(page.shape[0] * factor)) for page in pages.values()]
    wide, tall = max(wide for wide, _ in sizes), max(tall for _, tall in sizes)
    columns = len(pages) if len(pages) <= 3 else best_columns(len(pages), 2, 3)
    named = 30 if any(pages) else 0
    pitch = _LEFT + wide + _RIGHT, named + tall + _BOTTOM
    width = max(columns * pitch[0], _LEFT + 400 + _RIGHT)
    heading = wrap(title or "Images decoded over latent space", (width - 40) / DPI, 12)
    top = 40 + 34 * len(heading.splitlines())
    sheet = Sheet(on, width, top + -(-len(pages) // columns) * pitch[1])
    for i, ((name, page), extent, size) in enumerate(zip(pages.items(), extents, sizes, strict=True)):
        x, y = _LEFT + i % columns * pitch[0], top + named + i // columns * pitch[1]
        axes = sheet.axes(x, y, *size)
        show(axes, page, factor, extent)
        if name in codes:
            _outline(
                axes, np.asarray(codes[name], dtype=np.float64), extent, math.isqrt(len(np.asarray(grids[name][0])))
            )
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(nbins=8 if side == _SIDE else 5, steps=[1, 2, 5, 10]))
        if names:
            x0, x1, y0, y1 = extent
            middles = (np.arange(len(names)) + 0.5) / len(names)
            axes.set_xticks(x0 + (x1 - x0) * middles, names)
            axes.set_yticks(y0 + (y1 - y0) * middles, names)
        axes.set_xlabel(f"{axis_names[0]} →")
        axes.set_ylabel(f"{axis_names[1]} →")  # turned with its axis, the arrow points up
        sheet.text(x + size[0] / 2, y - 8, shorten(name, 36), ha="center", va="bottom")
    sheet.text(width / 2, 22, heading, 12, ha="center", va="top", fontweight="bold")
    return sheet.page()


_FINE, _AROUND, _INSIDE = 4, 3, 0.95  # cells of a tile's side, tiles beyond the picture, share of the codes


def _outline(axes: Axes, codes: Floats, extent: Extent, n: int) -> None:
    """Draw the line around most of the codes, light on dark so that it shows on any image: the level of their density, smoothed
    by a tile, above which that share of it lies."""
    if codes.ndim != 2 or codes.shape[1] != 2:
        raise DiaboloError(f"the codes of a decoded grid must have the shape (N, 2), not {codes.shape}")
    ends = ((extent[0], extent[1]), (extent[2], extent[3]))
    edges = [
        np.linspace(low - _AROUND * (high - low) / n, high + _AROUND * (high - low) / n, (n + 2 * _AROUND) * _FINE + 1)
        for low, high in ends
    ]
    density = gaussian_filter(np.histogram2d(codes[:, 0], codes[:, 1], edges)[0], _FINE, mode="constant")  # [z1, z2]
    heights = np.sort(density.ravel())[::-1]
    if not heights[0]:
        return  # none lies in the picture
    level = heights[np.searchsorted(np.cumsum(heights) / heights.sum(), _INSIDE)]
    x, y = ((e[1:] + e[:-1]) / 2 for e in edges)
    for colour, width in (("black", 3.2), ("#F9BC33", 1.6)):
        axes.contour(x, y, density.T, levels=[level], colors=colour, linewidths=width)
    axes.set_xlim(extent[0], extent[1])
    axes.set_ylim(extent[2], extent[3])


def _laid(images: ArrayLike) -> Floats:
    """The picture (n H, n W, C) of `images` (n * n, C, H, W)."""
    array = as_images(images, "images")
    count, h, w, channels = array.shape
    n = math.isqrt(count)
    if n * n != count:
        raise DiaboloError(f"decoded_grid needs n × n images, and {count} is not a square number")
    upside = array.reshape(n, n, h, w, channels)[::-1]  # the page is laid from the top, latent space from below
    return lay(upside, gap=0)


def _checked(extent: Extent) -> Extent:
    values = tuple(float(v) for v in extent)
    if len(values) != 4 or not all(map(math.isfinite, values)) or values[0] >= values[1] or values[2] >= values[3]:
        raise DiaboloError(f"extent must be (x0, x1, y0, y1) with x0 < x1 and y0 < y1, not {tuple(extent)}")
    return values[0], values[1], values[2], values[3]
