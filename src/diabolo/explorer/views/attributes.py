"""Directions that stand for an attribute or a class, added to the code that is shown."""

from dataclasses import replace
from typing import Any

import numpy as np
from bokeh.layouts import column

from diabolo.explorer.desk import Desk
from diabolo.explorer.state import State
from diabolo.explorer.views.plate import Plate
from diabolo.explorer.views.widgets import beside, checkbox, say, select, slider, when, words
from diabolo.plain import percent

FARTHEST = 4.0
STEPS = (-4.0, -2.0, 0.0, 2.0, 4.0)
HINT = "The normal of a linear probe on training codes, as long as the two groups are apart along it."


class Attributes:
    """A direction and how far to go along it."""

    title = "Attributes"
    told = (
        "Add the direction of an attribute, or of a class, to the code that is shown. Apart from all others: what linear "
        "probes read of the other attributes stays as it is."
    )

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        names = desk.first.attributes
        self.which = select(
            "attribute", "Attribute", [("", "none"), *((n, n) for n in names)], desk.state.attribute, HINT
        )
        self.strength = slider("strength", "strength", -FARTHEST, FARTHEST, desk.state.strength, 0.05)
        self.apart = checkbox("apart", "apart from all others", desk.state.apart)
        self.reading = words("attribute-told")
        self.strip = Plate(desk.first.codec.input_shape, "attribute-strip", 60, 420, len(STEPS))
        if not names:
            say(self.reading, "The images have neither attributes nor classes to find directions by.")
        when(self.which, "value", lambda new: desk.change(attribute=self.which.value))
        when(self.strength, "value", lambda new: desk.change(strength=float(self.strength.value)))
        when(self.apart, "active", lambda new: desk.change(apart=bool(self.apart.active)))
        controls = beside(*([self.which, self.strength, self.apart] if names else []))
        self.root = column(controls, self.reading, self.strip.root, sizing_mode="stretch_width")

    def follow(self, old: State | None, new: State) -> None:
        """Read the probe at the code that is shown, and draw the strip."""
        if not new.attribute:
            if old is not None and old.attribute:
                self.strip.clear()
                say(self.reading, "")
            return
        self.desk.later("reading", self._read, self._show_reading)
        if old is None or replace(old.but_the_map, strength=0.0) != replace(new.but_the_map, strength=0.0):
            self.desk.later("attribute-strip", self._strip, self._show_strip, slow=True)

    def _read(self) -> str:
        run, state = self.desk.first, self.desk.state
        share = float(run.probability(state.attribute, self.desk.code(run)[None])[0])
        return f"a linear probe reads {state.attribute} with {percent(share, 1)} from the code that is shown"

    def _show_reading(self, told: str) -> None:
        say(self.reading, told)

    def _strip(self) -> Any:
        run, state = self.desk.first, self.desk.state
        v = run.direction(state.attribute, state.apart)
        z = self.desk.code(run) - state.strength * v
        return run.decoded(np.stack([z + alpha * v for alpha in STEPS]), state.label, self.desk.asked)[None]

    def _show_strip(self, found: Any) -> None:
        if isinstance(found, str):
            say(self.reading, found)
        else:
            self.strip.show(found)
