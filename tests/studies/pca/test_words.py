"""Each sentence in each of its outcomes."""

import pytest

from diabolo.studies import Measured
from diabolo.studies.pca import words


def test_runs():
    differ = words.runs([0.04, 0.05], 0.4, 0.3, 0.01)
    agree = words.runs([0.04, 0.05], 0.01, 0.9, 0.01)
    assert "differ by more than a rotation" in differ
    assert "the maps agree" in agree
    for said in (differ, agree):
        assert "between 0.0400 and 0.0500" in said
        assert "22.2 %" in said
    assert "40 % of the squared distances" in differ
    assert "30 % of its ten nearest" in differ


def test_fits():
    assert "to the last digit" in words.fits(0.0, 3.21, 1.5)
    moved = words.fits(1e-5, 3.21, 1.5)
    assert "1e-05 at most" in moved
    assert "3.2° apart" in moved
    assert "1.50" in moved


@pytest.mark.parametrize(
    ("ae", "said"), [(80, "pull classes apart"), (20, "less apart"), (50, "not significantly different")]
)
def test_maps(ae, said):
    found = words.maps({"autoencoder": Measured(ae, 1.0), "PCA": Measured(50, 1.0)})
    assert said in found
    assert f"{ae} %" in found


@pytest.mark.parametrize(
    ("vae", "said"), [(80, "more often"), (20, "name the class less often"), (50, "do not differ significantly")]
)
def test_neighbours_in_the_map_of_the_vae(vae, said):
    found = words.neighbours({"VAE": Measured(vae, 1.0), "autoencoder": Measured(50, 1.0)})
    assert said in found
    assert f"{vae} %" in found


@pytest.mark.parametrize(
    ("ae", "said"),
    [(10.0, "for the autoencoder, at"), (90.0, "nearer to real ones for PCA"), (50.0, "do not differ significantly")],
)
def test_generated(ae, said):
    found = words.generated({"autoencoder": Measured(ae, 1), "PCA": Measured(50.0, 1)}, 0.125)
    assert said in found
    assert "12 % of its pixels" in found


def test_equals():
    ahead = words.equals([(2, 0.04, 5), (4, 0.03, 9)])
    mixed = words.equals([(2, 0.04, 5), (4, 0.03, 3)])
    behind = words.equals([(2, 0.04, 2), (4, 0.03, 3)])
    assert "At every size PCA needs more" in ahead
    assert "With 2 numbers the autoencoder is ahead; with 4 PCA" in mixed
    assert "no more at any size" in behind
    assert all(
        "the test error of 2 latent variables (0.0400), " in said or "(0.0400) and" in said
        for said in (ahead, mixed, behind)
    )


def test_elbows():
    stays = words.elbows({"PCA": 6.0}, {"PCA": 6.0}, 20, 10)
    moves = words.elbows({"PCA": 8.0}, {"PCA": 4.0}, 20, 10)
    none = words.elbows({"PCA": 8.0, "it": None}, {"PCA": 4.0, "it": None}, 20, 10)
    assert "stays there when the curve is cut off at 10" in stays
    assert "at 8 for PCA" in moves
    assert "at 4 for PCA" in moves
    assert "The error of it does not fall" in none


def test_prior():
    near = words.prior({"autoencoder": 20.0, "VAE": 0.02}, 0.001)
    far = words.prior({"autoencoder": 0.02, "VAE": 20.0}, 0.001)
    assert "has a place and a scale" in near
    assert "not much nearer" in far


def test_redrawn():
    alike = words.redrawn(True, 0.1, 0.05, Measured(20.0, 1))
    far = words.redrawn(False, 30.0, 0.05, Measured(20.0, 1))
    assert "to the last bit" in alike
    assert "of one kind" in alike
    assert "Even with the same seed" in far
    assert "farther from each other (FID 30)" in far
    assert "do not differ significantly" in words.redrawn(True, 20.0, 0.05, Measured(20.0, 1))


def test_subspace():
    found = words.subspace(0.5, 88.0, 40.0, 1.001)
    lost = words.subspace(50.0, 88.0, 5.0, 1.2)
    assert "has found the subspace" in found
    assert "not components" in found
    assert "still 50.0°" in lost
    assert "lie along components" in lost
    assert "still 9.0°" in words.subspace(9.0, 88.0, 40.0, 1.4), "so large an error is not that of the subspace of PCA"


@pytest.mark.parametrize(
    ("ae", "said"),
    [([0.01, 0.0101], "lower by"), ([0.1, 0.101], "higher by"), ([0.0, 0.1], "does not differ significantly")],
)
def test_errors_at_one_size(ae, said):
    assert said in words.latent(ae, 0.05, 2)
