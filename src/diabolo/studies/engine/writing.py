"""The report of a study, from what it left in its folder and the lesson in its script: what it is about and what was found; row
by row the figures and tables; and behind these what was checked, all numbers, and how it was made."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from diabolo.display import words
from diabolo.evaluation.learned import RULE
from diabolo.plain import count
from diabolo.reports.document import Block, Bullets, Code, Document, Heading, Paragraph, Table, Verdict
from diabolo.reports.inline import blocks_of
from diabolo.statistics import what_matters
from diabolo.studies.engine.findings import joined
from diabolo.studies.engine.record import as_block, read
from diabolo.studies.engine.row import anchor_of
from diabolo.studies.engine.scripts import Script
from diabolo.studies.engine.shares import factor, shown

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
    quick = "A quick run with small sizes. " if results["quick"] else ""
    images = "; ".join(
        f"{' and '.join(f'{n:,} {part}' for part, (n, *_) in seen['parts'].items())} images of {seen['name']}"
        for seen in results["images"].values()
    )
    about = f"{quick}{images}. diabolo {results['versions']['diabolo']}, {results['at'][:10]}."
    parts = (
        blocks_of(script.lessons.get("", "")),
        _found(script, results, folder),
        _rows(script, results, folder),
        _checks(results),
        _learned(results),
        _left_out(script, results),
        _numbers(script, results),
        _made(script, results),
    )
    return Document(script.title, about, list(chain(*parts)))


def own_report(folder: Path) -> Document | None:
    """The report.md that a row of the study made, where one did."""
    for row in read(folder)["rows"].values():
        if told := row.get("report"):
            return Document(told["title"], told["about"], [as_block(block, folder) for block in told["blocks"]])
    return None


def write_reports(script: Script, folder: Path) -> list[Path]:
    """Write report.md, report.html and report.pdf. Where a row made a report of its own, these are that, and NAME.md, NAME.html
    and NAME.pdf are the study's, of all rows."""
    from diabolo.reports import write

    whole, own = document_of(script, folder), own_report(folder)
    if own is None:
        return write(whole, folder)
    return [*write(own, folder), *write(whole, folder, script.name)]


def _found(script: Script, results: Mapping[str, Any], folder: Path) -> Iterator[Block]:
    """What was found: the rows without a number, which answer the questions of the study; and how many of their claims hold."""
    for index in _answers(script, results):
        yield Heading(script.rows[index], 2, anchor_of(index))
        blocks = (as_block(block, folder) for block in results["rows"][index]["blocks"])
        yield from (block for block in blocks if not isinstance(block, Verdict))  # such as the length of an answer
    if claims := _claims(results):
        yield Paragraph(f"Of {count(len(claims), 'claim')} that this study checks, {_counted(claims)}.", ("checked",))
    if any("not measured" in row for row in results["rows"].values()):
        yield Paragraph("Some rows could not be measured.", ("failed",))


def _answers(script: Script, results: Mapping[str, Any]) -> list[str]:
    return [index for index in script.rows if index in results["rows"] and not index[0].isdigit()]


def _claims(results: Mapping[str, Any]) -> list[Verdict]:
    """What the rows claim; how many images there were is no finding."""
    return [verdict for anchor, verdict in _checked(results) if anchor]


def _counted(checked: Sequence[Verdict]) -> str:
    """1 met, 2 not decided."""
    numbers = {mark: sum(v.state == state for v in checked) for state, mark in MARKS.items()}
    return joined([f"{n} {'is' if n == 1 else 'are'} {mark}" for mark, n in numbers.items() if n])


def _checks(results: Mapping[str, Any]) -> Iterator[Block]:
    if checked := verdicts(results):
        claims = _claims(results)
        told = f": {_counted(claims)}" if claims else ""
        yield Heading("What was checked", 2, "checked")
        yield Table(
            ("claim", "measured", "verdict"),
            [(v.claim, v.measured, MARKS[v.state] + (f": {v.note}" if v.note else "")) for v in checked],
            f"How many images there were; then each claim and what was measured{told}.",
            links=[anchor for anchor, _ in _checked(results)],
        )


def _left_out(script: Script, results: Mapping[str, Any]) -> Iterator[Block]:
    if failed := {index: row["not measured"] for index, row in results["rows"].items() if "not measured" in row}:
        yield Heading("Rows that were not measured", 2, "failed")
        yield from (Paragraph(f"{_heading(i, script.rows.get(i, i))}: because {why}.") for i, why in failed.items())
    if missing := _missing(script, results):
        yield Heading("Rows that were not run", 2, "missing")
        yield Bullets([_heading(index, script.rows[index]) for index in missing])


def _missing(script: Script, results: Mapping[str, Any]) -> list[str]:
    return [index for index in script.rows if index not in results["rows"]]


def _made(script: Script, results: Mapping[str, Any]) -> Iterator[Block]:
    """The line that runs it again, and its parameters."""
    run = [index for index in script.rows if index in results["rows"]]
    yield Heading("How this was made", 2, "made")
    yield Code(command_of(script, results, run if _missing(script, results) else ()))
    given = [(name, _words(value), script.told.get(name, "")) for name, value in results["parameters"].items()]
    yield Table(("parameter", "value", "what it is"), given, "The parameters of this run.")


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
    n = len(labels) - len(short)
    learned = f"All {n} models have" if not short else f"{n} of {len(labels)} models {'has' if n == 1 else 'have'}"
    yield Paragraph(
        f"{RULE}. {learned} learned. No finding is drawn from any other, unless the study trains it to "
        "show how it fails."
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
    """The rows with a number. A finding that an answer gives word for word is not given twice."""
    answers = _answers(script, results)
    said = [block["text"] for i in answers for block in results["rows"][i]["blocks"] if block["block"] == "Paragraph"]
    for index, title in script.rows.items():
        if index not in results["rows"] or index in answers:
            continue
        row = results["rows"][index]
        yield Heading(_heading(index, title), 2, anchor_of(index))
        yield from blocks_of(script.lessons.get(index, ""))
        blocks = [as_block(block, folder) for block in row["blocks"]]
        found = (block for block in blocks if isinstance(block, Paragraph) and block.cites)
        given = [block for block in found if any(block.text in text for text in said)]
        yield from (block for block in blocks if block not in given)
        if given:
            yield Paragraph("What follows from this is among the answers.", (anchor_of(answers[0]),))


def _numbers(script: Script, results: Mapping[str, Any]) -> Iterator[Block]:
    """All that was measured, row by row: behind everything else, since it is there to be looked up."""
    rows = {index: results["rows"][index] for index in script.rows if index in results["rows"]}
    if any(row["numbers"] for row in rows.values()):
        yield Heading("All numbers", 2, "numbers")
        units = [shown(n["unit"], name) for row in rows.values() for name, n in row["numbers"].items() if "low" in n]
        least = f". The least that matters: {what_matters(units)}" if units else ""
        yield Paragraph(
            "Intervals are of 95 % confidence, where they are not called a range. One number is called more than another "
            f"where their difference is significant at 5 % and as large as matters{least}."
        )
    for index, row in rows.items():
        if row["numbers"]:
            lines = [
                (name, factor(n["unit"]) * n["value"], _interval(n), shown(n["unit"], name))
                for name, n in row["numbers"].items()
            ]
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
    low, high = (words(factor(number["unit"]) * number[end]) for end in ("low", "high"))
    return f"{low} … {high}{how}"


def _words(value: Any) -> str:
    return (
        " ".join(map(str, value)) if isinstance(value, list) else f"{value:,}" if isinstance(value, int) else str(value)
    )
