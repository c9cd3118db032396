"""`diabolo sample RUN`."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diabolo.training.runs import load


def test_samples_go_into_the_run_when_nothing_is_said(runs, diabolo):
    shutil.copytree(runs["vae"], "run")
    answer = diabolo("sample", "run")
    assert (answer.code, answer.out) == (0, "run/figures/samples.png\n")
    assert min(Image.open("run/figures/samples.png").size) > 300


@pytest.mark.parametrize("name", ["vae", "undercomplete", "pca"])
def test_numbers_are_those_of_the_model(name, runs, diabolo):
    assert diabolo("sample", runs[name], "--n", "5", "--seed", "3", "--out", "new/x.npy").code == 0
    np.testing.assert_array_equal(np.load("new/x.npy"), load(runs[name]).sample(5, 3).numpy())


@pytest.mark.parametrize("ending", ["png", "pdf", "npy"])
def test_the_same_seed_gives_the_same_file(ending, runs, diabolo):
    contents = []
    for i, seed in enumerate((1, 1, 2)):
        path = Path(f"{i}.{ending}")
        assert diabolo("sample", runs["vae"], "--seed", seed, "--out", path).code == 0
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]
    assert contents[0] != contents[2]


def test_a_folder_gets_one_png_for_each(runs, diabolo):
    assert diabolo("sample", runs["vae"], "--n", "12", "--out", "many").code == 0
    assert sorted(p.name for p in Path("many").iterdir()) == [f"sample-{i:04d}.png" for i in range(12)]
    expected = (load(runs["vae"]).sample(12).numpy()[11, 0] * 255).round()
    np.testing.assert_array_equal(np.asarray(Image.open("many/sample-0011.png")), expected)


def test_a_model_of_vectors_gives_numbers_only(vectors, diabolo, refused):
    for out in ([], ["--out", "x.png"], ["--out", "folder"]):
        assert "--out FILE.npy" in refused(2, "sample", vectors, *out)
    assert diabolo("sample", vectors, "--n", "3", "--out", "x.npy").code == 0
    assert np.load("x.npy").shape == (3, 6)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--n", "0"], "at least 1"),
        (["--n", "-4"], "at least 1"),
        (["--n", "3000", "--out", "x.png"], "2,500"),
        (["--out", "x.jpg"], "not to x.jpg"),
        (["--out", "x.npz"], "not to x.npz"),
        (["--out", "notes.txt"], "notes.txt: File exists"),
        (["--out", "notes.txt/x.npy"], "notes.txt"),
        (["--out", "notes.txt/x.png"], "notes.txt"),
        (["--out", "full.npy"], "full.npy"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(words, said, runs, refused):
    Path("notes.txt").write_text("")
    Path("full.npy").mkdir()
    assert said in refused(2, "sample", runs["vae"], *words)


def test_a_run_is_read_in_a_process_that_has_trained_nothing(runs, process):
    done = process("sample", runs["vae"], "--out", "x.npy")
    assert (done.returncode, done.stdout, done.stderr) == (0, "x.npy\n", "")
