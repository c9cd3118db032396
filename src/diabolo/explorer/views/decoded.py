"""What the decoder makes of the code that is shown."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from bokeh.layouts import column

from diabolo.data.unit import to_float
from diabolo.explorer.desk import Desk, Shown
from diabolo.explorer.explored import Floats
from diabolo.explorer.state import Place, State
from diabolo.explorer.views.plate import Plate
from diabolo.explorer.views.widgets import beside, button, say, words
from diabolo.randomness import derive

WIDE = 220  # pixels of the screen
PCA_PRIOR = "draw a Gaussian"  # of the variances of its components


class Decoded:
    """The decoded image; beside it the original, the same image through a second run, and the difference."""

    title = "Decoded"
    told = "The image that the decoder makes of the chosen code, beside the original where the code is that of a test image."

    def __init__(self, desk: Desk) -> None:
        self.desk, self.drawn = desk, 0
        shape = desk.first.codec.input_shape
        self.plate = Plate(shape, "decoded", WIDE, 3 * WIDE, columns=2 * len(desk.runs) - 1)
        self.about = words("decoded-told")
        prior = "draw from the prior" if desk.first.has_prior or desk.first.discrete else "draw from N(0, I)"
        self.prior = button("from-prior", PCA_PRIOR if desk.first.codec.name == "pca" else prior)
        self.fitted = button("from-density", "draw like the codes")
        self.mean = button("from-mean", "mean code", width=100)
        self.prior.on_click(self._from_prior)
        self.fitted.on_click(self._from_density)
        self.mean.on_click(lambda: desk.change(shown=None, t=-1.0, swaps=()))
        # Indices have no mean, and no Gaussian; nor have codes of images that are not there
        smooth = (
            [] if desk.first.discrete or desk.first.test is None or not desk.first.width else [self.fitted, self.mean]
        )
        buttons = beside(*([self.prior] if desk.first.width else []), *smooth)
        self.root = column(self.plate.root, self.about, buttons, sizing_mode="stretch_width")

    def follow(self, old: State | None, new: State) -> None:
        """Decode anew, unless only the map has changed."""
        if old is not None and old.but_the_map == new.but_the_map:
            return
        told = self._told()
        self.desk.later("decoded", self.desk.shown, partial(self._show, told))

    def glance(self, code: Floats) -> None:
        """Decode what lies under the mouse."""
        self.desk.later(
            "decoded", lambda: self.desk.shown(code), partial(self._show, f"the place under the mouse{self._added}")
        )

    def _told(self) -> str:
        """Which code is shown, in words."""
        state, run, added = self.desk.state, self.desk.first, self._added
        if self.desk.on_way:
            return f"{state.t:.0%} of the way from A to B{added}".replace("%", " %")
        if not run.width:
            return "what the model makes of what it is given: it has no code"
        if state.shown is None:
            own = "the code of test image 0" if run.discrete else "the mean code of the test images"
            return (own if run.test is not None else "the code 0") + added
        return (f"test image {state.shown.image}" if state.shown.image is not None else "a chosen code") + added

    @property
    def _added(self) -> str:
        """What is added to it, in words."""
        state = self.desk.state
        if not (state.attribute and state.strength):
            return ""
        return f" {state.strength:+.2g} × the direction of {state.attribute}"

    def _show(self, told: str, shown: Shown | str) -> None:
        if isinstance(shown, str):
            self.plate.clear()
            say(self.about, shown)
            return
        first = [] if shown.original is None else [to_float(shown.original)]
        parts = [*first, *shown.images, *shown.differences]
        self.plate.show(np.stack([parts]))
        names = [*(["original"] if first else []), *(run.name for run in self.desk.runs)]
        names += [f"difference of {run.name}" for run in self.desk.runs[1:]]
        say(self.about, f"{told}\nfrom left to right: {', '.join(names)}" if len(names) > 1 else told)

    # --- draws ----------------------------------------------------------------------------------------------------------------

    def _from_prior(self) -> None:
        self._draw(self.desk.first.drawn)

    def _from_density(self) -> None:
        self._draw(lambda seed: np.asarray(self.desk.first.fitted.sample(1, seed)[0], np.float64))

    def _draw(self, code: Callable[[int], Any]) -> None:
        self.drawn += 1
        self.desk.later("draw", partial(code, derive(self.desk.first.seed, "page", self.drawn)), self._drawn)

    def _drawn(self, code: Any) -> None:
        if isinstance(code, str):
            say(self.about, code)
        else:
            self.desk.change(shown=Place(code=tuple(code.tolist())), t=-1.0, swaps=())
