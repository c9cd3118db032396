"""Many attributes, several ways to read them: a table whose numbers are drawn beside it."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation

from diabolo.errors import DiaboloError

from .checks import interval, some
from .layout import canvas, overhead, root, settle
from .style import class_style, drawing, shorten, wrap

_ROW, _DOTS, _COLUMN, _NAME = 0.23, 3.4, 0.72, 30  # inches, characters


@drawing
def attribute_table(
    accuracies: Mapping[str, Mapping[str, tuple[float, float, float]]],
    columns: Sequence[str],
    *,
    title: str | None = None,
    on: SubFigure | None = None,
) -> Figure:
    """Draw a row per attribute: the share of each of `columns` as a dot with its interval, and as a number in %.

    `accuracies` is {"Smiling": {"pixels": (value, low, high), …}}; a number is bold where its interval lies above those of all
    others in its row. A row may lack columns.

    Example:
        >>> accuracies = {"Smiling": {"VAE": (0.82, 0.81, 0.83), "PCA": (0.89, 0.88, 0.90)}}
        >>> figure = diabolo.figures.attribute_table(accuracies, ["VAE", "PCA"])
        >>> diabolo.figures.save(figure, "attribute_table.png").name
        'attribute_table.png'
    """
    some(accuracies, "attribute_table: accuracies")
    some(columns, "attribute_table: columns")
    for name, row in accuracies.items():
        unknown = [column for column in row if column not in columns]
        if unknown:
            raise DiaboloError(
                f"attribute_table: {name!r} has {unknown[0]!r}, which is none of the columns {list(columns)}"
            )
    count = len(accuracies)
    heads = [wrap(shorten(column, 24), _COLUMN - 0.1, 8) for column in columns]
    lines = max(text.count("\n") + 1 for text in heads)
    names = [shorten(name, _NAME) for name in accuracies]
    beside = _COLUMN * len(columns)
    width = 0.075 * max(map(len, names)) + _DOTS + beside + 0.5
    sheet = canvas(on, width, max(0.6, _ROW * count) + 1.35 + 0.14 * lines)
    axes, table = sheet.subplots(1, 2, width_ratios=[_DOTS, beside], sharey=True)
    table.set_axis_off()
    table.set_xlim(-0.5, len(columns) - 0.5)
    shift = 0.6 / len(columns)
    leading = [_leading(row) for row in accuracies.values()]
    for k, column in enumerate(columns):
        look = class_style(k)
        shown = [
            (i, *interval(row[column], f"attribute_table: {name!r}, {column!r}"))
            for i, (name, row) in enumerate(accuracies.items())
            if column in row
        ]
        if shown:
            places, values, low, high = np.array(shown).T
            y = places + shift * (k - (len(columns) - 1) / 2)
            ends = np.maximum(0, [values - low, high - values])
            axes.errorbar(values, y, xerr=ends, fmt="none", ecolor="#555555", elinewidth=0.7)
            axes.scatter(
                values,
                y,
                s=16 * look.area,
                color=look.colour,
                marker=look.marker,
                edgecolor="black",
                linewidth=0.3,
                zorder=3,
            )
        for i, value, *_ in shown:
            heavy = "bold" if column == leading[i] else "normal"
            table.text(k, i, f"{100 * value:.1f}", ha="center", va="center", fontsize=8, fontweight=heavy)
        above = table.get_xaxis_transform() + ScaledTranslation(0, 9 / 72, root(sheet).dpi_scale_trans)
        size = 6 * look.area**0.5
        table.plot(
            k,
            1,
            look.marker,
            color=look.colour,
            markersize=size,
            markeredgecolor="black",
            markeredgewidth=0.3,
            clip_on=False,
            transform=above,
        )
        table.annotate(
            heads[k],
            (k, 1),
            (0, 15),
            table.get_xaxis_transform(),
            "offset points",
            ha="center",
            va="bottom",
            fontsize=8,
        )
    for i in range(0, count, 2):
        for part in (axes, table):
            part.axhspan(i - 0.5, i + 0.5, color="#F3F3F3", zorder=0, linewidth=0)
    axes.set_yticks(range(count), names)
    axes.set_ylim(count - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6))
    axes.xaxis.set_major_formatter(lambda v, _: f"{100 * v:g} %")
    axes.set_xlabel("share of test images (95 % interval)")
    overhead(sheet, title or "Attributes, read from each", width - 0.4)
    return settle(sheet)


def _leading(row: Mapping[str, tuple[float, float, float]]) -> str | None:
    """The column whose interval lies above those of all others; None where there is none, or nothing to compare."""
    if len(row) < 2:
        return None
    best = max(row, key=lambda column: row[column][0])
    apart = all(row[best][1] > high for column, (_, _, high) in row.items() if column != best)
    return best if apart else None
