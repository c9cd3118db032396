"""`diabolo score RUN IMAGES…` and `diabolo duplicates RUN IMAGES…`."""

import csv
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diabolo.data import Images, read_images
from diabolo.evaluation import screen
from diabolo.runs.loading import load_run


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", ["vae", "pca"])
def test_each_file_has_its_scores(name, runs, pictures, diabolo):
    answer = diabolo("score", runs[name], pictures, "--false-alarms", "0.1", "--elbo-samples", "2")
    assert answer.code == 0
    assert answer.out.endswith("4 rows in scores.csv\n")
    x, _ = read_images(pictures, size=8, image_channels=1)
    trained = load_run(runs[name])
    expected = screen(trained, Images(x), false_alarms=0.1, elbo_samples=2)
    found = rows("scores.csv")
    assert [row["file"] for row in found] == ["a/1.png", "a/2.jpg", "b/1.png", "c.bmp"]
    assert len(found[0]) == 1 + 3 * len(expected)
    for score, one in expected.items():
        assert [float(row[score]) for row in found] == one.scores.tolist()
        assert [float(row[f"{score}: p-value"]) for row in found] == one.p.tolist()
        assert [row[f"{score}: flagged"] for row in found] == ["yes" if flag else "no" for flag in one.flagged]
        assert f"{int(one.flagged.sum())} of 4" in answer.out


def test_labels_of_a_data_set_are_told(runs, diabolo):
    assert diabolo("score", runs["pca"], "digits", "--out", "deep/s.csv").code == 0
    found = rows("deep/s.csv")
    assert len(found) == 1797
    assert {row["label"] for row in found} == set("0123456789")
    flagged = np.mean([row["reconstruction error: flagged"] == "yes" for row in found])
    assert 0 < flagged < 0.3


def test_copies_among_files(runs, pictures, diabolo):
    shutil.copy(pictures / "a" / "1.png", pictures / "b" / "again.png")
    answer = diabolo("duplicates", runs["vae"], pictures)
    assert answer.code == 0
    assert "2 of 5 images are nearly the same as another, in 1 group; 1 pair equal pixel by pixel" in answer.out
    assert "a/1.png, b/again.png" in answer.out
    assert [(row["group"], row["file"], float(row["distance"])) for row in rows("duplicates.csv")] == [
        ("1", "a/1.png", 0.0),
        ("1", "b/again.png", 0.0),
    ]
    alone = diabolo("duplicates", runs["vae"], pictures / "a", "--out", "alone.csv")
    assert alone.out == "no two of 2 images are nearly the same; alone.csv has no rows\n"
    assert rows("alone.csv") == []


def test_what_is_refused(runs, pictures, refused):
    assert "999 held-out images or more" in refused(2, "score", runs["vae"], pictures, "--false-alarms", "0.001")
    assert "scores are written as .csv, not .npy" in refused(2, "score", runs["vae"], pictures, "--out", "s.npy")
    assert "as .csv, not .xlsx" in refused(2, "duplicates", runs["vae"], pictures, "--out", "d.xlsx")
    assert "false_alarms must be a number above 0 and below 1" in refused(
        2, "score", runs["vae"], pictures, "--false-alarms", "1"
    )
    assert "two images or more" in refused(2, "duplicates", runs["vae"], pictures / "c.bmp")
    assert "there is no file or folder nowhere" in refused(2, "score", runs["vae"], "nowhere")
    assert not Path("scores.csv").exists()
    assert not Path("duplicates.csv").exists()


def test_labels_of_files_are_those_of_a_table(runs, pictures, diabolo, refused, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text("file,label\na/1.png,good\na/2.jpg,good\nb/1.png,scratch\nc.bmp,\n", encoding="utf-8")
    answer = diabolo("score", runs["pca"], pictures, "--labels", table)
    assert answer.code == 0
    found = rows("scores.csv")
    assert [row["label"] for row in found] == ["good", "good", "scratch", ""]
    flagged = [row["reconstruction error: flagged"] == "yes" for row in found]
    lines = {line.split("  ")[0].strip(): line.split() for line in answer.out.splitlines()}
    for label, places in {"good": [0, 1], "scratch": [2], "not known": [3]}.items():
        share = np.mean([flagged[i] for i in places])
        words = lines[label][len(label.split()) :]
        assert words[:2] == [str(len(places)), f"{100 * share:.1f}"]
    diabolo("duplicates", runs["vae"], pictures, "--labels", table)
    diabolo("encode", runs["pca"], pictures, "--labels", table, "--out", "codes.csv")
    assert [row["label"] for row in rows("codes.csv")] == ["good", "good", "scratch", ""]
    both = ["--labels", table, "--label", "good"]
    assert "--label and --labels both say the class" in refused(2, "encode", runs["pca"], pictures, *both)
    assert "labels (--labels) are of image files" in refused(2, "score", runs["pca"], "digits", "--labels", table)
    assert "name it by labels (--labels)" in refused(2, "score", runs["pca"], pictures, "--label-column", "x")


def test_pages_and_files_that_are_given_twice_have_the_label_of_their_file(runs, diabolo, tmp_path):
    first, *others = [Image.fromarray(np.full((8, 8), grey, np.uint8)) for grey in (10, 20, 30)]
    first.save("pages.tif", save_all=True, append_images=others)
    first.save("one.png")
    Path("labels.csv").write_text("file,label\npages.tif,cat\none.png,dog\n")
    answer = diabolo(
        "encode", runs["pca"], "pages.tif", "one.png", "one.png", "--labels", "labels.csv", "--out", "codes.csv"
    )
    assert answer.code == 0, answer
    found = rows("codes.csv")
    assert [row["file"] for row in found] == ["pages.tif#1", "pages.tif#2", "pages.tif#3", "one.png", "one.png"]
    assert [row["label"] for row in found] == ["cat", "cat", "cat", "dog", "dog"]


@pytest.mark.parametrize("verb", ["encode", "score", "duplicates", "reconstruct"])
def test_a_file_that_is_given_is_never_overwritten(verb, runs, pictures, refused, tmp_path):
    array, table = tmp_path / "x.npy", tmp_path / "labels.csv"
    np.save(array, np.zeros((3, 1, 8, 8), np.uint8))
    table.write_text("file,label\n1.png,cat\n")
    words = {
        "encode": (array, "--out", array),
        "reconstruct": (array, "--out", tmp_path / ".." / tmp_path.name / "x.npy"),
    }.get(verb, (pictures, "--labels", table, "--out", table))
    before = array.read_bytes(), table.read_bytes()
    assert "is one of the files given and would be overwritten" in refused(2, verb, runs["pca"], *words)
    assert (array.read_bytes(), table.read_bytes()) == before


def test_scores_of_a_packed_folder_warn_of_nothing(runs, pictures, diabolo, tmp_path):
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as packed:
        for path in sorted((pictures / "a").iterdir()):
            packed.write(path, path.name)
    assert diabolo("score", runs["pca"], pictures / "a").code == 0
    alone = rows("scores.csv")
    answer = diabolo("score", runs["pca"], "p.zip")
    assert answer.code == 0
    assert "warning" not in answer.err
    assert [row["reconstruction error"] for row in rows("scores.csv")] == [row["reconstruction error"] for row in alone]
