"""Each sentence about faces in each of its outcomes."""

import pytest

from diabolo.studies.celeba import codes as of_codes
from diabolo.studies.celeba import words
from diabolo.studies.engine.findings import Measured

POINTS = {"unit": "percentage points"}
MORE, LESS, SAME = (Measured(value, 0.5, **POINTS) for value in (2.0, -2.0, 0.2))
LOW, HIGH, NEAR = Measured(1.0, 0.1), Measured(3.0, 0.1), Measured(1.1, 0.1)


def test_the_largest_lambda_within_the_factor():
    errors = {1e-5: 0.010, 1e-4: 0.0109, 1e-3: 0.02}
    assert words.largest_within(errors, 0.01, 1.1) == 1e-4
    assert words.largest_within(errors, 0.001, 1.1) is None
    assert (
        words.largest_within({1e-5: 0.5, 1e-3: 0.01}, 0.01, 1.1) == 1e-3
    )  # the largest, also where errors do not rise
    said = words.choice(errors, 0.01, 1.15)
    assert "within a factor of 1.15 is 0.0001. Any factor from 1.09 up to 2.00 leads to the same λ." in said
    assert "a close one" not in said
    assert words.choice(errors, 0.01, 1.1).endswith("The choice is a close one.")
    assert "Any factor from 2.00 upwards leads" in words.choice(errors, 0.01, 3.0)
    none = words.choice(errors, 1e-3, 1.1)
    assert "None stays within a factor of 1.1, so the smallest λ, 1e−5, is used" in none


def finals(training, validation):
    names = ("undercomplete", "sparse", "denoising")
    return {
        name: Measured(value)
        for model, train, held in zip(names, training, validation, strict=True)
        for name, value in (
            (f"training error, {model}", train),
            (f"validation error, {model}", held),
            (f"gap, {model}", 100 * (held / train - 1)),
        )
    }


@pytest.mark.parametrize(
    ("validation", "said"),
    [
        ((0.0110, 0.0111, 0.0121), "only the penalty narrows that gap"),
        ((0.0110, 0.0122, 0.0111), "only the noise narrows that gap"),
        ((0.0110, 0.0111, 0.0111), "both narrow that gap"),
        ((0.0110, 0.0122, 0.0121), "neither the penalty nor the noise narrows that gap"),
    ],
)
def test_losses(validation, said):
    text = words.losses(finals((0.0100, 0.0110, 0.0110), validation))
    assert said in text
    assert "The undercomplete model has the lowest error, on training and on validation images" in text
    assert "+10.0 % (undercomplete)" in text


def test_losses_that_are_lowest_in_different_models():
    text = words.losses(finals((0.0100, 0.0110, 0.0110), (0.0130, 0.0112, 0.0109)))
    assert (
        "The undercomplete model has the lowest training error, and the denoising model the lowest validation" in text
    )
    assert "−0.9 % (denoising)" in text


def test_fitted():
    assert "50 % more" in words.fitted(0.01, 0.015)
    assert "holds for new images too" in words.fitted(0.01, 0.01)


@pytest.mark.parametrize(
    ("norm", "said"),
    [
        (LOW, "is 1, against 3 without"),
        (Measured(9, 0.1), "too weak"),
        (Measured(3.1, 0.1), "not significantly different from 3 without"),
    ],
)
@pytest.mark.parametrize(
    ("hoyer", "then"),
    [(MORE, "fewer units carry it, whatever"), (LESS, "lower by 2.0 ± 1.0"), (SAME, "does not differ significantly")],
)
def test_sparse(norm, said, hoyer, then):
    found = words.sparse(norm, HIGH, hoyer, 0.3, 1e-3, 128)
    assert said in found
    assert then in found
    assert ("which a decoder undoes" in found) == (hoyer is not MORE)


def test_most_of_a_fall_of_the_norm_is_scale_or_sparsity():
    """Of 100 units Hoyer's measure is (10 − L1/L2) / 9: 1/3 where L1 is 7 L2, 7/9 where it is 3."""
    shrunk = words.sparse(Measured(10, 0.1), Measured(100, 0.1), Measured(0.02, 0.001, unit="0 to 1"), 1 / 3, 1e-3, 100)
    assert "a uniform 9.7-fold shrinkage of the codes" in shrunk
    fewer = words.sparse(Measured(40, 0.1), Measured(100, 0.1), Measured(4 / 9, 0.001, unit="0 to 1"), 1 / 3, 1e-3, 100)
    assert "shrinkage" not in fewer


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (LOW, "training does not reward the identity"),
        (Measured(9, 0.1), "would be the better"),
        (HIGH, "this does not show"),
    ],
)
def test_denoised(model, said):
    assert said in words.denoised(HIGH, model)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (LESS, "larger error, by 2.0 ± 1.0"),
        (MORE, "smaller error, by 2.0 ± 1.0"),
        (SAME, "do not differ significantly"),
    ],
)
def test_against_plain(more, said):
    one, other = Measured(9 + more.value, 5.0), Measured(9.0, 5.0)
    found = {"denoising": one, "undercomplete": other, "denoising less undercomplete": more}
    assert said in words.against_plain(found)


def test_eye():
    errors = {"MSE, undercomplete": Measured(9.0, 5.0)}
    for name, more in {"sparse": MORE, "denoising": LESS, "other": SAME}.items():
        errors |= {f"MSE, {name}": Measured(9 + more.value, 5.0), f"MSE, {name} less undercomplete": more}
    found = words.eye({"undercomplete": 9, "sparse": 8, "denoising": 8, "other": 8}, errors, 32)
    for said in (
        "9 (undercomplete), 8 (sparse), 8 (denoising) and 8 (other)",
        "blurred",
        "is larger by 2.0 ± 1.0",
        "is smaller by",
        "the undercomplete model's error is 9 per pixel",
        "the other model's does not differ significantly",
    ):
        assert said in found
    found = words.eye({"undercomplete": 32, "sparse": 32}, errors, 32)
    assert found.startswith("All keep at least half of the images' power up to 32")
    assert "blurred" not in found
    assert words.eye({"undercomplete": 0, "sparse": 0}, errors, 32).startswith(
        "At every frequency all of them lose half"
    )


@pytest.mark.parametrize(
    ("more", "said"), [(MORE, "larger by 2.0 ± 1.0"), (LESS, "smaller by"), (SAME, "does not differ significantly")]
)
def test_variational(more, said):
    found = {"MSE, VAE": Measured(9 + more.value, 5.0), "MSE, undercomplete": Measured(9.0, 5.0)}
    assert said in words.variational(found | {"MSE, VAE less undercomplete": more}, 90, 128)


@pytest.mark.parametrize(
    ("more", "active", "said"),
    [
        (MORE, 60, "68 of the VAE's 128 units are idle"),
        (MORE, 128, "128 of the VAE's 128 units are in use. The probe uses posterior means"),
        (MORE, 126, "126 of the VAE's 128 units are in use"),
        (LESS, 60, "from the VAE's codes, by 2.0 ± 1.0 percentage points"),
        (SAME, 60, "for Smiling do not differ significantly between the two codes (by 0.2 percentage points)"),
    ],
)
def test_separable(more, active, said):
    assert said in of_codes.separable(more, "Smiling", active, 128)


def test_floors():
    found = {
        "undercomplete": LOW,
        "VAE": HIGH,
        "pixels": NEAR,
        "PCA-16": LOW,
        "majority": LOW,
        "undercomplete less VAE": MORE,
    }
    assert of_codes.best(found) == (("VAE", HIGH), ("pixels", NEAR))
    assert "more accurate on the codes of the VAE (3 %) than on pixels (1.1 %)" in of_codes.floors(
        *of_codes.best(found)
    )
    assert "less accurate" in of_codes.floors(("VAE", LOW), ("pixels", HIGH))
    assert "does not differ significantly" in of_codes.floors(("VAE", LOW), ("pixels", NEAR))


def test_vector():
    assert "Eyeglasses works; the judge" in of_codes.vector(MORE, {0: 0.1, 4: 0.6}, "Eyeglasses")
    assert "works in part" in of_codes.vector(MORE, {0: 0.1, 4: 0.4}, "Eyeglasses")
    assert "works in part" in of_codes.vector(MORE, {0: 0.6, 4: 0.7}, "Eyeglasses")
    assert "works in the wrong direction" in of_codes.vector(LESS, {0: 0.1, 4: 0.0}, "Eyeglasses")
    assert "has an effect that does not differ significantly from none" in of_codes.vector(
        SAME, {0: 0.1, 4: 0.1}, "Eyeglasses"
    )
    found = of_codes.vector(SAME, {4: 0.2, -2: 0.1, 0: 0.1}, "Eyeglasses")
    assert "0.10 at α = −2, 0.10 at α = 0 and 0.20 at α = 4" in found


def test_strength():
    assert of_codes.strength({-2: 0.9, 0: 0.6, 2: 0.55, 4: 0.8}) == 2
    assert of_codes.strength({-2: 0.9, 0: 0.6, 2: 0.1, 4: 0.2}) == 4


@pytest.mark.parametrize(
    ("drift", "said"),
    [(0.03, "so by these the person stays the same"), (0.05, "partly changes"), (0.09, "the edit changes the person")],
)
def test_person(drift, said):
    found = of_codes.person(drift, 0.1, 2.0)
    assert said in found
    assert found.startswith("At α = 2, identity-related attributes")
    assert "Male moves most, by −0.20" in of_codes.moves("Male", -0.2)


@pytest.mark.parametrize(
    ("drift", "gain", "said"),
    [
        (0.05, 0.5, "they move less, so part of the drift came from those components"),
        (0.095, 0.6, "they move no less"),
        (0.05, 0.3, "they move no less"),  # a step that does half is half a step
        (0.05, -0.1, "and the attribute itself by -0.10 instead of 0.60."),
    ],
)
def test_right_angled(drift, gain, said):
    found = {"drift at right angles": Measured(drift), "drift": Measured(0.1), "gain": Measured(0.6),
             "gain at right angles": Measured(gain), "length at right angles": Measured(0.8)}  # fmt: skip
    assert said in of_codes.right_angled(found)
    assert "the vector is 80 % as long" in of_codes.right_angled(found)


@pytest.mark.parametrize(
    ("distance", "mmd", "said"),
    [(9, 0.1, "that gap is the prior hole"), (1.1, 0.1, "the shape does not"), (1.1, 0, "hardly a")],
)
def test_hole(distance, mmd, said):
    found = {
        "Fréchet distance to N(0, I)": Measured(distance),
        "Fréchet distance to N(0, I), prior draws": Measured(1),
        "codes' spread": Measured(0.98),
        "MMD to N(0, I)": Measured(mmd),
        "MMD to N(0, I), prior draws": Measured(-1e-5),
    }
    assert said in of_codes.hole(found)


@pytest.mark.parametrize(
    ("gaussian", "first"),
    [
        (LOW, "fall nearer to them"),
        (Measured(9, 0.1), "worse than the 3"),
        (HIGH, "do not differ significantly: a gain"),
    ],
)
@pytest.mark.parametrize(
    ("shift", "then"),
    [(-0.9, "better still"), (5, "worse than the Gaussian"), (0, "does not differ significantly from the Gaussian")],
)
def test_mended(gaussian, first, shift, then):
    mixture = Measured(gaussian.value + shift, 0.1)
    found = of_codes.mended({"FID, N(0, I)": HIGH, "FID, fitted Gaussian": gaussian, "FID, mixture of ten": mixture})
    assert first in found
    assert then in found
    only = of_codes.mended({"FID, N(0, I)": HIGH, "FID, fitted Gaussian": gaussian})
    assert first in only
    assert "mixture" not in only


def test_collapse():
    assert of_codes.collapse(0, 128, 0.0, 0.0).startswith("The posterior collapsed")
    assert of_codes.collapse(128, 128, 9.0, 0.01).startswith("The posterior collapsed")
    assert "part of the code is idle: 60 of 128 units" in of_codes.collapse(60, 128, 30.0, 0.8)
    assert "5.0 times as large" in of_codes.collapse(128, 128, 30.0, 0.8)


def test_balance_and_cost():
    assert (
        "90.0 of squared error, summed over the 12,288 numbers of an image, and 10.0 for the KL term times 2, a share of 10 %"
        in of_codes.balance(90, 5, 2, 12288)
    )
    found = {
        name: Measured(v)
        for name, v in {"an epoch": 10, "pixels": 20, "operations": 1, "operations, full size": 9}.items()
    }
    said = words.bought(16277, found)
    assert "10.0 times both" in said
    assert "90 times fewer operations" in said


def test_the_noise_that_fits_best():
    assert "corresponds to β = 0.02: the KL term weighs 50 times as much" in of_codes.noise(0.02, 1.0)
    assert "weighs 10 times less here" in of_codes.noise(1.0, 0.1)
    assert "about that of the training" in of_codes.noise(0.11, 0.1)


def test_dynamics():
    assert of_codes.reached([1.0, 0.5, 0.05, 0.0]) == 3
    assert of_codes.reached([1.0, 1.0]) == 1
    found = {"epochs to 90 %": Measured(3), "KL, first epoch": Measured(20), "KL, last epoch": Measured(50)}
    said = of_codes.dynamics(found, 12)
    assert "After 3 of 12 epochs 90 % of the fall of the error is complete; the KL term rises from 20.0 to 50.0" in said
    assert "the KL term falls from 80.0 to 50.0" in of_codes.dynamics(found | {"KL, first epoch": Measured(80)}, 12)
    assert "stays at about 50.0" in of_codes.dynamics(found | {"KL, first epoch": Measured(50)}, 12)
