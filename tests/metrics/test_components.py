import numpy as np
import pytest
import torch

from diabolo import metrics
from diabolo.errors import DiaboloError
from diabolo.pca import PCA


@pytest.fixture
def images(tiny_pixels):
    return tiny_pixels(60)


def test_errors_are_those_of_pca_with_so_many_components(images, tiny_pixels):
    test = tiny_pixels(40, seed=1)
    whole = PCA((1, 8, 8), 59)
    whole.solve(images)
    found = metrics.error_by_components(whole, test)
    assert found.shape == (60,)
    x = torch.from_numpy(test).float() / 255
    for k in (1, 5, 30):
        few = PCA((1, 8, 8), k)
        few.solve(images)
        assert found[k] == pytest.approx(float((few.reconstruct(x) - x).square().mean()), rel=1e-4)
    mean = torch.from_numpy(images).float().mean(0) / 255
    assert found[0] == pytest.approx(float((x - mean).square().mean()), rel=1e-5)
    assert (np.diff(found) <= 1e-9).all()


def test_floats_and_bytes_are_the_same(images):
    pca = PCA((1, 8, 8), 5)
    pca.solve(images)
    as_floats = (images / 255).astype(np.float32)
    assert np.allclose(metrics.error_by_components(pca, images), metrics.error_by_components(pca, as_floats), rtol=1e-5)


def test_pieces_do_not_matter_and_no_error_is_below_zero(images, monkeypatch):
    pca = PCA((1, 8, 8), 59)
    pca.solve(images)
    whole = metrics.error_by_components(pca, images)
    assert whole[-1] == pytest.approx(0, abs=1e-9)
    assert (whole >= 0).all()
    monkeypatch.setattr("diabolo.metrics.components.PIECE", 7)
    assert metrics.error_by_components(pca, images) == pytest.approx(whole, rel=1e-9, abs=1e-9)


def test_how_many_are_needed():
    assert metrics.components_needed([0.5, 0.3, 0.2, 0.1], 0.25) == 2
    assert metrics.components_needed([0.5, 0.3, 0.2, 0.1], 0.3) == 1
    assert metrics.components_needed([0.5, 0.3], 0.6) == 0
    with pytest.raises(DiaboloError, match=r"0\.05"):
        metrics.components_needed([0.5, 0.3], 0.05)


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
