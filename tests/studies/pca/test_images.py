"""Each sentence on generated images in each of its outcomes."""

from itertools import product

import pytest

from diabolo.studies import Measured
from diabolo.studies.pca import images


@pytest.mark.parametrize(
    ("ae", "said"),
    [
        ((10.0, 20.0), "the autoencoder's images are closer to real ones (FID 10.0 to 20.0) than PCA's (FID 50.0)"),
        ((90.0, 95.0), "PCA's images are closer"),
        ((50.0, 90.0), "in only 1 of 2 pairs"),
    ],
)
def test_generated(ae, said):
    fids = {f"FID, fitted Gaussian: autoencoder, seed {seed}": Measured(value, 1) for seed, value in enumerate(ae)}
    fids |= {"FID, fitted Gaussian: PCA": Measured(50.0, 1)}
    found = images.generated(fids | {"pixels outside [0, 1]: PCA": Measured(0.125)})
    assert said in found
    assert "12 % of its pixels" in found


def found(vae_prior, vae_fitted, ae_prior, ae_fitted, clear=(0.5, 0.5, 0.8, 0.5), away=0.3, cost=0.046):
    """Of two trainings of the VAE and two of the autoencoder, alike but for a little."""
    fids = {"N(0, I): VAE": vae_prior, "fitted Gaussian: VAE": vae_fitted}
    fids |= {"N(0, I): autoencoder": ae_prior, "fitted Gaussian: autoencoder": ae_fitted}
    numbers = {f"FID, {name}": (value, 1.0) for name, value in fids.items()}
    numbers |= {f"clear digits, {name}": (share, 0.01) for name, share in zip(fids, clear, strict=True)}
    numbers |= {f"effective digits, {name}": (n, 0.01) for name, n in zip(fids, (4.2, 5.1, 1.5, 5.0), strict=True)}
    numbers |= {"reconstruction error: VAE": (cost, 1e-4), "reconstruction error: autoencoder": (0.042, 1e-4)}
    numbers |= {"Fréchet distance to N(0, I): VAE": (away, None)}
    all_of_them = {
        f"{name}, seed {seed}": Measured(value * (1 + seed / 1000), error)
        for name, (value, error) in numbers.items()
        for seed in range(2)
    }
    floors = {"Fréchet distance to N(0, I): draws of N(0, I)": Measured(0.0006)}
    return all_of_them | floors | {"clear digits, test images": Measured(0.97)}


def test_the_same_densities_for_both():
    said = images.densities(found(121, 97, 264, 110))
    assert "From N(0, I), the VAE's images are closer to real ones (FID 121) than the autoencoder's (264)" in said
    assert "From the fitted Gaussian, the VAE's images are closer" in said
    assert "the density that it is trained for, the VAE (121) is worse than the autoencoder with a fitted" in said
    assert (
        "improves the VAE to 97.0 to 97.1, because its codes still differ from N(0, I) (Fréchet distance 0.300" in said
    )
    other = images.densities(found(60, 80, 50, 110, away=0.0007))
    assert "From N(0, I), the autoencoder's images are closer to real ones (FID 50.0) than the VAE's" in other
    assert "the VAE (60.0 to 60.1) is better than even the autoencoder with a fitted Gaussian" in other
    assert "makes the VAE worse (80.0 to 80.1); its codes hardly differ from N(0, I)" in other
    assert "improves the VAE to 50.0, although its codes hardly" in images.densities(found(60, 50, 50, 50, away=7e-4))
    alike = images.densities(found(100, 100, 100, 100))
    assert alike.count("without a significant difference in any of") == 4


def test_the_verdict():
    assert "N(0, I) is not the best density" in images.verdict(found(121, 97, 264, 110))
    assert "N(0, I) is the best of these densities" in images.verdict(found(80, 97, 264, 110))
    assert "worth more here than the KL term" in images.verdict(found(121, 97, 264, 50))
    assert "the KL term brings nothing here" in images.verdict(found(121, 97, 40, 50))
    close = images.verdict(found(121, 97, 264, 97))
    assert "but the autoencoder's images from the fitted Gaussian (97.0 to 97.1) are not significantly worse" in close
    for numbers in product((40, 100), repeat=4):
        assert "Verdict: of the four sets" in images.verdict(found(*numbers))


@pytest.mark.parametrize(
    ("cost", "said"),
    [
        (0.046, "The VAE pays for its codes"),
        (0.03, "does not pay"),
        (0.042, "is not shown to pay"),
    ],
)
def test_what_the_codes_cost(cost, said):
    numbers = found(121, 97, 264, 110, cost=cost)
    assert said in images.verdict(numbers)
    both = images.verdict(numbers | {"reconstruction error: VAE, seed 1": Measured(0.05, 1e-4)})
    assert (
        "pays for its codes" if cost == 0.046 else "in only 2 of 4" if cost == 0.042 else "which is larger dep"
    ) in both


def test_clear():
    said = images.clear(found(121, 97, 264, 110, clear=(0.48, 0.55, 0.37, 0.64)))
    assert (
        "reads 48 % of the VAE's images from N(0, I) and 37 % of the autoencoder's, 55 % and 64 % of those from" in said
    )
    assert "97 % of the test images. The others look half-formed" in said
    assert "The effective numbers of digits are, in the same order, 4.20, 1.50, 5.10 to 5.11 and 5.00" in said
    assert said.endswith(
        "The smallest FID does not mean the clearest images: these are the autoencoder's images from the fitted Gaussian."
    )
    sure = images.clear(found(121, 97, 264, 110, clear=(0.5, 0.6, 0.8, 0.6)))
    assert "it is as sure of 80 % of the autoencoder's images from N(0, I), which repeat a few shapes" in sure
    best = images.clear(found(121, 97, 264, 110, clear=(0.5, 0.95, 0.4, 0.6)))
    assert "nearly as clear as real" in best
    assert "repeat a few" not in best
    assert "does not mean" not in best
