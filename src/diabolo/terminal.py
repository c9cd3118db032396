"""Words to a terminal. Names of runs, data sets, classes and files are someone else's: they are shown, and never acted on."""

import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from diabolo.plain import visible


def say(text: object, error: bool = False) -> None:
    """Print one line, on stdout or stderr; a line break within it is shown as one."""
    print(visible(str(text)), file=sys.stderr if error else sys.stdout, flush=True)


class Terminal(Console):
    """rich's console, for which `[red]` and `:smile:` are words, and characters that act are written out.

    Args:
        error: whether it is stderr.
    """

    def __init__(self, error: bool = False) -> None:
        super().__init__(stderr=error, markup=False, emoji=False, highlight=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What is written, piece by piece."""
        if isinstance(renderable, str):
            renderable = Text(renderable)
        if isinstance(renderable, Text) and (plain := visible(renderable.plain, lines=True)) != renderable.plain:
            renderable = Text(plain, renderable.style, justify=renderable.justify, overflow=renderable.overflow)
        return super().render(renderable, options)

    def render_str(self, text: str, **how: Any) -> Text:
        """Words as rich sets them."""
        return super().render_str(visible(text, lines=True), **how)
