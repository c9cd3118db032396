"""The page: which views a run has, where they stand, light and dark."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from bokeh.document import Document
from bokeh.models import Checkbox, CustomJS, Div, LayoutDOM, Plot
from jinja2 import Template

from diabolo.errors import DiaboloError
from diabolo.explorer.desk import Desk, Follower
from diabolo.explorer.explored import Explored
from diabolo.explorer.lanes import Lane
from diabolo.explorer.state import State
from diabolo.explorer.views.attributes import Attributes
from diabolo.explorer.views.codebook import Codebook
from diabolo.explorer.views.condition import Condition
from diabolo.explorer.views.decoded import Decoded
from diabolo.explorer.views.likeness import Likeness
from diabolo.explorer.views.map import Map
from diabolo.explorer.views.pins import Pins
from diabolo.explorer.views.take import Take
from diabolo.explorer.views.training import Training
from diabolo.explorer.views.units import Units
from diabolo.explorer.views.widgets import speak

HERE = Path(__file__).parent
INK, SOFT = {False: "#1d2126", True: "#e8eaed"}, {False: "#5b626b", True: "#a5abb3"}
DARK = """
const asked = window.matchMedia('(prefers-color-scheme: dark)')
const tell = () => { dark.active = asked.matches }
asked.addEventListener('change', tell)
tell()
"""
HIDDEN = {"connection_lost": "false", "client_reconnected": "true"}  # whether nothing is said of the server
NO_TOKEN = """
const address = new URL(location.href)
address.searchParams.delete('token')
history.replaceState(null, '', address.pathname + address.search)
"""


class View(Follower, Protocol):
    """A part of the page.

    Attributes:
        title: its heading.
        told: what it is for, shown under the heading.
        root: what Bokeh draws.
    """

    title: str
    told: str
    root: LayoutDOM


@dataclass(frozen=True)
class Section:
    """A view as the template places it."""

    title: str
    told: str
    root: str
    area: str


RIGHT = ("decoded", "likeness", "condition", "units", "codebook", "take")  # of a wide page


def fill(doc: Document, runs: Sequence[Explored], query: dict[str, str], quick: Lane, slow: Lane) -> Desk | None:
    """Put the page of `runs` into the document of a session; its desk, or None where the address was refused.

    Args:
        doc: of the session.
        runs: what is explored; the map is that of the first.
        query: the address, see `State.of`.
        quick, slow: where pictures are worked out.
    """
    try:
        state = State.of(query)
    except DiaboloError as error:
        sentence(doc, f"This address does not fit: {error}")
        return None
    key = doc.session_context.id if doc.session_context else ""
    desk = Desk(runs, state, quick, slow, doc.add_next_tick_callback, key)
    views = _views(doc, desk)
    for name, view in views.items():
        view.root.name = f"section-{name}"
        view.root.sizing_mode = "stretch_width"
        desk.join(view)
        doc.add_root(view.root)
    dark = Checkbox(name="dark", active=False, visible=False)
    dark.on_change("active", lambda attr, old, new: paint(doc, bool(new)))
    doc.add_root(dark)
    doc.js_on_event("document_ready", CustomJS(args={"dark": dark}, code=DARK), CustomJS(code=NO_TOKEN))
    doc.config.notify_connection_status = False  # the page says so itself
    for event, hidden in HIDDEN.items():
        doc.js_on_event(event, CustomJS(code=f"document.getElementById('lost').hidden = {hidden}"))
    words = runs[0].words
    sections = [Section(words(view.title), words(view.told), f"section-{name}", name) for name, view in views.items()]
    _dress(doc, " and ".join(run.name for run in runs), sections, words(runs[0].about), unseen=("dark",))
    speak(doc, words)
    paint(doc, False)
    doc.on_session_destroyed(lambda context: desk.close())
    desk.begin()
    return desk


def _views(doc: Document, desk: Desk) -> dict[str, View]:
    """Those that make sense for the run, by the name of their place."""
    run = desk.first
    coded = run.codec.decodes and run.width > 0
    after, cancel = _guarded(doc.add_timeout_callback), doc.remove_timeout_callback
    ready = partial(doc.js_on_event, "document_ready")
    every, no_more = _guarded(doc.add_periodic_callback), doc.remove_periodic_callback
    wanted: dict[str, tuple[bool, Callable[[], View]]] = {
        "map": (run.test is not None and run.width > 0, lambda: Map(desk, after, partial(_quietly, cancel))),
        "decoded": (run.codec.decodes, lambda: Decoded(desk)),
        "likeness": (run.codec.decodes and run.train is not None and run.test is not None, lambda: Likeness(desk)),
        "condition": (bool(run.codec.decodes and run.codec.condition.to_decoder), lambda: Condition(desk)),
        "units": (coded, lambda: Units(desk)),
        "pins": (coded, lambda: Pins(desk, every, partial(_quietly, no_more), ready)),
        "attributes": (coded and not run.discrete, lambda: Attributes(desk)),
        "codebook": (run.quantizer is not None and run.test is not None, lambda: Codebook(desk)),
        "training": (run.path is not None, lambda: Training(desk, every)),
        "take": (run.codec.decodes, lambda: Take(desk)),
    }
    return {name: make() for name, (there, make) in wanted.items() if there}


def _guarded(add: Callable[..., Any]) -> Callable[[int, Callable[[], None]], Any]:
    """Bokeh's timers, the time first."""
    return lambda milliseconds, call: add(call, milliseconds)


def _quietly(cancel: Callable[[Any], None], timer: Any) -> None:
    """Cancel a timer that may have run already."""
    with suppress(ValueError):
        cancel(timer)


def sentence(doc: Document, text: str) -> None:
    """A page that says one thing."""
    doc.add_root(Div(name="nothing", visible=False))
    _dress(doc, "Diabolo", [], text, unseen=("nothing",))


def _dress(doc: Document, title: str, sections: Sequence[Section], about: str, unseen: Sequence[str] = ()) -> None:
    doc.title = f"{title} · Diabolo"
    doc.template = Template((HERE / "page.html").read_text(encoding="utf-8"))
    columns = [[s for s in sections if (s.area in RIGHT) == right] for right in (False, True)]
    css = (HERE / "page.css").read_text(encoding="utf-8")
    doc.template_variables.update(heading=title, about=about, columns=columns, css=css, unseen=unseen)


def paint(doc: Document, dark: bool) -> None:
    """Axes and words of all plots, light or dark: canvases do not know the style sheet of the page."""
    ink, soft = INK[dark], SOFT[dark]
    for plot in doc.select({"type": Plot}):
        for axis in plot.axis:
            axis.update(
                axis_label_text_color=ink,
                axis_label_text_font_style="normal",
                major_label_text_color=soft,
                axis_line_color=soft,
                major_tick_line_color=soft,
                minor_tick_line_color=None,
            )
        for legend in plot.legend:
            legend.label_text_color = ink
        for grid in plot.grid:
            grid.update(grid_line_color=soft, grid_line_alpha=0.2)
