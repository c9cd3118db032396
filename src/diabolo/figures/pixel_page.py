"""A page measured in canvas pixels from its upper left corner, for pictures whose pixels must stay square."""

import math
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.text import Text

from .layout import root
from .style import DPI, new_figure


class Sheet:
    """A page of `width` × `height` canvas pixels: a figure of its own, or fitted into `on`, smaller if it must be."""

    def __init__(self, on: SubFigure | None, width: float, height: float) -> None:
        self.width, self.height = math.ceil(width), math.ceil(height)
        self.canvas: Figure | SubFigure = new_figure(self.width / DPI, self.height / DPI) if on is None else on
        # Layout in inches, so that a page of another resolution keeps its proportions.
        dpi = root(self.canvas).dpi
        self._wide, self._tall = self.canvas.bbox.width / dpi * DPI, self.canvas.bbox.height / dpi * DPI
        self.scale = min(1.0, self._wide / self.width, self._tall / self.height)
        self._left = round((self._wide - self.width * self.scale) / 2)

    def axes(self, x: float, y: float, wide: float, tall: float) -> Axes:
        """Return new axes whose upper left corner is at (x, y)."""
        box = (self._x(x), self._y(y + tall), wide * self.scale / self._wide, tall * self.scale / self._tall)
        return self.canvas.add_axes(box)

    def text(self, x: float, y: float, text: str, size: float = 9, **look: Any) -> Text:
        """Write `text` at (x, y)."""
        return self.canvas.text(self._x(x), self._y(y), text, fontsize=size * self.scale, **look)

    def page(self) -> Figure:
        """Return the figure that this is drawn on."""
        return root(self.canvas)

    def _x(self, x: float) -> float:
        return (self._left + x * self.scale) / self._wide

    def _y(self, y: float) -> float:
        return 1 - y * self.scale / self._tall


def extent(text: str, size: float = 9, **look: Any) -> tuple[float, float]:
    """Return how wide and tall `text` will be, in canvas pixels."""
    figure = new_figure(1, 1)
    box = figure.text(0, 0, text, fontsize=size, **look).get_window_extent()
    return box.width, box.height
