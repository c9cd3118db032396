"""Controls and words in the look of the page. What they show is escaped: names of classes and files are someone else's."""

from collections.abc import Callable, Sequence
from html import escape
from typing import Any
from weakref import WeakKeyDictionary

from bokeh.document import Document
from bokeh.layouts import row
from bokeh.models import (
    Button,
    Checkbox,
    Div,
    RadioButtonGroup,
    Row,
    Select,
    Slider,
    Spinner,
    Toggle,
    Tooltip,
)

from diabolo.vocabulary import Words

# Custom properties of the page reach into the shadow roots that widgets live in. Bokeh goes through all models of a page for
# every change that it sends, so a style sheet is text and none of them
LOOK = """
:host { color: var(--ink); font: inherit; }
label, .bk-slider-title, .bk-slider-value { color: var(--soft); }
.bk-input { background: var(--field); color: var(--ink); border-color: var(--line); border-radius: 6px; }
.bk-input:focus, .bk-btn:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.bk-btn { background: var(--field) !important; color: var(--ink) !important; border-color: var(--line) !important;
  border-radius: 6px; text-shadow: none; }
.bk-btn.bk-active { background: var(--accent) !important; color: var(--on-accent) !important; }
input[type=file]::file-selector-button { background: var(--field); color: var(--ink);
  border: 1px solid var(--line); border-radius: 6px; }
.bk-description > .bk-icon { background-color: var(--soft); }
select:not([multiple]).bk-input { appearance: auto; background-image: none; padding-right: 4px; }
.bk-input-group { --color: var(--soft); }
.noUi-target { background: var(--field); border-color: var(--line); box-shadow: none; }
.noUi-connect { background: var(--accent); }
.noUi-handle { background: var(--paper); border-color: var(--soft); box-shadow: none; }
.noUi-handle:focus { outline: 2px solid var(--accent); }
"""

SOFT = ":host { color: var(--soft); }"
TIP = """
:host { --tooltip-color: var(--paper); --tooltip-text: var(--ink); --tooltip-border: var(--line); opacity: 1;
  --tooltip-arrow-color: var(--line); --tooltip-arrow-inner-color: var(--paper); border-radius: 6px;
  max-width: min(44ch, 80vw); }
"""


def when(control: Any, what: str, call: Callable[[Any], None]) -> None:
    """Let `call` be told each new `what` of a control."""
    control.on_change(what, lambda attr, old, new: call(new))


def beside(*parts: Any) -> Row:
    """Controls side by side, on several lines where the page is narrow."""
    return row(*parts, sizing_mode="stretch_width", styles={"flex-wrap": "wrap"})


def words(name: str, text: str = "") -> Div:
    """A paragraph; see `say`."""
    div = Div(name=name, sizing_mode="stretch_width", stylesheets=[SOFT])
    say(div, text)
    return div


def say(div: Div, text: str) -> None:
    """Write plain text into a paragraph, a line each, in the words of its page; see `speak`."""
    told = _WORDS.get(div.document, str)(text) if div.document is not None else text
    html = "<br>".join(escape(line) for line in told.splitlines())
    if div.text != html:
        div.text = html


_WORDS: WeakKeyDictionary[Document, Words] = WeakKeyDictionary()  # of each page


def speak(doc: Document, words: Words) -> None:
    """Let a page speak in the words of its data (`diabolo.vocabulary`): what its widgets say, and what `say` will."""
    _WORDS[doc] = words
    for kind, what in ((Div, "text"), (Select, "title"), (Spinner, "title"), (Tooltip, "content")):
        for one in doc.select({"type": kind}):
            setattr(one, what, words(getattr(one, what)))
    for one in doc.select({"type": Select}):
        one.options = [o if isinstance(o, str) else (o[0], words(o[1])) for o in one.options]
    for one in doc.select({"type": RadioButtonGroup}):
        one.labels = [words(label) for label in one.labels]


def select(name: str, title: str, options: Sequence[str | tuple[str, str]], value: str, hint: str) -> Select:
    """One of several words."""
    return Select(
        name=name,
        title=title,
        options=list(options),
        value=value,
        description=tip(hint, position="right"),
        width=170,
        stylesheets=[LOOK],
    )


def tip(content: str, **more: Any) -> Tooltip:
    """A card that comes and goes."""
    return Tooltip(content=content, stylesheets=[TIP], **more)


def slider(name: str, title: str, low: float, high: float, value: float, step: float, width: int = 220) -> Slider:
    """A number from `low` to `high`."""
    return Slider(
        name=name,
        title=title,
        start=low,
        end=high,
        value=min(max(value, low), high),
        step=step,
        width=width,
        stylesheets=[LOOK],
    )


def button(name: str, label: str, **more: Any) -> Button:
    """Something to be done."""
    return Button(name=name, label=label, width=more.pop("width", 140), stylesheets=[LOOK], **more)


def toggle(name: str, label: str) -> Toggle:
    """Something that goes on until it is pressed again."""
    return Toggle(name=name, label=label, width=90, stylesheets=[LOOK])


def checkbox(name: str, label: str, active: bool) -> Checkbox:
    """Yes or no."""
    return Checkbox(name=name, label=label, active=active, stylesheets=[LOOK])


def choice(name: str, labels: Sequence[str]) -> RadioButtonGroup:
    """One of a few."""
    return RadioButtonGroup(name=name, labels=list(labels), active=0, stylesheets=[LOOK])


def spinner(name: str, title: str, high: int, value: int | None) -> Spinner:
    """A whole number from 0 to `high`."""
    return Spinner(name=name, title=title, low=0, high=high, step=1, value=value, width=110, stylesheets=[LOOK])
