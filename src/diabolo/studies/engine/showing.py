"""What a row shows as it runs: on a terminal its tables and sentences; below the cell of a notebook figures and code too."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from diabolo.display import Cell, escape, in_notebook, words
from diabolo.display import table as as_html
from diabolo.plain import visible
from diabolo.terminal import Terminal, say


def sentence(text: str, tag: str = "p") -> None:
    """What is said; in a notebook as an HTML element `tag`."""
    if in_notebook():
        _display({"text/plain": visible(text), "text/html": f"<{tag}>{escape(text)}</{tag}>"}, raw=True)
    else:
        say(text)


def figure(path: Path) -> None:
    """The picture, in a notebook."""
    if in_notebook():
        from IPython.display import Image

        _display(Image(filename=str(path)))  # type: ignore[no-untyped-call, unused-ignore]


def table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """The table."""
    text = _as_text(caption, columns, rows)
    if in_notebook():
        _display({"text/plain": text, "text/html": as_html("", caption, columns, rows)}, raw=True)
    else:
        print(text, end="", flush=True)  # above the bar of a study, if there is one


def numbers(of: str, measured: Mapping[str, Mapping[str, Any]]) -> None:
    """What was measured, in a notebook, as a table; `of` what."""
    if in_notebook() and measured:
        rows = [(name, n["value"], n.get("low"), n.get("high"), n["unit"]) for name, n in measured.items()]
        several = any(low is not None for _, _, low, _, _ in rows)
        columns = ("what", "value", "from", "to", "unit") if several else ("what", "value", "unit")
        table(f"The numbers of {of}.", columns, rows if several else [(n, v, unit) for n, v, _, _, unit in rows])


def code(text: str) -> None:
    """Python, in a notebook."""
    from IPython.display import Code

    made: Any = Code(text, language="python")  # type: ignore[no-untyped-call, unused-ignore]
    _display({"text/plain": text, "text/html": made._repr_html_()}, raw=True)


def to_try(text: str) -> None:
    """Something to try, in a notebook."""
    if in_notebook() and text:
        _display({"text/plain": f"Try it: {text}", "text/markdown": f"**Try it.** {text}"}, raw=True)


def _display(what: Any, **how: Any) -> None:
    from IPython.display import display

    display(what, **how)  # type: ignore[no-untyped-call, unused-ignore]


def _as_text(caption: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    from rich.table import Table

    drawn = Table(*columns, title=caption, title_justify="left")
    for row in rows:
        drawn.add_row(*("" if cell is None else cell if isinstance(cell, str) else words(cell) for cell in row))
    terminal = Terminal()
    with terminal.capture() as captured:
        terminal.print(drawn)
    return captured.get()
