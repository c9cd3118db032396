"""Densities over a plane: one in grey, and others around it by the lines that hold so much of their mass."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from diabolo.errors import DiaboloError
from diabolo.plain import percent

from .checks import Array, numbers, some
from .decoded import Extent
from .layout import canvas, overhead, settle
from .style import class_style, drawing, shorten

_WIDTH, _SIDE, _NAME = 5.6, 4.4, 60


@drawing
def contours(
    density: ArrayLike,
    around: Mapping[str, ArrayLike],
    extent: Extent,
    axis_names: tuple[str, str] = ("z₁", "z₂"),
    shares: tuple[float, float] = (0.5, 0.95),
    *,
    title: str | None = None,
    on: SubFigure | None = None,
) -> Figure:
    """Draw `density` (H, W) in grey over `extent` (x0, x1, y0, y1), and each of the densities `around` it, name → (H, W), by
    the two lines within which the given `shares` of its mass lie: solid the inner one, dashed the outer one.

    Row 0 is the lowest (y0), column 0 the leftmost (x0), and values are those at evenly spaced points, both ends among them.

    Example:
        >>> z = diabolo.figures.latent_grid((-3, 3, -3, 3), 40)
        >>> bell = np.exp(-np.square(z).sum(1) / 2).reshape(40, 40)
        >>> figure = diabolo.figures.contours(bell, {"N(0, I)": bell}, (-3, 3, -3, 3))
        >>> diabolo.figures.save(figure, "contours.png").name
        'contours.png'
    """
    some(around, "contours: around")
    shaded = numbers(density, "contours: density", (None, None))
    drawn = {name: numbers(values, f"contours: {name!r}", shaded.shape) for name, values in around.items()}
    if not 0 < shares[0] < shares[1] < 1:
        raise DiaboloError(f"contours: the shares must be rising and between 0 and 1, not {shares}")
    x0, x1, y0, y1 = extent
    sheet = canvas(on, _WIDTH, _SIDE * (y1 - y0) / (x1 - x0) + 1.1 + 0.2 * len(drawn))
    axes = sheet.add_subplot()
    axes.imshow(shaded, cmap="Greys", vmin=0, vmax=1.3 * shaded.max(), extent=extent, origin="lower", aspect="equal")
    axes.grid(visible=False)
    x, y = np.linspace(x0, x1, shaded.shape[1]), np.linspace(y0, y1, shaded.shape[0])
    handles = []
    for k, (name, values) in enumerate(drawn.items()):
        colour = class_style(k).colour
        for share, dashes in zip(shares, ("-", "--"), strict=True):
            axes.contour(x, y, values, [level(values, share, name)], colors=colour, linestyles=dashes, linewidths=1.6)
        handles.append(Line2D([], [], color=colour, label=shorten(name, _NAME)))
    axes.set_xlabel(axis_names[0])
    axes.set_ylabel(axis_names[1])
    sheet.legend(handles=handles, loc="outside lower center", ncols=1)
    overhead(sheet, title or f"Lines around {percent(shares[0])} and {percent(shares[1])} of the mass", _WIDTH - 0.4)
    return settle(sheet)


def level(values: Array, share: float, name: str) -> float:
    """The height above which `values` hold that share of their sum, half-way to the next lower one."""
    falling = np.sort(values, axis=None)[::-1]
    held = np.cumsum(falling)
    if falling[-1] < 0 or not held[-1] > 0:
        raise DiaboloError(f"contours: {name!r} is no density: it must be nowhere below 0, and above 0 somewhere")
    last = int(np.searchsorted(held, share * held[-1]))
    return float(falling[last : last + 2].mean())
