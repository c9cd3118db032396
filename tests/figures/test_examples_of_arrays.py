"""Figures of what are no pictures: vectors, signals and volumes beside their reconstructions."""

import numpy as np
import pytest

from diabolo import figures
from diabolo.errors import DiaboloError

RANDOM = np.random.default_rng(0)
SHAPES = {figures.vectors: (4, 6), figures.signals: (3, 2, 20), figures.slices: (3, 1, 6, 7, 8)}


@pytest.mark.parametrize("draw", SHAPES, ids=lambda draw: draw.__name__)
def test_each_is_drawn_and_what_is_not_known_is_left_blank(draw, tmp_path):
    x = RANDOM.random(SHAPES[draw])
    for holes in (False, True):
        known = x.copy()
        known.flat[:: 5 if holes else x.size + 1] = np.nan
        path = figures.save(draw(known, 0.9 * x, title="seen"), tmp_path / "x.png")
        assert path.stat().st_size > 2000


def test_vectors_are_shown_with_their_names_and_difference():
    x = RANDOM.normal(size=(4, 3))
    sheet = figures.vectors(x, x + 1, ["width", "height", "depth"], unit="mm")
    original, reconstruction, difference = (axes.get_images()[0].get_array() for axes in sheet.axes[:3])
    assert np.allclose(original, x)
    assert np.allclose(reconstruction - original, difference)
    assert np.allclose(difference, 1)
    assert [text.get_text() for text in sheet.axes[2].get_xticklabels()] == ["width", "height", "depth"]


def test_signals_lie_on_their_reconstructions():
    x = RANDOM.normal(size=(2, 3, 16))
    sheet = figures.signals(x, 2 * x)
    first, second = sheet.axes[0].get_lines()
    assert np.allclose(first.get_ydata(), x[0, 0])
    assert np.allclose(second.get_ydata(), 2 * x[0, 0])
    assert len(sheet.axes) == 6


@pytest.mark.parametrize("draw", SHAPES, ids=lambda draw: draw.__name__)
def test_what_does_not_fit_is_refused(draw):
    x = RANDOM.random(SHAPES[draw])
    with pytest.raises(DiaboloError, match="shape"):
        draw(x, x[:1])
    with pytest.raises(DiaboloError, match="must have the shape"):
        draw(x[0], x[0])
    with pytest.raises(DiaboloError, match="NaN or infinite"):
        draw(x, np.full_like(x, np.inf))
