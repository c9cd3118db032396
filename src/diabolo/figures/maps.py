"""Several maps of the same images side by side, with one legend: seeds, models, projections."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure, SubFigure
from numpy.typing import ArrayLike

from diabolo.errors import DiaboloError

from .checks import some
from .latent import Names, checked_codes, classes_of, handles_of, scatter
from .layout import canvas, overhead, settle
from .mosaic import best_columns
from .style import drawing, shorten

_SIDE, _LEGEND, _NAME, _MOST = 2.7, 0.5, 24, 12  # inches, inches, characters, maps


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
    if len(maps) > _MOST:
        raise DiaboloError(f"latent_maps shows at most {_MOST} maps, not {len(maps)}; pass fewer")
    points = {name: checked_codes(codes) for name, codes in maps.items()}
    for name, codes in points.items():
        if codes.shape[1] != 2:
            raise DiaboloError(f"latent_maps: the map {name!r} must have the shape (N, 2)")
    columns = len(points) if len(points) <= 3 else best_columns(len(points), 2, 3)
    rows = -(-len(points) // columns)
    width, height = _SIDE * columns, _SIDE * rows + 0.4
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
        axes.set_title(shorten(name, _NAME), loc="center", fontweight="normal")
        axes.set_xlabel(axis_names[0])
        axes.set_ylabel(axis_names[1])
    overhead(sheet, title or "Codes by class", width - 0.4)
    if labels is not None:
        legend = sheet.legend(
            handles_of(len(classes)),
            ["?"] * len(classes),  # replaced below: matplotlib leaves out names that begin with an underscore
            loc="outside right upper",
            ncols=-(-len(classes) // round(4 * _SIDE * rows)),
            title="class",
            alignment="left",
            handlelength=1,
        )
        for text, name in zip(legend.get_texts(), classes, strict=True):
            text.set_text(shorten(name, _NAME))
        if isinstance(sheet, Figure):
            sheet.draw_without_rendering()  # so that the legend knows its size
            sheet.set_size_inches(width + legend.get_window_extent().width / sheet.dpi, height)
    return settle(sheet)
