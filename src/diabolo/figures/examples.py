"""Examples that are no pictures beside their reconstructions: vectors as shades, signals as lines, volumes as slices."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure, SubFigure
from numpy.typing import ArrayLike

from diabolo.data.axes import COLOURS
from diabolo.errors import DiaboloError

from .checks import Array, numbers
from .colours import BLUE, VERMILLION
from .images import reconstructions
from .layout import canvas, overhead, settle
from .mosaic import tinted
from .style import drawing, shorten

_MOST = 10  # examples
_CHANNELS = 4  # of a signal
_NAMED = 40  # numbers of a vector up to which each is named
_WIDE = 7.2  # inches
_UNKNOWN = "#A0A0A0"  # under a number that is not known, which is not drawn


@drawing
def vectors(
    originals: ArrayLike,
    reconstructed: ArrayLike,
    names: Sequence[str] | None = None,
    *,
    unit: str = "standard deviations from the mean",
    title: str | None = None,
    on: SubFigure | None = None,
) -> Figure:
    """Draw vectors (N, D), at most ten, as rows of shades: the originals, what is made of them, and the difference.

    Args:
        originals, reconstructed: (N, D), scaled so that all numbers can share one scale of colours. An original that is NaN is
            not known, and left blank.
        names: of the D numbers; shown up to forty of them.
        unit: what the numbers count.
        title: of the figure.
        on: where it is a part of a page.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(5, 8))
        >>> figure = diabolo.figures.vectors(x, 0.9 * x)
        >>> diabolo.figures.save(figure, "vectors.png").name
        'vectors.png'
    """
    x, x_hat = _both("vectors", originals, reconstructed, 2)
    rows, columns = x.shape
    named = names is not None and columns <= _NAMED
    told = [shorten(str(name), 24) for name in names or ()]
    room = 0.075 * max((len(name) for name in told), default=0) if named else 0.2
    parts = {"original": x, "reconstruction": x_hat, "difference": x_hat - x}
    tall = max(0.6, 0.16 * rows)
    sheet = canvas(on, _WIDE, 3 * (tall + 0.25) + room + 0.9)
    every = sheet.subplots(3, 1, sharex=True)
    reach = float(np.nanmax(np.abs(np.stack(list(parts.values()))))) or 1.0
    for axes, (name, values) in zip(every, parts.items(), strict=True):
        shown = axes.imshow(values, cmap="RdBu", vmin=-reach, vmax=reach, aspect="auto", interpolation="nearest")
        axes.set_facecolor(_UNKNOWN)
        axes.set_ylabel(name)
        axes.set_yticks([])
        axes.grid(visible=False)
        axes.tick_params(length=0)
    if named:
        every[-1].set_xticks(range(columns), told, rotation=90, fontsize=7)
    else:
        every[-1].set_xlabel("number of the vector, from 0")
    unit = f"{unit}; grey: missing" if np.isnan(x).any() else unit
    sheet.colorbar(shown, ax=list(every), shrink=0.6, label=unit)
    overhead(sheet, title or "Vectors and their reconstructions", _WIDE - 1)
    return settle(sheet)


@drawing
def signals(
    originals: ArrayLike, reconstructed: ArrayLike, *, title: str | None = None, on: SubFigure | None = None
) -> Figure:
    """Draw signals (N, C, L), at most ten, as lines, a row for each and a column for each of at most four channels, with what
    is made of them over it.

    Example:
        >>> x = np.sin(np.linspace(0, 9, 64))[None, None] * np.ones((3, 2, 1))
        >>> figure = diabolo.figures.signals(x, 0.9 * x)
        >>> diabolo.figures.save(figure, "signals.png").name
        'signals.png'
    """
    x, x_hat = _both("signals", originals, reconstructed, 3)
    rows, columns = len(x), min(x.shape[1], _CHANNELS)
    sheet = canvas(on, _WIDE, 0.85 * rows + 1.1)
    every = sheet.subplots(rows, columns, sharex=True, sharey="col", squeeze=False)
    for i, line in enumerate(every):
        for c, axes in enumerate(line):
            axes.plot(x[i, c], color=BLUE, linewidth=2.2, alpha=0.5, label="original")
            axes.plot(x_hat[i, c], color=VERMILLION, linewidth=1, label="reconstruction")
            if not i and x.shape[1] > 1:
                axes.set_title(f"channel {c}", fontsize=9, fontweight="normal")
    for axes in every[-1]:
        axes.set_xlabel("position")
    handles, labels = every[0][0].get_legend_handles_labels()
    sheet.legend(handles, labels, loc="outside lower center", ncols=2)
    more = f", {columns} of {x.shape[1]} channels" if columns < x.shape[1] else ""
    overhead(sheet, title or f"Signals and their reconstructions{more}", _WIDE - 1)
    return settle(sheet)


@drawing
def slices(
    originals: ArrayLike, reconstructed: ArrayLike, *, title: str | None = None, on: SubFigure | None = None
) -> Figure:
    """Draw volumes (N, C, D, H, W) in [0, 1], at most ten, by the slices through their middle: of each axis the original and
    what is made of it; what is NaN, and not known, is blue. Of other than one or three channels the first is shown.

    Example:
        >>> x = np.random.default_rng(0).random((3, 1, 8, 8, 8))
        >>> figure = diabolo.figures.slices(x, x.round())
        >>> diabolo.figures.save(figure, "slices.png").name
        'slices.png'
    """
    blue = ", blue: missing" if np.isnan(np.asarray(originals, float)).any() else ""
    x, x_hat = tinted(*(_coloured(values) for values in _both("slices", originals, reconstructed, 5)))
    cuts = {f"{name} slice": axis for axis, name in ((2, "D"), (3, "H"), (4, "W"))}
    side = max(x.shape[2:])
    rows: dict[str, Array] = {}
    for name, axis in cuts.items():
        middle = x.shape[axis] // 2
        for what, values in (("", x), (", reconstruction", x_hat)):
            rows[f"{name}{what}"] = _squared(values.take(middle, axis), side)
    first, *others = rows
    heading = (title or "Slices through the middle of volumes") + blue
    return reconstructions(rows[first], {name: rows[name] for name in others}, heading, on=on, first=first)


def _both(name: str, originals: ArrayLike, reconstructed: ArrayLike, ndim: int) -> tuple[Array, Array]:
    """The first examples of both, which must have one shape; originals may hold NaN, which is not known and left blank."""
    shape: tuple[int | None, ...] = (None,) * ndim
    given = np.asarray(originals)
    holes = np.isnan(given) if given.dtype.kind == "f" else np.zeros(given.shape, bool)
    x = numbers(np.where(holes, 0.0, given), f"{name}: originals", shape)
    x_hat = numbers(reconstructed, f"{name}: reconstructions", shape)
    if x.shape != x_hat.shape:
        raise DiaboloError(f"{name}: the originals have the shape {x.shape}, but the reconstructions {x_hat.shape}")
    return np.where(holes, np.nan, x)[:_MOST], x_hat[:_MOST]


def _coloured(x: Array) -> Array:
    return x if x.shape[1] in COLOURS else x[:, :1]


def _squared(x: Array, side: int) -> Array:
    """(N, C, H, W) in the middle of a white square."""
    square = np.ones((*x.shape[:2], side, side), x.dtype)
    top, left = (side - x.shape[2]) // 2, (side - x.shape[3]) // 2
    square[:, :, top : top + x.shape[2], left : left + x.shape[3]] = x
    return square
