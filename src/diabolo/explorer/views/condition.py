"""What a conditional model is given."""

from bokeh.layouts import column

from diabolo.explorer.desk import Desk
from diabolo.explorer.state import State
from diabolo.explorer.views.widgets import select, spinner, when, words

OWN = "that of the image, else the first"


class Condition:
    """The class that the decoder is given; or the test image of which it is given a part."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        run = desk.first
        if run.classes:
            self.title = "Class"
            self.told = (
                "The class that the decoder is given beside the code. The code says the rest: slant, width, style."
            )
            names = [("-1", OWN), *((str(i), name) for i, name in enumerate(run.classes))]
            self.which = select("class", "Class", names, str(desk.state.label), "What the decoder is asked for.")
            when(self.which, "value", lambda new: desk.change(label=int(self.which.value)))
        else:
            given = run.codec.condition.needs_column or "a part of it"
            self.title = "Given"
            self.told = (
                f"Beside the code the decoder is given something of a test image: {given}. Without a number it is that of the "
                "image that is shown, else of image 0."
            )
            last = 0 if run.test is None else len(run.test) - 1
            label = desk.state.label if desk.state.label >= 0 else None
            self.which = spinner("class", "of test image", last, label)
            when(self.which, "value", lambda new: desk.change(label=-1 if new is None else int(new)))
        self.root = column(self.which, words("class-told"), sizing_mode="stretch_width")

    def follow(self, old: State | None, new: State) -> None:
        """Show which."""
        if self.desk.first.classes:
            value: str | int | None = str(new.label)
        else:
            value = None if new.label < 0 else new.label
        if self.which.value != value:
            self.which.value = value
