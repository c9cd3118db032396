"""The one look of all figures: page, fonts, colours and markers.

Used as a context (`with style():`), or as a decorator (`@drawing`) of whatever draws.
"""

import functools
import io
import textwrap
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, ParamSpec, TypeVar

from diabolo.surroundings import ready_matplotlib

from .colours import PALETTE

ready_matplotlib()  # before its first import

import matplotlib  # noqa: E402
from matplotlib import figure as plain  # noqa: E402
from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: E402
from matplotlib.layout_engine import ConstrainedLayoutEngine  # noqa: E402
from matplotlib.text import Text  # noqa: E402

from .glyphs import FONT, families, legible  # noqa: E402

P = ParamSpec("P")
R = TypeVar("R")

SCREEN = 96  # pixels of a screen in an inch
# No dates and no versions: the same figure gives the same bytes.
METADATA: dict[str, dict[str, None]] = {".png": {"Software": None}, ".pdf": {"CreationDate": None, "Producer": None}}
DPI = 150  # of the page and of every PNG, so that one canvas pixel is one pixel of the file

# Eleven markers to ten colours: 110 classes before a pair comes again, and ten in which neither part does.
# The number is the area that makes a marker look as large as the circle.
MARKERS = {"o": 1, "s": 0.9, "^": 1.3, "D": 0.8, "v": 1.3, "P": 1.3, "X": 1.3, "<": 1.3, ">": 1.3, "*": 2.2, "p": 1.2}
Dashes = Literal["-", "--", "-.", ":"]
DASHES: tuple[Dashes, ...] = ("-", "--", "-.", ":")
MAX_CLASSES = len(PALETTE) * len(MARKERS)

_RC: dict[Any, Any] = {
    "figure.dpi": DPI,
    "figure.constrained_layout.use": False,
    "font.family": FONT,
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.formatter.useoffset": False,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.6,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.color": "#555555",
    "ytick.color": "#555555",
    "xtick.labelcolor": "black",
    "ytick.labelcolor": "black",
    "legend.fontsize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 4,
    "text.parse_math": False,  # a class called "$5" is a name, not a formula
    "hatch.linewidth": 0.6,
    "pdf.fonttype": 42,  # TrueType: text in the PDF stays text
}

_LOCK = threading.RLock()


@contextmanager
def style(fonts: Sequence[str] = (FONT,)) -> Iterator[None]:
    """Draw in the house style, whatever the user's own settings; they are put back afterwards.

    matplotlib keeps its settings per process, so only one thread at a time is in here.

    Args:
        fonts: families, of which the first that has a character draws it.
    """
    with _LOCK, matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_RC | {"font.family": list(fonts)})
        yield


def drawing(function: Callable[P, R]) -> Callable[P, R]:
    """`function`, which draws, in the house style; names among its arguments come to it as they can be drawn, in the fonts that
    have their characters."""

    @functools.wraps(function)
    def styled(*args: P.args, **kwargs: P.kwargs) -> R:
        shown, named = legible(args), legible(dict(kwargs))
        with style(families([shown, named])):
            return function(*shown, **named)

    return styled


@dataclass(frozen=True)
class ClassStyle:
    """How one class is drawn: every pair of colour and marker is unique up to `MAX_CLASSES`."""

    colour: str
    marker: str
    area: float
    dashes: Dashes


def class_style(index: int) -> ClassStyle:
    """Return the look of the class with this index (0, 1, …)."""
    marker, area = list(MARKERS.items())[index % len(MARKERS)]
    return ClassStyle(PALETTE[index % len(PALETTE)], marker, area, DASHES[index % len(DASHES)])


class Figure(plain.Figure):
    """A figure that a notebook shows where it is the last of a cell, or where `display` is called for it."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """The picture, and how many pixels of the screen it takes: at half that size each is sharp on any screen."""
        wide, tall = (round(inches * SCREEN) for inches in self.get_size_inches())
        return rendered(self, ".png"), {"width": wide, "height": tall}


def rendered(figure: plain.Figure, kind: str) -> bytes:
    """The bytes of a ".png" (150 dpi) or a ".pdf" (vectors) of `figure`."""
    content = io.BytesIO()
    # In a PDF the resolution only touches what is rasterised (the cloud of points), so it can be finer.
    dpi = DPI if kind == ".png" else 2 * DPI
    fonts = dict.fromkeys([FONT])
    for words in figure.findobj(Text):
        assert isinstance(words, Text)
        if (shown := legible(words.get_text())) != words.get_text():
            words.set_text(shown)
        fonts.update(dict.fromkeys(words.get_fontfamily()))
    with style(list(fonts)):
        figure.savefig(content, format=kind[1:], dpi=dpi, metadata=METADATA[kind])
    return content.getvalue()


def new_figure(width: float, height: float, *, constrained: bool = False) -> Figure:
    """Return an empty page of `width` × `height` inches on an Agg canvas, unknown to pyplot."""
    figure = Figure(
        figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08) if constrained else None
    )
    FigureCanvasAgg(figure)
    return figure


def wrap(text: str, inches: float, size: float) -> str:
    """Break `text` into lines that fit into `inches` at this font size (points)."""
    characters = max(8, int(inches * 72 / (0.66 * size)))
    return "\n".join(textwrap.fill(line, characters) for line in text.splitlines())


def shorten(text: str, characters: int) -> str:
    """Cut the middle out of a `text` longer than this: names often differ only at the end."""
    if len(text) <= characters:
        return text
    tail = (characters - 1) // 2
    return text[: characters - 1 - tail] + "…" + text[-tail:]
