"""Curves: accuracy over labels, a response along a direction, power over frequency."""

import math
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import FixedLocator, LogLocator, NullFormatter, NullLocator, PercentFormatter
from numpy.typing import ArrayLike

from diabolo.errors import DiaboloError

from .checks import Array, interval, numbers, some
from .labels import LINE, name_ends
from .layout import canvas, capital, head, logarithmic, settle
from .style import class_style, drawing, wrap

_WIDTH, _HEIGHT = 5.6, 3.6
_BAND = 12  # points of a curve from which on its interval is a band and no longer whiskers


@drawing
def few_label_curve(
    curves: Mapping[str, Mapping[int, tuple[float, float, float]]],
    *,
    title: str | None = None,
    on: SubFigure | None = None,
) -> Figure:
    """Draw test accuracy against the number of labels: {"codes": {10: (mean, low, high), …}, "pixels": …}, shares 0…1.

    Example:
        >>> figure = diabolo.figures.few_label_curve({"codes": {10: (0.5, 0.4, 0.6), 100: (0.8, 0.78, 0.82)}})
        >>> diabolo.figures.save(figure, "few_label_curve.png").name
        'few_label_curve.png'
    """
    some(curves, "few_label_curve: curves")
    sheet = canvas(on, _WIDTH, _tall(len(curves)))
    axes = sheet.add_subplot()
    ends, every = {}, sorted({n for curve in curves.values() for n in curve})
    if every and every[0] < 1:
        raise DiaboloError(f"few_label_curve: a number of labels must be at least 1, not {every[0]}")
    for k, (name, curve) in enumerate(curves.items()):
        some(curve, f"few_label_curve: the curve {name!r}")
        counts = sorted(curve)
        shares = np.array([interval(curve[n], f"few_label_curve: {name!r} at {n} labels") for n in counts])
        if shares.min() < -1e-9 or shares.max() > 1 + 1e-9:
            raise DiaboloError(f"few_label_curve: {name!r} must be shares from 0 to 1, and reaches {shares.max():.4g}")
        shift = 1.025 ** (k - (len(curves) - 1) / 2)  # whiskers side by side
        _curve(axes, np.array(counts) * shift, shares, k)
        ends[name] = (counts[-1] * shift, shares[-1, 0])
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(_thinned(every)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda n, _: f"{n:,.0f}")
    axes.set_xlim(every[0] / 1.25, every[-1] * 1.25)
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.set_xlabel("labelled images")
    axes.set_ylabel("test accuracy")
    head(axes, title or "Accuracy from few labels", _WIDTH - 1)
    name_ends(axes, sheet, ends)
    return settle(sheet)


@drawing
def response(
    alphas: ArrayLike,
    curves: Mapping[str, ArrayLike],
    x_name: str,
    y_name: str,
    *,
    log: bool = False,
    title: str | None = None,
    on: SubFigure | None = None,
) -> Figure:
    """Draw a curve per name over `alphas` (K,), each (K,), or (K, 3) with its interval: value, low, high. Where `log`, the
    scale of y is logarithmic.

    Example:
        >>> figure = diabolo.figures.response([-1, 0, 1], {"Smiling": [0.1, 0.5, 0.9]}, "α", "probability")
        >>> diabolo.figures.save(figure, "response.png").name
        'response.png'
    """
    some(curves, "response: curves")
    x = numbers(alphas, "response: alphas")
    sheet = canvas(on, _WIDTH, _tall(len(curves)))
    axes = sheet.add_subplot()
    ends, order = {}, np.argsort(x, kind="stable")
    for k, (name, curve) in enumerate(curves.items()):
        y = _with_interval(curve, len(x), f"response: the curve {name!r}")[order]
        _curve(axes, x[order], y, k)
        ends[name] = (x[order][-1], y[-1, 0])
    if len(x) > 1 and np.diff(x[order]).min() >= 0.06 * np.ptp(x):  # there is room to name each
        axes.set_xticks(x)
    if log:
        logarithmic(axes, "y", np.concatenate([np.ravel(curve) for curve in curves.values()]), "response")
    axes.set_xlabel(wrap(x_name, 4, 9))
    axes.set_ylabel(wrap(y_name, 2.6, 9))
    head(axes, title or capital(f"{y_name} against {x_name}"), _WIDTH - 1)
    name_ends(axes, sheet, ends)
    return settle(sheet)


@drawing
def spectrum(curves: Mapping[str, ArrayLike], *, title: str | None = None, on: SubFigure | None = None) -> Figure:
    """Draw radially averaged power against spatial frequency, both logarithmic: {"error": (R,), "images": (R,)}.

    Entry r is the power at r cycles per image; r = 0, the mean, has no place on a logarithmic axis and is left out, and so
    is a power of zero.

    Example:
        >>> power = diabolo.metrics.spectrum(torch.from_numpy(test.images) / 255)
        >>> figure = diabolo.figures.spectrum({"images": power.mean(0)})
        >>> diabolo.figures.save(figure, "spectrum.png").name
        'spectrum.png'
    """
    some(curves, "spectrum: curves")
    sheet = canvas(on, _WIDTH, _tall(len(curves)))
    axes = sheet.add_subplot()
    ends = {}
    for k, (name, curve) in enumerate(curves.items()):
        power = numbers(curve, f"spectrum: the curve {name!r}")
        if power.min() < 0:
            raise DiaboloError(f"spectrum: the curve {name!r} holds negative power")
        r = np.flatnonzero(power[1:] > 0) + 1
        if not len(r):
            raise DiaboloError(f"spectrum: the curve {name!r} holds no power but that of the mean")
        look = class_style(k)
        axes.plot(
            r, power[r], color=look.colour, linestyle=look.dashes, marker=look.marker, markevery=max(1, len(r) // 12)
        )
        ends[name] = (float(r[-1]), power[r[-1]])
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_major_locator(LogLocator(base=2))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda n, _: f"{n:g}")
    low, high = axes.get_ylim()
    decades = high / low >= 30
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0,) if decades else (1.0, 2.0, 5.0), numticks=8))
    axes.yaxis.set_major_formatter(lambda v, _: _power(v) if decades else f"{v:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("spatial frequency (cycles per image)")
    axes.set_ylabel("power")
    head(axes, title or "Power by spatial frequency", _WIDTH - 1)
    name_ends(axes, sheet, ends)
    return settle(sheet)


def _power(value: float) -> str:
    """A power of ten, without the mathematics that the house style leaves out of text."""
    return "10" + f"{math.log10(value):.0f}".translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _tall(curves: int) -> float:
    return max(_HEIGHT, 1.2 + LINE * curves)


def _curve(axes: Axes, x: Array, y: Array, k: int) -> None:
    """A curve (K, 3) of values with their intervals; without an interval where all of them are of no width."""
    look = class_style(k)
    value, low, high = y.T
    if (high > low).any():
        if len(x) >= _BAND:
            axes.fill_between(x, low, high, color=look.colour, alpha=0.18, linewidth=0)
        else:
            ends = np.maximum(0, [value - low, high - value])
            axes.errorbar(x, value, ends, fmt="none", ecolor=look.colour, elinewidth=1, capsize=2.5)
    step = max(1, len(x) // _BAND)
    axes.plot(x, value, color=look.colour, linestyle=look.dashes, marker=look.marker, markersize=5, markevery=step)


def _with_interval(curve: ArrayLike, count: int, what: str) -> Array:
    array = np.asarray(curve)
    if array.ndim == 1:
        return np.repeat(numbers(array, what, (count,))[:, None], 3, 1)
    return np.array([interval(point, what) for point in numbers(array, what, (count, 3))])


def _thinned(values: list[int]) -> list[int]:
    """Those that are far enough from each other to be written side by side on a logarithmic axis."""
    kept: list[int] = []
    span = np.log(values[-1] / values[0]) or 1
    for value in values:
        if not kept or np.log(value / kept[-1]) > 0.11 * span:
            kept.append(value)
    return kept
