"""The card of the test image whose point lies under a mouse that rests."""

from html import escape
from typing import Any

import numpy as np
from bokeh.core.property.descriptors import UnsetValueError
from bokeh.models.dom import HTML
from numpy.typing import NDArray

from diabolo.explorer.explored import Explored
from diabolo.explorer.pixels import is_picture
from diabolo.explorer.views.widgets import tip

REACH = 8.0  # pixels of the screen between the mouse and the middle of a point
PICTURE = (
    '<img src="image/{index}.png?page={key}" alt="" style="image-rendering: pixelated; height: 84px; display: block">'
)


class Card:
    """What is said beside a point: its image and reconstruction, its number and its label.

    A hover tool of Bokeh's would look for points at every event of the mouse, and would ask for a picture at each that it
    passes: that took more than half of the time from the mouse to the decoded image. So the card waits until the mouse rests.

    Args:
        plot: whose points they are.
        run: whose images they stand for.
        key: of the page.
    """

    def __init__(self, plot: Any, run: Explored, key: str) -> None:
        self.plot, self.run, self.key = plot, run, key
        self.root = tip("", name="card", position=None, interactive=False, attachment="horizontal")
        plot.elements.append(self.root)

    def at(self, place: tuple[float, float], pointer: tuple[float, float], points: dict[str, Any]) -> None:
        """Show the card of the point at `place` of the map, `pointer` on the screen, if there is one within reach.

        Args:
            place: in the units of the axes.
            pointer: in pixels of the plot.
            points: x, y, index and label of each.
        """
        row = self._under(place, np.column_stack([points["x"], points["y"]]))
        if row is None:
            self.hide()
            return
        index, label = int(points["index"][row]), str(points["label"][row])
        told = escape(self.run.words(f"image {index}") + (f": {label}" if label else ""))
        picture = PICTURE.format(index=index, key=self.key) if is_picture(self.run.codec.input_shape) else ""
        self.root.update(content=HTML(f"<div>{picture}{told}</div>"), position=pointer, visible=True)

    def hide(self) -> None:
        """The mouse moves again."""
        if self.root.visible:
            self.root.visible = False

    def _under(self, place: tuple[float, float], points: NDArray[Any]) -> int | None:
        across, up = self.plot.x_range, self.plot.y_range
        try:
            wide, high = self.plot.inner_width, self.plot.inner_height
        except UnsetValueError:  # not drawn yet
            return None
        if not len(points):
            return None
        scale = np.array([wide / (across.end - across.start), high / (up.end - up.start)])
        apart = np.square((points - place) * scale).sum(1)
        nearest = int(apart.argmin())
        return nearest if apart[nearest] <= REACH**2 else None
