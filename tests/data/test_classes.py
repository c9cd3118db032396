"""Classes by their names: how they are numbered, and which one is meant."""

import numpy as np
import pytest

from diabolo.data import as_images, load
from diabolo.data.classes import class_number, in_order, named_labels
from diabolo.errors import DiaboloError

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 4, 4), dtype=np.uint8)


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (["10", "2", "1"], ("1", "2", "10")),
        (["-1", "007", "12"], ("-1", "007", "12")),
        (["b", "a", "10"], ("10", "a", "b")),
        (["1.5", "10"], ("1.5", "10")),
    ],
)
def test_numbers_stand_in_their_order(names, order):
    assert in_order(names) == order


@pytest.mark.parametrize(
    ("wanted", "names", "present", "label"),
    [
        ("dog", ("cat", "dog"), [0, 1], 1),
        (1, ("cat", "dog"), [0, 1], 1),
        ("1", ("cat", "dog"), [0, 1], 1),
        (1, ("1", "2", "10"), [0, 1, 2], 0),
        ("10", ("1", "2", "10"), [0, 1, 2], 2),
        (7, ("005", "007"), [0, 1], 1),
        (5, None, [2, 5, 9], 5),
        ("5", None, [2, 5, 9], 5),
        ("0", ("0", "one"), [0, 1], 0),
    ],
)
def test_the_class_that_is_meant(wanted, names, present, label):
    assert class_number(wanted, names, present, "here") == label


@pytest.mark.parametrize(
    ("wanted", "names", "present", "says"),
    [
        ("dgo", ("cat", "dog"), [0, 1], r"no class dgo in here \(did you mean 'dog'\?\); the classes are cat, dog"),
        (2, ("cat", "dog"), [0, 1], "no class 2 in here; the classes are cat, dog"),
        (0, ("1", "2"), [0, 1], "no class 0 in here; the classes are 1, 2"),
        (1, ("zero", "10"), [0, 1], "the classes are zero, 10"),
        (3, None, [2, 5], "the classes are 2, 5"),
        ("cat", ("cat", "dog"), [1], "the classes are dog"),
        (True, ("cat", "dog"), [0, 1], "no class True"),
        (-1, ("cat", "dog"), [0, 1], "no class -1"),
        ("1", ("01", "1.", "001"), [0, 1, 2], "no class 1 "),
    ],
)
def test_a_class_that_is_not_there_or_not_certain(wanted, names, present, says):
    with pytest.raises(DiaboloError, match=says):
        class_number(wanted, names, present, "here")


def test_classes_are_those_that_occur():
    (train, test), names = named_labels(np.array([3, 9, 3]), np.array([5, -1]))
    assert (train.tolist(), test.tolist()) == ([0, 2, 0], [1, -1])
    assert names == ("3", "5", "9")
    assert named_labels(np.array([0, 1, 2]))[1] is None
    assert named_labels(np.array([1.0, 2.0]))[1] == ("1", "2")
    assert named_labels(["b", "a", "b"])[0][0].tolist() == [1, 0, 1]
    assert named_labels(None) == ([None], None)
    assert named_labels(np.array([[3], [1]]))[0][0].tolist() == [1, 0]  # a column, as tables have
    assert named_labels(["caf\u00e9", "cafe\u0301"])[1] == ("caf\u00e9",)  # in whichever way its accents are encoded


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ([-1, 1, 1], "-1 and 1 alone"),
        ([-3, 1], "run from -3 to 1"),
        ([0.5, 1], "whole numbers"),
        ([float("nan"), 1], "whole numbers"),
        ([[0, 1], [1, 0]], "whole numbers"),
        (["", "a"], "empty text, which names no class"),
        ([None, 1], "whole numbers"),
    ],
)
def test_labels_that_are_none(labels, says):
    with pytest.raises(DiaboloError, match=says):
        named_labels(labels)


def test_load_takes_names_and_gaps_and_as_images_says_where_names_go():
    train, test = load(PIXELS, labels=["cat", "dog", "cow"] * 4, n_test=3)
    assert train.label_names == test.label_names == ("cat", "cow", "dog")
    train, _ = load(PIXELS, labels=np.arange(12) % 3 + 1, without_class="2")
    assert {train.label_names[label] for label in train.labels} == {"1", "3"}
    assert train.account.classes == {"1": 4, "2": 4, "3": 4}
    with pytest.raises(DiaboloError, match=r"there is no class 0 in .*; the classes are 1, 2, 3"):
        load(PIXELS, labels=np.arange(12) % 3 + 1, without_class=0)
    with pytest.raises(DiaboloError, match="names of classes are taken by load"):
        as_images(PIXELS, ["cat"] * 12)


def test_parts_of_a_file_share_their_classes(tmp_path):
    y = np.array([4, 7, 7, 4])
    np.savez(tmp_path / "x.npz", x_train=PIXELS[:4], y_train=y, x_test=PIXELS[4:6], y_test=np.array([7, 9]))
    train, test = load(tmp_path / "x.npz")
    assert train.label_names == test.label_names == ("4", "7", "9")
    assert (train.labels.tolist(), test.labels.tolist()) == ([0, 1, 1, 0], [1, 2])


def test_folders_called_by_numbers(tmp_path, make):
    for number in (1, 2, 10):
        for i in range(4):
            make.save(tmp_path / "set" / str(number) / f"{i}.png", np.full((4, 4), 20 * number, np.uint8))
    for wanted in (10, "10"):
        train, _ = load(tmp_path / "set", without_class=wanted)
        assert train.label_names == ("1", "2", "10")
        assert set(np.unique(train.images)) == {20, 40}
