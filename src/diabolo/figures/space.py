"""Points in space, several sets of the same points side by side, and the flat codes they have."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure, SubFigure
from numpy.typing import ArrayLike

from .checks import Array, numbers, some
from .layout import canvas, overhead, settle
from .style import drawing, shorten, wrap

_PANEL, _BAR = 2.7, 0.9  # inches
_VIEW = {"elev": 12, "azim": -72}  # degrees: a roll whose axis is the third is seen from its open end
_NAME = 30  # characters


@drawing
def space_scatter(
    points: Mapping[str, ArrayLike],
    values: ArrayLike,
    value_name: str,
    codes: Mapping[str, ArrayLike] | None = None,
    *,
    title: str | None = None,
    on: SubFigure | None = None,
) -> Figure:
    """Draw sets of N points in space, {"data": (N, 3), …}, all seen from the same side, and beneath those that have `codes`,
    {"PCA": (N, 2), …}, these. Each point has the colour of its `values` (N,) everywhere.

    Example:
        >>> sheet, _ = diabolo.data.load("sheet", n_train=200)
        >>> along = sheet.factors[:, 0]
        >>> figure = diabolo.figures.space_scatter({"data": sheet.images}, along, "place along the sheet")
        >>> diabolo.figures.save(figure, "space_scatter.png").name
        'space_scatter.png'
    """
    some(points, "space_scatter: points")
    shade = numbers(values, "space_scatter: values")
    clouds = {name: numbers(x, f"space_scatter: {name!r}", (len(shade), 3)) for name, x in points.items()}
    flat = {name: numbers(x, f"space_scatter: codes of {name!r}", (len(shade), 2)) for name, x in (codes or {}).items()}
    rows, width = 2 if flat else 1, _PANEL * len(clouds) + _BAR
    sheet = canvas(on, width, (_PANEL + 0.3) * rows + 0.5)
    every = np.concatenate(list(clouds.values()))
    limits = np.stack([every.min(0), every.max(0)]).T
    for k, (name, cloud) in enumerate(clouds.items()):
        shown = _in_space(sheet, (rows, len(clouds), k + 1), cloud, shade, limits)
        shown.axes.set_title(shorten(name, _NAME), loc="center")
        if name in flat:
            axes = sheet.add_subplot(rows, len(clouds), len(clouds) + k + 1)
            axes.scatter(flat[name][:, 0], flat[name][:, 1], c=shade, s=_area(shade), linewidths=0, rasterized=True)
            axes.set_xlabel("z₁")
            axes.set_ylabel("z₂")
    if flat:
        every_axes = [axes for axes in sheet.axes if axes.name != "3d"]
        bar = sheet.colorbar(shown, ax=every_axes, shrink=0.9)
    else:
        bar = sheet.colorbar(shown, ax=sheet.axes, shrink=0.7)
    bar.set_label(wrap(value_name, _PANEL, 9))
    overhead(sheet, title or "Points in space", width)
    return settle(sheet)


def _in_space(sheet: Any, place: tuple[int, int, int], cloud: Array, shade: Array, limits: Array) -> Any:
    """One set of points in axes of its own, within `limits` (3, 2); returns what was drawn."""
    axes = sheet.add_subplot(*place, projection="3d", computed_zorder=False)
    axes.view_init(**_VIEW)
    axes.set_box_aspect((1, 1, 1), zoom=1.15)
    axes.set(xlim=limits[0], ylim=limits[2], zlim=limits[1])
    axes.tick_params(labelbottom=False, labelleft=False, length=0)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_ticklabels([])
    return axes.scatter(
        cloud[:, 0], cloud[:, 2], cloud[:, 1], c=shade, s=_area(shade), linewidths=0, depthshade=False, rasterized=True
    )


def _area(shade: Array) -> float:
    return float(np.clip(6_000 / len(shade), 3, 20))
