"""Which codes of a codebook are used, and where they lie."""

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from diabolo.errors import DiaboloError

from .checks import Array, numbers
from .colours import BLUE
from .layout import canvas, head, overhead, settle
from .style import drawing

_WIDTH, _HEIGHT = 7.2, 3.4


@drawing
def codebook_heat(counts: ArrayLike, *, title: str | None = None, on: SubFigure | None = None) -> Figure:
    """Draw the uses of each code, `counts` (K,): as a map in the order of the codebook, row by row, and sorted.

    A code that is never used is crossed out. The perplexity, exp of the entropy of use, is in the title.

    Example:
        >>> figure = diabolo.figures.codebook_heat([10, 0, 3, 7])
        >>> diabolo.figures.save(figure, "codebook_heat.png").name
        'codebook_heat.png'
    """
    uses = _counts(counts, "codebook_heat")
    k, shares = len(uses), uses / uses.sum()
    perplexity = math.exp(-float((shares[shares > 0] * np.log(shares[shares > 0])).sum()))
    columns = math.ceil(math.sqrt(1.6 * k))
    rows = math.ceil(k / columns)
    grid = np.full(rows * columns, np.nan)
    grid[:k] = shares
    sheet = canvas(on, _WIDTH, _HEIGHT)
    axes, curve = sheet.subplots(1, 2, width_ratios=[1.25, 1])
    shown = axes.imshow(
        np.ma.masked_invalid(grid.reshape(rows, columns)),
        cmap="Blues",
        vmin=0,
        vmax=shares.max(),
        interpolation="nearest",
    )
    dead = np.flatnonzero(uses == 0)
    size = min(6.0, 110 / columns)
    axes.plot(dead % columns, dead // columns, "x", color="#555555", markersize=size, markeredgewidth=min(1, size / 5))
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.set_title("share of uses", fontsize=10, loc="center", fontweight="normal")
    axes.set_xlabel(f"{k:,} codes, row by row; × never used")
    sheet.colorbar(shown, cax=axes.inset_axes((1.03, 0, 0.05, 1)), format=lambda v, _: f"{100 * v:.3g} %")
    rank = np.arange(1, k + 1)
    curve.plot(rank, np.sort(shares)[::-1], color=BLUE, marker="o" if k <= 32 else None)
    curve.axhline(1 / k, color="#777777", linestyle="--", linewidth=1)
    curve.annotate(
        "all alike",
        (1, 1 / k),
        xycoords=curve.get_yaxis_transform(),
        xytext=(-2, 2),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=8,
    )
    curve.set_ylim(bottom=0)
    curve.yaxis.set_major_formatter(lambda v, _: f"{100 * v:.3g} %")
    curve.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
    curve.set_xlabel("code, by rank of use")
    curve.set_title("sorted", fontsize=10, loc="center", fontweight="normal")
    told = f"Codebook: {k - len(dead):,} of {k:,} codes used, perplexity {perplexity:.1f}"
    told = told if title is None else f"{title} (perplexity {perplexity:.1f})"
    overhead(sheet, told, _WIDTH - 0.4)
    return settle(sheet)


@drawing
def codebook_map(
    points: ArrayLike,
    counts: ArrayLike | None = None,
    *,
    title: str | None = None,
    axis_names: tuple[str, str] = ("", ""),
    on: SubFigure | None = None,
) -> Figure:
    """Draw each code at its place in a projection, `points` (K, 2), by its use, `counts` (K,): area is share, × is none.

    Example:
        >>> figure = diabolo.figures.codebook_map([[0, 0], [1, 0], [0, 1]], [10, 0, 3])
        >>> diabolo.figures.save(figure, "codebook_map.png").name
        'codebook_map.png'
    """
    places = numbers(points, "codebook_map: points", (None, 2))
    sheet = canvas(on, 5.2, 5.2)
    axes = sheet.add_subplot()
    if counts is None:
        axes.scatter(places[:, 0], places[:, 1], s=18, color=BLUE, alpha=0.6, linewidths=0)
    else:
        uses = _counts(counts, "codebook_map")
        if len(uses) != len(places):
            raise DiaboloError(f"codebook_map: {len(places)} points, but {len(uses)} counts")
        used = uses > 0
        area = 30 * uses[used] / uses[used].mean()
        look: dict[str, Any] = {"color": BLUE, "alpha": 0.45, "edgecolor": "black", "linewidths": 0.4}
        x, y = places.T
        axes.scatter(x[used], y[used], s=area, label="used; its area is its share", **look)
        if not used.all():
            axes.scatter(x[~used], y[~used], s=16, color="#777777", marker="x", linewidths=0.9, label="never used")
        legend = sheet.legend(loc="outside lower center", ncols=2, markerscale=1)
        for handle in legend.legend_handles:
            if handle is not None:
                handle.set_sizes([30])  # type: ignore[attr-defined]  # of a scatter
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.08)
    axes.set_xlabel(axis_names[0])
    axes.set_ylabel(axis_names[1])
    head(axes, title or f"Codebook of {len(places):,} codes", 4.6)
    return settle(sheet)


def _counts(counts: ArrayLike, what: str) -> Array:
    uses = numbers(counts, f"{what}: counts")
    if uses.min() < 0 or not uses.sum() > 0:
        raise DiaboloError(f"{what}: counts must not be negative, and at least one code must be used")
    return uses
