"""`diabolo evaluate` and `diabolo compare` on real runs, with measures that take no time."""

import json
import shutil
from pathlib import Path

import pytest

from diabolo import evaluation
from diabolo.cli.evaluate import measure_options


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
