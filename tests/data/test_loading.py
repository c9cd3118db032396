from pathlib import Path

import numpy as np
import pytest
import torch

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
    with pytest.raises(UnknownNameError, match=r"unknown data set 'mnits'; did you mean 'mnist'\?"):
        load("mnits")


def test_an_unknown_option_suggests_the_nearest_of_that_source():
    with pytest.raises(UnknownNameError, match=r"option of celeba 'sise'; did you mean 'size'\?"):
        load("celeba", sise=32)
    with pytest.raises(UnknownNameError, match=r"option of digits 'size'"):
        load("digits", size=32)
    with pytest.raises(UnknownNameError, match=r"option of an array 'lables'; did you mean 'labels'\?"):
        load(np.zeros((4, 2, 2), np.uint8), lables=[0, 0, 1, 1])


@pytest.mark.parametrize("name", ["nowhere/images", "x.npz", Path("gone")])
def test_a_path_that_is_not_there(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DiaboloError, match=f"there is no file or folder {name}"):
        load(name)


def test_a_file_of_another_kind(tmp_path):
    (tmp_path / "x.csv").write_text("1,2")
    with pytest.raises(DiaboloError, match=r"cannot read .*x\.csv: expected a folder"):
        load(tmp_path / "x.csv")


def test_where_the_root_is(monkeypatch, own_home, tmp_path):
    monkeypatch.setenv("DIABOLO_DATA", str(tmp_path))
    assert find_root("/elsewhere") == Path("/elsewhere")
    assert find_root() == tmp_path
    monkeypatch.delenv("DIABOLO_DATA")
    assert find_root() == own_home / ".cache" / "diabolo"
    assert find_root("~/here") == own_home / "here"


def test_the_seed_is_checked():
    with pytest.raises(DiaboloError, match="a seed is a whole number"):
        load(np.zeros((4, 2, 2), np.uint8), seed=-1)
