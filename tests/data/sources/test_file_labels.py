"""Labels of image files from a table."""

import io
import tarfile
import zipfile

import numpy as np
import pytest

from diabolo.data import load
from diabolo.data.loading import load_recorded
from diabolo.data.sources.file_labels import LabelTable
from diabolo.errors import DiaboloError

KINDS = ["cat", "dog", "elk"]


def kind(i):
    return KINDS[i % 3]


@pytest.fixture
def folder(tmp_path, make):
    """Twenty images without folders of classes, image i of the grey i."""
    (tmp_path / "pets").mkdir()
    for i in range(20):
        (tmp_path / "pets" / f"{i:03}.png").write_bytes(make.encoded(np.full((4, 4), i, np.uint8)))
    return tmp_path / "pets"


@pytest.fixture
def table(tmp_path):
    def write(rows, name="labels.csv"):
        (tmp_path / name).write_text("\n".join(rows), encoding="utf-8")
        return tmp_path / name

    return write


def told(parts):
    """Image → the name of its label, None where it is not known."""
    return {
        int(image[0, 0, 0]): None if label < 0 else part.label_names[label]
        for part in parts
        for image, label in zip(part.images, part.labels, strict=True)
    }


FORMS = {
    "names": lambda i: f"{i:03}.png",
    "stems with zeros in front": lambda i: f"{i:03}",
    "paths": lambda i: f"pets/{i:03}.png",
    "paths of Windows": lambda i: f".\\{i:03}.png",
    "another ending": lambda i: f"elsewhere/{i:03}.tif",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("head", [["file,label"], ["image;breed"], []])
def test_each_file_has_the_label_of_its_row(folder, table, form, head):
    mark = ";" if head and ";" in head[0] else ","
    rows = [f"{FORMS[form](i)}{mark}{kind(i)}" for i in reversed(range(20))]
    parts = load(folder, labels=table(head + rows))
    assert told(parts) == {i: kind(i) for i in range(20)}
    assert parts[0].label_names == ("cat", "dog", "elk")


def test_archives_have_them_too(folder, table, tmp_path):
    labels = table(["file,label", *(f"{i:03}.png,{kind(i)}" for i in range(20))])
    with zipfile.ZipFile(tmp_path / "pets.zip", "w") as packed:
        for path in folder.iterdir():
            packed.write(path, f"deep/{path.name}")
    with tarfile.open(tmp_path / "pets.tar", "w") as packed:
        for path in folder.iterdir():
            packed.add(path, path.name)
            beside = tarfile.TarInfo(f"{path.stem}.cls")
            beside.size = 1
            packed.addfile(beside, io.BytesIO(b"7"))  # for which the table stands
    for name in ("pets.zip", "pets.tar"):
        assert told(load(tmp_path / name, labels=labels)) == {i: kind(i) for i in range(20)}


def test_a_table_stands_for_folders_of_classes_and_parts_stay(tmp_path, make, table):
    for part in ("train", "test"):
        for i in range(6):
            path = tmp_path / "mine" / part / "all"[: i % 2 * 3] / f"{part}{i}.png"  # half of them lie in no class
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(make.encoded(np.full((4, 4), i, np.uint8)))
    rows = [f"{part}{i}.png,{kind(i)}" for part in ("train", "test") for i in range(6)]
    train, test = load(tmp_path / "mine", labels=table(["path,kind", *rows]))
    assert told([train]) == told([test]) == {i: kind(i) for i in range(6)}


def test_files_without_a_row_are_not_known_and_that_is_said(folder, table):
    rows = [*(f"{i:03}.png,{kind(i)}" for i in range(15)), "015.png,", "016.png,-1", "other.png,dog"]
    parts = load(folder, labels=table(["file,label", *rows]))
    assert told(parts) == {i: kind(i) if i < 15 else None for i in range(20)}
    assert parts[0].account.unlabelled == 5
    assert "; 5 files have none there; 1 row of it is of other files" in parts[0].account.line()


def test_whole_numbers_are_ordered_as_numbers(folder, table):
    train, _ = load(folder, labels=table(["id,class", *(f"{i:03},{i % 11}" for i in range(20))]))
    assert train.label_names == tuple(map(str, range(11)))


def test_labels_that_are_called_as_files_are_do_not_name_them(table):
    files = [f"{i}.png" for i in range(1, 11)]
    found = LabelTable(table([f"{i},{i % 9 + 1}" for i in range(1, 201)])).of(
        files
    )  # most labels are the stem of a file
    assert [found.names[label] for label in found.labels] == [str(i % 9 + 1) for i in range(1, 11)]


def test_a_run_finds_its_labels_again(folder, table, monkeypatch, tmp_path):
    labels = table(["file,a,b", *(f"{i:03}.png,{kind(i)},{i % 2}" for i in range(20))])
    monkeypatch.chdir(tmp_path)
    train, test = load("pets", labels="labels.csv", label_column="b")
    assert train.origin["load"]["labels"] == str(labels)
    monkeypatch.chdir("/")
    again = load_recorded(train.origin["load"], None)
    assert (again.train.fingerprint, again.test.fingerprint) == (train.fingerprint, test.fingerprint)
    assert train.label_names == ("0", "1")


REFUSED = {
    "another folder's": (["file,label", "x.png,cat"], "names one of 20 files such as 000.png"),
    "two labels": (["file,label", "000.png,cat", "000.png,dog"], "gives 000.png two labels, 'cat' and 'dog'"),
    "several columns": (["file,breed,age", "000.png,cat,3"], r"which column .* holds the labels\? .*breed, age"),
    "no labels": (["file", "000.png"], "has one column, which names files, and none of labels"),
    "none known": (["file,label", "000.png,", "001.png,-1"], "gives none of 20 files a label"),
    "ragged": (["file,label", "000.png,cat", "001.png"], "row 3 of .* has 1 field and others 2"),
    "empty": ([], "is empty"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(folder, table, case):
    rows, words = REFUSED[case]
    with pytest.raises(DiaboloError, match=words):
        load(folder, labels=table(rows))


def test_a_row_that_may_be_several_files_is_refused(table):
    found = LabelTable(table(["file,label", "1.png,cat"]))
    with pytest.raises(DiaboloError, match=r"'1\.png' in .* may be a/1\.png or b/1\.png: give their paths"):
        found.of(["a/1.png", "b/1.png"])


def test_what_takes_no_table(folder, table, tmp_path):
    labels = table(["file,label", "000.png,cat"])
    with pytest.raises(DiaboloError, match="unknown option 'labels' of mnist"):
        load("mnist", labels=labels)
    with pytest.raises(DiaboloError, match="name it by labels"):
        load(folder, label_column="breed")
    with pytest.raises(DiaboloError, match=r"unknown column 'bread'"):
        load(folder, labels=table(["file,breed,age", "000.png,cat,1"]), label_column="bread")
    with pytest.raises(DiaboloError, match=r"unknown column 'file' of .*; valid: breed"):
        load(folder, labels=table(["file,breed", "000.png,cat"]), label_column="file")
    with pytest.raises(DiaboloError, match=r"two columns of .* are called 'breed': rename one"):
        load(folder, labels=table(["file,breed,breed", "000.png,cat,dog"]), label_column="breed")
    with pytest.raises(DiaboloError, match=r"path of a table .* not ndarray"):
        load(folder, labels=np.zeros(20, int))
    with pytest.raises(DiaboloError, match="not a regular file"):
        load(folder, labels=folder)
    with pytest.raises(DiaboloError, match="cannot be read: No such file"):
        load(folder, labels=tmp_path / "gone.csv")
