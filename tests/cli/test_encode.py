"""`diabolo encode RUN IMAGES…`."""

import csv
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from diabolo.data import read_images
from diabolo.runs.loading import load


def table(path):
    with open(path, newline="", encoding="utf-8", errors="surrogateescape") as file:
        header, *rows = csv.reader(file)
    return header, [row[0] for row in rows], np.array([row[1:] for row in rows], np.float32)


@pytest.mark.parametrize("name", ["vae", "undercomplete", "pca"])
def test_codes_are_those_of_the_model(name, runs, pictures, diabolo):
    answer = diabolo("encode", runs[name], pictures)
    assert (answer.code, answer.out) == (0, "4 codes of 3 numbers in codes.npy\n")
    x, _ = read_images(pictures, size=8, image_channels=1)
    np.testing.assert_array_equal(np.load("codes.npy"), load(runs[name]).encode(x).numpy())


def test_csv_holds_the_same_numbers_and_the_names(runs, pictures, diabolo):
    assert diabolo("encode", runs["vae"], pictures, "--out", "deep/codes.csv").code == 0
    assert diabolo("encode", runs["vae"], pictures, "--out", "codes.npy").code == 0
    header, names, codes = table("deep/codes.csv")
    assert header == ["file", "z1", "z2", "z3"]
    assert names == ["a/1.png", "a/2.jpg", "b/1.png", "c.bmp"]
    np.testing.assert_array_equal(codes, np.load("codes.npy"))  # to the last bit


def test_rows_follow_the_files_as_given(runs, pictures, diabolo):
    files = ["pictures/c.bmp", "pictures/a/2.jpg", "pictures/b/1.png", "pictures/c.bmp"]
    assert diabolo("encode", runs["vae"], *files, "--out", "given.csv").code == 0
    _, names, codes = table("given.csv")
    assert names == files
    np.testing.assert_array_equal(codes[0], codes[3])
    for name, code in zip(names, codes, strict=True):
        assert diabolo("encode", runs["vae"], name, "--out", "one.npy").code == 0
        np.testing.assert_allclose(np.load("one.npy")[0], code, atol=1e-6)


def test_options_may_stand_between_the_files(runs, pictures, diabolo):
    words = ["encode", "--out", "x.npy", runs["vae"], "pictures/c.bmp", "--skip-bad", "pictures/a/1.png"]
    assert diabolo(*words).out == "2 codes of 3 numbers in x.npy\n"


@pytest.mark.skipif(sys.platform == "darwin", reason="names there are always UTF-8")
def test_strange_names_survive(runs, pictures, diabolo):
    strange = [b"\xff.png", b"a,b.png", b"zwei\nZeilen.png", "größe.png".encode(), b'"quoted".png']
    content = (pictures / "a" / "1.png").read_bytes()
    for name in strange:
        Path(os.fsdecode(os.fsencode(pictures) + b"/a/" + name)).write_bytes(content)
    assert diabolo("encode", runs["vae"], pictures / "a", "--out", "codes.csv").code == 0
    _, names, _ = table("codes.csv")
    assert {os.fsdecode(name) for name in strange} | {"1.png", "2.jpg"} == set(names)


def test_a_damaged_file_is_named_or_left_out(runs, damaged, diabolo, refused):
    assert "3.jpg" in refused(2, "encode", runs["vae"], damaged)
    assert refused(2, "encode", runs["vae"], "gone.png").endswith("there is no file or folder gone.png")
    answer = diabolo("encode", runs["vae"], damaged, "--out", "codes.csv", "--skip-bad")
    assert answer.code == 0
    assert "3.jpg" in answer.err
    assert table("codes.csv")[1] == ["a/1.png", "a/2.jpg", "b/1.png", "c.bmp"]
    assert "none of 1 image can be read" in refused(2, "encode", runs["vae"], damaged / "a" / "3.jpg", "--skip-bad")


@pytest.mark.parametrize(
    ("out", "said"),
    [("codes.txt", "not .txt"), ("codes", "not codes"), ("notes.txt/codes.npy", "notes.txt"), ("full.npy", "full.npy")],
)
def test_an_out_that_cannot_be_is_refused(out, said, runs, pictures, refused):
    Path("notes.txt").write_text("")
    Path("full.npy").mkdir()
    assert said in refused(2, "encode", runs["vae"], pictures, "--out", out)


def test_a_run_that_has_not_finished_says_how_to_go_on(runs, pictures, refused):
    import shutil

    shutil.copytree(runs["vae"], "run")
    Path("run/model.safetensors").unlink()
    assert "diabolo resume run" in refused(2, "encode", "run", pictures)


@pytest.mark.parametrize("verb", ["encode", "reconstruct", "sample"])
def test_nothing_is_written_of_a_model_that_is_broken(verb, runs, pictures, refused):
    import shutil

    from diabolo.runs import files

    shutil.copytree(runs["vae"], "run")
    tensors, about = files.read_tensors(Path("run/model.safetensors"))
    files.write_tensors(Path("run/model.safetensors"), {n: t * float("nan") for n, t in tensors.items()}, about)
    given = [] if verb == "sample" else [pictures]
    said = refused(2, verb, "run", *given, "--out", "x.npy")
    assert "NaN or infinity" in said
    assert "broken" in said
    assert not Path("x.npy").exists()


def test_arrays_are_read_as_those_of_the_training_were(diabolo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(0).integers(0, 256, (20, 8, 3), np.uint8)  # 20 grey images 3 wide, or one in colour
    np.save("x.npy", x)
    np.savez("x.npz", x=x)
    words = ["train", "pca", "--data", "x.npy", "--latent-dim", "2", "--quiet", "--no-figures"]
    assert "--image-channels 1" in diabolo(*words).err
    assert diabolo(*words, "--image-channels", "1").code == 0
    for name in ("x.npy", "x.npz"):
        assert diabolo("encode", "runs/0001-pca-x", name, "--out", "codes.npy").code == 0
        assert np.load("codes.npy").shape == (20, 2)


ROWS = "b,a,kind,city\n" + "".join(f"{i % 7},{i}.5,{'=u' if i % 2 else 'v'},{'xyz'[i % 3]}\n" for i in range(40))


@pytest.fixture
def of_rows(diabolo):
    """A run on a table whose columns are numbers but for the labels and a category."""
    Path("rows.csv").write_text(ROWS)
    words = ["--label-column", "kind", "--columns-types", "auto", "--latent-dim", "2", "--quiet", "--no-figures"]
    assert diabolo("train", "pca", "--data", "rows.csv", *words).code == 0
    return Path("runs/0001-pca-rows")


def test_rows_of_a_table_in_their_order_with_their_labels(of_rows, diabolo):
    model = load(of_rows)
    assert diabolo("encode", of_rows, "rows.csv", "--out", "codes.csv").code == 0
    with open("codes.csv", newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["file", "label", "z1", "z2"]
    assert [row[:2] for row in rows[:2]] == [["rows-000000", "v"], ["rows-000001", "'=u"]]  # no formula
    i = np.arange(40)
    features = np.column_stack([*(i % 7 == k for k in range(7)), i + 0.5, *(i % 3 == k for k in range(3))])
    wanted = model.encode(features.astype(np.float32)).numpy()
    np.testing.assert_allclose(np.array([row[2:] for row in rows], np.float32), wanted, rtol=1e-4, atol=1e-4)
    assert diabolo("encode", of_rows, "rows.csv").code == 0
    np.testing.assert_allclose(np.load("codes.npy"), wanted, rtol=1e-4, atol=1e-4)


def test_parquet_holds_the_same_numbers_names_and_labels(of_rows, diabolo, monkeypatch):
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr("diabolo.cli.images.PIECE", 16)  # several pieces
    assert diabolo("encode", of_rows, "rows.csv", "--out", "deep/codes.parquet").code == 0
    assert diabolo("encode", of_rows, "rows.csv", "--out", "codes.npy").code == 0
    found = parquet.read_table("deep/codes.parquet").to_pydict()
    assert list(found) == ["file", "label", "z1", "z2"]
    assert found["file"][39] == "rows-000039"
    assert found["label"][:2] == ["v", "=u"]
    np.testing.assert_array_equal(np.column_stack([found["z1"], found["z2"]]).astype(np.float32), np.load("codes.npy"))


def test_columns_are_found_by_their_names(of_rows, diabolo, refused):
    Path("new.csv").write_text("city;more;a;b\nz;text;3.5;2\n")
    assert "1 column that the model does not read: more" in diabolo("encode", of_rows, "new.csv").err
    assert diabolo("encode", of_rows, "rows.csv", "--out", "all.npy").code == 0
    one = load(of_rows).encode(np.float32([[0, 0, 1, 0, 0, 0, 0, 3.5, 0, 0, 1]])).numpy()
    np.testing.assert_allclose(np.load("codes.npy"), one, rtol=1e-5, atol=1e-5)
    Path("less.csv").write_text("city,a\nz,3.5\n")
    assert "lacks 1 column that the model was trained with: 'b'" in refused(2, "encode", of_rows, "less.csv")
    Path("other.csv").write_text("city,a,b\nw,3.5,1\n")
    assert "column 'city' of other.csv holds 'w' in row 1" in refused(2, "encode", of_rows, "other.csv")
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow

    parquet.write_table(pyarrow.table({"a": [3.5], "b": [2], "city": ["z"]}), "new.parquet")
    assert diabolo("encode", of_rows, "new.parquet", "--out", "same.npy").code == 0
    np.testing.assert_array_equal(np.load("same.npy"), np.load("codes.npy"))


def test_a_table_where_the_model_takes_pictures(runs, refused):
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow

    parquet.write_table(pyarrow.table({"a": [3.5, 1.0], "b": [2.0, 1.0]}), "t.parquet")
    assert "t.parquet has no column of pictures" in refused(2, "encode", runs["vae"], "t.parquet")
    Path("t.csv").write_text("a,b\n1,2\n3,4\n")
    assert "takes images of the shape 1×8×8, and t.csv gives 2" in refused(2, "encode", runs["vae"], "t.csv")


def test_a_parquet_file_needs_its_package(of_rows, refused, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "a .parquet file needs pyarrow" in refused(2, "encode", of_rows, "rows.csv", "--out", "codes.parquet")


def test_an_evaluation_takes_no_columns_in_another_order(of_rows, diabolo):
    Path("turned.csv").write_text("".join(",".join(line.split(",")[::-1]) + "\n" for line in ROWS.splitlines()))
    words = ["--label-column", "kind", "--columns-types", "auto", "--measures", "reconstruction"]
    assert "number 1 is 'city=x', and was 'b=0'" in diabolo("evaluate", of_rows, "--data", "turned.csv", *words).err


def test_classes_are_those_of_the_training_by_their_names(diabolo, refused):
    Path("rows.csv").write_text(ROWS)
    words = ["--label-column", "kind", "--without-column", "city", "--latent-dim", "1", "--hidden", "4"]
    assert diabolo("train", "cvae", "--data", "rows.csv", *words, "--epochs", "1", "--quiet").code == 0
    run = "runs/0001-cvae-rows"
    Path("one.csv").write_text("b,a,kind\n2,3.5,v\n")  # the first class of this file, and the second of the training
    assert diabolo("encode", run, "one.csv", "--out", "one.npy").code == 0
    x = np.float32([[2, 3.5]])
    np.testing.assert_allclose(np.load("one.npy"), load(Path(run)).encode(x, torch.tensor([1])).numpy(), rtol=1e-5)
    assert not np.allclose(np.load("one.npy"), load(Path(run)).encode(x, torch.tensor([0])).numpy())
    Path("one.csv").write_text("b,a,kind\n2,3.5,w\n")
    assert "the class 'w' of one is none of the model, which knows =u, v" in refused(2, "encode", run, "one.csv")
