"""A study: its script is read without running it, trains nothing twice, goes on when killed, and says what it found."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

import diabolo
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.reports.document import Heading, Paragraph, Picture, Table, Verdict
from diabolo.studies import running, writing
from diabolo.studies import trained as trained_module
from diabolo.studies.plan import Plan
from diabolo.studies.script import Script, find, scripts

DIGITS = {"data": "digits"}


@pytest.fixture
def plan(tmp_path, trained):
    """plan(**changes)"""

    def make(**changes) -> Plan:
        return Plan(**{"parameters": DIGITS, "out": tmp_path / "out", "trained": trained, **changes})

    return make


@pytest.fixture
def fits(monkeypatch) -> list[str]:
    """The trainings that are made from now on."""
    made = []

    def fit(model, *args, **options):
        made.append(model.name)
        return diabolo.fit(model, *args, **options)

    monkeypatch.setattr(trained_module, "fit", fit)
    return made


def test_a_script_is_read_without_running_it(script):
    assert script.title == "Two numbers for a digit"
    assert script.rows == {"1.1": "The error", "1.2": "The map"}
    assert script.parameters["seeds"] == (0, 1)
    assert script.quick == {"epochs": 1}
    assert script.lessons[""] == "How much of a digit fits into two numbers?"
    assert script.lessons["1.1"] == "It is measured on images that were not trained on."


def test_the_parameters_that_were_run_are_written_into_the_source(script):
    changed = Script(script.path.with_name("other.py"))
    changed.path.write_text(script.with_parameters({**script.parameters, "epochs": 7, "data": "digits"}))
    assert changed.parameters["epochs"] == 7
    assert changed.quick == {}
    assert changed.rows == script.rows


def test_all_that_was_measured_is_in_the_results(script, plan):
    study = running.run(script, plan())
    results = json.loads((study.folder / "results.json").read_text())
    assert results["parameters"]["data"] == "digits"
    assert list(results["rows"]) == ["1.1", "1.2"]
    number = results["rows"]["1.1"]["numbers"]["error"]
    assert 0 < number["low"] <= number["value"] <= number["high"] < 1
    assert (study.folder / "figures" / "1.2-map.png").exists()
    assert (study.folder / "figures" / "1.2-map.pdf").exists()


def test_a_second_run_trains_nothing(script, plan, fits, tmp_path):
    fresh = tmp_path / "fresh"
    running.run(script, plan(trained=fresh))
    assert sorted(fits) == ["pca", "undercomplete", "undercomplete"]
    fits.clear()
    again = running.run(script, plan(trained=fresh, out=tmp_path / "elsewhere"))
    assert fits == []
    assert again.rows["1.1"]["numbers"] == running.run(script, plan(trained=fresh)).rows["1.1"]["numbers"]


def test_one_row_trains_what_it_needs_alone(script, plan, fits, tmp_path):
    running.run(script, plan(only=("1.1",), trained=tmp_path / "fresh"))
    assert sorted(fits) == ["undercomplete", "undercomplete"]


def test_other_options_are_another_training(script, plan, fits, trained):
    running.run(script, plan())
    fits.clear()
    running.run(script, plan(parameters={**DIGITS, "epochs": 3}))
    assert fits == ["undercomplete", "undercomplete"]


def test_a_study_that_was_killed_goes_on_where_it_was(script, plan, tmp_path):
    long, fresh = {**DIGITS, "epochs": 60}, tmp_path / "fresh"
    program = (
        "import sys; from pathlib import Path; from diabolo.studies import running; from diabolo.studies.plan import Plan; "
        "from diabolo.studies.script import Script; running.run(Script(Path(sys.argv[1])), "
        f"Plan({long!r}, out=Path(sys.argv[2]), trained=Path(sys.argv[3])))"
    )
    words = [sys.executable, "-c", program, str(script.path), str(tmp_path / "killed"), str(fresh)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        while (
            not (lines := list(fresh.glob("undercomplete-*/*/metrics.jsonl"))) or lines[0].read_text().count("\n") < 3
        ):
            assert child.poll() is None, "it was over before it could be killed"
            time.sleep(0.02)
        child.kill()
    (cut,) = [path.parent for path in fresh.glob("undercomplete-*/*/metrics.jsonl")]
    assert not (cut / "model.safetensors").exists()
    resumed = running.run(script, plan(parameters=long, trained=fresh))
    assert (cut / "model.safetensors").exists(), "the training that was cut off went on"
    assert len(list(fresh.glob("undercomplete-*/[0-9]*"))) == 2, "and none was begun anew"
    whole = running.run(script, plan(parameters=long, trained=tmp_path / "whole"))
    assert resumed.rows["1.1"]["numbers"] == whole.rows["1.1"]["numbers"]


def test_bars_are_not_held_against_stand_ins_but_what_holds_always_is(script, plan):
    running.run(script, plan())
    found = {v.claim: v for v in writing.verdicts(writing.read(plan().folder("small")))}
    assert found["error ≤ 0.5 per pixel"].state == "not checked"
    assert "mnist" in found["error ≤ 0.5 per pixel"].note
    assert found["numbers of the code ≤ 2"].state == "met"


def test_a_missed_bar_is_said(script, plan):
    script.path.write_text(script.source.replace('data="mnist"', 'data="digits"').replace("bar=0.5", "bar=1e-9"))
    running.run(Script(script.path), plan(parameters={}))
    missed = [v for v in writing.verdicts(writing.read(plan().folder("small"))) if v.state == "missed"]
    assert [v.claim for v in missed] == ["error ≤ 1e-09 per pixel"]


def test_the_report_has_every_row_in_order_and_names_the_missing(script, plan):
    running.run(script, plan(only=("1.2",), parameters={**DIGITS, "epochs": 1}))
    document = writing.document_of(script, plan().folder("small"))
    headings = [block.text for block in document.blocks if isinstance(block, Heading)]
    assert "1.2 The map" in headings
    running.run(script, plan())
    document = writing.document_of(script, plan().folder("small"))
    headings = [block.text for block in document.blocks if isinstance(block, Heading)]
    assert headings.index("1.1 The error") < headings.index("1.2 The map")
    assert "Rows that were not run" not in headings
    assert any(isinstance(block, Picture) and block.path.exists() for block in document.blocks)
    assert any(isinstance(block, Table) and "row 1.1" in block.caption for block in document.blocks)
    assert any(isinstance(block, Verdict) for block in document.blocks)
    anchors = {b.anchor for b in document.blocks if isinstance(b, Heading | Table | Picture)}
    cited = {cite for b in document.blocks if isinstance(b, Paragraph) for cite in b.cites}
    assert cited <= anchors


def test_rows_of_other_parameters_do_not_stand_beside_each_other(script, plan):
    running.run(script, plan())
    study = running.run(script, plan(only=("1.2",), parameters={**DIGITS, "n_test": 30}))
    rows = json.loads((study.folder / "results.json").read_text())["rows"]
    assert set(rows) == {"1.1", "1.2"}  # 1.2 reads what 1.1 measured, which is therefore run anew


def test_what_does_not_exist_is_refused_with_the_nearest(script, plan):
    with pytest.raises(UnknownNameError, match=r"1\.2"):
        running.run(script, plan(only=("1.3",)))
    with pytest.raises(UnknownNameError, match="epochs"):
        running.run(script, plan(parameters={"epoch": 3}))
    with pytest.raises(UnknownNameError, match="pca"):
        find("pcaa")
    with pytest.raises(DiaboloError, match=r"results\.json"):
        writing.read(Path("nowhere"))


def test_a_missing_data_set_names_its_stand_in(script, plan, tmp_path, monkeypatch):
    script.path.write_text(script.source.replace('data="mnist"', 'data="celeba"'))
    with pytest.raises(DiaboloError, match="--data faces"):
        running.run(Script(script.path), plan(parameters={}, root=tmp_path / "empty"))


@pytest.mark.parametrize("name", list(scripts()))
def test_every_study_has_its_lessons_and_literal_parameters(name):
    script = find(name)
    assert script.title
    assert script.parameters
    assert set(script.quick) <= set(script.parameters)
    assert script.rows
    assert all(script.lessons.get(index) for index in script.rows), "a row without a word of explanation"
