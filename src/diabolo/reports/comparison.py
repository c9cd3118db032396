"""Models side by side as one page, and as a table for a paper: LaTeX, Markdown, or CSV with all digits."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from diabolo import disk
from diabolo.display import words
from diabolo.evaluation.comparison import Comparison, Row, Spread
from diabolo.paths import as_path
from diabolo.plain import cell
from diabolo.reports import html, latex, markdown
from diabolo.reports.document import Block, Bullets, Document, Heading, Paragraph, Picture, Table, in_words
from diabolo.statistics import mean_interval, what_matters

PAGE = "comparison.html"
BESIDE = 6  # scores beside each other in a table on paper
BOLD = (
    "Bold is the best value, with those shown to differ from it by less than matters, where every other value is shown to be "
    "worse (5 % level, corrected by Holm for all pairs of models), at least one of them by as much as matters. Where that is "
    "not decided, nothing is bold."
)
RULE = (
    "Runs that differ only in the seed are one model: its number is the mean, with the standard deviation over seeds. Over "
    "several seeds models are compared by Welch's test; single runs by what is known of each on the same test images. All "
    "pairs of models count as one family of tests (Holm 1979, 5 % level). A difference counts only where it is large enough "
    "to matter"
)


def write(comparison: Comparison, folder: str | Path) -> list[Path]:
    """Write comparison.json, the figures, and the page into `folder`; returns the files."""
    folder = as_path(folder)
    written = comparison.write(folder)
    pictures = {path.stem: path for path in written if path.suffix == ".png"}
    disk.write(folder / PAGE, html.render(document_of(comparison, pictures)).encode())
    return [*written, folder / PAGE]


def document_of(comparison: Comparison, pictures: Mapping[str, Path]) -> Document:
    """The page: what was found in each measure whose models differ or that matters, and all else in an appendix.

    Args:
        comparison: what is told.
        pictures: its figures by measure.
    """
    blocks: list[Block] = []
    for label, why in comparison.unlearned.items():
        blocks.append(
            Paragraph(f"{label} is not shown to have learned, so it is called neither better nor worse: {why}.")
        )
    shown = {(row.measure, row.name) for row in comparison.shown()}
    rest: dict[str, list[Row]] = {}
    for measure, rows in comparison.by_measure().items():
        these = [row for row in rows if (row.measure, row.name) in shown]
        if others := [row for row in rows if row not in these]:
            rest[measure] = others
        if not these:
            continue
        blocks.append(Heading(measure.capitalize()))
        blocks += [Paragraph(text) for text in sentences(these)]
        blocks.append(_table(comparison, these, f"Scores of the measure {measure}, by model."))
        if (picture := pictures.get(these[0].measure)) is not None:
            blocks.append(
                Picture(picture, f"The scores of {measure} that matter most, with whiskers as each axis says.")
            )
    blocks += [Heading("How differences are judged"), Paragraph(f"{RULE}: {what_matters(_units(comparison))}.")]
    if comparison.left_out:
        blocks += [Heading("Left out"), Bullets([f"{path}: {why}" for path, why in comparison.left_out.items()])]
    if rest:
        blocks.append(Heading("Appendix: all other scores"))
        blocks += [
            _table(comparison, rows, f"The other scores of the measure {measure}, by model.")
            for measure, rows in rest.items()
        ]
    about = f"{comparison.counted}, measured on {comparison.tested}."
    return Document(" against ".join(comparison.groups), about, [*in_words(blocks, comparison.words)])


def sentences(rows: Sequence[Row]) -> Iterator[str]:
    """What the statistics allow to say of these scores: in which of them models differ, in which they are the same as far as it
    matters, and in which it is not decided."""
    found: dict[tuple[str, ...], list[str]] = {}
    key: tuple[str, ...]
    for row in rows:
        best, others = row.best
        if best is None:
            continue
        if row.differs:
            key = ("differs", best, joined([label for label, one in others.items() if one.worse]))
        else:
            decisions = {one.decision for one in others.values()}
            key = ("same",) if decisions == {"same"} else ("small",) if decisions <= {"same", "small"} else ("open",)
        found.setdefault(key, []).append(row.name)
    units = {row.name: row.like.unit for row in rows}
    for (kind, *who), names in sorted(
        found.items(), key=lambda item: ("differs", "same", "small", "open").index(item[0][0])
    ):
        told = joined(names)
        if kind == "differs":
            yield f"{who[0]} is significantly better than {who[1]} in {told}{_by(rows, names[0])}."
        elif kind == "same":
            yield f"No model differs from the best by more than {what_matters(units[name] for name in names)} in {told}."
        elif kind == "small":
            yield f"The differences in {told} are smaller than what matters, as far as they are known."
        else:
            yield f"Whether the models differ in {told} is not decided."


def _by(rows: Sequence[Row], name: str) -> str:
    """The two numbers of the score `name`, and their difference with its interval: the best and the nearest that is worse."""
    row = next(row for row in rows if row.name == name)
    best, others = row.best
    assert best is not None
    worse = {label: one for label, one in others.items() if one.worse and one.difference is not None}
    label, one = min(worse.items(), key=lambda item: abs(item[1].difference.value))  # type: ignore[union-attr]
    assert one.difference is not None
    apart = one.difference if one.difference.value > 0 else -one.difference
    low, high = apart.interval()
    numbers = f"{words(row.spreads[best].mean)} against {words(row.spreads[label].mean)} for {label}"
    return f" ({name}: {numbers}; difference {words(apart.value)}, 95 % interval {words(low)} to {words(high)})"


def joined(names: Sequence[str]) -> str:
    """The names in a sentence: "a, b and c"."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _table(comparison: Comparison, rows: Sequence[Row], caption: str) -> Table:
    """A line for each score: what each model has, and what may be said of it."""
    lines = [
        [row.name, *(_cell(row.spreads.get(label)) for label in comparison.groups), _said(row), row.like.unit]
        for row in rows
    ]
    return Table(["score", *comparison.groups, "best", "unit"], lines, caption)


def _cell(one: Spread | None) -> str | float | None:
    return None if one is None else float(one.mean) if one.deviation is None else written(one)


def written(one: Spread | None) -> str:
    """Mean ± standard deviation over seeds, as words."""
    if one is None:
        return words(None)
    return words(float(one.mean)) if one.deviation is None else f"{words(one.mean)} ± {words(one.deviation)}"


def _said(row: Row) -> str:
    best, others = row.best
    if best is None:
        return "–"
    if row.leading:
        return joined([label for label in row.spreads if label in row.leading])
    if row.differs:
        return f"not decided between {joined([label for label in row.spreads if label in (best, *row.undecided)])}"
    return (
        "no difference that matters"
        if {one.decision for one in others.values()} <= {"same", "small"}
        else "not decided"
    )


def _units(comparison: Comparison) -> Iterator[str]:
    return (row.like.unit for row in comparison.shown() if row.like.better)


def write_table(comparison: Comparison, path: str | Path, whole: bool = False) -> Path:
    """Write the scores as a table into the file `path`, by its ending: .tex, .md or .csv.

    Args:
        comparison: what is told.
        path: the file.
        whole: all scores in .tex and .md too, and not those alone that matter most; in .csv they always are.
    """
    path = as_path(path)
    rows = list(comparison.rows()) if whole else comparison.heading()
    text = {".tex": _latex, ".md": _markdown, ".csv": _csv}[path.suffix.lower()](comparison, rows)
    disk.make_folder(path.parent)
    disk.write(path, text.encode())
    return path


def _chunks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    return (rows[at : at + BESIDE] for at in range(0, len(rows), BESIDE))


def _unit(row: Row) -> str:
    """Its unit, to stand in brackets."""
    return row.like.unit.replace(" (", ", ").replace(")", "")


def _latex(comparison: Comparison, rows: Sequence[Row]) -> str:
    tables = []
    for few in _chunks(rows):
        cells = [[label, *(written(row.spreads.get(label)) for row in few)] for label in comparison.groups]
        bold = [[False, *(label in row.leading for row in few)] for label in comparison.groups]
        words = comparison.words
        heads = [("model", ""), *((words(row.name), words(_unit(row))) for row in few)]
        tables.append(latex.table(heads, cells, bold, f"{comparison.counted}, measured on {comparison.tested}. {BOLD}"))
    return "% needs \\usepackage{booktabs}\n" + "\n".join(tables)


def _markdown(comparison: Comparison, rows: Sequence[Row]) -> str:
    parts = [markdown.escape(f"{comparison.counted}, measured on {comparison.tested}. {BOLD}")]
    for few in _chunks(rows):
        heads = ["model", *(comparison.words(f"{row.name} ({_unit(row)})") for row in few)]
        lines = [f"| {' | '.join(map(markdown.escape, heads))} |", f"| --- |{' ---: |' * len(few)}"]
        for label in comparison.groups:
            cells = [
                f"**{markdown.escape(text)}**" if label in row.leading else markdown.escape(text)
                for row in few
                for text in [written(row.spreads.get(label))]
            ]
            lines.append(f"| {' | '.join([markdown.escape(label), *cells])} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


COLUMNS = ("measure", "score", "unit", "better", "model", "seeds", "value", "low", "high", "n", "split", "interval")


def _csv(comparison: Comparison, _: Sequence[Row]) -> str:
    """A line for each score of each model, with all digits. Of several seeds the value is their mean, and the interval that of
    the mean by Student's t over seeds; of a single one its own."""
    lines = [",".join(COLUMNS)]
    for row in comparison.rows():
        for label, scores in row.every.items():
            values = [float(score.value) for score in scores]
            one = scores[0]
            ends = mean_interval(values) if len(values) > 1 else (one.low, one.high)
            over = "Student's t over seeds" if len(values) > 1 else one.interval or ""
            numbers = [row.spreads[label].mean, *ends, one.n]
            told = ["" if number is None else repr(number) for number in numbers]
            names = [cell(text) for text in (row.measure, row.name, one.unit, one.better or "", label)]
            lines.append(",".join([*names, str(len(values)), *told, cell(one.split), cell(over)]))
    return "\r\n".join([*lines, ""])
