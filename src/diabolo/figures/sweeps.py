"""The trials of a sweep: which options the good ones have, and which of them nothing beats."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from diabolo.errors import DiaboloError

from .checks import Array, numbers, some
from .colours import BLUE, VERMILLION
from .labels import name_points
from .layout import canvas, capital, head, overhead, settle
from .points import front, steps
from .style import drawing, shorten, wrap

_COLUMN, _LEAST, _HEIGHT = 1.25, 5.6, 3.9  # inches
_TENTH, _TICKS, _NAME = 0.1, 5, 16
_WIDTH, _TALL, _SIZE, _NAMED = 5.6, 4.2, 7, 12


@drawing
def parallel_coordinates(
    options: Mapping[str, Sequence[float | str]],
    values: ArrayLike,
    value_name: str,
    *,
    log: Collection[str] = (),
    lower_is_better: bool = True,
    title: str | None = None,
    on: SubFigure | None = None,
) -> Figure:
    """Draw one line per trial across an axis for each option, (N,) numbers or words each, to its value (N,) at the right. The
    best is drawn thick, the best tenth in blue, all others in grey; options named in `log` have a logarithmic axis. What is
    better stands at the top of the last axis.

    Example:
        >>> options = {"lr": [1e-4, 1e-2], "net": ["mlp", "conv"]}
        >>> figure = diabolo.figures.parallel_coordinates(options, [3.0, 1.0], "loss", log=["lr"])
        >>> diabolo.figures.save(figure, "parallel.png").name
        'parallel.png'
    """
    some(options, "parallel_coordinates: options")
    y = numbers(values, "parallel_coordinates: values")
    width = max(_LEAST, _COLUMN * (len(options) + 1) + 1)
    sheet = canvas(on, width, _HEIGHT)
    axes = sheet.add_subplot()
    places = []
    for k, (name, given) in enumerate(options.items()):
        if len(given) != len(y):
            raise DiaboloError(f"parallel_coordinates: {name!r} has {len(given)} values, and there are {len(y)} trials")
        place, ticks = _scaled(given, name in log, f"parallel_coordinates: {name!r}")
        places.append(place)
        _axis(axes, k, ticks)
    place, ticks = _scaled(y.tolist(), False, "parallel_coordinates: values")
    if lower_is_better:
        place, ticks = 1 - place, [(1 - at, text) for at, text in ticks]
    _axis(axes, len(options), ticks, right=True)
    lines = np.stack([*places, place], axis=1)
    order = np.argsort(y if lower_is_better else -y, kind="stable")
    best = set(order[: max(1, round(_TENTH * len(y)))].tolist())
    across = np.arange(len(options) + 1)
    for i in reversed(order.tolist()):  # the best on top
        colour, wide, alpha = (BLUE, 1.3, 0.9) if i in best else ("#999999", 0.7, 0.6)
        if i == order[0]:
            colour, wide, alpha = VERMILLION, 2.4, 1.0
        axes.plot(across, lines[i], color=colour, linewidth=wide, alpha=alpha, solid_joinstyle="round")
    axes.set_xlim(-0.35, len(options) + 0.45)
    axes.set_ylim(-0.04, 1.04)
    axes.set_xticks(
        across, [wrap(shorten(name, 2 * _NAME).replace("/", "/\n"), _COLUMN, 9) for name in (*options, value_name)]
    )
    axes.tick_params(axis="x", length=0, labelsize=9)
    axes.set_yticks([])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    looks = (
        [(VERMILLION, 2.4, "best")]
        + ([(BLUE, 1.3, "best tenth")] if len(best) > 1 else [])
        + [("#999999", 0.7, "others")]
    )
    shown = looks if len(y) > 1 else looks[:1]
    handles = [Line2D([], [], color=colour, linewidth=wide) for colour, wide, _ in shown]
    sheet.legend(
        handles, [name for _, _, name in shown], loc="outside lower center", ncols=len(shown), handlelength=2.5
    )
    overhead(sheet, title or f"Options and {value_name}", width - 0.4)
    return settle(sheet)


def _scaled(given: Sequence[float | str], log: bool, what: str) -> tuple[Array, list[tuple[float, str]]]:
    """Heights (N,) from 0 to 1, and the marks of the axis: (height, text)."""
    if any(isinstance(value, str) for value in given):
        words = list(dict.fromkeys(map(str, given)))
        at = {name: i / max(1, len(words) - 1) if len(words) > 1 else 0.5 for i, name in enumerate(words)}
        return np.array([at[str(value)] for value in given]), [(at[name], shorten(name, _NAME)) for name in words]
    plain = numbers(given, what)
    if log and plain.min() <= 0:
        raise DiaboloError(f"{what}: a logarithmic axis has no place for {plain.min():g}")
    scale = np.log(plain) if log else plain
    low, high = float(scale.min()), float(scale.max())
    if high <= low:
        return np.full(len(plain), 0.5), [(0.5, _number(float(plain[0])))]
    different = np.unique(scale)
    marks = different if len(different) <= _TICKS else np.linspace(low, high, _TICKS)
    if not log and (plain == np.rint(plain)).all():  # no option lies between two whole numbers
        marks = np.unique(np.rint(marks))
    texts = [_number(float(np.exp(mark) if log else mark)) for mark in marks]
    return (scale - low) / (high - low), [
        ((float(m) - low) / (high - low), text) for m, text in zip(marks, texts, strict=True)
    ]


def _number(value: float) -> str:
    """A mark of an axis: three significant digits."""
    return f"{value:.3g}".replace("-", "−")


def _axis(axes: Axes, x: int, ticks: Sequence[tuple[float, str]], right: bool = False) -> None:
    axes.plot([x, x], [0, 1], color="#555555", linewidth=0.9, zorder=3)
    for at, text in ticks:
        axes.plot([x - 0.03, x + 0.03], [at, at], color="#555555", linewidth=0.9, zorder=3)
        axes.annotate(
            text,
            (x, at),
            (6 if right else -6, 0),
            textcoords="offset points",
            fontsize=7.5,
            va="center",
            ha="left" if right else "right",
            zorder=4,
            bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.75},
        )


Interval = tuple[float, float] | None


@drawing
def trial_front(
    points: Mapping[str, tuple[float, float]],
    x_name: str,
    y_name: str,
    lower_is_better: tuple[bool, bool] = (True, True),
    intervals: Mapping[str, tuple[Interval, Interval]] | None = None,
    *,
    title: str | None = None,
    on: SubFigure | None = None,
) -> Figure:
    """Draw each trial at (x, y), its intervals in x and y as whiskers where it has some, and the front: what no other trial
    beats in both is filled and named, what is beaten is grey. Of more than twelve on the front, twelve are named.

    Example:
        >>> points = {"0": (1.0, 5.0), "1": (2.0, 3.0), "2": (3.0, 4.0)}
        >>> figure = diabolo.figures.trial_front(points, "rate", "distortion", intervals={"1": ((1.8, 2.2), (2.9, 3.1))})
        >>> diabolo.figures.save(figure, "front.png").name
        'front.png'
    """
    some(points, "trial_front: points")
    places = np.array([numbers(point, f"trial_front: {name!r}", (2,)) for name, point in points.items()])
    unbeaten = front(places * np.where(lower_is_better, 1, -1))
    sheet = canvas(on, _WIDTH, _TALL)
    axes = sheet.add_subplot()
    axes.margins(0.1)
    drawn: list[Line2D] = []
    for name, (x, y), lost in zip(points, places.tolist(), (~unbeaten).tolist(), strict=True):
        colour = "#999999" if lost else BLUE
        for ends, which in zip((intervals or {}).get(name, (None, None)), "xy", strict=True):
            if ends is not None:
                low, high = numbers(ends, f"trial_front: the interval of {name!r}", (2,)).tolist()
                across = ([low, high], [y, y]) if which == "x" else ([x, x], [low, high])
                drawn += axes.plot(*across, color=colour, linewidth=0.9, zorder=1)
        axes.scatter(
            x,
            y,
            s=_SIZE**2,
            facecolor="white" if lost else colour,
            edgecolor=colour,
            linewidths=1.1,
            zorder=2 if lost else 4,
        )
    best = places[unbeaten]
    line = best[np.lexsort(best.T[::-1])]
    drawn += axes.plot(
        *line.T, color=VERMILLION, linestyle="--", linewidth=1.1, drawstyle=steps(lower_is_better), zorder=3
    )
    better = ["lower is better" if lower else "higher is better" for lower in lower_is_better]
    axes.set_xlabel(wrap(f"{x_name} ({better[0]})", 4.4, 9))
    axes.set_ylabel(wrap(f"{y_name} ({better[1]})", 3.2, 9))
    head(axes, title or capital(f"{y_name} against {x_name}"), _WIDTH - 1)
    names = [name for name, kept in zip(points, unbeaten.tolist(), strict=True) if kept]
    names.sort(key=lambda name: points[name][0])
    chosen = [names[i] for i in np.unique(np.linspace(0, len(names) - 1, min(_NAMED, len(names))).round().astype(int))]
    name_points(axes, sheet, {name: points[name] for name in chosen}, _SIZE, drawn)
    return settle(sheet)
