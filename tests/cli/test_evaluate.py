"""`diabolo evaluate` and `diabolo compare` on real runs, with measures that take no time."""

import json
import re
import shutil
from pathlib import Path

import pytest

from diabolo import evaluation
from diabolo.cli.evaluate import measure_options
from diabolo.evaluation.learned import Learned
from diabolo.reports.document import Paragraph, Table
from diabolo.reports.run_report import document_of


@pytest.fixture
def run(runs) -> Path:
    return Path(shutil.copytree(runs["vae"], "run"))


def test_a_table_and_a_folder(run, diabolo):
    answer = diabolo("evaluate", run, "--measures", "reconstruction", "usage")
    assert (answer.code, answer.err) == (0, ""), answer
    record = json.loads((run / "evaluation" / "scores.json").read_text())
    assert set(record["scores"]) == {"reconstruction", "usage"}
    assert "squared error per pixel" in answer.out
    assert "50 test" in answer.out
    assert (run / "evaluation" / "evaluation.pdf").exists()


def test_what_intervals_are_over_and_whether_it_has_learned_is_said_in_the_table_and_in_the_report(run, diabolo):
    answer = diabolo(
        "evaluate", run, "--measures", "learned", "few_labels", "--few-labels", 10, "--label-draws", 2, "--all"
    )
    assert answer.code == 0, answer
    (heading,) = [line.split() for line in answer.out.splitlines() if line.split()[:2] == ["few", "labels"]]
    assert heading[2:] == ["(intervals", "over", "draws", "of", "labels)"]
    said = re.search(r"^has learned: (met|missed|not decided), .+", answer.out, re.M)
    assert said is not None
    assert said[1] == Learned.of(evaluation.Evaluation.read(run / "evaluation")["learned"].scores).state
    (scores,) = (block for block in document_of(run).blocks if isinstance(block, Table) and "over" in block.columns)
    place = scores.columns.index("over")
    assert {row[0]: row[place] for row in scores.rows} == {"learned": "images", "few_labels": "draws of labels"}
    texts = [str(block.text) for block in document_of(run).blocks if isinstance(block, Paragraph)]
    assert any(text.startswith(f"Has learned: {said[1]}, ") for text in texts)


def test_a_protocol_that_cannot_be_measured_is_said_once(run, diabolo, refused):
    words = ["evaluate", run, "--protocol", "rfid-50k", "fid-10k-test"]
    why = "it is of {} test images, and digits (test) has 50"
    said = refused(1, *words, "--measures", "protocols")
    assert [said.count(why.format(n)) for n in ("50,000", "10,000")] == [1, 1]
    answer = diabolo(*words, "--measures", "protocols", "reconstruction")
    assert answer.code == 1
    assert answer.out.count(why.format("50,000")) == 1


def test_an_option_of_a_measure_that_is_not_asked_for_is_refused(run, refused):
    said = refused(2, "evaluate", run, "--measures", "reconstruction", "--protocol", "rfid-5k")
    assert "--protocol is an option of protocols: add it to --measures" in said
    assert "--nll-images is an option of likelihood" in refused(
        2, "evaluate", run, "--measures", "generation", "--nll-images", 10
    )


def test_an_option_of_a_measure_that_does_not_apply_is_answered(run, diabolo, refused, monkeypatch):
    quick = {name: evaluation.MEASURES[name] for name in ("reconstruction", "protocols")}
    monkeypatch.setattr(evaluation.measuring, "MEASURES", quick)
    answer = diabolo("evaluate", run, "--protocol", "rfid-50k")
    assert answer.code == 0, answer
    (line,) = (line for line in answer.out.splitlines() if line.startswith("not measured"))
    assert line.startswith("not measured: protocols, it is of 50,000 test images")
    assert "did you mean 'rfid-50k'" in refused(2, "evaluate", run, "--protocol", "rfid50k")


def test_other_images_and_another_folder(run, diabolo):
    answer = diabolo(
        "evaluate", run, "--measures", "reconstruction", "--data", "digits", "--n-test", 30, "--out", "there"
    )
    assert answer.code == 0, answer
    assert json.loads(Path("there/scores.json").read_text())["about"]["test"]["images"] == 30


def test_every_option_of_every_measure_is_a_flag_with_its_default(diabolo):
    text = diabolo("evaluate", "--help").out
    assert measure_options()
    for option in measure_options():
        assert f"--{option.replace('_', '-')}" in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--measures", "reconstrution"], "reconstruction"),
        (["--importance-smples", "3"], "--importance-samples"),
        (["--n-test", "30"], "--data"),
        (["--data", "patches"], "(3, 32, 32)"),
    ],
)
def test_what_is_refused(run, refused, words, told):
    assert told in refused(2, "evaluate", run, *words)
    assert not (run / "evaluation").exists()


def test_a_file_in_the_place_of_the_folder_is_refused_before_anything_is_measured(run, refused):
    Path("taken").write_text("kept")
    assert "taken is a file" in refused(2, "evaluate", run, "--out", "taken")
    assert Path("taken").read_text() == "kept"


def test_what_is_no_run(refused):
    assert "no folder" in refused(2, "evaluate", "nowhere")
    assert "no folder" in refused(2, "compare", "nowhere", "elsewhere")


def test_images_that_are_not_known_any_more(vectors, refused):
    assert "give" in refused(2, "evaluate", vectors)


def test_runs_side_by_side(runs, diabolo):
    paths = [shutil.copytree(runs[name], name) for name in ("vae", "pca")]
    answer = diabolo("compare", *paths, "--measures", "reconstruction")
    assert answer.code == 0, answer
    assert "vae" in answer.out
    assert "pca" in answer.out
    assert json.loads(Path("comparison/comparison.json").read_text())["models"].keys() == {"vae", "pca"}


def test_one_run_is_no_comparison(run, refused):
    assert "two runs" in refused(2, "compare", run)


def test_the_measures_are_named_in_the_help(diabolo):
    assert all(name in diabolo("evaluate", "--help").out for name in evaluation.MEASURES)
