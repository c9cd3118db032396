"""A row that writes report.md, and rows that stand on what others found."""

import json

import pytest

from diabolo.reports import markdown
from diabolo.studies.engine import running, writing
from diabolo.studies.engine.plan import Plan
from diabolo.studies.engine.scripts import Script

SOURCE = """# %% [markdown]
# # Own words

# %%
from diabolo.reports.document import Document, Heading, Paragraph
from diabolo.studies import Row, Study

# %% tags=["parameters"]
study = Study("own", n=3)


# %% [markdown]
# ## 1.1 A number


# %%
@study.row("1.1", "A number")
def number(row: Row) -> None:
    row.number("three", study.n, "of them")
    row.text("This is no finding.")
    row.finding("There are three.")


# %% [markdown]
# ## 1.2 In short


# %%
@study.row("1.2", "In short")
def short(row: Row) -> None:
    said = " ".join(study.said("1.1"))
    text = row.report(Document("Three", "", [Heading("All"), Paragraph(f"{said} {study.found('1.1')['three'].value:g}")]))
    row.check("characters", len(text), "≤", 1000, always=True)
    row.finding("It is short.", rows=["1.1"])
"""


@pytest.fixture
def script(tmp_path) -> Script:
    path = tmp_path / "own.py"
    path.write_text(SOURCE)
    return Script(path)


def test_the_report_of_a_row_stands_beside_that_of_all_rows(script, tmp_path):
    running.run(script, Plan(out=tmp_path / "out"))
    written = writing.write_reports(script, tmp_path / "out")
    assert {path.name for path in written} == {f"{n}.{end}" for n in ("report", "own") for end in ("md", "html", "pdf")}
    short, whole = (tmp_path / "out" / "report.md").read_text(), (tmp_path / "out" / "own.md").read_text()
    assert short.startswith("# Three")
    assert "There are three. 3" in short
    assert whole.startswith("# Own words")
    assert "In short" in whole
    assert "#row-1-1" in whole[whole.index("It is short.") :]


def test_a_row_brings_what_it_needs(script, tmp_path):
    running.run(script, Plan(only=("1.2",), out=tmp_path / "out"))
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert set(results["rows"]) == {"1.1", "1.2"}
    assert results["rows"]["1.2"]["report"]["title"] == "Three"


def test_without_such_a_row_there_is_one_report(script, tmp_path):
    running.run(script, Plan(only=("1.1",), out=tmp_path / "out"))
    assert writing.own_report(tmp_path / "out") is None
    assert "There are three" in writing.write_reports(script, tmp_path / "out")[0].read_text()


ANSWERS = """

# %%
@study.row("answers", "What was asked")
def answers(row: Row) -> None:
    row.question("How many?")
    row.finding(" ".join(study.said("1.1")), rows=["1.1"])
"""


def test_answers_come_first_and_are_not_given_twice(script, tmp_path):
    script.path.write_text(SOURCE + ANSWERS)
    running.run(Script(script.path), Plan(out=tmp_path / "out"))
    whole = markdown.render(writing.document_of(Script(script.path), tmp_path / "out"), tmp_path / "out")
    assert whole.count("There are three.") == 1
    places = [
        "# Own words",
        "## What was asked",
        "There are three.",
        "Of 1 claim",
        "## 1.1",
        "## 1.2",
        "## What was checked",
    ]
    assert [whole.index(place) for place in places] == sorted(whole.index(place) for place in places)
    assert "is among the answers" in whole[whole.index("## 1.1") : whole.index("## 1.2")]
    assert "It is short." in whole[whole.index("## 1.2") :]  # which no answer gives
