"""Projections: the method that was asked for, the subsample said, the same points for the same seed."""

import sys

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score

from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.latents import project
from diabolo.latents.projection import MOST, most_of


def groups(n=40, dim=6):
    random = np.random.default_rng(0)
    labels = np.arange(n) % 3
    return 8 * np.eye(3, dim)[labels] + random.normal(size=(n, dim)), labels


def test_pca_is_that_of_sklearn():
    z, _ = groups()
    found = project(z)
    np.testing.assert_allclose(np.abs(found.points), np.abs(PCA(2).fit_transform(z)))
    share = PCA(2).fit(z).explained_variance_ratio_
    assert f"{share[0]:.0%}" in found.told
    np.testing.assert_array_equal(found.chosen, np.arange(40))


@pytest.mark.parametrize("how", ["t-sne", "umap"])
def test_groups_stay_apart_and_the_same_seed_gives_the_same_points(how):
    z, labels = groups()
    options = {"perplexity": 5} if how == "t-sne" else {"n_neighbors": 8}
    found, again = (project(z, how, seed=3, **options) for _ in range(2))
    np.testing.assert_array_equal(found.points, again.points)
    assert silhouette_score(found.points, labels) > 0.5
    assert found.points.shape == (40, 2)


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
