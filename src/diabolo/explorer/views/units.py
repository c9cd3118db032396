"""A slider for each unit of the code, those that tell most first, with a strip of what it does."""

from functools import partial
from typing import Any

import numpy as np
from bokeh.layouts import column

from diabolo.explorer.desk import Desk
from diabolo.explorer.explored import Floats, Pixels
from diabolo.explorer.state import Place, State
from diabolo.explorer.views.plate import Plate
from diabolo.explorer.views.widgets import beside, button, say, slider, words

MOST = 12  # units
STEPS = 7  # images of a strip


class Units:
    """The sliders."""

    title = "Units"
    told = (
        "One slider for each number of the code, ordered by how much it tells: its KL in nats where the model has a posterior, "
        "else its variance. The strip shows what the unit does from one end to the other."
    )

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.sliders: list[Any] = []
        self.strips: list[Plate] = []
        self.code: Floats = desk.first.middle
        self.about = words("units-told")
        self.about.visible = False
        self.order: list[int] = []
        rows: list[Any] = []
        if desk.first.discrete:
            self._say("The codes of this model are indices: see the codebook.")
        else:
            rows = self._rows()
        self.reset = button("units-reset", "reset to 0" if desk.first.test is None else "reset to the mean")
        self.reset.on_click(lambda: desk.change(shown=None, t=-1.0))
        self.root = column(self.about, *([self.reset] if rows else []), *rows, sizing_mode="stretch_width")
        self._quiet = False

    def _rows(self) -> list[Any]:
        run = self.desk.first
        units, (low, high) = run.units, run.reach
        self.order = [int(j) for j in units.order[:MOST]]
        if len(units.order) > MOST:
            self._say(f"the {MOST} of {len(units.order)} units that tell most")
        rows = []
        for rank, j in enumerate(self.order):
            ends = float(low[j]), float(high[j])
            title = f"z{j + 1}"
            if run.test is not None or run.train is not None:
                title += f" ({units.told[rank]:.3g} {units.unit})"
            one = slider(f"unit-{rank}", title, *ends, float(run.middle[j]), (ends[1] - ends[0]) / 200, 170)
            one.format = "0[.]00"
            one.on_change("value", partial(self._moved, rank))
            strip = Plate(run.codec.input_shape, f"unit-strip-{rank}", side=32, widest=240, columns=STEPS)
            strip.root.visible = True  # the page is not laid out anew once it has come
            self.sliders.append(one)
            self.strips.append(strip)
            rows.append(beside(one, strip.root))
        return rows

    def _moved(self, rank: int, attr: str, old: float, new: float) -> None:
        if self._quiet:
            return
        code = self.code.copy()
        code[self.order[rank]] = new
        self.code = code
        chosen = code - self.desk.added(self.desk.first)  # which is added again
        self.desk.change(shown=Place(code=tuple(chosen.tolist())), t=-1.0)

    def _say(self, text: str) -> None:
        self.about.visible = True
        say(self.about, text)

    def follow(self, old: State | None, new: State) -> None:
        """Put the sliders where the code is, and draw the strips anew."""
        if self.order and (old is None or old.but_the_map != new.but_the_map):
            self.desk.later("units", lambda: self.desk.code(self.desk.first), self._show)

    def _show(self, code: Floats | str) -> None:
        if isinstance(code, str):
            self._say(code)
            return
        self.code = code
        self._quiet = True
        for one, j in zip(self.sliders, self.order, strict=True):
            value = float(np.clip(code[j], one.start, one.end))
            if abs(one.value - value) > 1e-9:
                one.value = value
        self._quiet = False
        strips = partial(self._strips, code, self.desk.state, self.desk.asked)
        self.desk.later("unit-strips", strips, self._show_strips, slow=True)

    def _strips(self, code: Floats, state: State, image: int | None) -> Pixels:
        """(U, STEPS, *shape)."""
        run = self.desk.first
        low, high = run.reach
        codes = np.tile(code, (len(self.order), STEPS, 1))
        for line, j in zip(codes, self.order, strict=True):
            line[:, j] = np.linspace(low[j], high[j], STEPS)
        images = run.decoded(codes.reshape(-1, run.width), state.label, image)
        found: Pixels = images.reshape(len(self.order), STEPS, *images.shape[1:])
        return found

    def _show_strips(self, found: Pixels | str) -> None:
        if isinstance(found, str):
            self._say(found)
            return
        for strip, images in zip(self.strips, found, strict=True):
            strip.show(images[None])
