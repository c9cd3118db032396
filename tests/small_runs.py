"""A shipped study at its smallest, run once for all tests of it; and what holds of every study."""

import contextlib
import io
import json
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pypdf
import pytest

from diabolo.evaluation.learned import Learned
from diabolo.figures import style
from diabolo.reports import notebook
from diabolo.studies.engine import running, writing
from diabolo.studies.engine.plan import Plan
from diabolo.studies.engine.scripts import find


def as_if_learned(patch: pytest.MonkeyPatch) -> None:
    """Let findings be drawn from models that were trained for a moment only: what they say is tested, not whether it is so."""
    patch.setattr(Learned, "state", property(lambda self: "met"))


def run(name: str, parameters: dict[str, Any], folder: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """results.json of a first run, and what a second one prints."""
    plan = Plan(parameters=parameters, quick=True, out=folder / "out", trained=folder / "trained")
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder))  # where the extractor of features is kept
        patch.setenv("OMP_NUM_THREADS", "1")
        # whose subsets take a tenth of the time; tests/figures has the others
        patch.setitem(style._RC, "pdf.fonttype", 3)
        as_if_learned(patch)
        running.run(find(name), plan)
        results = json.loads((folder / "out" / "results.json").read_text())
        with contextlib.redirect_stdout(said):
            running.run(find(name), plan)
    again = json.loads((folder / "out" / "results.json").read_text())
    assert again["rows"].keys() == results["rows"].keys()
    assert all(again["rows"][i]["numbers"] == results["rows"][i]["numbers"] for i in results["rows"])
    yield results, said.getvalue()


def check_rows(results: dict[str, Any], rows: list[str]) -> None:
    """All rows, each with a lesson and something shown."""
    script = find(results["study"])
    assert {index: row["not measured"] for index, row in results["rows"].items() if "not measured" in row} == {}
    assert list(results["rows"]) == list(script.rows) == rows
    assert all(script.lessons[index] for index in rows)


def check_numbers(results: dict[str, Any], least: int, signed: tuple[str, ...] = ()) -> None:
    """Finite, with a unit, shares in [0, 1], errors and distances not below 0 (but those whose name has a word of `signed`),
    intervals around their number."""
    numbers = [(name, n) for row in results["rows"].values() for name, n in row["numbers"].items()]
    assert len(numbers) >= least
    for name, n in numbers:
        assert math.isfinite(n["value"]), name
        assert n["unit"], name
        assert n["value"] >= 0 or any(word in name for word in signed), name
        if n["unit"].startswith(("share", "probability")):
            assert n["value"] <= 1, name
        if "low" in n and "bootstrap" not in n.get("interval", ""):  # a bootstrap of a biased estimate need not hold it
            assert n["low"] <= n["value"] <= n["high"], name


UNMEASURED = (
    r"\([^()]*\d{4}\)|N\(0, I\)|\[0, 1\]|by less than [^,]*,|by [\d.]+ ± [\d.]+ only \([^()]*\)"
    r"|[\d.]+ ± [\d.]+ points (?:above|below)"  # papers, rules, differences of two numbers
)
NUMBER = r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?:e−?\d+)?(?!\w)"


def check_said(results: dict[str, Any]) -> None:
    """Every number that a finding states is one of results.json, as it is read: rounded, in percent, or half of its interval;
    or it belongs to a name, a unit or a parameter. Whole numbers up to 20 count things that are in sight."""
    measured = [(name, n) for row in results["rows"].values() for name, n in row["numbers"].items()]
    known = [v for v in _flat(results["parameters"].values()) if isinstance(v, int | float)]
    known += [_read(token)[0] for name, n in measured for token in re.findall(NUMBER, f"{name} {n['unit']}")]
    known += [v for _, n in measured for v in (n["value"], (n.get("high", 0.0) - n.get("low", 0.0)) / 2)]
    for index, row in results["rows"].items():
        for text in (b["text"] for b in row["blocks"] if b["block"] == "Paragraph" and b["cites"]):
            for token in re.findall(NUMBER, re.sub(UNMEASURED, "", text)):
                said, ulp = _read(token)
                sure = any(abs(scale * abs(value) - said) <= 0.501 * ulp for value in known for scale in (1, 100))
                assert sure or (ulp == 1 and said <= 20), f"{index}: {token} is in no row: {text}"


def _read(token: str) -> tuple[float, float]:
    """A number, and the place of its last digit."""
    mantissa, _, power = token.replace(",", "").replace("−", "-").partition("e")
    ulp = 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))
    return float(mantissa) * 10.0 ** int(power or 0), ulp


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from _flat(value)
        else:
            yield value


def words_in(text: str) -> int:
    """How many words a text has: signs such as "=" and "%" are none."""
    return sum(any(letter.isalnum() for letter in word) for word in text.split())


def check_blocks(results: dict[str, Any], folder: Path) -> None:
    """Figures are there, sentences are whole, every row but the first of none says something."""
    for index, row in results["rows"].items():
        for block in row["blocks"]:
            if block["block"] == "Picture":
                assert (folder / "out" / block["path"]).stat().st_size > 1000
            if block["block"] == "Paragraph":
                assert block["text"][-1] in ".?", block["text"]
                assert not set("{}") & set(block["text"]), block["text"]
                assert "nan" not in block["text"].split(), block["text"]
        assert any(block["block"] in ("Paragraph", "Verdict") for block in row["blocks"]), index


def check_reports(name: str, out: Path) -> None:
    """Markdown, HTML and PDF of what the study `name` left in `out` open and hold together; so does its notebook, not run."""
    script, results = find(name), json.loads((out / "results.json").read_text())
    written = writing.write_reports(script, out)
    assert {path.suffix for path in written} == {".md", ".html", ".pdf"}
    whole = name if (out / f"{name}.md").exists() else "report"  # beside a report that the study writes itself
    text = (out / f"{whole}.md").read_text()
    for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text):
        assert (out / picture).exists(), picture
    for target in set(re.findall(r"\]\(#([^)]+)\)", text)):
        assert f'<a id="{target}"></a>' in text, target

    page = (out / f"{whole}.html").read_text()
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    assert not re.search(r'\bsrc="(?!data:)', page)
    assert page.count("<figure") == text.count("![")

    words = " ".join("".join(sheet.extract_text() for sheet in pypdf.PdfReader(out / f"{whole}.pdf").pages).split())
    for index, title in script.rows.items():
        assert " ".join((f"{index} {title}" if index[0].isdigit() else title).split()[:3]) in words, index
    assert "What was checked" in words
    images = next(iter(results["images"].values()))
    assert f"{images['parts']['training'][0]:,} training and" in words

    made = notebook.make(script.with_parameters(results["parameters"], "a quick run"))
    nbformat.validate(made)
    assert sum("@study.row(" in cell.source for cell in made.cells) == len(script.rows)
