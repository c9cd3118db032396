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


def test_a_folder_of_images_says_nothing_where_all_have_one():
    found = layout("train/images/1.png", "test/images/2.png", folders=["train/labels", "test/labels"])
    assert (found.parts, found.classes) == (["train", "test"], None)
    assert layout("ant/images/1.png", "bee/Images/2.png").classes == ["ant", "bee"]
    assert layout("images/1.png", "bee/2.png").classes == ["images", "bee"]


def test_a_class_is_one_in_whichever_way_its_accents_are_encoded():
    found = layout("train/caf\u00e9/1.png", "test/cafe\u0301/2.png")
    assert found.classes == ["caf\u00e9"] * 2


def test_capital_letters_tell_classes_of_one_part_apart():
    assert layout("A/1.png", "a/2.png").classes == ["A", "a"]
    assert layout("train/A/1.png", "train/a/2.png", "test/a/3.png").classes == ["A", "a", "a"]


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
        (["a/1.png", "2.png", "b/3.png"], [], "1 image beside folders with 2 more"),
        (["train/Cat/1.png", "test/cat/2.png"], [], "classes 'Cat' and 'cat' in different parts"),
        (["train/cat /1.png", "test/cat/2.png"], [], "classes 'cat' and 'cat ' in different parts"),
        (["train_images/1.png", "test_images/2.png"], [], "rename them to test and train"),
        (["trainA/1.png", "trainB/2.png", "testA/3.png", "testB/4.png"], [], "trainA|trainB.*parts or classes"),
        (["train2017/1.png", "val2017/2.png"], [], "rename them to train and validation"),
        (["pets-train/1.png", "pets-test/2.png"], [], "pets-test and pets-train"),
        (["train/n1/images/1.png", "val/images/2.png"], [], "the part validation of here has no class folders"),
        (["train/images/1.png", "train/masks/1.png", "test/images/2.png"], [], "train/images and train/masks"),
        (
            ["cup/train/good/1.png", "cup/test/bad/2.png", "cup/ground_truth/bad/2.png", "pen/train/good/3.png"],
            [],
            "or give one folder alone, such as cup",
        ),
        (["images/1.png", "masks/1.png"], [], "masks, pictures of their labels; move masks out, or give images alone"),
    ],
)
def test_what_may_mean_two_things_is_refused(names, folders, says):
    with pytest.raises(DiaboloError, match=says):
        layout(*names, folders=folders)


@pytest.mark.parametrize(
    "names", [("trains/1.png", "tests/2.png"), ("bullet_train/1.png", "test_tube/2.png"), ("mask/1.png", "none/2.png")]
)
def test_words_within_a_name_make_no_part(names):
    assert layout(*names).classes == [name.partition("/")[0] for name in names]
