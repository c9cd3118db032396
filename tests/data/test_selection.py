"""Images that two parts share, and a class that is left out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from diabolo import data
from diabolo.data import Images
from diabolo.data.origin import hold_out, reload
from diabolo.data.selection import NEAR, distance_to, without_class, without_leaks
from diabolo.errors import DiaboloError


def noise(n, seed=0, shape=(1, 4, 4)):
    return Images(np.random.default_rng(seed).integers(0, 256, (n, *shape), dtype=np.uint8))


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 9), st.sampled_from([1, 4, 2048]))
@settings(deadline=None, max_examples=30)
def test_the_distance_is_scipys_whatever_the_pieces(n, m, seed, piece):
    one, other = noise(n, seed), noise(m, seed + 10)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("diabolo.data.selection.PIECE", piece)
        found = distance_to(one, other)
    flat = [part.images.reshape(len(part), -1) / 255 for part in (one, other)]
    np.testing.assert_allclose(found, cdist(*flat).min(1) / 4, atol=1e-4)


def test_copies_and_near_copies_are_left_out_and_nothing_else():
    test = noise(20)
    near = test.images[:5].copy()
    near[:, 0, 0, 0] = np.where(near[:, 0, 0, 0] > 99, near[:, 0, 0, 0] - 9, near[:, 0, 0, 0] + 9)
    assert NEAR > 9 / 255 / 4
    train = Images(np.concatenate([noise(30, 1).images, near, test.images[7:9]]))
    kept = without_leaks(train, test)
    np.testing.assert_array_equal(kept.images, noise(30, 1).images)
    assert without_leaks(kept, test) is kept


def test_vectors():
    x = np.random.default_rng(0).random((9, 5), dtype=np.float32)
    assert (distance_to(Images(x), Images(x)) < 1e-3).all()


def test_nothing_left_is_refused():
    with pytest.raises(DiaboloError, match="nothing is left to train on"):
        without_leaks(noise(5), noise(5))


def test_digits_have_none_and_the_option_is_remembered(tmp_path):
    train, test = data.load("digits")
    assert len(data.load("digits", drop_leaks=True)[0]) == len(train)
    np.savez(tmp_path / "x.npz", x_train=np.concatenate([train.images, test.images[:9]]), x_test=test.images)
    kept, _ = data.load(tmp_path / "x.npz", drop_leaks=True)
    assert len(kept) == len(train)
    assert kept.origin["load"]["drop_leaks"] is True


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
