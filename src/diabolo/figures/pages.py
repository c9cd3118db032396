"""Many figures on one page, each as large as it is by itself."""

import math
from collections.abc import Sequence
from typing import Protocol

from matplotlib.figure import Figure, SubFigure

from diabolo.errors import DiaboloError

from .checks import some
from .layout import lay_out_as, layouts
from .style import DPI, drawing, new_figure, wrap

_A4 = math.sqrt(2)  # height to width
_NARROWEST, _SPACE = 8.27, 0.2  # inches: the width of A4, and between figures
Size = tuple[float, float]
Column = list[int]  # figures on top of each other
Shelf = list[Column]  # side by side


class Panel(Protocol):
    """Draws a figure on a page of its own, or on a part of another."""

    def __call__(self, *, on: SubFigure | None = None) -> Figure:
        """Draw it."""
        ...


@drawing
def page(panels: Sequence[Panel], title: str, columns: int | None = None) -> Figure:
    """Draw all `panels` in their order on one page below `title`, each in its own size and with its own title.

    They stand on shelves, from left to right, on top of each other where a neighbour is taller. The page has the shape of
    A4, is as large as they need, and is never narrower than A4; with `columns` so many stand side by side, and the page is as
    wide as they are.

    Example:
        >>> panels = [lambda on=None: diabolo.figures.loss_curves(run.history, on=on)]
        >>> figure = diabolo.figures.page(panels, "A run")
        >>> diabolo.figures.save(figure, "page.png").name
        'page.png'
    """
    some(panels, "page: panels")
    alone = [panel() for panel in panels]
    sizes = [_rounded(figure.get_size_inches().tolist()) for figure in alone]
    if columns is None:
        shelves = min((_pack(sizes, width) for width in _widths(sizes)), key=lambda packed: _waste(packed, sizes))
    elif columns < 1:
        raise DiaboloError(f"columns must be at least 1, not {columns}")
    else:
        shelves = [[[i] for i in range(len(sizes))[first : first + columns]] for first in range(0, len(sizes), columns)]
    wide = max(_NARROWEST, *(_wide(shelf, sizes) for shelf in shelves)) + 2 * _SPACE
    heading = wrap(title, wide - 1, 16)
    top = 0.35 + 0.3 * len(heading.splitlines())
    heights = [_tall(shelf, sizes) + _SPACE for shelf in shelves]
    figure = new_figure(wide, top + sum(heights) + _SPACE)
    rows = _parts(figure, [top, *heights, _SPACE], down=True)
    rows[0].text(0.5, 0.4, heading, ha="center", va="center", fontsize=16, fontweight="bold")
    for row, shelf, height in zip(rows[1:], shelves, heights, strict=False):
        widths = [_column_width(column, sizes) for column in shelf]
        side = (wide - sum(widths) - _SPACE * (len(shelf) - 1)) / 2
        cells = [side, *(w for width in widths for w in (width, _SPACE))]
        cells[-1] = side
        for column, part, width in zip(shelf, _parts(row, cells, down=False)[1::2], widths, strict=False):
            tall = [sizes[i][1] for i in column]
            for i, part_of in zip(column, _parts(part, [*tall, height - sum(tall)], down=True), strict=False):
                room = (width - sizes[i][0]) / 2
                place = _parts(part_of, [room, sizes[i][0], room], down=False)[1] if room > 0.01 else part_of
                lay_out_as(place, layouts(alone[i]))
                panels[i](on=place)
    return figure


def _parts(canvas: Figure | SubFigure, sizes: Sequence[float], down: bool) -> list[SubFigure]:
    """Cut `canvas` into parts of these `sizes`, downwards or to the right."""
    ratios = [max(size, 1e-3) for size in sizes]
    if down:
        found = canvas.subfigures(len(ratios), 1, squeeze=False, hspace=0, height_ratios=ratios)
    else:
        found = canvas.subfigures(1, len(ratios), squeeze=False, wspace=0, width_ratios=ratios)
    return list(found.ravel())


def _pack(sizes: Sequence[Size], width: float) -> list[Shelf]:
    """Put figures on shelves not wider than `width`; one goes below its neighbour where the shelf is high enough."""
    shelves: list[Shelf] = []
    for i, (wide, tall) in enumerate(sizes):
        shelf = shelves[-1] if shelves else []
        if len(shelf) > 1 and _stack(shelf[-1], sizes) + tall <= _tall(shelf, sizes):
            lower = [*shelf[:-1], [*shelf[-1], i]]
            if _wide(lower, sizes) <= width:
                shelf[-1].append(i)
                continue
        if shelf and _wide(shelf, sizes) + _SPACE + wide <= width:
            shelf.append([i])
        else:
            shelves.append([[i]])
    return shelves


def _widths(sizes: Sequence[Size]) -> list[float]:
    """Widths of a page worth trying, from that of the widest figure to that of all side by side."""
    least = max(_NARROWEST, *(w for w, _ in sizes))
    most = max(least, min(sum(w + _SPACE for w, _ in sizes), 4 * math.sqrt(sum(w * h for w, h in sizes))))
    return [least + (most - least) * k / 40 for k in range(41)]


def _waste(shelves: list[Shelf], sizes: Sequence[Size]) -> float:
    """The area of the smallest page of the shape of A4 that holds the shelves: it may be lower, but not higher, for free."""
    wide = max(_NARROWEST, *(_wide(shelf, sizes) for shelf in shelves))
    tall = sum(_tall(shelf, sizes) + _SPACE for shelf in shelves) + 0.8
    return max(wide * _A4, tall) ** 2 + wide * tall


def _stack(column: Column, sizes: Sequence[Size]) -> float:
    return sum(sizes[i][1] for i in column)


def _column_width(column: Column, sizes: Sequence[Size]) -> float:
    return max(sizes[i][0] for i in column)


def _wide(shelf: Shelf, sizes: Sequence[Size]) -> float:
    return sum(_column_width(column, sizes) for column in shelf) + _SPACE * (len(shelf) - 1)


def _tall(shelf: Shelf, sizes: Sequence[Size]) -> float:
    return max(_stack(column, sizes) for column in shelf)


def _rounded(size: Sequence[float]) -> Size:
    """Whole canvas pixels."""
    wide, tall = (math.ceil(s * DPI - 1e-6) / DPI for s in size)
    return wide, tall
