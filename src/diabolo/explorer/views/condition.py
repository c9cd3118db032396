"""What a conditional model is asked for."""

from bokeh.layouts import column

from diabolo.explorer.desk import Desk
from diabolo.explorer.state import State
from diabolo.explorer.views.widgets import select, when, words

OWN = "that of the image, else the first"


class Condition:
    """The class that the decoder is given."""

    title = "Class"
    told = "The class that the decoder is given beside the code. The code says the rest: slant, width, style."

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        names = [("-1", OWN), *((str(i), name) for i, name in enumerate(desk.first.classes))]
        self.which = select("class", "Class", names, str(desk.state.label), "What the decoder is asked for.")
        when(self.which, "value", lambda new: desk.change(label=int(self.which.value)))
        self.root = column(self.which, words("class-told"), sizing_mode="stretch_width")

    def follow(self, old: State | None, new: State) -> None:
        """Show which."""
        if self.which.value != str(new.label):
            self.which.value = str(new.label)
