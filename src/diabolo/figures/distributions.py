"""How numbers are distributed (anomaly scores, KL, distances), and values side by side with their intervals."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from diabolo.errors import DiaboloError

from .checks import Array, numbers, some
from .colours import BLUE
from .curves import format_value
from .layout import canvas, capital, overhead, root, settle
from .style import DASHES, class_style, drawing, shorten, wrap

_WIDTH, _HEIGHT, _ROW = 5.6, 3.4, 0.5  # inches
_BINS, _TAIL, _NAME, _TOGETHER = 50, 0.002, 40, 4


@drawing
def histogram(
    values: Mapping[str, ArrayLike],
    x_name: str,
    marks: Mapping[str, float] | None = None,
    *,
    title: str | None = None,
    on: SubFigure | None = None,
) -> Figure:
    """Draw one outline per label → (N,), as shares of its own N in bins common to all; `marks` are lines with a name.

    More than four labels get a row each. The few values far out on either side are counted in the first and the last bin,
    and the axis says so.

    Example:
        >>> figure = diabolo.figures.histogram({"train": [0.1, 0.2, 0.2], "test": [0.2, 0.3, 0.4]}, "squared error per pixel")
        >>> diabolo.figures.save(figure, "histogram.png").name
        'histogram.png'
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
    note = f" ({beyond:,} beyond, in the outer bins)" if beyond else ""
    heading, below = title or f"Distribution of {x_name}", wrap(x_name + note, 4.8, 9)
    apart = len(groups) > _TOGETHER
    count = len(groups) if apart else 1
    sheet = canvas(on, _WIDTH, (1.3 + _ROW * count if apart else _HEIGHT + 0.2 * len(groups)) + 0.2 * len(lines))
    rows = sheet.subplots(count, 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for k, (name, group) in enumerate(groups.items()):
        axes = rows[k if apart else 0]
        _outline(axes, group.clip(low, high), edges.tolist(), 0 if apart else k, len(groups) <= 3 or apart)
        if apart:
            axes.set_ylabel(_told(name, len(group)), rotation=0, ha="right", va="center", fontsize=8.5)
    for axes in rows:
        for k, place in enumerate(lines.values()):
            axes.axvline(place, color="black", linewidth=1, linestyle=DASHES[k % len(DASHES)])
        axes.yaxis.set_major_locator(MaxNLocator(nbins=1 if apart else 6))
        axes.yaxis.set_major_formatter(lambda v, _: f"{100 * v:g} %")
        axes.set_ylim(bottom=0)
    rows[-1].set_xlabel(below)
    handles, names = [], []
    if not apart:
        rows[0].set_ylabel("share of each group")
        looks = [class_style(k) for k in range(len(groups))]
        handles = [Line2D([], [], color=look.colour, linestyle=look.dashes) for look in looks]
        names = [_told(name, len(group)) for name, group in groups.items()]
    handles += [
        Line2D([], [], color="black", linewidth=1, linestyle=DASHES[k % len(DASHES)]) for k in range(len(lines))
    ]
    names += [f"{shorten(name, _NAME)}: {format_value(place)}" for name, place in lines.items()]
    if handles:
        sheet.legend(handles, names, loc="outside lower center", ncols=1, handlelength=3)
    overhead(sheet, heading, _WIDTH - 0.4)
    return settle(sheet)


def _told(name: str, count: int) -> str:
    return wrap(f"{shorten(name, _NAME)} (n = {count:,})", 2.4, 8.5)


def _outline(axes: Axes, values: Array, edges: list[float], k: int, filled: bool) -> None:
    look, weights = class_style(k), np.full(len(values), 1 / len(values))
    if filled:
        axes.hist(values, edges, weights=weights, histtype="stepfilled", color=look.colour, alpha=0.15)
    axes.hist(values, edges, weights=weights, histtype="step", color=look.colour, linestyle=look.dashes, linewidth=1.5)


Interval = tuple[float, float]
WHISKER: dict[str, Any] = {"ecolor": "black", "elinewidth": 1.1, "capsize": 2.5, "capthick": 1.1}
_BAR, _BAR_NAME = 0.27, 38  # inches, characters


@drawing
def bars(
    values: Mapping[str, float],
    unit: str,
    intervals: Mapping[str, Interval] | None = None,
    *,
    title: str | None = None,
    on: SubFigure | None = None,
) -> Figure:
    """Draw one value per row, in the order given, as a horizontal bar from zero and as a number.

    Where there are `intervals`, each value is a point instead, and its interval a whisker: the axis shows what they span, so
    that differences can be seen. `intervals` holds (low, high), and may lack some of the names; `unit` names the axis.

    Example:
        >>> figure = diabolo.figures.bars({"VAE": 0.024, "PCA": 0.031}, "squared error per pixel", {"VAE": (0.023, 0.025)})
        >>> diabolo.figures.save(figure, "bars.png").name
        'bars.png'
    """
    some(values, "bars: values")
    intervals = intervals or {}
    for name in intervals:
        if name not in values:
            raise DiaboloError(f"bars: there is an interval for {name!r}, but no value")
    lengths = numbers(list(values.values()), "bars: values").tolist()
    heading = title or capital(unit)
    lines = len(wrap(heading, _WIDTH - 0.4, 12).splitlines()) + len(wrap(unit, 3, 9).splitlines())
    sheet = canvas(on, _WIDTH, 0.75 + 0.2 * lines + _BAR * len(values))
    axes = sheet.add_subplot()
    places = range(len(values))
    counts = not intervals and all(length == round(length) for length in lengths)
    if intervals:
        axes.plot(lengths, places, "o", color=BLUE, markersize=5, zorder=3)
        axes.margins(x=0.08)
    else:
        axes.barh(places, lengths, height=0.62, color=BLUE, edgecolor="black", linewidth=0.5)
        axes.axvline(0, color="black", linewidth=0.8)
    for place, (name, value) in zip(places, values.items(), strict=True):
        text = f"{value:,.0f}".replace("-", "−") if counts else format_value(value)
        if name in intervals:
            low, high = numbers(intervals[name], f"bars: the interval of {name!r}", (2,)).tolist()
            if low > high:
                raise DiaboloError(f"bars: the interval of {name!r} runs from {low:.4g} down to {high:.4g}")
            # Drawn as it is: that of a biased estimate need not hold the value.
            axes.errorbar((low + high) / 2, place, xerr=(high - low) / 2, fmt="none", **WHISKER)
            text += f"  [{format_value(low)}, {format_value(high)}]"
        axes.text(1.02, place, text, transform=axes.get_yaxis_transform(), va="center", fontsize=8)
    axes.set_yticks(places, [shorten(name, _BAR_NAME) for name in values])
    axes.set_ylim(len(values) - 0.4, -0.6)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4))
    axes.set_xlabel(wrap(unit, 3, 9))
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    overhead(sheet, heading, _WIDTH - 0.4)
    settle(sheet)
    return root(sheet)
