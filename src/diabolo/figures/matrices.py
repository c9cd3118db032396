"""Tables of numbers as heat maps: confusion, importance, agreement between seeds."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure, SubFigure
from numpy.typing import ArrayLike

from diabolo.errors import DiaboloError

from .checks import Array, numbers
from .layout import canvas, capital, head, settle
from .style import drawing, shorten

_MOST_WRITTEN = 30  # rows or columns up to which every number is written into its cell
_NAME = 28  # characters


@drawing
def matrix(
    values: ArrayLike,
    rows: Sequence[str],
    columns: Sequence[str],
    x_name: str,
    y_name: str,
    *,
    title: str | None = None,
    on: SubFigure | None = None,
) -> Figure:
    """Draw `values` (rows, columns) as shades of grey-blue with the numbers in them; `x_name` says what the columns are.

    With more than thirty rows or columns a scale stands beside it instead of the numbers. Values on both sides of zero are
    shaded by their size from zero, negative ones in red.

    Example:
        >>> figure = diabolo.figures.matrix([[1.0, 0.2], [0.2, 1.0]], ["a", "b"], ["a", "b"], "map", "map")
        >>> diabolo.figures.save(figure, "matrix.png").name
        'matrix.png'
    """
    array = numbers(values, "matrix: values", (None, None))
    if array.shape != (len(rows), len(columns)):
        raise DiaboloError(f"matrix: {array.shape} values, but {len(rows)} names of rows and {len(columns)} of columns")
    texts = _written(array)
    count_y, count_x = array.shape
    written = max(array.shape) <= _MOST_WRITTEN
    cell = (
        max(0.34, 0.075 * max(len(t) for line in texts for t in line)) if written else max(0.12, 8 / max(array.shape))
    )
    cell = min(cell, 0.3) if not written else cell
    tall = min(cell, 0.42)
    row_names = [shorten(str(name), _NAME) for name in rows]
    column_names = [shorten(str(name), _NAME) for name in columns]
    turned = max(map(len, column_names)) * 0.085 > cell
    room = 0.075 * max(map(len, row_names)), 0.075 * max(map(len, column_names)) if turned else 0.15
    width = max(3.4, count_x * cell + room[0] + 0.75 + 0.8 * (not written))
    sheet = canvas(on, width, max(1.6, count_y * tall + room[1] + 1.15))
    axes = sheet.add_subplot()
    low, high = float(array.min()), float(array.max())
    reach = max(abs(low), abs(high)) or 1.0
    both = low < 0
    shown = axes.imshow(
        array,
        cmap="RdBu" if both else "Blues",
        vmin=-reach if both else 0,
        vmax=reach,
        aspect=tall / cell,
        interpolation="nearest",
    )
    for spine in axes.spines.values():
        spine.set_visible(True)
    axes.grid(visible=False)
    step_y, step_x = (max(1, -(-n // 60)) for n in array.shape)
    axes.set_yticks(range(0, count_y, step_y), row_names[::step_y], fontsize=8 if tall >= 0.16 else 6)
    axes.set_xticks(
        range(0, count_x, step_x),
        column_names[::step_x],
        fontsize=8 if cell >= 0.16 else 6,
        rotation=90 if turned else 0,
    )
    axes.tick_params(length=0)
    axes.set_xlabel(x_name)
    axes.set_ylabel(y_name)
    if written:
        for i, line in enumerate(texts):
            for j, text in enumerate(line):
                dark = abs(array[i, j]) > 0.6 * reach
                axes.text(j, i, text, ha="center", va="center", fontsize=7.5, color="white" if dark else "black")
    else:
        sheet.colorbar(shown, cax=axes.inset_axes((1.02, 0.1, 0.03, 0.8)))
    head(axes, title or capital(f"{y_name} against {x_name}"), width - 0.6)
    return settle(sheet)


def _written(array: Array) -> list[list[str]]:
    """Whole numbers as they are, others with as many decimals as tell them apart on the scale of the largest."""
    if (array == array.round()).all() and np.abs(array).max() < 1e6:
        decimals = 0
    else:
        largest = float(np.abs(array).max())
        decimals = int(np.clip(2 - np.floor(np.log10(largest)), 0, 4)) if largest else 0
        decimals = min(decimals, 2) if largest >= 0.1 else decimals
    return [[_signed(f"{value:,.{decimals}f}") for value in line] for line in array]


def _signed(text: str) -> str:
    return text.replace("-", "−") if any(digit in text for digit in "123456789") else text.replace("-", "")
