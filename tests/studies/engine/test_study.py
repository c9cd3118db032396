"""A study: its script is read without running it, trains nothing twice, goes on when killed, and says what it found."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import stdev
from types import SimpleNamespace

import pytest

import diabolo
from diabolo.data import load
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.reports.document import Heading, Paragraph, Picture, Table, Verdict
from diabolo.studies import Row
from diabolo.studies.engine import running, writing
from diabolo.studies.engine import trained as trained_module
from diabolo.studies.engine.plan import Plan
from diabolo.studies.engine.scripts import Script, find, scripts

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
    """In the middle of its third training."""
    long, fresh = {**DIGITS, "epochs": 60, "seeds": (0, 1, 2)}, tmp_path / "fresh"
    program = (
        "import sys; from pathlib import Path; from diabolo.studies.engine import running; "
        "from diabolo.studies.engine.plan import Plan; "
        "from diabolo.studies.engine.scripts import Script; running.run(Script(Path(sys.argv[1])), "
        f"Plan({long!r}, out=Path(sys.argv[2]), trained=Path(sys.argv[3])))"
    )
    words = [sys.executable, "-c", program, str(script.path), str(tmp_path / "killed"), str(fresh)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        while sum(path.read_text().count("\n") > 2 for path in fresh.glob("undercomplete-*/*/metrics.jsonl")) < 3:
            assert child.poll() is None, "it was over before it could be killed"
            time.sleep(0.02)
        child.kill()
    begun = [path.parent for path in fresh.glob("undercomplete-*/*/metrics.jsonl")]
    (cut,) = [folder for folder in begun if not (folder / "model.safetensors").exists()]
    resumed = running.run(script, plan(parameters=long, trained=fresh))
    assert (cut / "model.safetensors").exists(), "the training that was cut off went on"
    assert len(list(fresh.glob("undercomplete-*/[0-9]*"))) == 3, "and none was begun anew"
    whole = running.run(script, plan(parameters=long, trained=tmp_path / "whole"))
    assert resumed.rows["1.1"]["numbers"] == whole.rows["1.1"]["numbers"]


def test_bars_are_not_held_against_stand_ins_but_what_holds_always_is(script, plan):
    running.run(script, plan())
    found = {v.claim: v for v in writing.verdicts(writing.read(plan().folder("small")))}
    assert found["error ≤ 0.5 per pixel"].state == "not checked"
    assert "mnist" in found["error ≤ 0.5 per pixel"].note
    assert found["numbers of the code ≤ 2"].state == "met"


def test_the_interval_of_a_number_stands_beside_what_is_checked(tmp_path):
    row = Row("1.1", "The error", tmp_path, None)
    row.check("error", row.number("error", 0.25, "", 0.2, 0.3), "≤", 0.5)
    row.check("another", 0.125, "≤", 0.5)
    row.number("the same by chance", 0.25, "")
    row.check("error", 0.25, "≤", 0.5)
    row.check("error", 0.25, "≤", 0.5, number="error")
    assert [verdict.measured for verdict in row.blocks] == ["0.25 (0.2 … 0.3)", "0.125", "0.25", "0.25 (0.2 … 0.3)"]


def test_a_share_is_checked_and_listed_in_per_cent(tmp_path):
    row = Row("1.1", "The accuracy", tmp_path, None)
    share = row.number("accuracy, a", 0.8805, "share of test images", 0.8655, 0.894, "Wilson")
    row.check("accuracy", share, "≥", 0.85, number="accuracy, a")
    row.check("accuracy", share, "≥", 0.89)
    assert [v.claim for v in row.blocks] == ["accuracy ≥ 85 %", "accuracy ≥ 89 %"]
    assert [(v.measured, v.state) for v in row.blocks] == [
        ("88.05 % (86.55 … 89.4)", "met"),
        ("88.05 % (86.55 … 89.4)", "not decided"),
    ]
    row.number("accuracy, a less accuracy, b", -0.0188, "share of images", -0.0324, -0.0052)
    row.number("loss", 0.25, "nats")
    script = SimpleNamespace(rows={"1.1": row.title})
    *_, table = writing._numbers(script, {"rows": {"1.1": {"numbers": row.numbers}}})
    assert [(line[0], round(line[1], 9), *line[2:]) for line in table.rows] == [
        ("accuracy, a", 88.05, "86.55 … 89.4 (Wilson)", "% of test images"),
        ("accuracy, a less accuracy, b", -1.88, "−3.24 … −0.52", "percentage points"),
        ("loss", 0.25, "", "nats"),
    ]


def test_a_bar_within_the_interval_is_not_decided_and_nothing_is_rounded(tmp_path):
    row = Row("1.1", "The accuracy", tmp_path, None)
    row.number("accuracy", 0.88096, "", 0.874, 0.887)
    row.check("accuracy", 0.88096, "≥", 0.881)
    row.check("accuracy", 0.88096, "≥", 0.87)
    row.check("accuracy", 0.88096, "≥", 0.89)
    row.check("alone", 0.880960001, "≥", 0.881)
    row.check("alone", 88.08, "≥", 88.1, "%")
    row.check("alone", 0.88099996, "≥", 0.881)
    row.over("draws", [0.949, 0.951, 0.955], "", "draws")
    row.check("mean of draws", row.numbers["draws"]["value"], "≥", 0.95, number="draws")
    assert [v.state for v in row.blocks] == [
        "not decided",
        "met",
        "missed",
        "missed",
        "missed",
        "missed",
        "not decided",
    ]
    assert row.blocks[0].measured == "0.88096 (0.874 … 0.887)"
    assert row.blocks[0].note == "the interval contains the threshold"
    assert [v.measured for v in row.blocks[3:6]] == ["0.88096", "88.08 %", "0.88099996"]
    assert row.numbers["draws"]["df"] == 2
    assert row.found["draws"].df == 2


def test_the_report_counts_what_is_not_decided(script, plan):
    script.path.write_text(
        script.source.replace('data="mnist"', 'data="digits"').replace(
            'row.check("numbers of the code"',
            'row.check("x", row.number("x", 1.0, "", 0.5, 1.5), "≤", 1.2)\n    row.check("numbers of the code"',
        )
    )
    running.run(Script(script.path), plan(parameters={}))
    document = writing.document_of(Script(script.path), plan().folder("small"))
    (table,) = [b for b in document.blocks if isinstance(b, Table) and b.caption.startswith("How many images")]
    (told,) = [b.text for b in document.blocks if isinstance(b, Paragraph) and "that this study checks" in b.text]
    counted = told.partition("checks, ")[2].removesuffix(".")
    assert "1 is not decided" in counted
    assert table.caption.endswith(f": {counted}.")  # one count: how many images there were is no claim
    assert told.startswith("Of 3 claims")
    assert len(table.rows) == 5
    assert ("x ≤ 1.2", "1 (0.5 … 1.5)", "not decided: the interval contains the threshold") in table.rows


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


def test_rows_of_other_images_or_other_code_are_dropped_and_that_is_said(script, plan, tmp_path, monkeypatch, capsys):
    """The parameters can be the same all the same: half of a data set was there, say, and now the rest."""
    alone = script.path.with_name("alone.py")
    alone.write_text(script.source.replace('study.found("1.1")["error"].value', "0.5").replace('"small"', '"alone"'))
    half = load("digits", n_train=60, n_test=40)
    for i, (part, images) in enumerate((("half", half), ("whole", load("digits", n_train=100, n_test=40)))):
        monkeypatch.setattr("diabolo.studies.engine.study.load", lambda *_, images=images, **__: images)
        running.run(Script(alone), plan(only=(("1.1", "1.2")[i],), parameters={}, out=tmp_path / "one"))
        results = writing.read(tmp_path / "one")
        assert results["images"]["data"]["parts"]["training"][:2] == [len(images[0]), 100], part
    assert list(results["rows"]) == ["1.2"]
    assert "rows 1.1 in" in capsys.readouterr().out
    assert list(json.loads((tmp_path / "one" / "results.before.json").read_text())["rows"]) == ["1.1"]
    monkeypatch.setattr("diabolo.studies.engine.study._code", lambda name: "of another day")
    running.run(Script(alone), plan(only=("1.1",), parameters={}, out=tmp_path / "one"))
    assert list(writing.read(tmp_path / "one")["rows"]) == ["1.1"]


def test_fewer_images_than_asked_for_are_a_bar_that_is_missed(script, plan, monkeypatch):
    half = load("digits", n_train=60, n_test=40)
    monkeypatch.setattr("diabolo.studies.engine.study.load", lambda *_, **__: half)
    running.run(script, plan(parameters={}))
    found = {v.claim: (v.measured, v.state) for v in writing.verdicts(writing.read(plan().folder("small")))}
    assert found["training images of digits = 100"] == ("60", "missed")
    assert found["test images of digits = 40"] == ("40", "met")
    document = writing.document_of(script, plan().folder("small"))
    assert document.about.startswith("60 training and 40 test images of digits.")


def test_what_a_study_needs_of_its_images_and_parameters_is_asked_for_before_it_trains(script, plan, fits):
    source = script.source
    for change, says in (
        (('study.data()', 'study.data(needs="attributes")'), "needs attributes of its images, and digits has none"),
        (('study.data()', 'study.data()\nstudy.require("seeds", len(study.seeds) > 2, "3 or more")'), "--seeds 0 1: 3 or more"),
    ):  # fmt: skip
        script.path.write_text(source.replace(*change))
        with pytest.raises(DiaboloError, match=says):
            running.run(Script(script.path), plan())
    assert fits == []


def test_the_line_that_runs_the_missing_rows_keeps_those_that_are_there(script, plan):
    study = running.run(script, plan(only=("1.1",)))
    line = writing.command_of(script, writing.read(study.folder), ["1.2"], study.folder)
    assert line == f"diabolo study small --data digits --only 1.2 --out {study.folder}"
    running.run(script, plan(only=("1.2",)))
    assert list(writing.read(study.folder)["rows"]) == ["1.1", "1.2"]


def test_a_figure_that_was_deleted_leaves_the_rest_of_the_report(script, plan):
    study = running.run(script, plan())
    (study.folder / "figures" / "1.2-map.png").unlink()
    text = " ".join(b.text for b in writing.document_of(script, study.folder).blocks if isinstance(b, Paragraph))
    assert "(The figure 1.2-map.png is missing: Codes of test images.)" in text


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
    with pytest.raises(DiaboloError, match=r"needs no network: --data faces$"):
        running.run(Script(script.path), plan(parameters={}, root=tmp_path / "empty", out=tmp_path / "made" / "out"))
    assert not (tmp_path / "made").exists(), "nothing is left by a study that had no data"


@pytest.mark.parametrize("name", list(scripts()))
def test_every_study_has_its_lessons_and_literal_parameters(name):
    script = find(name)
    assert script.title
    assert script.parameters
    assert set(script.quick) <= set(script.parameters)
    assert script.rows
    assert all(script.lessons.get(index) for index in script.rows), "a row without a word of explanation"


def test_an_interval_of_shares_ends_where_shares_do(tmp_path):
    row = Row("1.1", "Shares", tmp_path, None)
    row.over("right", [0.99, 1.0, 0.9], "share of test images", "draws")
    row.over("error", [0.01, 0.05], "squared error per pixel")
    row.pair("right less left", [0.9, 1.0], [0.8, 0.7], "share of test images", "draws")
    right, error, pair = row.numbers.values()
    assert right["low"] < right["value"] < right["high"] == 1.0
    assert row.found["right"].error == pytest.approx(stdev([0.99, 1.0, 0.9]) / 3**0.5)  # whole, to compare by
    assert error["low"] < 0
    assert pair["low"] < 0


def test_the_code_of_one_study_is_none_of_another(monkeypatch, tmp_path):
    from diabolo.studies.engine import study as room

    engine = Path(room.__file__).parent
    shutil.copytree(engine, tmp_path / "engine", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "script.py").write_text(f"# {name}\n")
    monkeypatch.setattr(room, "__file__", str(tmp_path / "engine" / "study.py"))
    room._code.cache_clear()
    before = {name: room._code(name) for name in ("one", "two", "elsewhere")}
    assert len(set(before.values())) == 3
    (tmp_path / "one" / "script.py").write_text("# one, with a comma\n")
    room._code.cache_clear()
    assert {name for name, code in before.items() if room._code(name) != code} == {"one"}
    (tmp_path / "engine" / "row.py").write_text("# another engine\n")
    room._code.cache_clear()
    assert all(room._code(name) != code for name, code in before.items())
    room._code.cache_clear()
