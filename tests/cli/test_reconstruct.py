"""`diabolo reconstruct RUN IMAGES…`."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diabolo.data import read_images
from diabolo.runs.loading import load


def written(folder):
    return sorted(str(p.relative_to(folder)) for p in Path(folder).rglob("*") if p.is_file())


def test_a_folder_keeps_its_sub_folders(runs, pictures, diabolo):
    answer = diabolo("reconstruct", runs["vae"], pictures, "--out", "out")
    assert (answer.code, answer.out) == (0, "4 reconstructions in out\n")
    assert written("out") == ["a/1.png", "a/2.png", "b/1.png", "c.png"]
    x, names = read_images(pictures, size=8, image_channels=1)
    expected = (load(runs["vae"]).reconstruct(x).numpy() * 255).round()
    for name, image in zip(names, expected, strict=True):
        made = np.asarray(Image.open(Path("out") / Path(name).with_suffix(".png")))
        np.testing.assert_array_equal(made, image[0])


@pytest.mark.parametrize("absolute", [False, True])
def test_files_are_called_by_what_tells_them_apart(absolute, runs, pictures, diabolo, monkeypatch):
    monkeypatch.chdir(pictures / "b")
    before = {p: p.read_bytes() for p in pictures.rglob("*") if p.is_file()}
    base = pictures if absolute else Path("..")
    answer = diabolo("reconstruct", runs["vae"], base / "a" / "1.png", base / "b" / "1.png", "--out", "../../out")
    assert answer.code == 0, answer
    assert written("../../out") == ["a/1.png", "b/1.png"]
    assert {p: p.read_bytes() for p in before} == before  # the images themselves are as they were


def test_one_file(runs, pictures, diabolo):
    assert diabolo("reconstruct", runs["pca"], pictures / "a" / "2.jpg", "--out", "out").code == 0
    assert written("out") == ["2.png"]


def test_numbers_instead_of_pictures(runs, pictures, diabolo):
    assert diabolo("reconstruct", runs["vae"], pictures, "--out", "deep/x.npy").code == 0
    x, _ = read_images(pictures, size=8, image_channels=1)
    np.testing.assert_array_equal(np.load("deep/x.npy"), load(runs["vae"]).reconstruct(x).numpy())


def test_many_images_go_through_in_pieces(runs, pictures, diabolo, monkeypatch):
    assert diabolo("reconstruct", runs["vae"], pictures, "--out", "whole.npy").code == 0
    monkeypatch.setattr("diabolo.cli.images.PIECE", 3)
    assert diabolo("reconstruct", runs["vae"], pictures, "--out", "pieces.npy").code == 0
    np.testing.assert_allclose(np.load("pieces.npy"), np.load("whole.npy"), atol=1e-6)


def test_names_that_collide_are_refused_before_anything_is_written(runs, pictures, refused):
    (pictures / "a" / "2.png").write_bytes((pictures / "a" / "1.png").read_bytes())
    message = refused(2, "reconstruct", runs["vae"], pictures, "--out", "out")
    assert "2.jpg" in message
    assert "2.png" in message
    assert not Path("out").exists()
    one = pictures / "c.bmp"
    assert "c.bmp" in refused(2, "reconstruct", runs["vae"], one, one, "--out", "out")


def test_the_images_given_are_never_overwritten(runs, pictures, refused):
    before = {p: p.read_bytes() for p in pictures.rglob("*") if p.is_file()}
    assert "overwritten" in refused(2, "reconstruct", runs["vae"], pictures, "--out", pictures)
    assert "overwritten" in refused(2, "reconstruct", runs["vae"], pictures / "a" / "1.png", "--out", pictures / "a")
    assert {p: p.read_bytes() for p in pictures.rglob("*") if p.is_file()} == before


def test_a_crop_of_the_training_is_used_again(diabolo, tmp_path):
    random = np.random.default_rng(0)
    folder = tmp_path / "wide"
    folder.mkdir()
    for i in range(6):
        Image.fromarray(random.integers(0, 256, (24, 24), dtype=np.uint8)).save(folder / f"{i}.png")
    words = ["--crop", "12", "--size", "8", "--hidden", "8", "--epochs", "1", "--batch-size", "2", "--no-figures"]
    assert diabolo("train", "undercomplete", "--data", folder, *words).code == 0
    assert diabolo("reconstruct", "runs/0001-undercomplete-wide", folder, "--out", "x.npy").code == 0
    x, _ = read_images(folder, size=8, crop=12, image_channels=1)
    np.testing.assert_array_equal(np.load("x.npy"), load("runs/0001-undercomplete-wide").reconstruct(x).numpy())


def test_a_damaged_file_is_named_or_left_out(runs, damaged, diabolo, refused):
    assert "3.jpg" in refused(2, "reconstruct", runs["vae"], damaged, "--out", "out")
    assert not Path("out").exists()
    answer = diabolo("reconstruct", runs["vae"], damaged, "--out", "out", "--skip-bad")
    assert answer.code == 0
    assert "3.jpg" in answer.err
    assert written("out") == ["a/1.png", "a/2.png", "b/1.png", "c.png"]


@pytest.mark.parametrize(
    ("images", "out", "said"),
    [
        ("nowhere.png", "out", "nowhere.png"),
        ("nowhere", "out", "nowhere"),
        ("empty", "out", "no images in empty"),
        ("notes.txt", "out", "notes.txt"),
        ("empty pictures", "out", "one folder"),
        ("pictures pictures/c.bmp", "out", "one folder"),
        ("pictures", "notes.txt", "notes.txt"),
        ("pictures", "x.png", "not to x.png"),
        ("pictures", "notes.txt/deeper", "notes.txt"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(images, out, said, runs, pictures, refused):
    Path("empty").mkdir()
    Path("notes.txt").write_text("no image")
    assert said in refused(2, "reconstruct", runs["vae"], *images.split(), "--out", out)


def test_a_model_of_vectors_takes_no_images(vectors, pictures, refused):
    assert "vectors of 6 numbers" in refused(2, "reconstruct", vectors, pictures, "--out", "x.npy")
    assert "vectors of 6 numbers" in refused(2, "encode", vectors, pictures)
