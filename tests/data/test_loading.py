import inspect
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from diabolo.data import Images, load
from diabolo.data.roots import find_root
from diabolo.errors import DiaboloError, UnknownNameError


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy, Images])
def test_arrays_tensors_and_images(kind):
    x = np.random.default_rng(0).integers(0, 256, (20, 1, 4, 4), dtype=np.uint8)
    train, test = load(kind(x), n_test=5)
    assert (len(train), len(test)) == (15, 5)
    assert (train.split, test.split) == ("train", "test")


def test_labels_follow():
    x = np.repeat(np.arange(20, dtype=np.uint8), 4).reshape(20, 2, 2)
    train, _ = load(x, labels=np.arange(20))
    assert train.images[:, 0, 0, 0].tolist() == train.labels.tolist()


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(
        UnknownNameError,
        match=r"unknown data set 'mnits', and there is no file or folder of that name; did you mean 'mnist'\?",
    ):
        load("mnits")


def test_an_unknown_option_suggests_the_nearest_of_that_source():
    with pytest.raises(UnknownNameError, match=r"option 'sise' of celeba; did you mean 'size'\?"):
        load("celeba", sise=32)
    with pytest.raises(UnknownNameError, match=r"option 'size' of digits"):
        load("digits", size=32)
    with pytest.raises(UnknownNameError, match=r"option 'lables' of an array; did you mean 'labels'\?"):
        load(np.zeros((4, 2, 2), np.uint8), lables=[0, 0, 1, 1])


@pytest.mark.parametrize("name", ["nowhere/images", "x.npz", Path("gone")])
def test_a_path_that_is_not_there(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DiaboloError, match=f"there is no file or folder {name}"):
        load(name)


def test_a_file_of_another_kind(tmp_path):
    (tmp_path / "x.xlsx").write_text("1,2")
    with pytest.raises(DiaboloError, match=r"cannot read .*x\.xlsx: expected a folder"):
        load(tmp_path / "x.xlsx")


def test_where_the_root_is(monkeypatch, own_home, tmp_path):
    monkeypatch.setenv("DIABOLO_DATA", str(tmp_path))
    assert find_root("/elsewhere") == Path("/elsewhere")
    assert find_root() == tmp_path
    monkeypatch.delenv("DIABOLO_DATA")
    assert find_root() == own_home / ".cache" / "diabolo"
    assert find_root("~/here") == own_home / "here"


def test_the_seed_is_checked():
    with pytest.raises(DiaboloError, match="seed must be a whole number"):
        load(np.zeros((4, 2, 2), np.uint8), data_seed=-1)


OPTIONS = {
    "root": [3, ""], "n_train": [0, -1, 2.5, "3", True], "n_test": [0, float("nan")], "data_seed": [-1, 1e99, True, "a"],
    "n_labels": [0, -2, "all"], "label_seed": [-1, 0.5], "drop_leaks": ["yes", 1], "without_class": [True, "", 0.5],
    "test_fraction": [0, 1, -1, float("nan"), float("inf"), 1e99, "0.1", True], "size": [0, -1, 10**6, 2.0, True, "8"],
    "crop": [0, 1e99], "image_channels": [2, True, "1"], "skip_bad": [3, "no"],
    "range": ["", "bytes", (1, 0), (0, float("nan"))],
}  # fmt: skip


@pytest.mark.parametrize(
    ("option", "value"), [(option, value) for option, values in OPTIONS.items() for value in values]
)
def test_options_from_python_are_checked_before_anything_is_read(tmp_path, option, value):
    (tmp_path / "damaged.png").write_bytes(b"")  # which would be said if it were looked at
    with pytest.raises(DiaboloError, match=option) as error:
        load(tmp_path, **{option: value})
    assert "damaged" not in str(error.value)


def test_plain_numbers_of_numpy_will_do_and_come_back_in_the_origin():
    train, _ = load("digits", n_train=np.int64(90), data_seed=np.uint8(3), without_class=np.int64(0))
    assert (train.origin["load"]["n_train"], train.origin["load"]["data_seed"]) == (90, 3)
    assert len(json.dumps(train.origin)) > 0


@pytest.mark.parametrize(
    ("name", "says"),
    [("https://example.org/a.zip", "is an address, and nothing is read from there"), ("C:\\data\\x", "no file or folder C:"),
     ("s3://pets/train", "is an address"), ("pets/*.png", "no file or folder pets/"), ("DIGITS", "did you mean 'digits'"),
     ("~nobody-at-all/x", "no such home folder"), ("a\0b", "null character"), ("", "a path is wanted")],
)  # fmt: skip
def test_names_that_lead_nowhere(name, says):
    with pytest.raises(DiaboloError, match=says):
        load(name)


def test_a_packed_file_is_to_be_unpacked(tmp_path):
    (tmp_path / "pets.tar.gz").write_bytes(b"x")
    with pytest.raises(DiaboloError, match="unpack it first"):
        load(tmp_path / "pets.tar.gz")


@pytest.mark.parametrize(
    ("name", "says"),
    [("x.txt", r"numpy.save\('x.npy', numpy.loadtxt\('x.txt'\)\), with a row for each image"),
     ("x.mat", "scipy.io.loadmat"), ("x.xlsx", "pandas.read_excel"), ("x.png", "give the folder in which it lies"),
     ("x.doc", r"or a \.zip, \.tar, \.npy, .*, \.tsv or \.parquet file$")],
)  # fmt: skip
def test_a_file_of_another_kind_is_to_be_made_one_that_is_read(tmp_path, name, says):
    (tmp_path / name).write_bytes(b"1,2")
    with pytest.raises(DiaboloError, match=says):
        load(tmp_path / name)


@pytest.mark.parametrize("name", [".", "../pets", "../pets/.", "./"])
def test_a_folder_has_its_own_name_however_it_is_reached(tmp_path, monkeypatch, name):
    (tmp_path / "pets").mkdir()
    for shade in range(3):
        Image.new("L", (2, 2), shade).save(tmp_path / "pets" / f"{shade}.png")
    monkeypatch.chdir(tmp_path / "pets")
    assert load(name)[0].name == "pets"
    assert not (tmp_path / "pets" / ".diabolo").exists()


def test_load_says_of_itself_what_it_takes():
    assert list(inspect.signature(load).parameters)[:4] == ["name", "root", "n_train", "n_test"]
    assert load.__name__ == "load"
    assert "n_labels" in load.__doc__
