"""Where the parts of a chart go: laid out once by matplotlib, and in just the same way when drawn as a part of a page."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text
from matplotlib.ticker import LogLocator, NullFormatter
from matplotlib.transforms import Bbox
from numpy.typing import ArrayLike

from diabolo.errors import DiaboloError
from diabolo.vocabulary import Words

from .style import new_figure, wrap

Sheet = Figure | SubFigure


@dataclass(frozen=True)
class Layout:
    """Where the axes of a figure are, and its heading, in fractions of the figure."""

    axes: tuple[Bbox, ...]
    heading: tuple[float, float] | None


# matplotlib lays out a page as a whole, and takes minutes for one of thirty charts. So each chart of a page is first drawn by
# itself, and on the page, where it has the same size, its parts are put where they were then.
_FOUND: "WeakKeyDictionary[Figure, list[Layout]]" = WeakKeyDictionary()
HEADING = "heading"  # the title over all of a sheet, among its texts
_GIVEN: "WeakKeyDictionary[SubFigure, Iterator[Layout]]" = WeakKeyDictionary()


def canvas(on: SubFigure | None, width: float, height: float) -> Sheet:
    """Return what a chart is drawn on: `on`, or a new page of `width` × `height` inches. Either is laid out by itself."""
    if on is None:
        return new_figure(width, height, constrained=True)
    if on not in _GIVEN and root(on).get_layout_engine() is None:
        root(on).set_layout_engine(ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08))
    return on


def root(sheet: Sheet) -> Figure:
    """Return the page that `sheet` is, or is a part of."""
    figure = sheet.get_figure(root=True)
    assert figure is not None  # only artists without a figure have none
    return figure


def settle(sheet: Sheet) -> Figure:
    """Lay `sheet` out, so that what is placed next finds the axes where they will be; return the page."""
    page = root(sheet)
    engine = page.get_layout_engine()
    if isinstance(sheet, SubFigure) and sheet in _GIVEN:
        _put(sheet, next(_GIVEN[sheet]))
    elif engine is not None:
        for _ in range(2):  # ticks move when the axes get their size
            engine.execute(page)
    if isinstance(sheet, Figure):
        heading = _heading(sheet)
        layout = Layout(
            tuple(axes.get_position(original=True) for axes in sheet.axes),
            None if heading is None else heading.get_position(),
        )
        _FOUND.setdefault(sheet, []).append(layout)
    return page


def layouts(figure: Figure) -> list[Layout]:
    """Return how `figure` was laid out, each time that it was settled."""
    return _FOUND.get(figure, [])


def lay_out_as(part: SubFigure, found: Iterable[Layout]) -> None:
    """Have whatever is drawn on `part` laid out as it was `found` when drawn by itself."""
    _GIVEN[part] = iter(found)


def _put(part: SubFigure, layout: Layout) -> None:
    for axes, place in zip(part.axes, layout.axes, strict=True):
        axes.set_position(place)
        axes.get_xlim(), axes.get_ylim()  # brought up to date with the data only when asked for
    if layout.heading is not None and (heading := _heading(part)) is not None:
        heading.set_position(layout.heading)


def overhead(sheet: Sheet, text: str, inches: float) -> None:
    """Write the title of a figure that has several sets of axes, or wide labels, in the middle of the page."""
    sheet.suptitle(wrap(text, inches, 12), fontsize=12, fontweight="bold").set_gid(HEADING)


def _heading(sheet: Sheet) -> Text | None:
    return next((text for text in sheet.texts if text.get_gid() == HEADING), None)


def head(axes: Axes, text: str, inches: float) -> None:
    """Write the title of a figure that has one set of axes, broken to the width of the page."""
    axes.set_title(wrap(text, inches, 12), fontsize=12, loc="center", pad=10)


def logarithmic(axes: Axes, which: str, values: ArrayLike, what: str) -> None:
    """Make the scales of the axes `which`, "y" or "xy", logarithmic, with marks at 1, 2 and 5 times powers of ten.

    Raises:
        DiaboloError: where some of the `values` drawn are not above 0.
    """
    if np.min(values) <= 0:
        raise DiaboloError(f"{what}: a logarithmic axis has no place for {np.min(values):g}")
    for name in which:
        axes.set(**{f"{name}scale": "log"})
        axis = getattr(axes, f"{name}axis")
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=12))
        axis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.set_minor_formatter(NullFormatter())


def in_words(sheet: Sheet, words: Words) -> None:
    """Say the headings of `sheet`, of its parts and of their axes, and the names of the axes in these `words`; what stands at
    ticks, in legends and beside points are names.

    Example:
        >>> figure = diabolo.figures.kl_bars([0.3], [True])
        >>> diabolo.figures.layout.in_words(figure, diabolo.vocabulary.of((13,)))
        >>> figure.axes[0].get_ylabel()
        'KL (nats per row)'
    """
    own = [text for axes in sheet.axes for text in (axes.title, axes.xaxis.label, axes.yaxis.label)]
    for text in (*sheet.texts, *own):
        if (said := words(text.get_text())) != text.get_text():
            text.set_text(said)
    for part in sheet.subfigs:
        in_words(part, words)


def capital(text: str) -> str:
    """A `text` as a heading: its first letter large."""
    return text[:1].upper() + text[1:]
