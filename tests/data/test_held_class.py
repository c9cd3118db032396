"""Training images without one class; found again by a resumed run."""

import numpy as np
import pytest

from diabolo import data
from diabolo.data import Images
from diabolo.data.held_class import without_class
from diabolo.data.origin import hold_out, reload
from diabolo.errors import DiaboloError


def test_the_training_images_lose_the_class_and_the_test_images_keep_it():
    every, _ = data.load("digits")
    train, test = data.load("digits", without_class=3)
    assert np.array_equal(train.images, every.images[every.labels != 3])
    assert (train.labels != 3).all()
    assert (test.labels == 3).any()
    assert reload(train.origin).fingerprint == train.fingerprint
    halves = hold_out(train, 0.1)
    assert [reload(half.origin).fingerprint for half in halves] == [half.fingerprint for half in halves]
    assert "without_class" not in every.origin["load"]


def test_few_labels_are_kept_of_what_is_left():
    train, _ = data.load("digits", without_class=0, n_labels=9)
    assert sorted(train.labels[train.labels >= 0].tolist()) == list(range(1, 10))


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (None, "class 1 cannot be left out of array .all., which has no labels"),
        ([0, 2, 2], "there is no class 1 in array .all.; the classes are 0, 2"),
        ([1, 1, 1], "without class 1 nothing is left"),
        ([0, 1, -1], "the labels of 1 images are not known"),
    ],
)
def test_what_cannot_be_left_out_is_refused(labels, says):
    images = Images(np.zeros((3, 1, 2, 2), np.uint8), labels=None if labels is None else np.array(labels))
    with pytest.raises(DiaboloError, match=says):
        without_class(images, 1)
