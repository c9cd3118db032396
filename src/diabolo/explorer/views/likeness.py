"""What the decoded image is like: the training images nearest to it, how probable its code is, how well it comes back."""

from typing import Any

import numpy as np
from bokeh.layouts import column

from diabolo.data.unit import to_float
from diabolo.explorer.desk import Desk
from diabolo.explorer.explored import Likeness as Found
from diabolo.explorer.state import State
from diabolo.explorer.views.plate import Plate
from diabolo.explorer.views.widgets import say, words
from diabolo.plain import percent


class Likeness:
    """Neighbours, densities and error."""

    title = "What is it like?"
    told = (
        "The training images nearest to what is decoded, by distance in pixels: one that is much nearer than is usual for test "
        "images was memorised. How probable the code is among test codes, and how well the image comes back."
    )

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.nearest = Plate(desk.first.codec.input_shape, "nearest", 60, 320)
        self.about = words("likeness-told")
        self.root = column(self.nearest.root, self.about, sizing_mode="stretch_width")

    def follow(self, old: State | None, new: State) -> None:
        """Look again, when the hand rests."""
        if old is None:
            say(self.about, "being looked for …")
        if old is None or old.but_the_map != new.but_the_map:
            self.desk.later("likeness", self._look, self._show, slow=True)

    def _look(self) -> Any:
        run, state = self.desk.first, self.desk.state
        shown = self.desk.shown()
        return run.likeness(shown.codes[0], shown.images[0], state.label, like=self.desk.asked)

    def _show(self, found: Found | str) -> None:
        if isinstance(found, str):
            self.nearest.clear()
            say(self.about, found)
            return
        train = self.desk.first.train
        assert train is not None
        self.nearest.show(np.stack([to_float(train.images[i]) for i in found.index])[None])
        say(self.about, "\n".join(sentences(found)))


def sentences(found: Found) -> list[str]:
    """Likeness in words."""
    ratio = found.distance[0] / max(found.usual, 1e-12)
    near = f"The nearest training image (number {found.index[0]}) is {found.distance[0]:.3g} away (root mean square)"
    copied = "; so near, it may be a copy" if ratio < 0.3 else ""
    told = [f"{near}, {ratio:.2g} times what is usual for a test image{copied}."]
    for name, share in (("the prior N(0, I)", found.prior), ("a Gaussian fitted to the codes", found.fitted)):
        if share is not None:
            told.append(f"Under {name} its code is more probable than {percent(share)} of the test codes.")
    if found.error is not None and found.larger is not None:
        less = f"{percent(found.larger)} of the test images have a larger error"
        told.append(f"Encoded and decoded again it has a mean squared error of {found.error:.3g}; {less}.")
    return told
