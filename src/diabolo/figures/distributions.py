"""How numbers are distributed: anomaly scores, KL, distances to the nearest neighbour."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import PercentFormatter
from numpy.typing import ArrayLike

from .checks import numbers, some
from .curves import format_value
from .layout import canvas, head, settle
from .style import class_style, shorten, style, wrap

_WIDTH, _HEIGHT, _BINS, _TAIL, _NAME = 5.6, 3.6, 50, 0.002, 40


@style()
def histogram(
    values: Mapping[str, ArrayLike],
    x_name: str,
    marks: Mapping[str, float] | None = None,
    *,
    title: str | None = None,
    on: SubFigure | None = None,
) -> Figure:
    """Draw one outline per label → (N,), as shares of its own N in bins common to all; `marks` are lines with a name.

    The few values far out on either side are counted in the first and the last bin, and the axis says so.
    """
    some(values, "histogram: values")
    groups = {name: numbers(given, f"histogram: {name!r}") for name, given in values.items()}
    lines = dict(zip(marks or {}, numbers(list(marks.values()), "histogram: marks"), strict=True)) if marks else {}
    pooled = np.concatenate(list(groups.values()))
    low, high = np.quantile(pooled, (_TAIL, 1 - _TAIL))
    low, high = min(low, *lines.values(), low), max(high, *lines.values(), high)
    if pooled.max() - pooled.min() < 1.5 * (high - low):
        low, high = min(low, pooled.min()), max(high, pooled.max())
    if high <= low:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, min(_BINS, max(5, 2 * int(len(pooled) ** 0.5))) + 1)
    beyond = int(((pooled < low) | (pooled > high)).sum())
    sheet = canvas(on, _WIDTH, _HEIGHT + 0.2 * (len(groups) + len(lines)))
    axes = sheet.add_subplot()
    for k, (name, group) in enumerate(groups.items()):
        look, inside = class_style(k), group.clip(low, high)
        weights = np.full(len(group), 1 / len(group))
        if len(groups) <= 3:
            axes.hist(inside, edges.tolist(), weights=weights, histtype="stepfilled", color=look.colour, alpha=0.15)
        axes.hist(
            inside,
            edges.tolist(),
            weights=weights,
            histtype="step",
            color=look.colour,
            linestyle=look.dashes,
            linewidth=1.5,
            label=f"{shorten(name, _NAME)} (n = {len(group):,})",
        )
    for k, (name, place) in enumerate(lines.items()):
        look = class_style(k + 6)
        axes.axvline(place, color="black", linewidth=1)
        axes.plot(
            place,
            1,
            marker=look.marker,
            color="black",
            transform=axes.get_xaxis_transform(),
            clip_on=False,
            linewidth=1,
            label=f"{shorten(name, _NAME)}: {format_value(place)}",
            markersize=6,
        )
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_ylabel("share of each group")
    note = f" ({beyond:,} further out are in the outer bins)" if beyond else ""
    axes.set_xlabel(wrap(x_name + note, 4.8, 9))
    head(axes, title or f"Distribution of {x_name}", _WIDTH - 1)
    sheet.legend(loc="outside lower center", ncols=1)
    return settle(sheet)
