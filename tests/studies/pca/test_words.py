"""Each sentence on trainings, maps and subspaces in each of its outcomes."""

import pytest

from diabolo.studies import Measured
from diabolo.studies.pca import words


def test_runs():
    def found(apart, least):
        f = {f"test error, seed {seed}": Measured(error) for seed, error in enumerate((0.04, 0.05))}
        f |= {"spread of the test error": Measured(0.222), "neighbourhood overlap by chance": Measured(0.01)}
        f |= {"images of the neighbourhoods": Measured(5000), "neighbourhood overlap between runs": Measured(0.3)}
        ends = (("", apart), (", least", least), (", most", apart + 0.1 if least < apart else apart))
        return words.runs(f | {f"Procrustes distance between runs{end}": Measured(value) for end, value in ends})

    differ, agree = found(0.4, 0.3), found(0.01, 0.01)
    assert "differ by more than a rotation" in differ
    assert "the maps agree" in agree
    for said in (differ, agree):
        assert "between 0.0400 and 0.0500" in said
        assert "22.2 %" in said
        assert "Of its ten nearest neighbours among 5,000 test images, an image keeps 30 % (1.0 % by chance)" in said
    assert "40 % of the squared distance between two maps remains on average (30 to 50 %)." in differ
    assert "remains." in agree, "of two runs there is one distance"


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
    assert "The closer λ₂ is to λ₃ (ratio 1.50), the more" in found(0.0)


def right(name, *shares):
    names = [name] if name == "PCA" else [f"{name}, seed {seed}" for seed in range(len(shares))]
    values = zip(names, shares, strict=True)
    return {f"5-nearest-neighbour accuracy: {name}": Measured(share, 0.01) for name, share in values}


@pytest.mark.parametrize(
    ("ae", "said"),
    [
        ((0.8, 0.9), "A curved map can separate classes"),
        ((0.2, 0.3), "less well than"),
        ((0.5, 0.5), "without a significant difference in any of 2 pairs of trainings"),
        ((0.8, 0.2), "and which is larger depends on the training"),
        ((0.8, 0.5), "but the difference is significant and large enough to matter in only 1 of 2 pairs of trainings"),
    ],
)
def test_maps(ae, said):
    found = words.maps(right("autoencoder", *ae) | right("PCA", 0.5))
    assert said in found
    assert f"{100 * ae[0]:g}" in found
    assert "for 50.0 % with two principal components" in found


@pytest.mark.parametrize(
    ("vae", "said"), [(0.8, "right more often"), (0.2, "right less often"), (0.5, "without a significant difference")]
)
def test_neighbours_in_the_map_of_the_vae(vae, said):
    found = words.neighbours(right("VAE", vae) | right("autoencoder", 0.5))
    assert said in found
    assert f"{100 * vae:g}" in found


def test_prior():
    def found(ae, *vae):
        names = ("autoencoder, seed 0", "VAE, seed 0", "VAE, seed 1", "draws of N(0, I)")
        numbers = zip(names, (ae, *vae, 0.001), strict=True)
        return words.prior({f"Fréchet distance to N(0, I): {name}": Measured(value) for name, value in numbers})

    near = found(20.0, 0.02, 0.03)
    assert "are closer to N(0, I) than the autoencoder's" in near
    assert "but they are not distributed as N(0, I)." in near
    assert "around the origin. The" in found(20.0, 0.0015, 0.0016)
    assert (
        "is 0.0200 to 0.0300, that of the autoencoder's codes is 20.0, and that of as many draws of N(0, I) is 0.001"
        in near
    )
    assert "not much closer" in found(20.0, 0.02, 20.0), "one training is enough"


def test_redrawn():
    def found(changed, apart):
        f = {
            "samples that change when drawn again with one seed": Measured(changed),
            "difference between draws of two seeds": Measured(0.05),
            "FID between draws of two seeds": Measured(apart, 0.0),
            "FID, N(0, I): VAE, seed 0": Measured(20.0, 1),
        }
        return words.redrawn(f)

    assert "exactly the same images" in found(0.0, 0.1)
    assert "from the same distribution" in found(0.0, 0.1)
    assert "Even with the same seed" in found(0.5, 30.0)
    assert "farther from each other (FID 30)" in found(0.5, 30.0)
    assert "do not differ significantly" in found(0.0, 20.0)


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
