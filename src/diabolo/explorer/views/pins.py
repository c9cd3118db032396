"""Two pins, A and B, and the way between them."""

import base64
import binascii
from collections.abc import Callable
from functools import partial
from typing import Any

from bokeh.layouts import column
from bokeh.models import ColumnDataSource, CustomJS, FileInput, FreehandDrawTool, MultiLine
from numpy.typing import NDArray

from diabolo.data.unit import to_float
from diabolo.errors import DiaboloError
from diabolo.explorer.desk import Desk
from diabolo.explorer.explored import Pixels
from diabolo.explorer.handwriting import drawn_digit
from diabolo.explorer.pixels import is_picture
from diabolo.explorer.state import WAYS, Place, State
from diabolo.explorer.uploads import LARGEST, read_picture
from diabolo.explorer.views.plate import Plate, bare
from diabolo.explorer.views.widgets import (
    LOOK,
    beside,
    button,
    choice,
    say,
    select,
    slider,
    spinner,
    toggle,
    when,
    words,
)

STEPS = 9
# A file beyond what the connection carries would break it: such a one is given back before it is read
TOO_LARGE = """
document.addEventListener('input', event => {
  const [chosen] = event.composedPath()
  const file = chosen.type === 'file' ? chosen.files[0] : undefined
  if (file === undefined || file.size <= largest) return
  chosen.value = ''
  told.text = `a picture has at most ${largest / 2 ** 20} MiB, and this file ${(file.size / 2 ** 20).toFixed(1)}`
}, true)
"""
FRAME = 60  # milliseconds
HINT = (
    "linear goes straight; spherical turns evenly, as codes of a Gaussian lie on a sphere; along-data goes from code to code "
    "of training images."
)


class Pins:
    """Two pins and the way between them."""

    title = "From A to B"
    told = (
        "Pin two images: by clicking on the map, by number, from a file, or drawn with the mouse. The strip shows the way "
        "between them; play moves along it."
    )

    def __init__(self, desk: Desk, every: Any, no_more: Any, once_ready: Callable[[CustomJS], None]) -> None:
        self.desk, self.every, self.no_more = desk, every, no_more
        self._playing: Any = None
        run = desk.first
        shape = run.codec.input_shape
        self.plates = {which: Plate(shape, f"pin-{which}", 72) for which in "ab"}
        last = 0 if run.test is None else len(run.test) - 1
        self.numbers = {w: spinner(f"pin-{w}-number", f"{w.upper()}: test image", last, None) for w in "ab"}
        self.files = {
            w: FileInput(
                name=f"pin-{w}-file",
                title=f"{w.upper()}: from a file",
                accept=".png,.jpg,.jpeg,.bmp,.webp",
                width=190,
                stylesheets=[LOOK],
            )
            for w in "ab"
        }
        self.way = select("way", "Way", WAYS, desk.state.way, HINT)
        self.t = slider("t", "from A (0) to B (1)", 0, 1, max(0.0, desk.state.t), 1 / 64)
        self.play = toggle("play", "play")
        self.strip = Plate(shape, "strip", 60, 620, STEPS)
        self.about = words("pins-told", "Pin two images to go from one to the other.")
        self._quiet = False
        for which in "ab":
            self.numbers[which].on_change("value", partial(self._numbered, which))
            self.files[which].on_change("value", partial(self._uploaded, which))
        when(self.way, "value", lambda new: desk.change(way=self.way.value))
        when(self.t, "value", lambda new: None if self._quiet else desk.change(t=float(self.t.value)))
        when(self.play, "active", lambda new: self._play())
        once_ready(CustomJS(args={"told": self.about, "largest": LARGEST}, code=TOO_LARGE))
        # What cannot be used is not shown: numbers without images, files for examples that are no pictures
        numbered, pictured = run.test is not None, is_picture(shape)
        pins = [
            column(
                self.plates[w].root,
                *([self.numbers[w]] if numbered else []),
                *([self.files[w]] if pictured else []),
            )
            for w in "ab"
        ]
        if run.discrete:
            say(self.about, "The codes of this model are indices: nothing lies between two of them.")
        drawing = [self._drawing()] if shape[0] == 1 and len(shape) == 3 else []
        self.root = column(
            beside(*pins, *drawing),
            beside(*([] if run.discrete else [self.way, self.t, self.play])),
            self.strip.root,
            self.about,
            sizing_mode="stretch_width",
        )

    def _drawing(self) -> Any:
        self.strokes = ColumnDataSource({"xs": [], "ys": []})
        plot = bare("drawing", 150, background_fill_color="#000000", background_fill_alpha=1)
        lines = plot.add_glyph(
            self.strokes, MultiLine(xs="xs", ys="ys", line_width=12, line_color="white", line_cap="round")
        )
        pen = FreehandDrawTool(renderers=[lines])
        plot.add_tools(pen)
        plot.toolbar.active_drag = pen
        self.to = choice("drawing-to", ["A", "B"])
        done, clear = button("drawing-done", "pin it", width=70), button("drawing-clear", "clear", width=70)
        done.on_click(self._draw)
        clear.on_click(lambda: setattr(self.strokes, "data", {"xs": [], "ys": []}))
        return column(
            plot, beside(self.to, done, clear), words("drawing-told", "or draw one with the mouse"), width=270
        )

    # --- what the hand does -------------------------------------------------------------------------------------------------

    def _numbered(self, which: str, attr: str, old: Any, new: Any) -> None:
        if not self._quiet and new is not None:
            self.desk.put(which, Place(image=int(new)))
            self.desk.change(shown=Place(image=int(new)), t=-1.0, swaps=())

    def _uploaded(self, which: str, attr: str, old: Any, new: Any) -> None:
        if not new:  # a file was taken back
            return

        def read() -> NDArray[Any]:
            try:
                content = base64.b64decode(new, validate=True)
            except (binascii.Error, ValueError, TypeError) as error:
                raise DiaboloError("what was sent is no file") from error
            return read_picture(content, self.desk.first.codec.input_shape)

        self.desk.later(f"upload-{which}", read, partial(self._bring, which))

    def _draw(self) -> None:
        data, shape = dict(self.strokes.data), self.desk.first.codec.input_shape

        def read() -> NDArray[Any]:
            try:
                ways = zip(data["xs"], data["ys"], strict=True)
                strokes = [list(zip(x, y, strict=True)) for x, y in ways]
            except (KeyError, TypeError, ValueError) as error:
                raise DiaboloError("strokes are lists of points") from error
            return drawn_digit(strokes, shape)

        self.desk.later("drawing", read, partial(self._bring, "b" if self.to.active else "a"))

    def _bring(self, which: str, picture: Any) -> None:
        if isinstance(picture, str):
            say(self.about, picture)
            return
        try:
            self.desk.bring(which, picture)
        except DiaboloError as error:
            say(self.about, str(error))

    def _play(self) -> None:
        if self._playing is not None:
            self.no_more(self._playing)
            self._playing = None
        if self.play.active and None in (self.desk.state.a, self.desk.state.b):
            say(self.about, "Pin both A and B first: then there is a way to go.")
            self.play.active = False
        elif self.play.active:
            self._playing = self.every(FRAME, self._next)

    def _next(self) -> None:
        if None not in (self.desk.state.a, self.desk.state.b):
            self.t.value = 0.0 if self.t.value >= 1 else min(1.0, round((self.t.value + 1 / 64) * 64) / 64)

    # --- what is shown ------------------------------------------------------------------------------------------------------

    def follow(self, old: State | None, new: State) -> None:
        """Show pins and strip anew where they changed."""
        for which in "ab":
            place: Place | None = getattr(new, which)
            if old is None or getattr(old, which) != place:
                self._quiet = True
                self.numbers[which].value = None if place is None else place.image
                self._quiet = False
                self.desk.later(f"pin-{which}", partial(self.desk.pinned, which), partial(self._show_pin, which))
        if (new.t >= 0 and abs(self.t.value - new.t) > 1e-9) or self.way.value != new.way:
            self._quiet = True
            self.t.value, self.way.value = max(0.0, new.t), new.way
            self._quiet = False
        if self.desk.first.discrete:
            return
        if old is None or (old.a, old.b, old.way, old.label) != (new.a, new.b, new.way, new.label):
            self.desk.later("strip", self._strip, self._show_strip, slow=new.way == "along-data")

    def _show_pin(self, which: str, picture: Any) -> None:
        if isinstance(picture, str):
            say(self.about, picture)
        elif picture is not None:
            self.plates[which].show(to_float(picture)[None, None])

    def _strip(self) -> Pixels | None:
        found = self.desk.strip(STEPS)
        return None if found is None else found[None]

    def _show_strip(self, found: Pixels | str | None) -> None:
        if isinstance(found, str):
            say(self.about, found)
        elif found is not None:
            self.strip.show(found)
            say(self.about, f"{STEPS} steps, {self.desk.state.way}")
