"""The sheet rolled up in space: two numbers say where a point lies, evenly over its area."""

import numpy as np
import pytest

from diabolo.data import load
from diabolo.data.sources.sheet import FIRST, LAST, rolled


def test_points_lie_on_the_spiral_and_inside_the_cube():
    train, test = load("sheet", n_train=500, n_test=50)
    assert train.shape == (3,)
    assert train.factor_names == ("along", "across")
    for part in (train, test):
        assert part.images.min() >= 0
        assert part.images.max() <= 1
        x, y = (2 * LAST * (part.images[:, :2].astype(float) - 0.5)).T
        radius = np.hypot(x, y)
        assert np.cos(radius) == pytest.approx(x / radius, abs=1e-4)  # r = angle
        assert np.sin(radius) == pytest.approx(y / radius, abs=1e-4)
        assert part.images[:, 2] == pytest.approx(part.factors[:, 1], abs=1e-6)


def test_equal_steps_along_are_equally_long():
    """So that the points are spread evenly: the length of the curve between places, by its chords."""
    places = np.column_stack([np.linspace(0, 1, 5001), np.zeros(5001)])
    steps = np.linalg.norm(np.diff(rolled(places), axis=0), axis=1)
    assert steps.max() / steps.min() == pytest.approx(1, abs=1e-3)
    ends = 2 * LAST * (rolled(np.array([[0.0, 0], [1.0, 0]]))[:, :2] - 0.5)
    assert np.linalg.norm(ends, axis=1) == pytest.approx([FIRST, LAST])


def test_parts_share_nothing_and_do_not_depend_on_how_many():
    train, test = load("sheet", n_train=40, n_test=40)
    assert np.array_equal(load("sheet", n_train=5)[0].images, train.images[:5])
    assert not set(train.images[:, 0].tolist()) & set(test.images[:, 0].tolist())
    assert load("sheet", n_train=5, data_seed=1)[0].fingerprint != load("sheet", n_train=5)[0].fingerprint
