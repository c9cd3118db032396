"""The account in full, of what can be loaded and of what cannot."""

import os

import numpy as np
import pytest

from diabolo.data import Images, inspect


@pytest.fixture
def folder(tmp_path, make):
    for part, n in (("train", 5), ("test", 2)):
        for kind in ("ant", "bee"):
            for i in range(n):
                make.save(
                    tmp_path / "set" / part / kind / f"{i}.png",
                    make.noise(len(part) * 1000 + 10 * ord(kind[0]) + i, 6, 4),
                )
    return tmp_path / "set"


def test_all_that_a_folder_holds(folder, make):
    (folder / "train" / "ant" / "again.png").write_bytes((folder / "train" / "ant" / "1.png").read_bytes())
    make.save(folder / "train" / "bee" / "large.png", make.noise(99, 9, 9, channels=1))
    (folder / "train" / "bee" / "bad.jpg").write_bytes(b"x")
    (folder / "notes.txt").write_text("x")
    os.mkfifo(folder / "train" / "bee" / "pipe.png")
    account = inspect(folder)
    rows = dict(account.rows())
    assert rows["files seen"] == "19"
    assert rows["files taken"] == "16"
    assert rows["left out: not images (.txt)"] == "1 (notes.txt)"
    assert rows["left out: unreadable"] == "2 (train/bee/pipe.png, train/bee/bad.jpg)"
    assert (rows["part: train"], rows["part: test"]) == ("12 images", "4 images")
    assert (rows["class 0: ant"], rows["class 1: bee"]) == ("8 images", "8 images")
    assert (rows["size: 6×4"], rows["size: 9×9"]) == ("15 images", "1 image")
    assert (rows["mode: RGB"], rows["mode: L"]) == ("15 images", "1 image")
    assert rows["duplicates, byte for byte"] == "1"
    assert "sizes differ" in rows["note"]
    assert not (folder.parent / ".diabolo").exists()


def test_what_stands_in_the_way_of_loading_is_a_note(folder, make):
    make.save(folder / "cow" / "1.png", make.noise(0, 6, 4))
    account = inspect(folder)
    assert any("cannot tell whether these are parts or classes" in note for note in account.notes)
    assert account.files == (15, 15)


def test_arrays_and_names(tmp_path):
    x = np.random.default_rng(0).integers(0, 4096, (10, 4, 4)).astype(np.uint16)
    x[3] = x[7]
    np.savez(tmp_path / "x.npz", x=x, y=np.arange(10) % 2 + 1)
    account = inspect(tmp_path / "x.npz")
    assert account.classes == {"1": 5, "2": 5}
    assert account.duplicates == 1
    assert account.used == (x.min(), x.max())
    assert account.span == (0, 4095)
    assert account.depths == {"16 bit": 10}
    digits = inspect("digits")
    assert digits.parts == {"train": 1437, "test": 360}
    assert sum(digits.classes.values()) == 1797
    assert digits.used == (0, 255)
    vectors = inspect(Images(np.random.default_rng(0).random((6, 3), np.float32)))
    assert vectors.depths == {"float": 6}
    assert vectors.channels is None


def test_files_of_more_than_8_bits(tmp_path, make):
    for i in range(3):
        make.save(tmp_path / "scans" / f"{i}.png", np.array([[7, 100 * i], [2000, 4000 - i]], np.uint16))
    rows = dict(inspect(tmp_path / "scans").rows())
    assert (rows["depth: 16 bit"], rows["values used"]) == ("3 images", "0 to 4,000")
    assert rows["read as black and white"] == "0 to 4,095"
    make.save(tmp_path / "ct" / "0.tif", np.array([[-1000.5, 2000]], np.float32))
    account = inspect(tmp_path / "ct")
    assert (account.depths, account.used, account.span) == ({"float": 1}, (-1000.5, 2000), None)
    assert account.notes == (
        "values -1000.5 to 2,000 keep their own units; where these are black and white, say so by --range -1000.5 2000",
    )
