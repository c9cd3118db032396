"""Lines and files of what is shown, and its address."""

from typing import Any

from bokeh.layouts import column
from bokeh.models import CustomJS, TextAreaInput

from diabolo.explorer.desk import Desk
from diabolo.explorer.pixels import is_picture
from diabolo.explorer.state import LONGEST, State
from diabolo.explorer.taking import command_line, python_lines
from diabolo.explorer.views.widgets import LOOK, beside, button, say, words

COPY = """
const say = text => { told.text = text }
const kept = () => say('copied')
const failed = () => say('the browser does not let a page copy here: mark the lines above and copy them')
if (navigator.clipboard) navigator.clipboard.writeText(lines.value).then(kept, failed)  // not on a page of another machine
else failed()
"""
# What of the address stands after the question mark is the state of the page; the token is in a cookie by then
ADDRESS = "history.replaceState(null, '', address.value ? '?' + address.value : location.pathname)"
# Not all that is shown has an address: pictures that were brought along, long codes. The page itself is asked while it is open
OPEN = "window.open('figure.' + kind + '?page=' + page + '&' + address.value, '_blank', 'noopener')"


class Take:
    """The lines that make what is shown, its figure, its address."""

    title = "Take it along"
    told = (
        "The lines that make what is shown. The address of the page brings it back, but for pictures that were brought along "
        f"and codes of more than {LONGEST} numbers."
    )

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.python = TextAreaInput(
            name="python", title="as Python", rows=6, sizing_mode="stretch_width", stylesheets=[LOOK], max_length=None
        )
        self.command = TextAreaInput(
            name="command",
            title="as a command",
            rows=2,
            sizing_mode="stretch_width",
            stylesheets=[LOOK],
            max_length=None,
        )
        self.address = TextAreaInput(name="address", visible=False, value="", max_length=None)
        self.address.js_on_change("value", CustomJS(args={"address": self.address}, code=ADDRESS))
        self.about = words("take-told")
        buttons = []
        for name, box in (("Python", self.python), ("command", self.command)):
            one = button(f"copy-{name.lower()}", f"copy as {name}", width=150)
            one.js_on_click(CustomJS(args={"lines": box, "told": self.about}, code=COPY))
            buttons.append(one)
        drawn = is_picture(desk.first.codec.input_shape)  # there are figures of pictures only
        for kind in ("png", "pdf") if drawn else ():
            one = button(f"save-{kind}", f"save figure ({kind.upper()})", width=150)
            one.js_on_click(CustomJS(args={"address": self.address, "kind": kind, "page": desk.key}, code=OPEN))
            buttons.append(one)
        self.root = column(
            self.python,
            self.command,
            beside(*buttons),
            self.about,
            self.address,
            sizing_mode="stretch_width",
        )

    def follow(self, old: State | None, new: State) -> None:
        """Write them anew."""
        self.address.value = new.address
        say(self.about, "")
        self.desk.later("lines", lambda: (python_lines(self.desk), command_line(self.desk)), self._show)

    def _show(self, found: Any) -> None:
        if isinstance(found, str):
            self.python.value, self.command.value = found, ""
        else:
            self.python.value, self.command.value = found
