"""Lines around so much of the mass of a density."""

import numpy as np
import pytest

from diabolo import figures
from diabolo.errors import DiaboloError

EXTENT = (-5, 5, -5, 5)


def bell(x, y, n=401):
    side = np.linspace(-5, 5, n)
    return np.exp(-(np.square(side[None] - x) + np.square(side[:, None] - y)) / 2)


def test_the_lines_hold_their_shares_where_they_should_be():
    figure = figures.contours(bell(0, 0), {"moved": bell(1, -1)}, EXTENT)
    for lines, share in zip(figure.axes[0].collections, (0.5, 0.95), strict=True):
        line = lines.get_paths()[0].vertices
        radius = np.hypot(
            line[:, 0] - 1, line[:, 1] + 1
        )  # right and down: x runs along columns, y along rows from below
        assert radius == pytest.approx(np.sqrt(-2 * np.log(1 - share)), abs=0.02)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((bell(0, 0, 9), {}, EXTENT), "nothing to draw"),
        ((bell(0, 0, 9), {"a": bell(0, 0, 8)}, EXTENT), r"'a' must have the shape \(9, 9\)|'a' must have"),
        ((bell(0, 0, 9), {"a": bell(0, 0, 9) - 1}, EXTENT), "is no density"),
        ((bell(0, 0, 9), {"a": bell(0, 0, 9)}, EXTENT, ("x", "y"), (0.9, 0.5)), "must be rising"),
    ],
)
def test_what_is_no_density_is_refused(arguments, said):
    with pytest.raises(DiaboloError, match=said):
        figures.contours(*arguments)
