"""What the decoded image is like: the training images nearest to it, how probable its code is, how well it comes back."""

from typing import Any

import numpy as np
from bokeh.layouts import column

from diabolo.data.unit import to_float
from diabolo.explorer.desk import Desk
from diabolo.explorer.likeness import NEAREST, Judge
from diabolo.explorer.likeness import Likeness as Found
from diabolo.explorer.state import State
from diabolo.explorer.views.plate import Plate
from diabolo.explorer.views.widgets import say, words
from diabolo.plain import percent


class Likeness:
    """Neighbours, densities and error."""

    title = "What is it like?"
    told = (
        "The training images nearest to what is decoded, by distance in pixels. A copy is nearer to one of them than test "
        "images are to theirs; but a blurred image is near to many. Then how probable the code is among test codes, and how "
        "well the image comes back."
    )

    def __init__(self, desk: Desk) -> None:
        self.desk, self.judge = desk, Judge(desk.first)
        self.nearest = Plate(desk.first.codec.input_shape, "nearest", 60, 320, NEAREST)
        self.about = words("likeness-told")
        self.root = column(self.nearest.root, self.about, sizing_mode="stretch_width")

    def follow(self, old: State | None, new: State) -> None:
        """Look again, when the hand rests."""
        if old is None:
            say(self.about, "being looked for …")
        if old is None or old.but_the_map != new.but_the_map:
            self.desk.later("likeness", self._look, self._show, slow=True)

    def _look(self) -> Any:
        shown = self.desk.shown()
        return self.judge(shown.codes[0], shown.images[0], self.desk.state.label, self.desk.asked)

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
    near = f"The nearest training image (number {found.index[0]}) is {found.distance[0]:.3g} away (root mean square)"
    told = [f"{near}; {percent(found.as_near)} of the test images are as near to theirs."]
    for name, share in (("the prior N(0, I)", found.prior), ("a Gaussian fitted to the codes", found.fitted)):
        if share is not None:
            told.append(f"Under {name} its code is more probable than {percent(share)} of the test codes.")
    if found.error is not None and found.larger is not None:
        less = f"{percent(found.larger)} of the test images have a larger error"
        told.append(f"Encoded and decoded again it has a mean squared error of {found.error:.3g}; {less}.")
    return told
