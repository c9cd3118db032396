"""Values side by side: horizontal bars with their intervals and numbers."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from diabolo.errors import DiaboloError

from .checks import numbers, some
from .curves import format_value
from .heading import capital
from .layout import canvas, overhead, root, settle
from .style import BLUE, drawing, shorten, wrap

Interval = tuple[float, float]
WHISKER: dict[str, Any] = {"ecolor": "black", "elinewidth": 1.1, "capsize": 2.5, "capthick": 1.1}
_WIDTH, _ROW, _NAME = 5.6, 0.27, 38  # inches, inches, characters


@drawing
def bars(
    values: Mapping[str, float],
    unit: str,
    intervals: Mapping[str, Interval] | None = None,
    *,
    title: str | None = None,
    on: SubFigure | None = None,
) -> Figure:
    """Draw one horizontal bar per value, from zero, in the order given, its interval as a whisker and both as numbers.

    `unit` names the axis: "test accuracy", "FID". `intervals` holds (low, high), and may lack some of the names.

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
    sheet = canvas(on, _WIDTH, 0.75 + 0.2 * lines + _ROW * len(values))
    axes = sheet.add_subplot()
    places = range(len(values))
    counts = not intervals and all(length == round(length) for length in lengths)
    axes.barh(places, lengths, height=0.62, color=BLUE, edgecolor="black", linewidth=0.5)
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
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(places, [shorten(name, _NAME) for name in values])
    axes.set_ylim(len(values) - 0.4, -0.6)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4))
    axes.set_xlabel(wrap(unit, 3, 9))
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    overhead(sheet, heading, _WIDTH - 0.4)
    settle(sheet)
    return root(sheet)
