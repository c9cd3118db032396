"""Names beside what they name, pushed apart where they would touch: a page in grey needs no legend then."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

from .checks import Array
from .layout import root, settle
from .style import shorten

LINE = 0.16  # inches that a line of text takes at 8 points
_LONGEST = 34  # characters
_RINGS = (3, 8, 16, 26, 40, 56)  # points between the edge of a point and its name, tried in this order
_DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
_BESIDE: dict[int, Literal["left", "center", "right"]] = {-1: "right", 0: "center", 1: "left"}
_ABOVE: dict[int, Literal["top", "center", "bottom"]] = {-1: "top", 0: "center", 1: "bottom"}


def spread(places: Sequence[float], gap: float) -> Array:
    """Move `places` as little as possible (in squares) so that each two are at least `gap` apart; their order is kept."""
    order = np.argsort(places, kind="stable")
    targets = np.asarray(places, dtype=np.float64)[order] - gap * np.arange(len(order))
    blocks: list[list[float]] = []  # pool adjacent violators: (mean, count)
    for target in targets:
        blocks.append([float(target), 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, count = blocks.pop()
            last = blocks[-1]
            last[0] = (last[0] * last[1] + mean * count) / (last[1] + count)
            last[1] += count
    moved = np.concatenate([np.full(int(count), mean) for mean, count in blocks]) + gap * np.arange(len(order))
    result = np.empty(len(order))
    result[order] = moved
    return result


def name_ends(axes: Axes, canvas: Figure | SubFigure, ends: Mapping[str, tuple[float, float]]) -> None:
    """Write each name at the right edge of `axes`, at the height at which its curve ends, with a thin line to that end."""
    names = [axes.text(1.06, 0, shorten(name, _LONGEST), fontsize=8, va="center") for name in ends]
    for text in names:
        text.set_transform(axes.transAxes)  # at the place of the first, so that the layout leaves room for all
    settle(canvas)
    inverse = axes.transData + axes.transAxes.inverted()
    x, y = inverse.transform(list(ends.values())).T
    gap = LINE * root(canvas).dpi / axes.get_window_extent().height
    heights = spread(y.tolist(), gap)
    heights -= max(0.0, heights.max() - 1)  # below the title
    heights += max(0.0, -heights.min()) if len(heights) * gap < 1 else 0
    for text, end, start, height in zip(names, x, y, heights, strict=True):
        text.set_y(height)
        axes.plot(
            [end + 0.01, 1.02, 1.05],
            [start, start, height],
            transform=axes.transAxes,
            color="#999999",
            linewidth=0.6,
            clip_on=False,
            scalex=False,
            scaley=False,
            zorder=0,
        )


def name_points(
    axes: Axes,
    canvas: Figure | SubFigure,
    points: Mapping[str, tuple[float, float]],
    size: float,
    lines: Sequence[Line2D],
) -> None:
    """Write each name beside its point, where it touches no other name, point, edge, or one of `lines`; `size` is that of
    the points, in points.

    A name that finds no such place is drawn where it covers least, with a line to its point.
    """
    page = settle(canvas)
    scale = page.dpi / 72
    places = axes.transData.transform(list(points.values()))
    inner = axes.get_window_extent()
    half = size * scale / 2
    corners = [
        np.concatenate([places - half, places + half], axis=1)
    ]  # x and y of the lower left, and of the upper right
    corners += [np.concatenate([at - 2, at + 2], axis=1) for at in map(_along, lines)]
    taken = np.concatenate(corners)
    for (name, point), place in zip(points.items(), places, strict=True):
        text = axes.annotate(shorten(name, _LONGEST), point, (0, 0), textcoords="offset points", fontsize=8)
        box = text.get_window_extent()
        best, where, worst = None, (0.0, 0.0, 0, 0), np.inf
        for ring in _RINGS:
            for dx, dy in _DIRECTIONS:
                far = (ring + size / 2) * (0.75 if dx and dy else 1)
                x = place[0] + dx * far * scale - {1: 0, 0: box.width / 2, -1: box.width}[dx]
                y = place[1] + dy * far * scale - {1: 0, 0: box.height / 2, -1: box.height}[dy]
                tried = Bbox.from_bounds(x - 2, y - 2, box.width + 4, box.height + 4)
                covered = _covered(tried, taken)
                inside = _covered(tried, np.asarray(inner.extents)[None])
                covered += tried.width * tried.height - inside  # what sticks out of the axes
                if covered < worst - 1:
                    best, where, worst = tried, (dx * far, dy * far, dx, dy), covered
            if worst < 1:
                break
        assert best is not None  # the first place tried is better than none
        taken = np.concatenate([taken, np.asarray(best.extents)[None]])
        x_off, y_off, right, up = where
        text.set_position((x_off, y_off))
        text.set_horizontalalignment(_BESIDE[right])
        text.set_verticalalignment(_ABOVE[up])
        text.set_in_layout(False)  # it is inside of the axes, which must not move any more
        if max(abs(x_off), abs(y_off)) > _RINGS[1] + size / 2:
            axes.annotate(
                "",
                point,
                (x_off, y_off),
                textcoords="offset points",
                arrowprops={"arrowstyle": "-", "color": "#999999", "lw": 0.6},
            ).set_in_layout(False)


_NUDGES, _MOST_NAMES, _SHORT = 60, 12, 12  # rounds of pushing; classes; characters of a name


def name_clouds(axes: Axes, canvas: Figure | SubFigure, clouds: Mapping[str, Array]) -> None:
    """Write the name of each cloud of points (N, 2) where its middle is, pushed apart where names would touch; nothing where
    there are many names, or long ones."""
    if not 2 <= len(clouds) <= _MOST_NAMES or max(map(len, clouds)) > _SHORT:
        return
    settle(canvas)
    halo = [withStroke(linewidth=2.5, foreground="white")]
    middles = np.array([np.median(cloud, axis=0) for cloud in clouds.values()])
    texts = [axes.text(m[0], m[1], name, fontsize=10, ha="center", va="center", path_effects=halo, zorder=5)
             for name, m in zip(clouds, middles, strict=True)]  # fmt: skip
    boxes = [text.get_window_extent() for text in texts]
    half = np.array([(box.width / 2 + 1, box.height / 2 + 1) for box in boxes])
    inner = axes.get_window_extent()
    least, most = np.array(inner.min) + half, np.array(inner.max) - half
    places = axes.transData.transform(middles)
    for _ in range(_NUDGES):
        places = np.clip(places, least, most)
        gap = places[:, None] - places[None]  # (K, K, 2)
        need = half[:, None] + half[None] - np.abs(gap)  # how far two overlap, in x and y
        both = (need > 0).all(-1) & ~np.eye(len(places), dtype=bool)
        if not both.any():
            break
        axis = need.argmin(-1)  # along which the way out is shorter
        way = np.where(np.take_along_axis(gap, axis[..., None], -1)[..., 0] >= 0, 1.0, -1.0)
        way = np.where(gap.any(-1), way, np.sign(np.arange(len(places))[:, None] - np.arange(len(places))[None]))
        push = np.where(both, way * (need.min(-1) / 2 + 0.5), 0.0)
        places = places + np.stack([np.where(axis == k, push, 0.0).sum(1) for k in (0, 1)], axis=1)
    for text, place in zip(texts, axes.transData.inverted().transform(np.clip(places, least, most)), strict=True):
        text.set_position(tuple(place))
        text.set_in_layout(False)


def _along(line: Line2D) -> Array:
    """Places (N, 2) along a drawn line, some pixels apart, on the canvas; it may go in steps."""
    corners = np.column_stack(line.get_data()).astype(np.float64)
    steps = line.get_drawstyle()
    if steps != "default" and len(corners) > 1:  # between two points lies the corner: x of the one, y of the other
        post = steps == "steps-post"
        turns = np.column_stack(
            [corners[1:, 0] if post else corners[:-1, 0], corners[:-1, 1] if post else corners[1:, 1]]
        )
        corners = np.insert(corners, np.arange(1, len(corners)), turns, axis=0)
    shown = line.axes.transData.transform(corners)  # type: ignore[union-attr]  # it is drawn on axes
    t = np.linspace(0, 1, 40)[:, None]
    return np.concatenate([a + t * (b - a) for a, b in pairwise(shown)] or [shown])


def _covered(one: Bbox, others: Array) -> float:
    """The area of `one` that the `others` (N, 4) cover, added up; each is x and y of its lower left and its upper right."""
    least, most = np.maximum(others[:, :2], one.min), np.minimum(others[:, 2:], one.max)
    return float((most - least).clip(0).prod(1).sum())
