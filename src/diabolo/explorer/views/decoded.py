"""What the decoder makes of the code that is shown."""

from dataclasses import replace
from typing import Any

import numpy as np
from bokeh.layouts import column

from diabolo import latents
from diabolo.data.unit import to_float
from diabolo.explorer.desk import Desk, Shown
from diabolo.explorer.explored import Floats
from diabolo.explorer.state import Place, State
from diabolo.explorer.views.plate import Plate
from diabolo.explorer.views.widgets import beside, button, say, words

WIDE = 220  # pixels of the screen


class Decoded:
    """The decoded image; beside it the original, the same image through a second run, and the difference."""

    title = "Decoded"
    told = "The image that the decoder makes of the chosen code, beside the original where the code is that of a test image."

    def __init__(self, desk: Desk) -> None:
        self.desk, self.drawn = desk, 0
        shape = desk.first.codec.input_shape
        self.plate = Plate(shape, "decoded", WIDE, 3 * WIDE)
        self.about = words("decoded-told")
        self.prior, self.fitted = (
            button("from-prior", "draw from the prior"),
            button("from-density", "draw from the codes"),
        )
        self.mean = button("from-mean", "mean code", width=100)
        self.prior.on_click(self._from_prior)
        self.fitted.on_click(self._from_density)
        self.mean.on_click(lambda: desk.change(shown=None, t=-1.0, swaps=()))
        smooth = [] if desk.first.discrete else [self.fitted, self.mean]  # indices have no mean, and no Gaussian
        buttons = beside(self.prior, *smooth)
        self.root = column(self.plate.root, self.about, buttons, sizing_mode="stretch_width")

    def follow(self, old: State | None, new: State) -> None:
        """Decode anew, unless only the map has changed."""
        if old is not None and _of_map(old) == _of_map(new):
            return
        self.desk.later("decoded", self.desk.shown, self._show)

    def glance(self, code: Floats) -> None:
        """Decode what lies under the mouse."""
        self.desk.later("decoded", lambda: self.desk.shown(code), self._show)

    def _show(self, shown: Shown | str) -> None:
        if isinstance(shown, str):
            self.plate.clear()
            say(self.about, shown)
            return
        first = [] if shown.original is None else [to_float(shown.original)]
        parts = [*first, *shown.images, *shown.differences]
        self.plate.show(np.stack([parts]))
        names = [*(["original"] if first else []), *(run.name for run in self.desk.runs)]
        names += [f"difference of {run.name}" for run in self.desk.runs[1:]]
        say(self.about, " · ".join(names))

    # --- draws ----------------------------------------------------------------------------------------------------------------

    def _from_prior(self) -> None:
        self._draw(self._prior_code)

    def _from_density(self) -> None:
        def code() -> Floats:
            run = self.desk.first
            density = latents.fit_density("gaussian", run.train_codes)
            return np.asarray(density.sample(1, self.drawn)[0], np.float64)

        self._draw(code)

    def _prior_code(self) -> Floats:
        """A code of the prior N(0, I)."""
        run = self.desk.first
        if run.discrete:
            image = run.codec.sample(1, self.drawn)[0].cpu().numpy()
            return run.code_of_picture(np.asarray(image, np.float32))
        return np.random.default_rng(self.drawn).standard_normal(run.width)

    def _draw(self, code: Any) -> None:
        self.drawn += 1
        self.desk.later("draw", code, self._drawn)

    def _drawn(self, code: Any) -> None:
        if isinstance(code, str):
            say(self.about, code)
        else:
            self.desk.change(shown=Place(code=tuple(code.tolist())), t=-1.0, swaps=())


def _of_map(state: State) -> State:
    """What of a state the decoded image depends on."""
    return replace(state, plane="pca", through=(), colour="")
