import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diabolo.data import Images
from diabolo.data.options import Draw
from diabolo.data.splits import draw_from, random_split
from diabolo.errors import DiaboloError


def rows(n):
    return Images(
        np.zeros((n, 1, 2, 2), np.uint8), factors=np.arange(n, dtype=np.float32)[:, None], factor_names=("i",)
    )


def ids(images):
    return set(images.factors[:, 0].astype(int))


@given(st.integers(2, 200), st.floats(0.01, 0.99), st.integers(0, 2**31))
def test_a_split_has_every_image_once(n, fraction, seed):
    train, test = random_split(rows(n), Draw(seed=seed), fraction)
    assert ids(train) | ids(test) == set(range(n))
    assert len(train) + len(test) == n
    assert (train.split, test.split) == ("train", "test")


def test_counts_are_exact_and_one_part_does_not_move_with_the_other():
    train, test = random_split(rows(100), Draw(30, 20))
    assert (len(train), len(test)) == (30, 20)
    assert not ids(train) & ids(test)
    assert ids(random_split(rows(100), Draw(30, 5))[0]) == ids(train)
    assert ids(random_split(rows(100), Draw(60, 20))[1]) == ids(test)
    assert ids(random_split(rows(100), Draw(30, 20, seed=1))[0]) != ids(train)


def test_one_image_cannot_be_split():
    with pytest.raises(DiaboloError, match="at least 2 images, but array holds 1"):
        random_split(rows(1), Draw())


def test_more_than_there_are():
    with pytest.raises(DiaboloError, match="9 train and 2 test images were asked of array, which holds 10"):
        random_split(rows(10), Draw(9, 2))
    with pytest.raises(DiaboloError, match="which holds 10"):
        random_split(rows(10), Draw(n_test=10))
    with pytest.raises(DiaboloError, match="11 images were asked"):
        draw_from(rows(10), rows(3), Draw(n_train=11))


@pytest.mark.parametrize("fraction", [0, 1.0, -0.5, "half", None])
def test_a_fraction_is_one(fraction):
    with pytest.raises(DiaboloError, match="test_fraction must be a number above 0 and below 1"):
        random_split(rows(10), Draw(), fraction)


@pytest.mark.parametrize("n", [0, -3, 2.5, True])
def test_counts_are_whole_numbers(n):
    with pytest.raises(DiaboloError, match="n_train must be a whole number of at least 1"):
        Draw(n_train=n)
    with pytest.raises(DiaboloError, match="n_test must be a whole number of at least 1"):
        Draw(n_test=n)


@pytest.mark.parametrize("draw", [random_split, lambda images, how: draw_from(images, rows(5), how)])
def test_those_of_a_smaller_number_are_among_those_of_a_larger_and_not_the_first(draw):
    drawn = [ids(draw(rows(100), Draw(n))[0]) for n in (10, 30, 80)]
    assert drawn[0] < drawn[1] < drawn[2]
    assert all(chosen != set(range(len(chosen))) for chosen in drawn)
