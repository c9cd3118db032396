import numpy as np
import pytest

from diabolo import metrics
from diabolo.errors import DiaboloError


def test_the_corner_of_a_curve_that_has_one():
    assert metrics.elbow([0, 1, 2, 3, 4], [4, 2, 0.4, 0.2, 0]) == 2
    assert metrics.elbow([2, 4, 8, 16], [1.0, 0.1, 0.05, 0.0]) == 4


def test_scales_do_not_matter_but_the_range_does():
    x = np.arange(1, 41)
    y = 1 / x
    whole = metrics.elbow(x, y)
    assert whole == metrics.elbow(3 * x, 100 * y + 7) / 3
    # 1/x is farthest below its chord over [1, b] at √b
    assert whole == pytest.approx(np.sqrt(40), abs=0.5)
    assert metrics.elbow(x[:9], y[:9]) == 3


def test_where_a_curve_ends_does_not_matter_but_its_shape():
    x, y = np.arange(1, 20), 1 / np.arange(1, 20)
    assert metrics.elbow(x, y) == metrics.elbow(x, y + 100) == metrics.elbow(x, y - 100) == 4


def test_a_straight_line_and_a_rise():
    assert metrics.elbow([0, 1, 2], [2, 1, 0]) == 0
    assert metrics.elbow([0, 1, 2], [1, 0, 1]) is None


def test_a_curve_that_ends_where_it_began_has_none_and_of_two_corners_the_first_counts():
    assert metrics.elbow([0, 1, 2], [1, 0, 1]) is None
    assert metrics.elbow([0, 1, 2], [1, 0, 2]) is None
    assert metrics.elbow([0, 1, 2, 3, 4], [4, 1, 2, 0, 0]) == 1


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        ([0, 1], [1, 0], r"not of \(2,\), \(2,\)"),
        ([0, 2, 1], [2, 1, 0], "with rising x"),
        ([0, 1, 1], [2, 1, 0], "with rising x"),
        ([0, 1, 2], [2, 1], r"not of \(3,\), \(2,\)"),
        ([[0, 1, 2]] * 3, [[2, 1, 0]] * 3, r"not of \(3, 3\)"),
        ([0, 1, 2], [2, np.nan, 0], "NaN or infinity"),
        ([0, 1, 2], [np.inf, 1, 0], "NaN or infinity"),
    ],
)
def test_what_is_no_curve_is_refused(x, y, said):
    with pytest.raises(DiaboloError, match=said):
        metrics.elbow(x, y)
