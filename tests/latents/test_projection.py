"""Projections: the method that was asked for, the subsample said, the same points for the same seed."""

import sys
import types

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score

from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.latents import project
from diabolo.latents.projection import MOST, _apart, _pca, most_of
from diabolo.randomness import derive


def groups(n=40, dim=6):
    random = np.random.default_rng(0)
    labels = np.arange(n) % 3
    return 8 * np.eye(3, dim)[labels] + random.normal(size=(n, dim)), labels


def test_pca_is_that_of_sklearn():
    z, _ = groups()
    found = project(z)
    np.testing.assert_allclose(np.abs(found.points), np.abs(PCA(2).fit_transform(z)))
    share = PCA(2).fit(z).explained_variance_ratio_
    assert found.told == f"PCA; {100 * share[0]:.0f} % and {100 * share[1]:.0f} % of the variance"
    assert found.axis_names == (f"PC 1 ({100 * share[0]:.0f} % of the variance)", f"PC 2 ({100 * share[1]:.0f} %)")
    np.testing.assert_array_equal(found.chosen, np.arange(40))


@pytest.mark.parametrize("how", ["t-sne", pytest.param("umap", marks=pytest.mark.slow)])  # which is compiled first
def test_groups_stay_apart_and_the_same_seed_gives_the_same_points(how):
    z, labels = groups()
    options = {"perplexity": 5} if how == "t-sne" else {"n_neighbors": 8}
    found, again = (project(z, how, seed=3, **options) for _ in range(2))
    np.testing.assert_array_equal(found.points, again.points)
    assert silhouette_score(found.points, labels) > 0.5
    assert found.points.shape == (40, 2)


class Recorded:
    """A method that keeps what it was given."""

    def __init__(self, **given):
        Recorded.given = given

    def fit_transform(self, z):
        Recorded.seen = z
        return np.float32(z[:, :2])


@pytest.fixture
def recorded(monkeypatch):
    """Both methods of neighbours, without their work."""
    monkeypatch.setattr("sklearn.manifold.TSNE", Recorded)
    monkeypatch.setitem(sys.modules, "umap", types.SimpleNamespace(UMAP=Recorded))
    monkeypatch.setattr("diabolo.latents.projection.ready_numba", lambda: None)
    monkeypatch.setattr("diabolo.latents.projection.find_spec", lambda _: None)
    return Recorded


@pytest.mark.parametrize(("n", "perplexity", "neighbours", "start"), [(40, 13, 15, "spectral"), (10, 3, 9, "random")])
def test_what_a_method_is_given_when_nobody_says(recorded, n, perplexity, neighbours, start):
    z, _ = groups(n)
    assert project(z, "t-sne", 3).told == f"t-SNE, perplexity {perplexity}"
    state = derive(3, "projection") % 2**32
    assert recorded.given == {"perplexity": perplexity, "init": "pca", "random_state": state}
    found = project(z, "umap", 3)
    assert found.told == f"UMAP, {neighbours} neighbours, least distance 0.1"
    assert recorded.given == {
        "n_neighbors": neighbours, "min_dist": 0.1, "init": start, "random_state": state, "n_jobs": 1,
    }  # fmt: skip
    assert found.axis_names == ("UMAP 1", "UMAP 2")
    assert found.points.dtype == np.float64
    np.testing.assert_allclose(found.points, z[:, :2], rtol=1e-6)


@pytest.mark.parametrize(("n", "start"), [(30, "random"), (31, "spectral")])
def test_umap_starts_at_random_with_few_codes(recorded, n, start):
    project(groups(n)[0], "umap", n_neighbors=15)
    assert recorded.given["init"] == start


def test_perplexity_is_30_for_many_codes(recorded):
    assert project(groups(100)[0], "t-sne").told == "t-SNE, perplexity 30"


@pytest.mark.parametrize(
    ("size", "shift", "scaled"),
    [
        (1, 0, False),
        (1e-5, 0, False),
        (1e5, 0, False),
        (1e-7, 0, True),
        (1e7, 0, True),
        (1.01e-6, 0, False),
        (1e-6, 0, True),
        (0.99e6, 0, False),
        (1e6, 0, True),
        (1, 900, False),
        (1, 1000, False),
        (1, 1100, True),
        (1, -1100, True),
    ],
)
def test_codes_are_scaled_where_float32_would_lose_them(size, shift, scaled):
    z = size * (np.array([[-1.0, 0.5], [1.0, 0], [0, -0.5], [0, 0]]) + np.array([shift, 0]))
    found, back = _apart(z, 4, "it")
    np.testing.assert_allclose(found, z / size - np.array([shift, 0]) if scaled else z, atol=1e-9)
    assert back == slice(None)
    with pytest.raises(DiaboloError, match="it needs 5 different ones"):
        _apart(z, 5, "it")


def test_equal_codes_are_placed_once():
    z = np.array([[2.0, 0], [1, 0], [2, 0], [0, 1], [0, 3]])
    found, back = _apart(z, 4, "it")
    assert found.tolist() == [[0, 1], [0, 3], [1, 0], [2, 0]]
    np.testing.assert_array_equal(found[back], z)


def test_of_all_codes_none_is_drawn(recorded):
    z = np.random.default_rng(0).normal(size=(10, 2))
    assert (project(z).told, project(z).axis_names) == ("the codes themselves", ("z₁", "z₂"))
    assert project(z, "t-sne").axis_names == ("t-SNE 1", "t-SNE 2")
    assert project(z, most=10).told == "the codes themselves"
    found = project(z, most=4, seed=5)
    assert found.told == "the codes themselves; 4 of 10 codes, drawn by seed 5"
    np.testing.assert_array_equal(found.points, z[found.chosen])
    with pytest.raises(DiaboloError, match="most must be"):
        project(z, most=3)
    assert project(np.random.default_rng(0).normal(size=(4, 3))).points.shape == (4, 2)


def test_many_codes_are_drawn_from_and_it_is_said():
    z = np.random.default_rng(0).normal(size=(70_000, 3))
    assert most_of("t-sne") < 70_000
    found = project(z, most=50, seed=2)
    assert found.told.endswith("50 of 70,000 codes, drawn by seed 2")
    assert (np.diff(found.chosen) > 0).all()
    assert len(found.points) == 50
    np.testing.assert_array_equal(found.chosen, project(z, "t-sne", 2, 50, perplexity=5).chosen)


def test_tsne_takes_a_subsample_by_itself(monkeypatch):
    monkeypatch.setitem(MOST, "t-sne", 30)
    monkeypatch.setattr("diabolo.latents.projection.find_spec", lambda _: None)
    found = project(np.random.default_rng(0).normal(size=(100, 3)), "t-sne")
    assert len(found.points) == 30
    assert "30 of 100 codes" in found.told


def test_two_dimensional_codes_are_their_own_map():
    z = np.random.default_rng(0).normal(size=(10, 2))
    np.testing.assert_array_equal(project(z).points, z)


def test_without_umap_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(DiaboloError, match=r"pip install 'diabolo\[umap\]'"):
        project(groups()[0], "umap")


def test_mistakes_are_told_in_one_sentence():
    z, _ = groups()
    with pytest.raises(UnknownNameError, match="did you mean 't-sne'"):
        project(z, "tsne")
    with pytest.raises(UnknownNameError, match="did you mean 'perplexity'"):
        project(z, "t-sne", perplexty=3)
    with pytest.raises(DiaboloError, match="number of codes, 40, not 40"):
        project(z, "t-sne", perplexity=40)
    with pytest.raises(DiaboloError, match="4 codes or more are needed, not 3"):
        project(z[:3])
    with pytest.raises(DiaboloError, match="need no projection"):
        project(z[:, :1])
    with pytest.raises(DiaboloError, match="NaN"):
        project(np.full((9, 3), np.nan), "umap")


@pytest.mark.parametrize("perplexity", [0, -1, 20, 21])
def test_a_perplexity_that_no_codes_have_is_refused(perplexity):
    with pytest.raises(DiaboloError, match="between 0 and the number of codes, 20"):
        project(np.random.default_rng(0).normal(size=(20, 3)), "t-sne", perplexity=perplexity)


@pytest.mark.parametrize(("n", "solver"), [(2**21 - 1, "full"), (2**21, "covariance_eigh")])
def test_large_sets_are_solved_by_their_covariance(n, solver, monkeypatch):
    class Solved:
        explained_variance_ratio_ = np.array([0.7, 0.2])

        def __init__(self, components, svd_solver):
            assert (components, svd_solver) == (2, solver)

        def fit(self, z):
            return self

        def transform(self, z):
            return z

    monkeypatch.setattr("sklearn.decomposition.PCA", Solved)
    z = np.broadcast_to(0.0, (n, 2))  # which takes no memory
    assert _pca(z, 0, {})[0] is z
