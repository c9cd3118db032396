"""A split that keeps persons apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diabolo.data.images import Images
from diabolo.data.options import Draw
from diabolo.data.splits import split_by_group
from diabolo.errors import DiaboloError


def portraits(persons):
    n = len(persons)
    return Images(np.zeros((n, 1, 2, 2), np.uint8), labels=np.arange(n, dtype=np.int64))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 8), max_size=60), st.integers(0, 50))
def test_no_person_is_in_both_parts(more, seed):
    persons = np.array([*range(9), *more])
    n_test = max(1, len(persons) // 10)
    train, test = split_by_group(portraits(persons), persons, Draw(1, n_test, seed))
    assert not set(persons[train.labels]) & set(persons[test.labels])
    assert (len(train), len(test)) == (1, n_test)
    assert (train.split, test.split) == ("train", "test")
    most, _ = split_by_group(portraits(persons), persons, Draw(None, 1, seed))
    assert len(most) >= 8  # all that are not the one person's of the test image


def test_a_tenth_is_for_testing_unless_said():
    persons = np.arange(300) // 3
    train, test = split_by_group(portraits(persons), persons, Draw())
    assert (len(train), len(test)) == (270, 30)


def test_exact_numbers_the_same_for_the_same_seed_and_others_for_another():
    persons = np.random.default_rng(0).integers(0, 40, 300)
    images = portraits(persons)
    train, test = split_by_group(images, persons, Draw(100, 50, 1))
    assert (len(train), len(test)) == (100, 50)
    again = split_by_group(images, persons, Draw(100, 50, 1))[1]
    assert np.array_equal(test.labels, again.labels)
    assert not np.array_equal(test.labels, split_by_group(images, persons, Draw(100, 50, 2))[1].labels)


@pytest.mark.parametrize(("n_train", "n_test"), [(290, 10), (10, 301), (10, 300)])
def test_more_than_there_are_is_refused(n_train, n_test):
    persons = np.arange(300) // 30
    with pytest.raises(DiaboloError, match="kept apart"):
        split_by_group(portraits(persons), persons, Draw(n_train, n_test, 1))


def test_one_person_cannot_be_split():
    with pytest.raises(DiaboloError, match="two of them or more"):
        split_by_group(portraits(np.zeros(5)), np.zeros(5, np.int64), Draw())
