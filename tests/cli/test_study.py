"""`diabolo study`: what it lists, runs and refuses."""

import json
import re

import numpy as np
import pytest

from diabolo.reports import extra
from diabolo.studies.engine.scripts import scripts

SMALL = (
    "--data",
    "digits",
    "--n-train",
    "150",
    "--n-test",
    "40",
    "--hidden",
    "8",
    "--epochs",
    "1",
    "--linear-dim",
    "2",
)


def test_the_studies_are_listed(diabolo):
    answer = diabolo("study")
    assert answer.code == 0
    for name in ("beta", "celeba", "generative", "guide", "pca", "quickstart"):
        assert f" {name} " in answer.out


def test_one_row_and_no_report(diabolo, tmp_path):
    out = tmp_path / "out"
    answer = diabolo(
        "study", "pca", *SMALL, "--only", "3.2", "--no-report", "--out", out, "--trained", tmp_path / "trained"
    )
    assert answer.code == 1, answer  # after one epoch nothing is learned, so that nothing is found
    assert "3.2: no findings, because undercomplete" in answer.out
    assert "[pca] 3.2 " in answer.out
    assert list(json.loads((out / "results.json").read_text())["rows"]) == ["3.2"]
    assert {path.name for path in out.iterdir()} == {"figures", "results.json"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("pcaa",), "pca"),
        (("pca", "--only", "3.9"), "3."),
        (("pca", "--epoch", "3"), "--epochs"),
        (("pca", "--seeds", "1"), "--seeds 1: runs are compared with each other: 2 or more"),
        (("pca", "--sizes", "2", "4"), "--sizes 2 4: a curve with an elbow has 3 sizes or more"),
        (("guide", "--draws", "1"), "--draws 1: an interval needs 2 draws or more"),
        (("generative", "--completions", "1"), "--completions 1: a spread needs 2 or more"),
        (("beta", "--pairs", "3-x"), "--pairs 3-x: two classes each"),
        (("beta", "--steps", "1"), "--steps 1: a path has both its ends"),
        (("quickstart", "--latent-dim", "1"), "--latent-dim 1: a map has two directions"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_trained(refused, tmp_path, words, says):
    name, *rest = words
    data = () if name == "pcaa" else ("--data", "digits", "--out", tmp_path / "out", "--trained", tmp_path / "trained")
    if name == "generative":
        data += ("--colour-data", "patches")
    assert says in refused(2, "study", name, *rest, *data)
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "trained").exists()


def test_faces_without_the_attribute_are_refused_before_anything_is_trained(refused, tmp_path):
    where = (
        "--data",
        "faces",
        "--n-train",
        "20",
        "--n-test",
        "10",
        "--trained",
        tmp_path / "trained",
        "--out",
        tmp_path / "out",
    )
    assert "Smiling" in refused(2, "study", "celeba", *where, "--attribute", "Smilin")
    assert "--alphas 1.0 2.0: 0 must be among them" in refused(2, "study", "celeba", *where, "--alphas", "1", "2")
    assert not (tmp_path / "trained").exists()


def test_images_without_labels_are_refused_before_anything_is_trained(refused, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((60, 1, 8, 8), np.uint8))
    said = refused(2, "study", "pca", "--data", tmp_path / "x.npy", "--out", tmp_path / "out")
    assert "needs labels of its images" in said


def test_a_folder_that_cannot_be_written_is_refused(refused, tmp_path):
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in refused(2, "study", "pca", *SMALL, "--out", tmp_path / "file", "--no-report")


def test_a_missing_extra_is_said_before_anything_is_trained(refused, tmp_path, monkeypatch):
    monkeypatch.setattr(extra, "find_spec", lambda module: None)
    said = refused(2, "study", "pca", *SMALL, "--out", tmp_path / "out")
    assert "pip install 'diabolo[report]'" in said
    assert not (tmp_path / "out").exists()


def test_every_option_of_every_study_is_described(diabolo):
    for name, script in scripts().items():
        text = " ".join(diabolo("study", name, "--help").out.replace("│", " ").split())
        for parameter in script.parameters:
            told = script.told[parameter]
            assert len(told) > 5, (name, parameter)
            assert re.search(rf"--{parameter.replace('_', '-')} \S+ {re.escape(told)}\. \[default: ", text), (
                name,
                parameter,
            )
