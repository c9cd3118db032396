"""One thing against another: who is best at both (Pareto), and what a knob trades for what."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from .checks import Array, numbers, some
from .colours import BLUE
from .labels import name_points
from .layout import canvas, capital, head, logarithmic, settle
from .style import class_style, drawing, wrap

Point = tuple[float, float]
_WIDTH, _HEIGHT, _SIZE = 5.6, 4.2, 8


@drawing
def pareto(
    points: Mapping[str, Point | Sequence[Point]],
    x_name: str,
    y_name: str,
    lower_is_better: tuple[bool, bool] = (True, True),
    *,
    log: bool = False,
    title: str | None = None,
    on: SubFigure | None = None,
) -> Figure:
    """Draw each label at (x, y), or at the mean of several seeds' [(x, y), …] with the seeds around it, and the front. Where
    `log`, both scales are logarithmic.

    The front joins what nothing else beats in both: filled markers; what is beaten has hollow ones.

    Example:
        >>> figure = diabolo.figures.pareto({"VAE": (5, 0.02), "PCA": (8, 0.03)}, "numbers", "squared error per pixel")
        >>> diabolo.figures.save(figure, "pareto.png").name
        'pareto.png'
    """
    some(points, "pareto: points")
    seeds = {name: _seeds(given, f"pareto: {name!r}") for name, given in points.items()}
    middles = np.stack([s.mean(0) for s in seeds.values()])
    sign = np.where(lower_is_better, 1, -1)
    best = front(middles * sign)
    sheet = canvas(on, _WIDTH, _HEIGHT)
    axes = sheet.add_subplot()
    axes.margins(0.12)
    if log:
        logarithmic(axes, "xy", np.concatenate(list(seeds.values())), "pareto")
    for k, (cloud, middle, unbeaten) in enumerate(zip(seeds.values(), middles, best, strict=True)):
        look = class_style(k)
        if len(cloud) > 1:
            for seed in cloud:
                axes.plot(*zip(middle, seed, strict=True), color="#BBBBBB", linewidth=0.6, zorder=1)
            axes.scatter(
                cloud[:, 0], cloud[:, 1], s=9, color=look.colour, marker=look.marker, alpha=0.7, linewidths=0, zorder=2
            )
        face = look.colour if unbeaten else "white"
        axes.scatter(
            middle[0],
            middle[1],
            s=_SIZE**2 * look.area,
            facecolor=face,
            edgecolor=look.colour,
            marker=look.marker,
            linewidths=1.3,
            zorder=4,
        )
    line = middles[best][np.lexsort(middles[best].T[::-1])]
    drawn = axes.plot(
        *line.T,
        color="#444444",
        linestyle="--",
        linewidth=1.1,
        drawstyle=steps(lower_is_better),
        zorder=3,
        label="front",
    )
    better = ["lower is better" if lower else "higher is better" for lower in lower_is_better]
    axes.set_xlabel(wrap(f"{x_name} ({better[0]})", 4.4, 9))
    axes.set_ylabel(wrap(f"{y_name} ({better[1]})", 3.2, 9))
    head(axes, title or capital(f"{y_name} against {x_name}"), _WIDTH - 1)
    name_points(axes, sheet, dict(zip(seeds, map(tuple, middles.tolist()), strict=True)), _SIZE, drawn)
    return settle(sheet)


@drawing
def trade_off(
    points: Mapping[str, Point], x_name: str, y_name: str, *, title: str | None = None, on: SubFigure | None = None
) -> Figure:
    """Draw {"β = 1": (x, y), …} joined in the order given: rate against distortion, reconstruction against KL.

    Example:
        >>> figure = diabolo.figures.trade_off({"β = 1": (12, 25), "β = 4": (6, 30)}, "KL", "reconstruction")
        >>> diabolo.figures.save(figure, "trade_off.png").name
        'trade_off.png'
    """
    some(points, "trade_off: points")
    path = np.array([numbers(point, f"trade_off: {name!r}", (2,)) for name, point in points.items()])
    sheet = canvas(on, _WIDTH, _HEIGHT)
    axes = sheet.add_subplot()
    axes.margins(0.12)
    drawn = axes.plot(*path.T, color=BLUE, marker="o", markersize=6, markeredgecolor="black", markeredgewidth=0.5)
    for start, end in pairwise(path):  # an arrow in the middle says which way the order goes
        middle = (start + end) / 2
        axes.annotate(
            "",
            middle + 1e-3 * (end - start),
            middle,
            arrowprops={"arrowstyle": "-|>", "color": BLUE, "shrinkA": 0, "shrinkB": 0},
        )
    axes.set_xlabel(wrap(x_name, 4.4, 9))
    axes.set_ylabel(wrap(y_name, 3.2, 9))
    head(axes, title or capital(f"{y_name} against {x_name}"), _WIDTH - 1)
    name_points(axes, sheet, dict(zip(points, map(tuple, path.tolist()), strict=True)), 6, drawn)
    return settle(sheet)


def front(points: Array) -> NDArray[np.bool_]:
    """Return which of `points` (N, 2) no other is at least as low as in both and lower in one."""
    at_most = (points[:, None] <= points[None]).all(-1)
    lower = (points[:, None] < points[None]).any(-1)
    return ~np.asarray((at_most & lower).any(0))


def _seeds(given: Point | Sequence[Point], what: str) -> Array:
    array = np.asarray(given, dtype=np.float64)
    return numbers(array[None] if array.ndim == 1 else array, what, (None, 2))


def steps(lower_is_better: tuple[bool, bool]) -> str:
    """How the front steps from left to right: it encloses what is beaten."""
    return "steps-post" if lower_is_better[0] else "steps-pre"
