"""Parts and classes from the names of folders alone: understood, or refused."""

import pytest

from diabolo.data.layout import read_layout
from diabolo.errors import DiaboloError


def layout(*names, folders=()):
    parents = {"/".join(name.split("/")[:k]) for name in names for k in range(1, name.count("/") + 1)}
    return read_layout(names, {*parents, *folders}, "here")


def test_flat_and_classes():
    assert layout("a.png", "b.png").parts is None
    assert layout("a.png", "b.png").classes is None
    found = layout("cat/a.png", "dog/small/b.png")
    assert found.parts is None
    assert found.classes == ["cat", "dog/small"]


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("train", "val", "test"),
        ("Train", "Validation", "TEST"),
        ("training", "dev", "testing"),
        ("TRAIN", "Valid", "eval"),
    ],
)
@pytest.mark.parametrize("around", ["", "set/", "download/set v2/"])
@pytest.mark.parametrize("kind", ["", "cat/", "cat/young/"])
def test_parts_by_any_of_their_names(train, validation, test, around, kind):
    found = layout(*(f"{around}{part}/{kind}{i}.png" for part in (train, validation, test) for i in range(2)))
    assert found.parts == ["train"] * 2 + ["validation"] * 2 + ["test"] * 2
    assert found.classes == ([kind.rstrip("/")] * 6 if kind else None)


def test_parts_within_the_classes():
    found = layout("cat/train/1.png", "cat/test/2.png", "dog/train/3.png", "dog/Test/4.png")
    assert found.parts == ["train", "test", "train", "test"]
    assert found.classes == ["cat", "cat", "dog", "dog"]


def test_anomaly_sets_keep_their_masks_apart():
    found = layout("train/good/1.png", "test/good/2.png", "test/crack/3.png", "ground_truth/crack/3_mask.png")
    assert found.masks == {3}
    assert [found.classes[i] for i in range(3)] == ["good", "good", "crack"]
    assert found.parts[:3] == ["train", "test", "test"]


def test_a_train_part_alone():
    assert layout("train/cat/1.png", "train/dog/2.png").classes == ["cat", "dog"]


@pytest.mark.parametrize(
    ("names", "folders", "says"),
    [
        (["train/1.png", "test/2.png", "cat/3.png"], [], "test, train beside cat"),
        (["train/1.png", "test/2.png", "3.png"], [], "beside images outside any folder"),
        (["car/1.png", "plane/2.png", "train/3.png"], [], "train beside car, plane: cannot tell whether"),
        (["train/1.png", "Train/2.png", "test/3.png"], [], "Train and train, which are one part"),
        (["train/1.png", "val/2.png", "valid/3.png"], [], "val and valid, which are one part"),
        (["test/1.png", "val/2.png"], [], "but no train"),
        (["test/cat/1.png", "test/dog/2.png"], [], "holds test but no train"),
        (["train/1.png"], ["test"], "part test without images"),
        (["train/cat/1.png"], ["val", "test", "test/cat"], "part test without images"),
        (["all/train/1.png"], ["all", "all/Test"], "part Test without images"),
        (["train/cat/1.png", "train/dog/1.png", "test/1.png"], [], "the part test of here has no class folders"),
        (["train/cat/1.png", "train/2.png", "test/cat/3.png"], [], "put every image into a class folder"),
        (["cat/train/1.png", "cat/test/2.png", "dog/3.png"], [], "not all its classes are divided so"),
        (["a/1.png", "2.png", "b/3.png"], [], "1 images beside folders with 2 more"),
        (["images/1.png", "masks/1.png"], [], "masks, pictures of their labels; give images alone"),
    ],
)
def test_what_may_mean_two_things_is_refused(names, folders, says):
    with pytest.raises(DiaboloError, match=says):
        layout(*names, folders=folders)
