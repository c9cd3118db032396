"""Scores as tables in a terminal: no number is cut and no word is broken, however narrow it is."""

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from diabolo.display import FIRM, words
from diabolo.evaluation.comparison import Comparison, Row
from diabolo.evaluation.learned import Learned
from diabolo.evaluation.measure import rank
from diabolo.evaluation.measuring import Evaluation
from diabolo.metrics.score import Score
from diabolo.plain import visible
from diabolo.reports.comparison import written

LINES, USUAL = 12, 80  # of the headline of an evaluation; the width at which it has them
LONG = 33  # letters of a unit from which on it stands below the table
GAP, INDENT = 2, 4
ROOMY = 16  # what a column of words wants at least, to stand beside the others
_TOGETHER = re.compile(r"(?<=\d) (?=%)")


@dataclass(frozen=True)
class Cell:
    """Words of a table; numbers stand to the right, and are never wrapped."""

    text: str
    number: bool = False
    style: str = ""


def headline(evaluation: Evaluation, closing: str, width: int) -> Iterator[Text]:
    """What matters most for a model of this kind: the scores that the measures themselves put first, as many as make `LINES`
    lines where `width` is `USUAL`, whether it has learned, and the sentence `closing`."""
    every = {
        (name, key): score for name, section in evaluation.sections.items() for key, score in section.scores.items()
    }
    places = {where: place for where in every if (place := rank(*where)) is not None}
    order = sorted(places, key=lambda where: places[where])
    order += [where for where in every if where not in places]  # where few were measured, all of them
    best = order if len(every) <= LINES else order[: len(places)] or order
    for several in range(len(best), 1, -1):
        if len(_headline(evaluation, [every[where] for where in best[:several]], best, closing, USUAL)) <= LINES:
            break
        best = best[: several - 1]
    yield from _headline(evaluation, [every[where] for where in best], best, closing, width)


def _headline(
    evaluation: Evaluation, scores: Sequence[Score], names: Sequence[tuple[str, str]], closing: str, width: int
) -> list[Text]:
    """Its lines. What a unit has in brackets, and one that is long, is said once, below the table."""
    marks: dict[str, str] = {}
    units = []
    for unit in (evaluation.words(score.unit) for score in scores):
        told, bracket, _ = unit.partition(" (")
        note = unit.removeprefix(told).strip(" ()") if bracket else unit if len(told) > LONG else ""
        if note:
            mark = marks.setdefault(note, "*" * (len(marks) + 1))
            told = f"{told} {mark}" if bracket else mark
        units.append(told)
    lines = [
        *_title(evaluation, width),
        *_scores([evaluation.words(name) for _, name in names[: len(scores)]], scores, units, width),
    ]
    for note, mark in marks.items():
        lines += prose(f"{mark} {note}", width, "dim")
    return [*lines, *prose(_verdict(evaluation), width), *prose(closing, width)]


def every_score(evaluation: Evaluation, closing: str, width: int) -> Iterator[Text]:
    """All scores below the names of their measures, whether the model has learned, and what was not measured."""
    yield from _title(evaluation, width)
    test, words = evaluation.about["test"], evaluation.words
    for name, section in evaluation.sections.items():
        over = _over(section.scores.values())
        told = "" if over == "images" else words(f" (intervals over {over})")
        yield Text()
        yield from prose(f"{name.replace('_', ' ')}{told}", width, "bold")
        scores = section.scores.values()
        units = [words(_unit(score, test, over)) for score in scores]
        yield from _scores(map(words, section.scores), scores, units, width)
    yield Text()
    yield from prose(_verdict(evaluation), width)
    for measure, reason in evaluation.skipped.items():
        yield from prose(words(f"not measured: {measure}, {reason}"), width)
    yield from prose(closing, width)


def _title(evaluation: Evaluation, width: int) -> Iterator[Text]:
    yield from prose(f"{evaluation.about['model']}: {evaluation.tested}", width, "italic")


def _verdict(evaluation: Evaluation) -> str:
    told = Learned.of(evaluation["learned"].scores).verdict if "learned" in evaluation.sections else ""
    return evaluation.words(told)


def _scores(names: Iterable[str], scores: Iterable[Score], units: Iterable[str], width: int) -> list[Text]:
    rows = [
        [Cell(name), _number(score.value), Cell(interval(score), number=True), Cell(unit)]
        for name, score, unit in zip(names, scores, units, strict=True)
    ]
    return table(["score", "value", "95 % interval" if any(row[2].text for row in rows) else "", "unit"], rows, width)


def interval(score: Score) -> str:
    """Its ends, in words; "" where there is none."""
    return "" if score.low is None or score.high is None else f"{words(float(score.low))} to {words(float(score.high))}"


def _over(scores: Iterable[Score]) -> str:
    """What the intervals of all these scores are over, where that is one thing; else images."""
    several = {score.over for score in scores} - {""}
    return several.pop() if len(several) == 1 else "images"


def _unit(score: Score, test: Mapping[str, Any], usual: str) -> str:
    """The unit of a score; what it was measured on where that is not all `test` images; what its interval is over where that is
    not the `usual`."""
    of = "" if score.of == f"{test['images']:,} test" else score.of
    over = f"interval over {score.over}" if score.over not in ("", usual) and score.over not in of else ""
    return "; ".join(filter(None, (score.unit, of, over)))


def comparison_tables(comparison: Comparison, groups: Mapping[str, Sequence[Row]], width: int) -> Iterator[Text]:
    """A line for each model and a column for each score, in as many tables below each other as the `width` asks for: the mean,
    and the standard deviation over seeds. Bold is the best with those not shown to be worse, where another is.

    Args:
        comparison: whose models.
        groups: the scores below their headings; the heading "" is not shown.
        width: of a line.
    """
    test = next(iter(comparison.groups.values()))[0].about["test"]
    yield from prose(f"{comparison.counted}: {comparison.tested}", width, "italic")
    for heading, rows in groups.items():
        over = _over([row.like for row in rows])
        yield Text()
        yield from prose(heading, width, "bold")
        for part in _parts(comparison, rows, width):
            yield from _beside(comparison, part, width)
            for unit, names in _units(part, test, over).items():
                yield from prose(comparison.words(f"{', '.join(names)}: {unit}"), width, "dim")


def _beside(comparison: Comparison, rows: Sequence[Row], width: int) -> list[Text]:
    heads = ["model", *(comparison.words(row.name) for row in rows)]
    cells = [[Cell(label), *(_spread(row, label) for row in rows)] for label in comparison.groups]
    return table(heads, cells, width)


def _parts(comparison: Comparison, rows: Sequence[Row], width: int) -> Iterator[list[Row]]:
    """The rows in turn, as many side by side as stand in one table without moving below each other."""
    part: list[Row] = []
    for row in rows:
        heads = ["model", *(comparison.words(one.name) for one in (*part, row))]
        cells = [[Cell(label), *(_spread(one, label) for one in (*part, row))] for label in comparison.groups]
        if part and _widths(heads, cells, width) is None:
            yield part
            part = []
        part.append(row)
    yield part


def _units(rows: Sequence[Row], test: Mapping[str, Any], over: str) -> dict[str, list[str]]:
    """The names of scores by their unit, and by which of more and less is better."""
    found: dict[str, list[str]] = {}
    for row in rows:
        better = f"; {row.like.better} is better" if row.like.better else ""
        found.setdefault(f"{_unit(row.like, test, over)}{better}", []).append(row.name)
    return found


def _spread(row: Row, label: str) -> Cell:
    return Cell(written(row.spreads.get(label)), number=True, style="bold" if label in row.leading else "")


def _number(value: float) -> Cell:
    return Cell(words(float(value)), number=True)


def prose(text: str, width: int, style: str = "") -> list[Text]:
    """`text` in lines of `width`; words that are wider, such as a path, are left whole."""
    return [Text(line, style) for line in _wrapped(visible(text), width)]


def _wrapped(text: str, width: int) -> list[str]:
    kept = _TOGETHER.sub(FIRM, text)  # a number and its sign
    lines = textwrap.wrap(kept, max(1, width), break_long_words=False, break_on_hyphens=False)
    return [line.replace(FIRM, " ") for line in lines]


def table(heads: Sequence[str], rows: Sequence[Sequence[Cell]], width: int) -> list[Text]:
    """The `rows` under their `heads`, in lines of `width`. Where the columns cannot stand side by side, the last moves below
    the others, then the one before it."""
    rows = [[Cell(visible(cell.text), cell.number, cell.style) for cell in row] for row in rows]
    kept = len(heads)
    while (widths := _widths(heads[:kept], [row[:kept] for row in rows], width)) is None and kept > 1:
        kept -= 1
    sizes = widths or [width]
    numeric = [any(row[i].number for row in rows) for i in range(kept)]
    lines = _line([Cell(head, style="bold") for head in heads[:kept]], sizes, numeric)
    for row in rows:
        lines += _line(row[:kept], sizes, numeric)
        for head, cell in zip(heads[kept:], row[kept:], strict=True):
            told = f"{head} {cell.text}" if cell.number and head else cell.text
            lines += [
                Text(" " * INDENT + line, cell.style) for line in _wrapped(told if cell.text else "", width - INDENT)
            ]
    return lines


def _widths(heads: Sequence[str], rows: Sequence[Sequence[Cell]], width: int) -> list[int] | None:
    """How wide each column is: numbers as wide as they are, words at least as wide as the longest, and the more the more they
    have to say; None where they do not fit."""
    least, most = [], []
    for i, head in enumerate(heads):
        cells = [row[i] for row in rows]
        longest = max(map(cell_len, head.split()), default=0)
        wide = max((cell_len(cell.text) for cell in cells), default=0)
        roomy = 0 if any(cell.number for cell in cells) else min(wide, ROOMY)
        least.append(max([longest, roomy, *(_longest(cell) for cell in cells)]))
        most.append(max(least[i], wide))
    room = width - GAP * (len(heads) - 1) - sum(least)
    if room < 0:
        return None
    widths = list(least)
    for i in range(len(heads)):  # names first, what is left for the units
        more = min(room, most[i] - widths[i])
        widths[i] += more
        room -= more
    return widths


def _longest(cell: Cell) -> int:
    return cell_len(cell.text) if cell.number else max(map(cell_len, cell.text.split()), default=0)


def _line(cells: Sequence[Cell], widths: Sequence[int], numeric: Sequence[bool]) -> list[Text]:
    """The lines of one row."""
    parts = [
        [cell.text] if cell.number else _wrapped(cell.text, wide) for cell, wide in zip(cells, widths, strict=True)
    ]
    lines = []
    for k in range(max(map(len, parts))):
        line = Text()
        for i, (part, wide) in enumerate(zip(parts, widths, strict=True)):
            said = part[k] if k < len(part) else ""
            pad = " " * max(0, wide - cell_len(said))
            line.append(" " * GAP if i else "")
            line.append(f"{pad}{said}" if numeric[i] else f"{said}{pad}", cells[i].style)
        line.rstrip()
        lines.append(line)
    return lines
