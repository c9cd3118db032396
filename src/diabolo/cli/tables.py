"""Scores as tables in a terminal."""

from rich.table import Table
from rich.text import Text

from diabolo.evaluation.comparison import Comparison, Spread
from diabolo.evaluation.measuring import Evaluation


def scores_table(evaluation: Evaluation) -> Table:
    """One line per score; the measure is named on its first."""
    about = evaluation.about
    title = f"{about['model']}: {about['test']['images']:,} test images of {about['test']['name']}"
    table = Table(title=title, title_justify="left")
    for column in ("measure", "score"):
        table.add_column(column, overflow="fold")
    for column in ("value", "95 % interval"):
        table.add_column(column, justify="right", no_wrap=True)
    for column in ("unit", "of"):
        table.add_column(column, overflow="fold")
    for name, section in evaluation.sections.items():
        for i, (key, score) in enumerate(section.scores.items()):
            interval = "" if score.low is None or score.high is None else f"{number(score.low)} … {number(score.high)}"
            row = (name if not i else "", key, number(score.value), interval, score.unit, score.of)
            table.add_row(*map(Text, row), end_section=i == len(section.scores) - 1)
    return table


def comparison_table(comparison: Comparison) -> Table:
    """One line per score, one column per model: the mean, and the standard deviation over seeds; bold are the best and those
    that are not significantly worse."""
    told = "mean ± standard deviation over seeds; bold: the best, and what is not significantly worse by as much as matters"
    table = Table(title=told if len(comparison.groups) > 1 else told.partition(";")[0], title_justify="left")
    for column in ("measure", "score"):
        table.add_column(column, overflow="fold")
    for label, group in comparison.groups.items():
        table.add_column(Text(f"{label}, {len(group)} seed{'s' if len(group) > 1 else ''}"), justify="right")
    for column in ("unit", "of"):
        table.add_column(column, overflow="fold")
    last = None
    for row in comparison.rows():
        if last not in (None, row.measure):
            table.add_section()
        cells = [spread(row.spreads.get(label), label in row.leading) for label in comparison.groups]
        table.add_row(
            Text(row.measure if row.measure != last else ""),
            Text(row.name),
            *cells,
            Text(row.like.unit),
            Text(row.like.of),
        )
        last = row.measure
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
