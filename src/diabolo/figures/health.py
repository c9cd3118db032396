"""How a model fared while it was trained: what was watched after each epoch, and what was warned of."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from diabolo.errors import DiaboloError

from .checks import Array, some
from .colours import BLUE
from .curves import format_value
from .layout import canvas, overhead, settle
from .style import drawing, shorten, wrap

_WIDTH, _CURVE, _MAP, _WARNING = 6.2, 0.8, 1.7, 0.24  # inches


@drawing
def health_timeline(
    history: Sequence[Mapping[str, Any]], *, title: str | None = None, on: SubFigure | None = None
) -> Figure:
    """Draw over the epochs what was watched: a curve per number, a heat map per list (KL per unit), a bar per warning.

    `history` holds lines of `metrics.jsonl`: {"epoch": 1, "health": {"active_units": 16, "kl_per_unit": […]}, "warnings":
    {"inactive-units": "…"}}. Lines without health are left out; a value that is missing or not finite leaves a gap.

    Example:
        >>> figure = diabolo.figures.health_timeline(run.history)
        >>> diabolo.figures.save(figure, "health_timeline.png").name
        'health_timeline.png'
    """
    lines = [line for line in history if line.get("health")]
    some(lines, "health_timeline: the history (lines with 'health')")
    if any("epoch" not in line for line in lines):
        raise DiaboloError("health_timeline: a line of the history lacks its 'epoch'")
    epochs = np.array([line["epoch"] for line in lines], dtype=np.float64)
    names = list(dict.fromkeys(name for line in lines for name in line["health"]))
    maps = [name for name in names if any(isinstance(line["health"].get(name), list) for line in lines)]
    curves = [name for name in names if name not in maps]
    warned = list(dict.fromkeys(key for line in lines for key in line.get("warnings") or {}))
    heights = [*[_CURVE] * len(curves), *[_MAP] * len(maps), *[_WARNING * len(warned) + 0.1] * bool(warned)]
    sheet = canvas(on, _WIDTH, sum(heights) + 1.1)
    rows = sheet.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    step = min(np.diff(epochs), default=1.0)
    for axes, name in zip(rows, curves, strict=False):
        _curve(axes, epochs, name, [line["health"].get(name) for line in lines])
    for axes, name in zip(rows[len(curves) :], maps, strict=False):
        _map(sheet, axes, epochs, step, name, [line["health"].get(name) for line in lines])
    if warned:
        _warnings(
            rows[-1], epochs, step, {key: [key in (line.get("warnings") or {}) for line in lines] for key in warned}
        )
    for axes in rows:
        axes.grid(visible=False, axis="y")
    rows[-1].set_xlim(epochs[0] - step / 2, epochs[-1] + step / 2)
    rows[-1].xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
    rows[-1].set_xlabel("epoch")
    overhead(sheet, title or "Health while training", _WIDTH - 0.4)
    return settle(sheet)


def _name(axes: Axes, name: str) -> None:
    text = wrap(shorten(name.replace("_", " ").replace("kl ", "KL "), 44), 1.25, 8.5)
    axes.set_ylabel(text, rotation=0, ha="right", va="center", fontsize=8.5)


def _curve(axes: Axes, epochs: Array, name: str, values: Sequence[Any]) -> None:
    shown = np.array([np.nan if v is None else float(v) for v in values])
    axes.plot(epochs, shown, color=BLUE, marker="o" if len(epochs) <= 30 else None, markersize=3)
    _name(axes, name)
    axes.margins(y=0.2)
    low, high = np.nanmin(shown, initial=np.inf), np.nanmax(shown, initial=-np.inf)
    if low == high:
        axes.set_ylim(low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=2, min_n_ticks=2))
    axes.yaxis.set_major_formatter(lambda v, _: f"{v:.3g}".replace("-", "−"))
    axes.text(1.02, 0.5, f"last {_short(float(shown[-1]))}", transform=axes.transAxes, fontsize=8, va="center")


def _short(value: float) -> str:
    return f"{value:,.0f}" if value == round(value, 0) and abs(value) < 1e6 else format_value(value)


def _map(sheet: Any, axes: Axes, epochs: Array, step: float, name: str, values: Sequence[Any]) -> None:
    units = max(len(v) for v in values if isinstance(v, list))
    if not units:
        raise DiaboloError(f"health_timeline: {name!r} holds empty lists")
    grid = np.full((units, len(epochs)), np.nan)
    for i, value in enumerate(values):
        if isinstance(value, list):
            grid[: len(value), i] = value
    order = np.argsort(-np.nan_to_num(grid[:, -1]), kind="stable")  # by the last epoch
    x = np.append(epochs - step / 2, epochs[-1] + step / 2)
    shown = axes.pcolormesh(
        x, np.arange(units + 1), np.ma.masked_invalid(grid[order]), cmap="Blues", vmin=0, rasterized=True
    )
    axes.set_ylim(units, 0)
    axes.set_yticks([0.5, units - 0.5] if units > 1 else [0.5], ["most", "least"] if units > 1 else ["1"])
    axes.tick_params(axis="y", length=0)
    _name(axes, f"{name}, {units} of them" if units > 1 else name)
    sheet.colorbar(shown, cax=axes.inset_axes((1.02, 0.05, 0.025, 0.9)))


def _warnings(axes: Axes, epochs: Array, step: float, held: Mapping[str, Sequence[bool]]) -> None:
    """A hatched bar over the epochs in which a warning held."""
    for row, when in enumerate(held.values()):
        spans = [(epoch - step / 2, step) for epoch, here in zip(epochs, when, strict=True) if here]
        axes.broken_barh(spans, (row - 0.3, 0.6), facecolor="#F2C9AE", edgecolor="#D55E00", hatch="////", linewidth=0)
    axes.set_ylim(len(held) - 0.4, -0.6)
    axes.set_yticks(range(len(held)), [shorten(key, 26) for key in held])
    axes.tick_params(axis="y", length=0)
    axes.text(1.02, 0.5, "warned of", transform=axes.transAxes, fontsize=8, va="center")
