"""`diabolo resume RUN`."""

import shutil
from pathlib import Path

import pytest

from diabolo.runs.config import Config
from diabolo.runs.folder import RunFolder


@pytest.fixture
def finished(runs) -> Path:
    shutil.copytree(runs["vae"], "runs/0001-vae-digits")
    return Path("runs/0001-vae-digits")


def test_a_finished_run_is_trained_further_and_drawn_anew(finished, diabolo):
    answer = diabolo("resume", finished, "--epochs", "4")
    assert answer.code == 0, answer
    assert [line["epoch"] for line in RunFolder(finished).history] == [1, 2, 3, 4]
    assert Config.read(finished).as_dict()["options"]["epochs"] == 4
    assert {p.stem for p in (finished / "figures").iterdir()} == {
        "curves",
        "health",
        "samples",
        "reconstructions",
        "latent",
    }


def test_figures_can_be_left_out(finished, diabolo):
    assert diabolo("resume", finished, "--epochs", "3", "--no-figures").code == 0
    assert list((finished / "figures").iterdir()) == []


def test_the_images_and_the_table_of_their_labels_may_be_moved(pictures, diabolo, refused):
    shutil.copytree(pictures, "here")
    files = [p.relative_to("here") for p in sorted(Path("here").rglob("*")) if p.is_file()]
    Path("here.csv").write_text("\n".join(["file,label", *(f"{file},{'ab'[i % 2]}" for i, file in enumerate(files))]))
    options = ("--size", 8, "--hidden", 4, "--latent-dim", 2, "--epochs", 1, "--no-compile", "--no-figures", "--quiet")
    answer = diabolo("train", "cvae", "--data", "here", "--labels", "here.csv", *options)
    assert answer.code == 0, answer
    Path("there").mkdir()
    for name in ("here", "here.csv"):
        shutil.move(name, "there")
    again = ("resume", "runs/0001-cvae-here", "--epochs", 2, "--no-figures", "--data", "there/here")
    message = refused(2, *again)
    assert (
        "here.csv cannot be read: No such file or directory: say where the table of labels of this run lies now"
        in message
    )
    answer = diabolo(*again, "--labels", "there/here.csv")
    assert answer.code == 0, answer
    assert len(RunFolder(Path("runs/0001-cvae-here")).history) == 2


def test_what_is_finished_says_how_to_go_on(finished, refused):
    assert f"diabolo resume {finished} --epochs 4" in refused(2, "resume", finished)
    assert "larger total" in refused(2, "resume", finished, "--epochs", "1")
    assert "epochs" in refused(2, "resume", finished, "--epochs", "0")


def test_what_cannot_go_on_is_refused(runs, vectors, refused):
    assert "solved at once" in refused(2, "resume", runs["pca"])
    assert "arrays" in refused(2, "resume", vectors, "--epochs", "3")


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("config.json", '"epochs": 2', '"epochs": "two"'),
        ("config.json", '"epochs": 2', '"ephocs": 2'),
        ("config.json", '"lr": 0.005', '"lr": "fast"'),
        ("config.json", '"name": "digits"', '"name": "nowhere"'),
        ("config.json", '"part": "train"', '"part": "tarin"'),
        ("config.json", "nets.MLPEncoder", "nets.Nothing"),
        ("config.json", "}", ""),
    ],
)
def test_an_edited_config_is_refused(file, old, new, finished, diabolo):
    path = finished / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    answer = diabolo("resume", finished, "--epochs", "3", "--no-figures")
    assert answer.code in (1, 2)
    assert answer.err.count("\n") == 1
    assert answer.err.startswith("diabolo: ")


@pytest.mark.parametrize("size", [0, 7, 300])
def test_a_checkpoint_cut_short_is_refused(size, finished, refused):
    path = finished / "checkpoint" / "last.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    assert "damaged" in refused(2, "resume", finished, "--epochs", "3")
