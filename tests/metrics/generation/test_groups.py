"""Groups of images, and how many images fall into each."""

import numpy as np
import pytest

from diabolo.errors import DiaboloError
from diabolo.metrics.generation import kinds

RANDOM = np.random.default_rng(0)


def around(*sizes):
    """Points close to the corners 0, 1, … of a line, so many at each."""
    return np.concatenate([k + 0.01 * RANDOM.standard_normal((n, 2)) for k, n in enumerate(sizes)])


def test_shares_are_counted_by_the_nearest_centre():
    found = kinds(around(90, 10, 0, 0), around(40, 30, 20, 10), around(25, 25, 25, 25), groups=4)
    assert sorted(zip(found.real, found.drawn, strict=True)) == [(0.1, 0), (0.2, 0), (0.3, 0.1), (0.4, 0.9)]
    assert found.lost == pytest.approx(0.3)
    assert found.shown == 2
    assert found.different == 1


def test_a_group_seen_a_tenth_as_often_as_it_is_real_is_not_lost():
    seldom = kinds(around(970, 30), around(70, 30), around(50, 50), groups=2)
    assert (seldom.lost, seldom.shown) == (0, 2)
    hardly = kinds(around(971, 29), around(70, 30), around(50, 50), groups=2)
    assert (hardly.lost, hardly.shown) == (0.3, 1)


def test_two_samples_of_the_same_images_differ_in_one_group_of_twenty():
    shares = [
        kinds(*(np.random.default_rng(i).random((3, 500, 4))), groups=10).different for i in range(20)
    ]  # 200 tests at 5 %
    assert 0.01 < np.mean(shares) < 0.11


def test_images_of_any_shape_and_what_is_refused():
    x = RANDOM.random((40, 1, 4, 4))
    assert kinds(x, x, x, groups=2).lost == 0
    with pytest.raises(DiaboloError, match="20 real images or more"):
        kinds(x, x[:10], x, groups=2)
    with pytest.raises(DiaboloError, match="of 16 and 8 numbers"):
        kinds(x, x[:, :, :2], x, groups=2)
    with pytest.raises(DiaboloError, match="generated images hold NaN"):
        kinds(x * np.nan, x, x, groups=2)
