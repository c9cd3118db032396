"""Where the encoder puts things: codes as points (two dimensions) or as histograms (one), coloured by class; and several maps
of the same images side by side, with one legend.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from diabolo.errors import DiaboloError

from .checks import some
from .labels import name_clouds
from .layout import canvas, overhead, settle
from .mosaic import best_columns
from .style import MAX_CLASSES, class_style, drawing, shorten, wrap

Names = Sequence[str] | Mapping[int, str]
UNKNOWN = -1  # the label of what has none
_SIDE, _LEGEND_ROWS, _NAME = 5.2, 22, 36  # inches, entries in a column, characters


@drawing
def latent_scatter(
    codes: ArrayLike,
    labels: ArrayLike | None = None,
    label_names: Names | None = None,
    title: str | None = None,
    axis_names: tuple[str, str] = ("z₁", "z₂"),
    *,
    extent: tuple[float, float, float, float] | None = None,
    on: SubFigure | None = None,
) -> Figure:
    """Draw `codes` (N, 2) as points coloured by `labels` (N,); codes (N, 1) or (N,) as one histogram per class.

    `label_names[k]` is what the legend says for the label k. With an `extent` (x0, x1, y0, y1) the axes are those of a
    `decoded_grid` of the same extent. Codes of more dimensions are refused: which two directions to show is the caller's
    choice.

    Example:
        >>> figure = diabolo.figures.latent_scatter(model.encode(test.images)[:, :2], test.labels)
        >>> diabolo.figures.save(figure, "latent_scatter.png").name
        'latent_scatter.png'
    """
    points = checked_codes(codes)
    classes = classes_of(labels, label_names, len(points))
    figure = canvas(on, _SIDE, _SIDE)
    axes = figure.add_subplot()
    flat = points.shape[1] == 1
    (_histograms if flat else scatter)(axes, points, list(classes.values()))
    if extent is not None and not flat:
        axes.set_aspect("auto")
        axes.set_xlim(extent[:2])
        axes.set_ylim(extent[2:])
        axes.set_box_aspect(1)
    axes.set_xlabel(axis_names[0])
    axes.set_ylabel("codes per bin" if flat else axis_names[1])
    if labels is not None:
        add_legend(figure, list(classes), handles_of(len(classes), flat), 2.2 if flat else 1)
    heading = title or ("Codes by class" if labels is not None else "Codes")
    axes.set_title(wrap(heading, _SIDE - 0.6, 12), fontsize=12, loc="center", pad=10)
    if not flat:
        name_clouds(axes, figure, {name: points[members] for name, members in classes.items()})
    return settle(figure)


def checked_codes(codes: ArrayLike) -> NDArray[np.float64]:
    """Return `codes` as (N, 2) or (N, 1), all of them finite."""
    points = np.asarray(codes, dtype=np.float64)
    points = points[:, None] if points.ndim == 1 else points
    if points.ndim != 2 or not points.size:
        raise DiaboloError(f"codes must have the shape (N, 2) or (N, 1) with N > 0, not {points.shape}")
    if points.shape[1] > 2:
        raise DiaboloError(
            f"these codes have {points.shape[1]} dimensions and a page has two; project them first "
            "(PCA or UMAP, for example), or pass the two columns to show"
        )
    bad = int((~np.isfinite(points)).any(axis=1).sum())
    if bad:
        raise DiaboloError(f"{bad} of {len(points)} codes hold NaN or infinity")
    return points


def classes_of(labels: ArrayLike | None, names: Names | None, count: int) -> dict[str, NDArray[np.intp]]:
    """Return what the legend says for each class, with the indices of its points."""
    if labels is None:
        return {"": np.arange(count)}
    array = np.asarray(labels)
    if array.shape != (count,):
        raise DiaboloError(f"labels must be one per code, {count} in all, but have the shape {array.shape}")
    values, which = np.unique(array, return_inverse=True)
    if len(values) > MAX_CLASSES:
        raise DiaboloError(f"the labels have {len(values):,} different values; a legend holds {MAX_CLASSES} at most")
    told = None if names is None else dict(names if isinstance(names, Mapping) else enumerate(names))
    classes: dict[str, NDArray[np.intp]] = {}
    for k, value in enumerate(values):
        if told is not None and value == UNKNOWN:
            told.setdefault(UNKNOWN, "not known")
        if told is not None and value not in told:
            raise DiaboloError(f"label_names holds {len(told)} names, but none for the label {value}")
        name = str(value) if told is None else str(told[value])
        while name in classes:  # two labels of the same name are still two classes
            name += f" ({value})"
        classes[name] = np.flatnonzero(which == k)
    return classes


def scatter(axes: Axes, points: NDArray[np.float64], classes: Sequence[NDArray[np.intp]]) -> None:
    """Small translucent points. They are dealt out in rounds over the classes, so that no class lies on top of all."""
    count = len(points)
    area = float(np.clip(12_000 / count, 4, 30))
    alpha = float(np.clip(20 / count**0.4, 0.3, 0.85))
    rounds = 1 if len(classes) == 1 or count < 200 else 6
    shuffled = [np.random.default_rng(0).permutation(members) for members in classes]
    for turn in range(rounds):
        for k, members in enumerate(shuffled):
            x, y = points[members[turn::rounds]].T
            look = class_style(k)
            axes.scatter(
                x, y, s=area * look.area, c=look.colour, marker=look.marker, alpha=alpha, linewidths=0, rasterized=True
            )
    axes.set_aspect("equal", adjustable="datalim")


def _histograms(axes: Axes, points: NDArray[np.float64], classes: Sequence[NDArray[np.intp]]) -> None:
    edges = np.histogram_bin_edges(points, bins=40).tolist()
    for k, members in enumerate(classes):
        look = class_style(k)
        if len(classes) <= 4:
            axes.hist(points[members, 0], edges, histtype="stepfilled", color=look.colour, alpha=0.15)
        axes.hist(points[members, 0], edges, histtype="step", color=look.colour, linestyle=look.dashes, linewidth=1.4)


def handles_of(count: int, flat: bool = False) -> list[Line2D]:
    """What stands before the names of `count` classes in a legend: their markers, or the lines of a histogram."""
    looks = [class_style(k) for k in range(count)]
    return [
        Line2D([], [], color=look.colour, linestyle=look.dashes)
        if flat
        else Line2D([], [], color=look.colour, linestyle="", marker=look.marker, markersize=6 * look.area**0.5)
        for look in looks
    ]


def add_legend(
    canvas: Figure | SubFigure, names: Sequence[str], handles: Sequence[Any], length: float, **look: Any
) -> None:
    """Put the legend to the right of the axes; a page of its own grows wider by what it needs."""
    legend = canvas.legend(
        handles,
        ["?"] * len(names),  # replaced below: matplotlib leaves out names that begin with an underscore
        loc="outside right upper",
        ncols=-(-len(names) // _LEGEND_ROWS),
        title="class",
        alignment="left",
        handlelength=length,
        **look,
    )
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_text(shorten(name, _NAME))
    if isinstance(canvas, Figure):
        canvas.draw_without_rendering()  # so that the legend knows its size
        canvas.set_size_inches(_SIDE + legend.get_window_extent().width / canvas.dpi, _SIDE)


_MAP, _LEGEND, _MAP_NAME, _MOST_MAPS = 2.7, 0.5, 24, 12  # inches, inches, characters, maps


@drawing
def latent_maps(
    maps: Mapping[str, ArrayLike],
    labels: ArrayLike | None = None,
    label_names: Names | None = None,
    title: str | None = None,
    axis_names: tuple[str, str] = ("z₁", "z₂"),
    *,
    on: SubFigure | None = None,
) -> Figure:
    """Draw each of `maps`, name → codes (N, 2), as points coloured by `labels` (N,): three in a line, each on its own scale.

    Example:
        >>> codes = model.encode(test.images)[:, :2]
        >>> figure = diabolo.figures.latent_maps({"seed 0": codes, "seed 1": -codes}, test.labels)
        >>> diabolo.figures.save(figure, "latent_maps.png").name
        'latent_maps.png'
    """
    some(maps, "latent_maps: maps")
    if len(maps) > _MOST_MAPS:
        raise DiaboloError(f"latent_maps shows at most {_MOST_MAPS} maps, not {len(maps)}; pass fewer")
    points = {name: checked_codes(codes) for name, codes in maps.items()}
    for name, codes in points.items():
        if codes.shape[1] != 2:
            raise DiaboloError(f"latent_maps: the map {name!r} must have the shape (N, 2)")
    columns = len(points) if len(points) <= 3 else best_columns(len(points), 2, 3)
    rows = -(-len(points) // columns)
    width, height = _MAP * columns, _MAP * rows + 0.4
    sheet = canvas(on, width + _LEGEND, height)
    classes: list[str] = []
    for i, (name, codes) in enumerate(points.items()):
        axes = sheet.add_subplot(rows, columns, i + 1)
        found = classes_of(labels, label_names, len(codes))
        classes = list(found)
        scatter(axes, codes, list(found.values()))
        middle, half = (codes.max(0) + codes.min(0)) / 2, 0.54 * max(float(np.ptp(codes, axis=0).max()), 1e-9)
        axes.set_aspect("equal", adjustable="box")  # a square, whatever the map
        axes.set_xlim(middle[0] - half, middle[0] + half)
        axes.set_ylim(middle[1] - half, middle[1] + half)
        axes.set_title(shorten(name, _MAP_NAME), loc="center", fontweight="normal")
        axes.set_xlabel(axis_names[0])
        axes.set_ylabel(axis_names[1])
    overhead(sheet, title or "Codes by class", width - 0.4)
    if labels is not None:
        legend = sheet.legend(
            handles_of(len(classes)),
            ["?"] * len(classes),  # replaced below: matplotlib leaves out names that begin with an underscore
            loc="outside right upper",
            ncols=-(-len(classes) // round(4 * _MAP * rows)),
            title="class",
            alignment="left",
            handlelength=1,
        )
        for text, name in zip(legend.get_texts(), classes, strict=True):
            text.set_text(shorten(name, _MAP_NAME))
        if isinstance(sheet, Figure):
            sheet.draw_without_rendering()  # so that the legend knows its size
            sheet.set_size_inches(width + legend.get_window_extent().width / sheet.dpi, height)
    return settle(sheet)
