"""One row of a study: what it shows, what it measures, what it finds."""

import operator
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diabolo import figures
from diabolo.metrics.score import Score
from diabolo.reports import markdown
from diabolo.reports.cells import words
from diabolo.reports.document import Block, Cell, Document, Heading, Paragraph, Picture, Table, Verdict
from diabolo.statistics import mean_interval
from diabolo.studies.findings import Measured

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RELATIONS: dict[str, Callable[[float, float], bool]] = {
    "≤": operator.le,
    "<": operator.lt,
    "≥": operator.ge,
    ">": operator.gt,
    "=": operator.eq,
}


def anchor_of(index: str) -> str:
    """What links to the row of that number point at."""
    return f"row-{index.replace('.', '-')}"


class Row:
    """What a row's function is given.

    Attributes:
        index, title: "3.2", "PCA with two components".
        blocks: what it has shown so far, in order.
        numbers: what it has measured: {"name": {"value": …, "unit": …}}.
    """

    def __init__(self, index: str, title: str, folder: Path, unchecked: str | None) -> None:
        self.index, self.title, self._folder, self._unchecked = index, title, folder, unchecked
        self.blocks: list[Block] = []
        self.numbers: dict[str, dict[str, Any]] = {}
        self.own_report: Document | None = None

    @property
    def anchor(self) -> str:
        """What links to this row point at."""
        return anchor_of(self.index)

    def text(self, sentence: str) -> None:
        """Say something that is true whatever was measured."""
        self.blocks.append(Paragraph(sentence))

    def question(self, text: str) -> None:
        """Ask what the findings below it answer; a heading in the report."""
        self.blocks.append(Heading(text, 3))
        print(text)

    def figure(self, name: str, figure: "Figure", caption: str) -> None:
        """Show a figure; it is saved as figures/INDEX-name.png, and .pdf."""
        path = figures.save(figure, self._folder / "figures" / f"{self.index}-{name}.png", pdf=True)
        self.blocks.append(Picture(path, caption, f"{self.anchor}-{name}"))
        _display(path)

    def table(self, caption: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Show a table."""
        self.blocks.append(Table(tuple(columns), [tuple(row) for row in rows], caption))
        _print_table(caption, columns, rows)

    def number(
        self, name: str, value: float, unit: str, low: float | None = None, high: float | None = None, how: str = ""
    ) -> float:
        """Write down a measured number, with its interval where there is one and `how` that was found; returns it."""
        entry = {"value": float(value), "unit": unit, "low": low, "high": high, "interval": how or None}
        self.numbers[name] = {key: item for key, item in entry.items() if item is not None}
        return float(value)

    def score(self, name: str, score: Score) -> float:
        """Write down a score of a measure, with its interval."""
        return self.number(name, score.value, score.unit, score.low, score.high, score.interval or "")

    def over(self, name: str, values: Sequence[float] | NDArray[Any], unit: str, of: str = "seeds") -> float:
        """Write down the mean of `values`, one per seed or draw, with Student's interval over them."""
        low, high = mean_interval(np.asarray(values, np.float64)) if len(values) > 1 else (None, None)
        return self.number(name, fmean(values), unit, low, high, f"Student's t over {len(values)} {of}")

    def pair(self, name: str, a: ArrayLike, b: ArrayLike, unit: str, of: str) -> float:
        """Write down the mean of a − b over the same seeds, draws or images. The findings compare two numbers by it where it is
        called after them, "a less b"."""
        return self.over(name, np.asarray(a, np.float64) - np.asarray(b, np.float64), unit, f"{of}, paired")

    @property
    def found(self) -> dict[str, Measured]:
        """What it has measured, for the sentences of `findings`."""
        return {name: Measured.of(**entry) for name, entry in self.numbers.items()}

    def check(self, claim: str, value: float, relation: str, bar: float, unit: str = "", always: bool = False) -> None:
        """Hold a number against a bar: `check("training loss", 0.031, "≤", 0.04)`. The interval of the number, where it was
        written down with one, is shown beside it.

        On stand-in data or in a quick run a bar says nothing and is shown as not checked, unless it holds `always`: of the
        number of parameters, say.
        """
        same = [n for n in self.numbers.values() if n["value"] == value]  # of two alike nobody knows which is meant
        within = f" ({words(same[0]['low'])} … {words(same[0]['high'])})" if len(same) == 1 and "low" in same[0] else ""
        measured = f"{words(value)} {unit}".strip() + within
        text = f"{claim} {relation} {bar:,.12g} {unit}".strip()
        if self._unchecked is not None and not always:
            self.blocks.append(Verdict(text, measured, "not checked", self._unchecked))
            return
        self.blocks.append(Verdict(text, measured, "met" if RELATIONS[relation](value, bar) else "missed"))

    def finding(self, sentence: str, *figures: str, rows: Sequence[str] = ()) -> None:
        """Say what was found: a sentence made from numbers (see `findings`). It cites this row, or those of the numbers `rows`
        that it rests on, and `figures` of this row by name."""
        cited = [anchor_of(index) for index in rows] or [self.anchor]
        self.blocks.append(Paragraph(sentence, (*cited, *(f"{self.anchor}-{name}" for name in figures))))
        print(sentence)

    def report(self, document: Document) -> str:
        """Make this the report.md of the study, in place of that of all rows, which is then called after the study; returns
        the text."""
        self.own_report = document
        return markdown.render(document, self._folder)


def _display(path: Path) -> None:
    """In a notebook, show the picture below the cell."""
    try:
        from IPython import get_ipython  # type: ignore[import-not-found, unused-ignore]  # there in notebooks only
        from IPython.display import Image, display  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return
    if get_ipython() is not None:
        display(Image(filename=str(path)))  # type: ignore[no-untyped-call, unused-ignore]


def _print_table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    from rich.console import Console
    from rich.table import Table as RichTable

    table = RichTable(*columns, title=caption, title_justify="left")
    for row in rows:
        table.add_row(
            *("" if cell is None else f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in row)
        )
    Console(highlight=False).print(table)
