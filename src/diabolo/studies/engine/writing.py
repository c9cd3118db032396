"""The report of a study, from what it left in its folder and the lesson in its script."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from diabolo.display import words
from diabolo.evaluation.learned import RULE
from diabolo.reports import markdown
from diabolo.reports.document import Block, Bullets, Code, Document, Heading, Paragraph, Table, Verdict
from diabolo.reports.inline import blocks_of
from diabolo.runs import files
from diabolo.statistics import what_matters
from diabolo.studies.engine.record import as_block, read
from diabolo.studies.engine.row import anchor_of
from diabolo.studies.engine.scripts import Script

LEARNED = {"missed": "no", "not decided": "not decided"}
MARKS = {"met": "met", "missed": "MISSED", "not decided": "not decided", "not checked": "not checked"}


def verdicts(results: Mapping[str, Any]) -> list[Verdict]:
    """All that was checked: how many images there were, and what the rows claim."""
    return [verdict for _, verdict in _checked(results)]


def _checked(results: Mapping[str, Any]) -> Iterator[tuple[str, Verdict]]:
    """The anchor of its row, and the verdict."""
    for images in results["images"].values():
        for part, (n, asked, _) in images["parts"].items():
            if asked is not None:
                note = images["unchecked"] or ""
                state: Any = "not checked" if note else "met" if n == asked else "missed"
                yield "", Verdict(f"{part} images of {images['name']} = {asked:,}", f"{n:,}", state, note)
    for index, row in results["rows"].items():
        for block in (as_block(record, Path()) for record in row["blocks"] if record["block"] == "Verdict"):
            assert isinstance(block, Verdict)
            yield anchor_of(index), block


def document_of(script: Script, folder: Path) -> Document:
    """The report. Rows that were not run are named as missing."""
    results = read(folder)
    given = ", ".join(f"{name} {_words(value)}" for name, value in results["parameters"].items())
    quick = "A quick run with small sizes. " if results["quick"] else ""
    images = "; ".join(
        f"{' and '.join(f'{n:,} {part}' for part, (n, *_) in seen['parts'].items())} images of {seen['name']}"
        for seen in results["images"].values()
    )
    about = f"{quick}{images}. Parameters: {given}. diabolo {results['versions']['diabolo']}, {results['at'][:10]}."
    parts = (_opening(script, results), _rows(script, results, folder), _numbers(script, results))
    return Document(script.title, about, list(chain(*parts)))


def own_report(folder: Path) -> Document | None:
    """The report.md that a row of the study made, where one did."""
    for row in read(folder)["rows"].values():
        if told := row.get("report"):
            return Document(told["title"], told["about"], [as_block(block, folder) for block in told["blocks"]])
    return None


def write_reports(script: Script, folder: Path) -> list[Path]:
    """Write report.md, report.html and report.pdf; where a row made a report.md, that of all rows is NAME.md beside it."""
    from diabolo.reports import write

    written, own = write(document_of(script, folder), folder), own_report(folder)
    if own is None:
        return written
    files.move(folder / "report.md", folder / f"{script.name}.md")
    written.append(folder / f"{script.name}.md")
    files.write(folder / "report.md", markdown.render(own, folder).encode())
    return written


def _opening(script: Script, results: Mapping[str, Any]) -> Iterator[Block]:
    yield from blocks_of(script.lessons.get("", ""))
    missing = [index for index in script.rows if index not in results["rows"]]
    yield Code(
        command_of(script, results, [index for index in script.rows if index in results["rows"]] if missing else ())
    )
    checked = verdicts(results)
    if checked:
        yield Heading("What was checked", 2, "checked")
        yield Table(
            ("claim", "measured", "verdict"),
            [(v.claim, v.measured, MARKS[v.state] + (f": {v.note}" if v.note else "")) for v in checked],
            ", ".join(f"{sum(v.state == state for v in checked)} {state}" for state in MARKS) + ".",
            links=[anchor for anchor, _ in _checked(results)],
        )
    yield from _learned(results)
    if failed := {index: row["not measured"] for index, row in results["rows"].items() if "not measured" in row}:
        yield Heading("Rows that were not measured", 2, "failed")
        yield from (Paragraph(f"{_heading(i, script.rows.get(i, i))}: because {why}.") for i, why in failed.items())
    if missing:
        yield Heading("Rows that were not run", 2, "missing")
        yield Bullets([_heading(index, script.rows[index]) for index in missing])


def _learned(results: Mapping[str, Any]) -> Iterator[Block]:
    """Which of the models have learned; of the others there are no findings."""
    first: dict[tuple[str, str], tuple[str, str, Mapping[str, str]]] = {}  # rows share models: each is shown once
    for index, row in results["rows"].items():
        for label, known in row.get("models", {}).items():
            first.setdefault((label, known["state"]), (index, label, known))
    several = list(first.values())
    if not several:
        return
    yield Heading("Which models have learned", 2, "learned")
    labels = {label for _, label, _ in several}
    short = {label for _, label, known in several if known["state"] != "met"}
    all_of_them = "all of them have" if not short else f"{len(labels) - len(short)} of them have"
    yield Paragraph(
        f"{RULE}. Of {len(labels)} models, {all_of_them}. No finding is drawn from any other, unless it is here to fail."
    )
    if short:
        shown = [
            (label, LEARNED[k["state"]], k["told"], k["may_fail"]) for _, label, k in several if k["state"] != "met"
        ]
        kept = any(may_fail for *_, may_fail in shown)
        yield Table(
            ("model", "has learned", "measured", *(["why it is kept"] if kept else [])),
            shown if kept else [row[:-1] for row in shown],
            "Models that have not learned, and those of which the test images do not decide it.",
            links=[anchor_of(index) for index, _, known in several if known["state"] != "met"],
        )


def command_of(script: Script, results: Mapping[str, Any], only: Sequence[str] = (), out: Path | None = None) -> str:
    """The line that runs the study, or `only` some rows of it, with the parameters of these results; into `out`."""
    quick = results["quick"]
    usual = script.parameters | script.quick if quick else script.parameters
    words = ["diabolo", "study", script.name, *(["--quick"] if quick else [])]
    for name, value in results["parameters"].items():
        several = isinstance(value, list)
        before = usual.get(name)
        if value != (list(before) if several and isinstance(before, tuple) else before):
            words += [f"--{name.replace('_', '-')}", *map(str, value if several else [value])]
    words += ["--only", *only] if only else []
    words += ["--out", str(out)] if out is not None else []
    return shlex.join(words)


def _rows(script: Script, results: Mapping[str, Any], folder: Path) -> Iterator[Block]:
    for index, title in script.rows.items():
        row = results["rows"].get(index)
        if row is None:
            continue
        yield Heading(_heading(index, title), 2, anchor_of(index))
        yield from blocks_of(script.lessons.get(index, ""))
        blocks = [as_block(block, folder) for block in row["blocks"]]
        yield from blocks
        units = [number["unit"] for number in row["numbers"].values() if "low" in number]
        if units and any(isinstance(block, Paragraph) and block.cites for block in blocks):
            yield Paragraph(f"The least differences that matter here: {what_matters(units)}.")


def _numbers(script: Script, results: Mapping[str, Any]) -> Iterator[Block]:
    """All that was measured, row by row: behind everything else, since it is there to be looked up."""
    rows = {index: results["rows"][index] for index in script.rows if index in results["rows"]}
    if any(row["numbers"] for row in rows.values()):
        yield Heading("All numbers", 2, "numbers")
        yield Paragraph(
            "Intervals are of 95 % confidence, where they are not called a range. One number is called more than another "
            "where their difference is significant at 5 % and as large as matters, which each row says of its units."
        )
    for index, row in rows.items():
        if row["numbers"]:
            lines = [(name, n["value"], _interval(n), n["unit"]) for name, n in row["numbers"].items()]
            whole = any(interval for _, _, interval, _ in lines)
            yield Table(
                ("what", "value", "interval", "unit") if whole else ("what", "value", "unit"),
                lines if whole else [(name, value, unit) for name, value, _, unit in lines],
                f"The numbers of {f'row {index}' if index[0].isdigit() else f'the {index}'}.",
                f"{anchor_of(index)}-numbers",
                links=[anchor_of(index)] * len(lines),
            )


def _heading(index: str, title: str) -> str:
    """The answers have no number."""
    return f"{index} {title}" if index[0].isdigit() else title


def _interval(number: Mapping[str, Any]) -> str:
    if "low" not in number or "high" not in number:
        return ""
    how = f" ({number['interval']})" if "interval" in number else ""
    return f"{words(number['low'])} … {words(number['high'])}{how}"


def _words(value: Any) -> str:
    return (
        " ".join(map(str, value)) if isinstance(value, list) else f"{value:,}" if isinstance(value, int) else str(value)
    )
