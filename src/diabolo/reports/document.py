"""A report before it has a format: headings, paragraphs, tables, figures and verdicts. Renderers read these, nothing else."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from diabolo.display import Cell
from diabolo.vocabulary import Words


@dataclass(frozen=True)
class Heading:
    """A heading; `anchor` is what links to it point at."""

    text: str
    level: int = 2
    anchor: str | None = None


@dataclass(frozen=True)
class Paragraph:
    """Plain sentences. `cites` are anchors of headings that they rest on, shown as links behind the text."""

    text: str
    cites: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prose:
    """A paragraph in which `code`, **strong**, *stressed* and [links](https://…) are Markdown, such as a lesson's."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list of sentences, in which the same is Markdown."""

    items: Sequence[str]


@dataclass(frozen=True)
class Code:
    """A command or a few lines of code, as they are."""

    text: str
    language: str = "sh"


@dataclass(frozen=True)
class Table:
    """Rows of cells under column names. Numbers are numbers, so that they sort; a renderer writes them with four digits. The
    first cell of a row links to its anchor in `links`, where there are any."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str
    anchor: str | None = None
    links: Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.links and len(self.links) != len(self.rows):
            raise ValueError(f"the table {self.caption!r} has {len(self.rows)} rows, and {len(self.links)} links")
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(
                    f"the table {self.caption!r} has {len(self.columns)} columns, and a row of {len(row)} cells"
                )


@dataclass(frozen=True)
class Picture:
    """A figure on disk, `path` a .png (a .pdf of the same name beside it is used where vectors are wanted)."""

    path: Path
    caption: str
    anchor: str | None = None


@dataclass(frozen=True)
class Verdict:
    """A claim that was checked: "training loss below 0.04" with what was measured.

    state: "met", "missed", "not decided" where the bar lies within the number's interval, or "not checked" with the reason in
        `note`.
    """

    claim: str
    measured: str
    state: Literal["met", "missed", "not decided", "not checked"]
    note: str = ""


Block = Heading | Paragraph | Prose | Bullets | Code | Table | Picture | Verdict


def in_words(blocks: Iterable[Block], words: Words) -> Iterator[Block]:
    """The `blocks`, said in these `words` (`diabolo.vocabulary`); code, paths and anchors stay as they are.

    Example:
        >>> from diabolo.reports.document import Heading, in_words
        >>> [block.text for block in in_words([Heading("Worst images")], diabolo.vocabulary.of((13,)))]
        ['Worst rows']
    """

    def read(cell: Cell) -> Cell:
        return words(cell) if isinstance(cell, str) else cell

    for block in blocks:
        match block:
            case Heading() | Paragraph() | Prose():
                yield replace(block, text=words(block.text))
            case Bullets():
                yield replace(block, items=[*map(words, block.items)])
            case Table():
                rows, columns = [[*map(read, row)] for row in block.rows], [*map(words, block.columns)]
                yield replace(block, columns=columns, rows=rows, caption=words(block.caption))
            case Picture():
                yield replace(block, caption=words(block.caption))
            case Verdict():
                told = words(block.measured)
                yield replace(block, claim=words(block.claim), measured=told, note=words(block.note))
            case Code():
                yield block


@dataclass(frozen=True)
class Document:
    """A report: its title, one sentence on what it is (`about`: data, sizes, date, command), and its blocks."""

    title: str
    about: str
    blocks: Sequence[Block]


def is_numeric(table: Table, column: int) -> bool:
    """Whether a column holds numbers and nothing else, so that it is set to the right."""
    cells: Sequence[Cell] = [row[column] for row in table.rows if row[column] is not None]
    return bool(cells) and all(isinstance(cell, int | float) for cell in cells)
