"""Planes and the way back from a place to a code."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from diabolo.errors import DiaboloError
from diabolo.explorer.planes import AROUND, Curved, plane

Z = np.random.default_rng(0).normal(size=(200, 5)) * (3, 2, 1, 0.5, 0.1)


def test_two_numbers_are_a_plane_already():
    flat = plane("pca", Z[:, :2])
    assert np.array_equal(flat.points, Z[:, :2])
    assert flat.code_at((0.25, -2)).tolist() == [0.25, -2]
    assert flat.place_of(np.array([1.0, 2.0])).tolist() == [1, 2]


def test_components_go_there_and_back():
    flat, by_sklearn = plane("pca", Z), PCA(2).fit(Z)
    assert np.allclose(np.abs(flat.points), np.abs(by_sklearn.transform(Z)))
    for place in ((0.0, 0.0), (1.5, -2.0)):
        assert np.allclose(flat.place_of(flat.code_at(place)), place)
    assert np.allclose(flat.code_at((0, 0)), Z.mean(0))


@pytest.mark.parametrize(("n", "d"), [(200, 3), (12, 40), (30, 1100)])
def test_components_are_those_of_scikit_learn(n, d):
    z = np.random.default_rng(1).normal(size=(n, d)) * np.exp(-np.arange(d) / 3) + 5
    flat, by_sklearn = plane("pca", z), PCA(2, svd_solver="full").fit(z)
    assert np.allclose(np.abs(flat.points), np.abs(by_sklearn.transform(z)), atol=1e-6)
    shares = by_sklearn.explained_variance_ratio_
    assert flat.axis_names == (
        f"PC 1 ({shares[0]:.0%} of the variance)".replace("%", " %"),
        f"PC 2 ({shares[1]:.0%})".replace("%", " %"),
    )


def test_a_plane_through_three_images_holds_their_codes():
    flat = plane("images", Z, (3, 50, 120))
    for image in (3, 50, 120):
        assert np.allclose(flat.code_at(flat.points[image]), Z[image])
    assert np.allclose(flat.points[3], 0)
    assert flat.points[50][1] == pytest.approx(0)


@pytest.mark.parametrize(
    ("codes", "through", "words"),
    [
        (Z, (1, 1, 2), "3 different images"),
        (Z, (1, 2), "3 different images"),
        (Z, (1, 2, 500), "3 different images"),
        (np.outer(np.arange(9.0), np.ones(4)), (1, 2, 3), "lie on a line"),
        (np.vstack([Z[:4], Z[:1]]), (0, 4, 1), "have the same code"),
        (Z[:, :1], (1, 2, 3), "lie on a line"),
    ],
)
def test_three_images_that_span_no_plane_are_refused(codes, through, words):
    with pytest.raises(DiaboloError, match=words):
        plane("images", codes, through)


def test_codes_of_one_number_lie_on_a_line():
    line = plane("pca", Z[:, :1])
    assert np.array_equal(line.points[:, 0], Z[:, 0])
    assert line.code_at((0.7, 0.1)).tolist() == [0.7]


def test_a_place_on_a_curved_map_is_made_of_the_codes_nearest_to_it():
    points = np.array([[0.0, 0], [1, 0], [0, 1], [50, 50]])
    codes = np.array([[1.0], [2], [4], [100]])
    curved = Curved(points, np.arange(4), ("", ""), "", codes)
    assert curved.code_at((1.0, 0.0))[0] == pytest.approx(2, abs=1e-3)  # on a point it is that code
    weight = 1 / np.array([0.5, 0.5, 0.5])
    assert curved.code_at((0.5, 0.5))[0] == pytest.approx(float(weight @ [1, 2, 4] / weight.sum()))
    assert AROUND == 3
    assert curved.place_of(np.array([3.9])).tolist() == [0, 1]


def test_a_map_of_indices_decodes_the_nearest_image_alone():
    found = plane("pca", Z, discrete=True)
    assert isinstance(found, Curved)
    assert np.allclose(found.code_at(found.points[7]), Z[7])


def test_codes_that_are_all_the_same_have_no_map():
    with pytest.raises(DiaboloError, match="collapsed"):
        plane("pca", np.ones((20, 3)))


def test_nothing_lies_between_indices_on_any_plane():
    for how in ("pca", "images"):
        found = plane(how, Z, (3, 50, 120), discrete=True)
        near = found.code_at(found.points[7] + 1e-9)
        assert np.allclose(near, Z[found.chosen[7]])
        assert "nearest point" in found.back
    assert isinstance(plane("pca", Z[:, :1], discrete=True), Curved)
