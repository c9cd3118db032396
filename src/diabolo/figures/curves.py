"""How a training went: one panel per loss term, train and validation in each."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from diabolo.errors import DiaboloError

from .colours import BLUE, VERMILLION
from .layout import canvas, overhead, settle
from .style import Dashes, drawing, wrap

# Split: colour, dashes and marker, so that the two can be distinguished without colour.
_SPLITS: dict[str, tuple[str, Dashes, str]] = {"train": (BLUE, "-", "o"), "validation": (VERMILLION, "--", "s")}
_PANEL = (3.5, 2.7)  # inches
_LEAST, _EARLY, _CROWDED = (
    8,
    4,
    4,
)  # epochs; the first part of them, a fourth; how often their height holds that of the rest
_MARKED = 20  # epochs up to which every one gets a marker


@drawing
def loss_curves(
    history: Sequence[Mapping[str, Any]], title: str | None = None, *, on: SubFigure | None = None
) -> Figure:
    """Draw every loss term against the epoch, each in its own panel, with the final values at the right margin.

    Where a term falls far in its first epochs, the axis shows the epochs after these, and says where the curve begins; a later
    peak is always shown.

    `history` holds one record an epoch, as in `run.history`: `{"epoch": 1, "train": {"total": …, "kl": …},
    "validation": {…} or None, "units": {"total": "nats per image", …}}`. A record may lack the validation; where these images
    are called otherwise, it has `"called": {"validation": "test"}`.

    Example:
        >>> figure = diabolo.figures.loss_curves(run.history)
        >>> diabolo.figures.save(figure, "loss_curves.png").name
        'loss_curves.png'
    """
    if not history:
        raise DiaboloError("loss_curves needs at least one epoch, and the history is empty")
    for i, record in enumerate(history):
        if "epoch" not in record or not record.get("train"):
            raise DiaboloError(f"record {i} of the history lacks 'epoch' or the 'train' terms; it has {sorted(record)}")
    terms = list(dict.fromkeys(term for r in history for s in _SPLITS for term in r.get(s) or {}))
    terms.sort(key=lambda term: term != "total")  # the total first, the others in the order of their appearance
    units = {term: unit for record in history for term, unit in (record.get("units") or {}).items()}

    columns = len(terms) if len(terms) <= 3 else math.ceil(len(terms) / math.ceil(len(terms) / 3))
    rows = math.ceil(len(terms) / columns)
    width = _PANEL[0] * columns
    figure = canvas(on, width, _PANEL[1] * rows + 0.6)
    for i, term in enumerate(terms):
        _panel(figure.add_subplot(rows, columns, i + 1), history, term, units.get(term, "unit not recorded"))
    overhead(figure, title or "Loss by epoch", width)
    shown = [split for split in _SPLITS if any(record.get(split) for record in history)]
    handles = [Line2D([], [], color=c, linestyle=d, marker=m) for c, d, m in (_SPLITS[s] for s in shown)]
    called = {split: name for record in history for split, name in record.get("called", {}).items()}
    names = [called.get(split, split) for split in shown]
    figure.legend(handles, names, loc="outside lower center", ncols=len(handles), handlelength=3)
    return settle(figure)


def _panel(axes: Axes, history: Sequence[Mapping[str, Any]], term: str, unit: str) -> None:
    finals: list[tuple[float, str]] = []
    for split, (colour, dashes, marker) in _SPLITS.items():
        points = [(r["epoch"], float(r[split][term])) for r in history if term in (r.get(split) or {})]
        if not points:
            continue
        epochs, values = zip(*points, strict=True)
        line = axes.plot(epochs, values, color=colour, linestyle=dashes, marker=marker, label=split)[0]
        if len(points) > _MARKED:
            line.set_markevery([len(points) - 1])
        finals.append((values[-1], colour))
    axes.set_title("KL" if term == "kl" else term.replace("_", " "))
    axes.set_xlabel("epoch")
    axes.set_ylabel(wrap(unit, 0.85 * _PANEL[1], 10))
    first, last = history[0]["epoch"], history[-1]["epoch"]
    room = 0.5 if first == last else 0.03 * (last - first)
    axes.set_xlim(first - min(room, 0.5), last + room)  # no tick before the first epoch
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
    _zoom(axes)
    _annotate(axes, finals)


def _zoom(axes: Axes) -> None:
    """Cut off the height of a fall in the first epochs where this would leave little of it to all others; never that of a
    later peak."""
    curves = [np.asarray(line.get_ydata(), dtype=np.float64) for line in axes.lines]
    known = [curve[np.isfinite(curve)] for curve in curves if np.isfinite(curve).sum() >= _LEAST]
    if not known:
        return
    falls = [int(np.argmax(np.append(np.diff(curve), 1) > 0)) for curve in known]  # where each first rises
    later = np.concatenate([c[min(fall, len(c) // _EARLY) :] for c, fall in zip(known, falls, strict=True)])
    low, high, top = later.min(), later.max(), max(curve.max() for curve in known)
    if top - low > _CROWDED * (high - low) > 0:
        bottom = min(low, *(curve.min() for curve in known))
        axes.set_ylim(bottom - 0.06 * (high - bottom), high + 0.25 * (high - bottom))
        told = f"begins at {format_value(float(top))}"
        axes.text(0.97, 0.96, told, fontsize=8, color="#555555", ha="right", va="top", transform=axes.transAxes)


def _annotate(axes: Axes, finals: list[tuple[float, str]]) -> None:
    """Write the last values beside the right end of the axes, pushed apart where they would touch."""
    gap = 0.085  # of the panel's height: one line of text
    low, high = axes.get_ylim()
    axes.set_ylim(low, high)
    heights = [(v - low) / (high - low) if math.isfinite(v) else 0.5 for v, _ in finals]
    if len(finals) == 2 and abs(heights[0] - heights[1]) < gap:
        middle, upper = sum(heights) / 2, int(heights[1] > heights[0])
        heights[upper], heights[1 - upper] = middle + gap / 2, middle - gap / 2
    excess = max(0.0, max(heights) - 0.96)  # leave the line of the panel's title to the heading
    axes.text(1.02, 1.055, "last", fontsize=8, color="#555555", transform=axes.transAxes)
    heights = [height - excess for height in heights]
    for (value, colour), height in zip(finals, heights, strict=True):
        axes.text(1.02, height, format_value(value), color=colour, va="center", transform=axes.transAxes)


def format_value(value: float) -> str:
    """Four figures, without an exponent as long as that stays short."""
    if value and math.isfinite(value) and not 1e-3 <= abs(value) < 1e6:
        text = f"{value:.2e}"
    else:
        text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:#.4g}"
    return text.replace("-", "−")  # a true minus, as on the axes
