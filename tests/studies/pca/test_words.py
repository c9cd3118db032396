"""Each sentence on maps and images in each of its outcomes."""

from itertools import product

import pytest

from diabolo.studies import Measured
from diabolo.studies.pca import words


def of(**numbers):
    return {name: Measured(value) for name, value in numbers.items()}


def test_runs():
    def found(apart):
        f = {f"test error, seed {seed}": Measured(error) for seed, error in enumerate((0.04, 0.05))}
        f |= {"spread of the test error": Measured(0.222), "neighbourhood overlap by chance": Measured(0.01)}
        return words.runs(
            f
            | {"Procrustes distance between runs": Measured(apart), "neighbourhood overlap between runs": Measured(0.3)}
        )

    differ, agree = found(0.4), found(0.01)
    assert "differ by more than a rotation" in differ
    assert "the maps agree" in agree
    for said in (differ, agree):
        assert "between 0.0400 and 0.0500" in said
        assert "22.2 %" in said
        assert "keeps 30 % of its ten nearest" in said
    assert "40 % of the squared distance" in differ


def test_fits():
    def found(moved):
        return words.fits(
            {
                "change of a coordinate, fitted twice": Measured(moved),
                "angle between fits to two halves": Measured(3.21),
                "λ₂ / λ₃": Measured(1.5),
            }
        )

    assert "to the last digit" in found(0.0)
    assert "1e-05 at most" in found(1e-5)
    assert "3.2° apart" in found(0.0)
    assert "1.50" in found(0.0)


def neighbours(name, share):
    return {f"neighbours of the same class: {name}": Measured(share, 0.01)}


@pytest.mark.parametrize(
    ("ae", "said"), [(0.8, "can separate classes"), (0.2, "less well than"), (0.5, "not significantly different")]
)
def test_maps(ae, said):
    found = words.maps(neighbours("autoencoder", ae) | neighbours("PCA", 0.5))
    assert said in found
    assert f"{100 * ae:g} %" in found


@pytest.mark.parametrize(
    ("vae", "said"), [(0.8, "more often"), (0.2, "name the class less often"), (0.5, "do not differ significantly")]
)
def test_neighbours_in_the_map_of_the_vae(vae, said):
    found = words.neighbours(neighbours("VAE", vae) | neighbours("autoencoder", 0.5))
    assert said in found
    assert f"{100 * vae:g} %" in found


@pytest.mark.parametrize(
    ("ae", "said"),
    [
        (10.0, "autoencoder's images are closer"),
        (90.0, "PCA's images are closer"),
        (50.0, "do not differ significantly"),
    ],
)
def test_generated(ae, said):
    fid = {"FID, fitted Gaussian: autoencoder": Measured(ae, 1), "FID, fitted Gaussian: PCA": Measured(50.0, 1)}
    found = words.generated(fid | {"pixels outside [0, 1]: PCA": Measured(0.125)})
    assert said in found
    assert "12 % of its pixels" in found


def test_prior():
    def found(ae, vae):
        names = ("autoencoder", "VAE", "draws of N(0, I)")
        numbers = zip(names, (ae, vae, 0.001), strict=True)
        return words.prior({f"Fréchet distance to N(0, I): {name}": Measured(value) for name, value in numbers})

    assert "fixed place and scale" in found(20.0, 0.02)
    assert "not much closer" in found(0.02, 20.0)


def test_redrawn():
    def found(changed, apart):
        f = {
            "samples that change when drawn again with one seed": Measured(changed),
            "difference between draws of two seeds": Measured(0.05),
            "FID between draws of two seeds": Measured(apart, 0.0),
            "FID between a draw and test images": Measured(20.0, 1),
        }
        return words.redrawn(f)

    assert "exactly the same images" in found(0.0, 0.1)
    assert "of one kind" in found(0.0, 0.1)
    assert "Even with the same seed" in found(0.5, 30.0)
    assert "farther from each other (FID 30)" in found(0.5, 30.0)
    assert "do not differ significantly" in found(0.0, 20.0)


def images(vae_prior, ae_prior, vae_fitted, ae_fitted, clear=0.5):
    values = {
        "FID, N(0, I): VAE": vae_prior,
        "FID, N(0, I): autoencoder": ae_prior,
        "FID, fitted Gaussian: VAE": vae_fitted,
        "FID, fitted Gaussian: autoencoder": ae_fitted,
    }
    shares = {
        "VAE: N(0, I)": clear,
        "autoencoder: N(0, I)": 0.8,
        "autoencoder: fitted Gaussian": clear,
        "test images": 0.97,
    }
    digits = {"VAE: N(0, I)": 6.0, "autoencoder: N(0, I)": 1.5}
    return (
        {name: Measured(value, 1.0) for name, value in values.items()}
        | {f"clear digits, {name}": Measured(share) for name, share in shares.items()}
        | {f"effective digits, {name}": Measured(number) for name, number in digits.items()}
    )


def test_the_same_densities_for_both():
    vae = words.side_by_side(images(40, 200, 45, 100))
    assert "From N(0, I), the VAE's images are closer to real ones than the autoencoder's (FID 40 against 200)" in vae
    assert "From the fitted Gaussian, the VAE's images are closer" in vae
    assert "Verdict: of the four sets, the VAE's images from N(0, I) have the smallest FID (40)" in vae
    assert "significantly less than all others. The KL term pays off" in vae
    assert "the VAE's from the fitted Gaussian (45) is not significantly worse" in words.side_by_side(
        images(44, 200, 45, 100)
    )
    ae = words.side_by_side(images(122, 200, 130, 100))
    assert "From the fitted Gaussian, the autoencoder's images are closer to real ones than the VAE's (FID 100" in ae
    assert "the autoencoder's images from the fitted Gaussian have the smallest FID (100), significantly" in ae
    assert "A density fitted after training" in ae
    assert "do not differ significantly" in words.side_by_side(images(100, 100, 130, 100))
    for numbers in product((40, 100), repeat=4):
        assert "Verdict" in words.side_by_side(images(*numbers))


def test_clear():
    assert "50 % of the VAE's images from N(0, I)" in words.clear(images(1, 1, 1, 1))
    assert "look half-formed" in words.clear(images(1, 1, 1, 1))
    assert "nearly as clear as real ones" in words.clear(images(1, 1, 1, 1, clear=0.95))
    assert "as sure of 80 % of the autoencoder's images from N(0, I), which repeat a few shapes (1.5" in words.clear(
        images(1, 1, 1, 1)
    )
    assert "repeat a few" not in words.clear(images(1, 1, 1, 1, clear=0.95))


def test_subspace():
    def found(largest, units, ratio):
        names = (
            "largest principal angle",
            "largest angle of a random subspace",
            "largest angle of a unit to its component",
        )
        angles = dict(zip(names, map(Measured, (largest, 88.0, units)), strict=True))
        return words.subspace(angles | {"error over PCA's": Measured(ratio)})

    assert "has found the subspace" in found(0.5, 40.0, 1.001)
    assert "not components" in found(0.5, 40.0, 1.001)
    assert "has not reached" in found(50.0, 5.0, 1.2)
    assert "lie along components" in found(50.0, 5.0, 1.2)
    assert "has not reached" in found(9.0, 40.0, 1.4), "so large an error is not that of the subspace of PCA"
