"""Few labels: so many of them, evenly over the classes, the same for the same seed; and found again by a resumed run."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diabolo import data
from diabolo.data import Images
from diabolo.data.origin import hold_out, reload
from diabolo.errors import DiaboloError


def labelled(labels):
    return Images(np.zeros((len(labels), 1, 2, 2), np.uint8), labels=np.array(labels))


@given(st.lists(st.integers(-1, 4), min_size=1, max_size=60).filter(lambda ys: max(ys) >= 0), st.data())
def test_exactly_so_many_and_as_even_as_can_be(labels, draw):
    images = labelled(labels)
    known = images.labels[images.labels >= 0]
    n = draw.draw(st.integers(len(np.unique(known)), len(known)))
    few = images.keep_labels(n, draw.draw(st.integers(0, 1000)))
    kept = few.labels >= 0
    assert kept.sum() == n
    assert np.array_equal(few.labels[kept], images.labels[kept])
    assert (few.labels[~kept] == -1).all()
    counts = {c: (few.labels == c).sum() for c in np.unique(known)}
    for c, count in counts.items():  # only a class that has no more may have fewer than another
        assert count == (known == c).sum() or count >= max(counts.values()) - 1


def test_the_seed_draws_and_fewer_are_among_more():
    images = labelled([i % 10 for i in range(500)])
    kept = [
        np.flatnonzero(images.keep_labels(n, seed).labels >= 0) for n, seed in ((100, 0), (100, 1), (40, 0), (100, 0))
    ]
    assert np.array_equal(kept[0], kept[3])
    assert not np.array_equal(kept[0], kept[1])
    assert set(kept[2]) < set(kept[0])
    assert images.keep_labels(100).fingerprint != images.fingerprint
    assert (images.labels >= 0).all()


@pytest.mark.parametrize(
    ("labels", "n", "says"),
    [
        (None, 3, "which has none"),
        ([0, 1, -1], 3, "which has 2 that are known"),
        ([0, 1, 2], 2, "2 labels cannot show all 3 classes"),
        ([0, 1, 2], 0, "whole number of images from 1 up, got 0"),
        ([0, 1, 2], 1.5, "whole number of images from 1 up, got 1.5"),
    ],
)
def test_what_cannot_be_kept_is_refused(labels, n, says):
    images = Images(np.zeros((3, 1, 2, 2), np.uint8), labels=None if labels is None else np.array(labels))
    with pytest.raises(DiaboloError, match=says):
        images.keep_labels(n)


def test_loaded_with_few_labels_and_found_again():
    train, test = data.load("digits", n_labels=30, label_seed=3)
    assert (train.labels >= 0).sum() == 30
    assert (test.labels >= 0).all()
    assert reload(train.origin).fingerprint == train.fingerprint
    halves = hold_out(train, 0.1)
    assert [reload(half.origin).fingerprint for half in halves] == [half.fingerprint for half in halves]
    every, _ = data.load("digits")
    assert np.array_equal(train.labels, every.keep_labels(30, 3).labels)
    assert "n_labels" not in every.origin["load"]
