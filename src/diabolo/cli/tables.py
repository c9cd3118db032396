"""Scores as tables in a terminal."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from diabolo.evaluation.comparison import Comparison, Spread
from diabolo.evaluation.measuring import Evaluation
from diabolo.metrics.score import Score
from diabolo.plain import count


def scores_table(evaluation: Evaluation) -> Table:
    """One line per score, below the name of its measure; what it and its interval are of, where that is not all test images."""
    about = evaluation.about
    test = about["test"]
    title = f"{about['model']}: {count(test['images'], 'test image')} of {test['name']}"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    table.add_column("score", overflow="fold")
    for column in ("value", "95 % interval"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("unit", overflow="fold")
    for name, section in evaluation.sections.items():
        over = _begin(table, name, section.scores.values())
        for key, score in section.scores.items():
            interval = "" if score.low is None or score.high is None else f"{number(score.low)} … {number(score.high)}"
            table.add_row(*map(Text, (f"  {key}", number(score.value), interval, _unit(score, test, over))))
    return table


def _begin(table: Table, measure: str, scores: Iterable[Score]) -> str:
    """A line that names the measure of the `scores` below, and what all of their intervals are over, which is returned, where
    that is not images."""
    several = {score.over for score in scores} - {""}
    over = several.pop() if len(several) == 1 else "images"
    table.add_section()
    told = Text("" if over == "images" else f"intervals over {over}")
    table.add_row(Text(measure.replace("_", " "), style="bold"), *[""] * (len(table.columns) - 2), told)
    return over


def _unit(score: Score, test: Mapping[str, Any], usual: str) -> str:
    """The unit of a score; what it was measured on where that is not all `test` images; what its interval is over where that is
    not the `usual`."""
    of = "" if score.of == f"{test['images']:,} test" else score.of
    over = f"interval over {score.over}" if score.over not in ("", usual) and score.over not in of else ""
    return "; ".join(filter(None, (score.unit, of, over)))


def comparison_table(comparison: Comparison) -> Table:
    """One line per score, one column per model: the mean, and the standard deviation over seeds; bold are the best and those
    that are not significantly worse."""
    told = "mean ± standard deviation over seeds; bold: the best, and what is not significantly worse by as much as matters"
    table = Table(
        title=told if len(comparison.groups) > 1 else told.partition(";")[0], title_justify="left", box=SIMPLE_HEAD
    )
    table.add_column("score", overflow="fold")
    for label, group in comparison.groups.items():
        table.add_column(Text(f"{label}, {count(len(group), 'seed')}"), justify="right")
    table.add_column("unit", overflow="fold")
    test = next(iter(comparison.groups.values()))[0].about["test"]
    for measure, rows in groupby(comparison.rows(), key=lambda row: row.measure):
        several = list(rows)
        over = _begin(table, measure, [row.like for row in several])
        for row in several:
            cells = [spread(row.spreads.get(label), label in row.leading) for label in comparison.groups]
            table.add_row(Text(f"  {row.name}"), *cells, Text(_unit(row.like, test, over)))
    return table


def spread(one: Spread | None, leading: bool) -> Text:
    """Mean ± deviation; bold where no other model is shown to be better."""
    if one is None:
        return Text("–")
    told = number(one.mean) if one.deviation is None else f"{number(one.mean)} ± {number(one.deviation)}"
    return Text(told, style="bold" if leading else "")


def number(value: float) -> str:
    """Four significant digits, without an exponent where that is readable."""
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
