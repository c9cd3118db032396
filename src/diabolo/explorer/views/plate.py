"""Where images are shown: a sheet of pictures, or curves for examples that are none."""

from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, ImageRGBA, Plot, Range1d
from bokeh.plotting import figure
from numpy.typing import ArrayLike, NDArray

from diabolo.explorer.pixels import GAP, is_picture, rgba
from diabolo.figures.colours import PALETTE

CURVES = 8  # of examples that are no pictures, on one plate


def bare(name: str, side: int, **how: Any) -> Plot:
    """A square plot of the unit square, of nothing but what will be drawn in it. Axes, grids and a title, even unseen, are a
    dozen models more, and Bokeh goes through all models of a page for every change that it sends."""
    still = {"min_border": 0, "outline_line_color": None, "background_fill_alpha": 0, "border_fill_alpha": 0}
    unit = {"x_range": Range1d(start=0, end=1), "y_range": Range1d(start=0, end=1)}
    return Plot(name=name, width=side, height=side, title=None, toolbar_location=None, **still | unit | how)


def sheet_on(plot: Plot) -> ColumnDataSource:
    """The source of one picture on a plot: its pixels, width and height."""
    source = ColumnDataSource({"image": [], "w": [], "h": []})
    plot.add_glyph(source, ImageRGBA(image="image", x=0, y=0, dw="w", dh="h"))
    return source


class Plate:
    """Images (R, K, *shape), R rows of K.

    Args:
        shape: of an image.
        name: of the figure.
        side: pixels of the screen that an image is wide, at most; a sheet is never wider than `widest`.
        columns: images of the row that it is going to show. For each change of its size the browser lays the page out anew.
    """

    def __init__(self, shape: tuple[int, ...], name: str, side: int = 96, widest: int = 640, columns: int = 1) -> None:
        self.shape, self.side, self.widest = shape, side, widest
        self.root: Plot = self._sheet(name, columns) if is_picture(shape) else self._curves(name)

    def show(self, images: ArrayLike) -> None:
        """Show them; examples that are no pictures as curves over their numbers."""
        x = np.asarray(images)
        self.root.visible = True
        if is_picture(self.shape):
            self._show_sheet(rgba(x))
            return
        flat = x.reshape(-1, int(np.prod(self.shape)))[:CURVES].astype(np.float64)
        low, high = float(flat.min(initial=0)), float(flat.max(initial=0))
        room = 0.05 * (high - low) or 1.0
        self.root.x_range.update(start=-0.5, end=flat.shape[1] - 0.5)
        self.root.y_range.update(start=low - room, end=high + room)
        colours = [PALETTE[i % len(PALETTE)] for i in range(len(flat))]
        self.source.data = {"xs": [list(range(flat.shape[1]))] * len(flat), "ys": flat.tolist(), "colour": colours}

    def clear(self) -> None:
        """Show nothing."""
        self.source.data = {name: [] for name in self.source.data}
        self.root.visible = False

    def _sheet(self, name: str, columns: int) -> Plot:
        plot = bare(name, self.side, visible=False, align="start", sizing_mode="scale_width")
        self.source = sheet_on(plot)
        self._fit(plot, self.shape[1], columns * (self.shape[2] + GAP) - GAP)
        return plot

    def _show_sheet(self, sheet: NDArray[np.uint32]) -> None:
        height, width = sheet.shape
        self._fit(self.root, height, width)
        self.source.data = {"image": [sheet], "w": [width], "h": [height]}

    def _fit(self, plot: Plot, height: int, width: int) -> None:
        """Let it be as large as a sheet of so many pixels asks for; what stays as it was is not sent."""
        columns = round((width + GAP) / (self.shape[2] + GAP))
        scale = min(self.side / self.shape[2], self.widest / width, columns * self.side / width)
        wide, high = max(24, round(width * scale)), max(24, round(height * scale))
        plot.update(width=wide, height=high, max_width=wide, aspect_ratio=wide / high)
        plot.x_range.update(start=0, end=width)
        plot.y_range.update(start=0, end=height)

    def _curves(self, name: str) -> Plot:
        self.source = ColumnDataSource({"xs": [], "ys": [], "colour": []})
        plot = figure(
            name=name,
            width=360,
            height=200,
            x_range=Range1d(start=0, end=1),
            y_range=Range1d(start=0, end=1),
            visible=False,
            toolbar_location=None,
            tools="",
            background_fill_alpha=0,
            border_fill_alpha=0,
        )
        plot.xaxis.axis_label, plot.yaxis.axis_label = "number within the example", "value"
        plot.multi_line(xs="xs", ys="ys", line_color="colour", line_width=1.5, source=self.source)
        return plot
