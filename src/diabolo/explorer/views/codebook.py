"""The codes of a quantiser: the map of codes of an image, of which single ones can be replaced."""

import math
from typing import Any

import numpy as np
from bokeh.events import Tap
from bokeh.layouts import column
from bokeh.models import ColumnDataSource, Plot
from numpy.typing import NDArray

from diabolo.explorer.desk import Desk
from diabolo.explorer.pixels import heat
from diabolo.explorer.state import State
from diabolo.explorer.views.plate import bare, sheet_on
from diabolo.explorer.views.widgets import beside, button, say, words

SIDE = 220  # pixels of the screen


class Codebook:
    """The map of codes of what is shown, and the codebook by how often each code is used."""

    title = "Codebook"
    told = (
        "On the left the map of codes of what is shown; on the right all codes, dark where one is used often. "
        "Click a place on the left, then the code on the right that shall stand there."
    )

    def __init__(self, desk: Desk) -> None:
        self.desk, self.place = desk, 0
        self.about = words("codebook-told")
        self.map, self.book = bare("codes", SIDE), bare("codebook", SIDE)
        self.map_source, self.book_source = sheet_on(self.map), sheet_on(self.book)
        self.map.on_event(Tap, lambda event: self._pick(event.x, event.y))
        self.book.on_event(Tap, lambda event: self._put(event.x, event.y))
        self.undo = button("codebook-undo", "take all back")
        self.undo.on_click(lambda: desk.change(swaps=()))
        self.indices: NDArray[np.int64] = np.zeros((1, 1), np.int64)
        grids = beside(
            column(words("codes-name", "what is shown"), self.map, margin=(0, 16, 0, 0)),
            column(words("codebook-name", "all codes"), self.book),
        )
        self.root = column(grids, self.about, self.undo, sizing_mode="stretch_width")

    @property
    def _side(self) -> int:
        """Codes in a row of the codebook."""
        quantizer = self.desk.first.quantizer
        assert quantizer is not None
        return math.ceil(math.sqrt(quantizer.codes))

    def _pick(self, x: float, y: float) -> None:
        height, width = self.indices.shape
        column, line = math.floor(x), height - 1 - math.floor(y)
        if 0 <= column < width and 0 <= line < height:
            self.place = line * width + column
            self._tell()

    def _put(self, x: float, y: float) -> None:
        quantizer, side = self.desk.first.quantizer, self._side
        assert quantizer is not None
        rows = math.ceil(quantizer.codes / side)
        code = (rows - 1 - math.floor(y)) * side + math.floor(x)
        if not (0 <= x < side and 0 <= code < quantizer.codes):
            return
        kept = tuple(pair for pair in self.desk.state.swaps if pair[0] != self.place)
        self.desk.change(t=-1.0, swaps=(*kept, (self.place, code)))

    def follow(self, old: State | None, new: State) -> None:
        """Show the map of the image, as it is now."""
        if old is None:
            self.desk.later("codebook", lambda: self.desk.first.uses, self._show_uses, slow=True)
        if old is None or (old.shown, old.swaps) != (new.shown, new.swaps):
            self.desk.later("codes", lambda: self.desk.swapped(self.desk.first), self._show_map)

    def _show_uses(self, uses: Any) -> None:
        if isinstance(uses, str):
            say(self.about, uses)
            return
        side = self._side
        share = np.zeros(side * math.ceil(len(uses) / side))
        share[: len(uses)] = np.sqrt(uses / max(1, uses.max()))
        _show(self.book, self.book_source, heat(share.reshape(-1, side)))

    def _show_map(self, indices: Any) -> None:
        if isinstance(indices, str):
            say(self.about, indices)
            return
        self.indices = indices
        quantizer = self.desk.first.quantizer
        assert quantizer is not None
        _show(self.map, self.map_source, heat(indices / max(1, quantizer.codes - 1)))
        self._tell()

    def _tell(self) -> None:
        height, width = self.indices.shape
        if self.place >= height * width:
            self.place = 0
        line, column = divmod(self.place, width)
        swapped = len(self.desk.state.swaps)
        now = f"row {line + 1}, column {column + 1}: code {self.indices[line, column]}"
        say(self.about, f"{now}{f'; {swapped} of {height * width} replaced' if swapped else ''}")


def _show(plot: Plot, source: ColumnDataSource, sheet: NDArray[np.uint32]) -> None:
    height, width = sheet.shape
    plot.x_range.update(start=0, end=width)
    plot.y_range.update(start=0, end=height)
    plot.update(width=SIDE, height=max(40, round(SIDE * height / width)))
    source.data = {"image": [sheet], "w": [width], "h": [height]}
