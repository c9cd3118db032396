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
    assert (
        "a factor of 1.15 of the undercomplete model's is 10⁻⁴; any tolerance between 1.09 and 2.00 leads to it."
        in said
    )
    assert "a close one" not in said
    assert words.choice(errors, 0.01, 1.1).endswith("The choice is a close one.")
    assert "any tolerance from 2.00 upwards leads" in words.choice(errors, 0.01, 3.0)
    assert words.ratios(errors, 0.01) == (
        "Training errors relative to the undercomplete model are 1.00 at λ = 10⁻⁵, 1.09 at λ = 10⁻⁴ and 2.00 at λ = 10⁻³."
    )
    none = words.choice(errors, 1e-3, 1.1)
    assert "No λ keeps the training error within a factor of 1.1" in none


def test_weights_are_powers_of_ten():
    assert [words.power(weight) for weight in (1e-5, 3e-5, 3e-4, 2.0)] == ["10⁻⁵", "3·10⁻⁵", "3·10⁻⁴", "2·10⁰"]


def test_leaps():
    curves = {"λ = 10⁻⁴": [0.03, 0.02, 0.045, 0.01], "undercomplete": [0.03, 0.02, 0.01]}
    assert words.leap(curves) == "The test error leaps to 0.045 in epoch 3 (λ = 10⁻⁴; 0.0100 at the end)."
    assert words.leap({"undercomplete": [0.03, 0.02, 0.01], "one": [0.1]}) == ""


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
    assert "From clean images the undercomplete model has the lower error; the denoising model's is from noisy" in text
    assert "10.0 % higher (undercomplete)" in text


def test_losses_that_are_lowest_in_different_models():
    text = words.losses(finals((0.0100, 0.0110, 0.0110), (0.0130, 0.0112, 0.0109)))
    assert "training and validation errors are lowest for the undercomplete and the sparse model" in text
    assert "0.9 % lower (denoising)" in text


def test_fitted():
    assert "50 % more" in words.fitted(0.01, 0.015)
    assert "holds for new images too" in words.fitted(0.01, 0.01)


def penalised(l1, plain, more, hoyer):
    units = {"near 0, sparse": Measured(9.0), "near 0, no penalty": Measured(2.0)}
    assert "Of the 128 units of a code 9.0 are below 1 % of the largest; without the penalty, 2.0." in (
        words.near_zero(units, 128)
    )
    codes = {"L1, sparse": l1, "L1, no penalty": plain, "Hoyer, no penalty": Measured(hoyer)}
    return codes | units | {"Hoyer, sparse less undercomplete": more}


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
    [(MORE, "the units are less alike in size"), (LESS, "lower by 2.0 ± 1.0"), (SAME, "does not differ significantly")],
)
def test_sparse(norm, said, hoyer, then):
    found = words.sparse(penalised(norm, HIGH, hoyer, 0.3), 1e-3, 128)
    assert said in found
    assert then in found
    assert ("which a decoder undoes" in found) == (hoyer is not MORE)


def test_most_of_a_fall_of_the_norm_is_scale_or_sparsity():
    """Of 100 units Hoyer's measure is (10 − L1/L2) / 9: 1/3 where L1 is 7 L2, 7/9 where it is 3."""
    hoyer = {"unit": "0 to 1"}
    shrunk = words.sparse(
        penalised(Measured(10, 0.1), Measured(100, 0.1), Measured(0.02, 0.001, **hoyer), 1 / 3), 1e-3, 100
    )
    assert "a uniform 9.7-fold shrinkage of the codes" in shrunk
    assert "so scale evades the penalty" in shrunk
    fewer = words.sparse(
        penalised(Measured(40, 0.1), Measured(100, 0.1), Measured(4 / 9, 0.001, **hoyer), 1 / 3), 1e-3, 100
    )
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
    found = words.eye(["undercomplete", "sparse", "denoising", "other"], errors)
    for said in (
        "is larger by 2.0 ± 1.0",
        "is smaller by",
        "the undercomplete model's error is 9 per pixel",
        "the other model's does not differ significantly",
    ):
        assert said in found


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (MORE, "PCA-16 has a lower error (9 against 11): the network is not yet better than a linear code, and may be"),
        (LESS, "PCA-16 has a higher error (9 against 7): the layers between gain"),
        (SAME, "a linear code of as many numbers (9), do not differ significantly"),
    ],
)
def test_principal_components(more, said):
    found = {"MSE, undercomplete": Measured(9 + more.value, 5.0), "MSE, PCA-16": Measured(9.0, 5.0)}
    assert said in words.principal(found | {"MSE, undercomplete less MSE, PCA-16": more}, 16)


def test_the_last_epoch():
    assert words.falling(0.012) == "In the last epoch the undercomplete model's training error fell by 1.2 %."
    assert "rose by 0.5 %" in words.falling(-0.005)


@pytest.mark.parametrize(
    ("more", "said"), [(MORE, "larger by 2.0 ± 1.0"), (LESS, "smaller by"), (SAME, "does not differ significantly")]
)
def test_variational(more, said):
    found = {"MSE, VAE": Measured(9 + more.value, 5.0), "MSE, undercomplete": Measured(9.0, 5.0)}
    assert said in words.variational(found | {"MSE, VAE less undercomplete": more}, 90, 128)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (MORE, "predicts Smiling 2.0 ± 1.0 percentage points more accurately from the undercomplete model's codes"),
        (LESS, "predicts Smiling 2.0 ± 1.0 percentage points more accurately from the VAE's codes"),
        (SAME, "for Smiling do not differ significantly between the two codes (by 0.2 percentage points)"),
    ],
)
@pytest.mark.parametrize(
    ("drawn", "then"),
    [(MORE, "is less accurate than on its mean"), (LESS, "is more accurate"), (SAME, "accuracy does")],
)
def test_separable(more, said, drawn, then):
    text = of_codes.separable(more, "Smiling", {"VAE less VAE, sampled codes": drawn})
    assert said in text
    assert then in text
    assert ("is not encoded" in text) == (more is MORE)


@pytest.mark.parametrize(
    ("pixels", "pca", "said", "why"),
    [
        (
            80,
            70,
            "of the VAE a linear layer reaches 82.0 %: 2.0 ± 1.0 percentage points more than on pixels (80 %)",
            False,
        ),
        (
            80,
            85,
            "and 3.0 ± 1.0 percentage points less than on PCA-16 (85 %). PCA, too, keeps only",
            True,
        ),
        (85, 82.2, "and an accuracy that does not differ significantly from that on PCA-16 (82.2 %).", False),
    ],
)
def test_floors(pixels, pca, said, why):
    values = {"undercomplete": 81, "VAE": 82, "pixels": pixels, "PCA-16": pca, "majority": 60}
    found = {name: Measured(value, 9.0, unit="% of test images") for name, value in values.items()}
    found |= {f"VAE less {name}": Measured(82 - values[name], 0.5, **POINTS) for name in ("pixels", "PCA-16")}
    text = of_codes.floors(found)
    assert said in text
    assert "majority" not in text
    assert ("that is not why the network's codes do worse" in text) == why


def test_vector():
    assert "Eyeglasses works: a probe on another" in of_codes.vector(MORE, {0: 0.1, 4: 0.6}, "Eyeglasses")
    assert "works in part" in of_codes.vector(MORE, {0: 0.1, 4: 0.4}, "Eyeglasses")
    assert "works in part" in of_codes.vector(MORE, {0: 0.6, 4: 0.7}, "Eyeglasses")
    assert "works in the wrong direction" in of_codes.vector(LESS, {0: 0.1, 4: 0.0}, "Eyeglasses")
    assert "has an effect that does not differ significantly from none" in of_codes.vector(
        SAME, {0: 0.1, 4: 0.1}, "Eyeglasses"
    )
    found = of_codes.vector(SAME, {4: 0.2, -2: 0.1, 0: 0.1}, "Eyeglasses")
    assert "a probability of 0.10 at α = 0 and 0.20 at α = 4." in found


def test_strength():
    assert of_codes.strength({-2: 0.9, 0: 0.6, 2: 0.55, 4: 0.8}) == 2
    assert of_codes.strength({-2: 0.9, 0: 0.6, 2: 0.1, 4: 0.2}) == 4


@pytest.mark.parametrize(
    ("drift", "said"),
    [(0.03, "so the person stays the same"), (0.05, "partly changes"), (0.09, "the edit changes the person")],
)
def test_person(drift, said):
    found = of_codes.person(drift, 0.1, 2.0)
    assert said in found
    assert found.startswith("At α = 2, identity-related attributes")


def test_the_attributes_that_move_most_are_named():
    moved = {"Male": -0.2, "Young": 0.1, "Smiling": 0.3}
    said = of_codes.moves(moved, ["Male", "Young"])
    assert said == "Of these, Male moves most (−0.20); of all others, Smiling (+0.30)."
    assert of_codes.moves({"Male": 0.1}, ["Male"]) == "Of these, Male moves most (+0.10)."


@pytest.mark.parametrize(
    ("drift", "gain", "said"),
    [
        (0.05, 0.5, "For each unit of the gain they move 40 % less, one measurement without an interval."),
        (0.05, 0.2, "they move 50 % more"),
        (0.05, -0.1, "and the attribute itself by −0.10 instead of 0.60."),
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


def collapsed(active, kl, use):
    found = {"active units": active, "KL": kl, "units under 0.1 nat": 63, "units of 90 % of the KL": 47}
    return of_codes.collapse({name: Measured(value) for name, value in found.items()}, 128, use)


def test_collapse():
    assert collapsed(0, 0.0, 0.0).startswith("The posterior collapsed")
    assert collapsed(128, 9.0, 0.01).startswith("The posterior collapsed")
    assert "part of the code is idle: 60 of 128 units" in collapsed(60, 30.0, 0.8)
    assert "5.0 times as large" in collapsed(128, 30.0, 0.8)
    assert "But 63 units carry less than 0.1 nat, and 47 units carry 90 % of the KL term" in collapsed(128, 30.0, 0.8)


def test_few_units_carry_most():
    assert of_codes.few([0.0, 8.0, 1.0, 1.0]) == 2
    assert of_codes.few([1.0] * 10) == 9
    assert of_codes.few([0.0, 0.0]) == 1


def test_balance_and_cost():
    said = of_codes.balance(90, 5, 2, 12288)
    assert (
        "ends at 100.0 = 90.0 (squared error, summed over 12,288 numbers) + 2 · 5.0 (KL, nats), of which the KL term is 10 %"
        in said
    )
    assert "ends at 95.0 = 90.0 (squared error, summed over 12,288 numbers) + 5.0 (KL" in of_codes.balance(
        90, 5, 1, 12288
    )
    found = {
        name: Measured(v)
        for name, v in {"an epoch": 10, "pixels": 20, "operations": 1, "operations, full size": 9}.items()
    }
    said = words.bought(16277, found)
    assert "10.0 times both" in said
    assert "90 times fewer operations" in said


def test_the_noise_that_fits_best():
    said = of_codes.noise(0.02, 1.0)
    assert "corresponds to β = 0.02: the KL term weighs 50 times as much here. A model trained at another β" in said
    assert "weighs 10 times less here" in of_codes.noise(1.0, 0.1)
    assert "about that of the training" in of_codes.noise(0.11, 0.1)


def test_dynamics():
    assert of_codes.reached([1.0, 0.5, 0.05, 0.0]) == 3
    assert of_codes.reached([1.0, 1.0]) == 1
    assert of_codes.settled([39.1, 65.4, 59.8, 57.4, 58.3]) == 3
    assert of_codes.settled([58.0, 58.3]) == 1
    said = of_codes.dynamics(3, [39.1, 65.4, 59.8, 57.4, 58.3])
    assert said.startswith(
        "After 3 of 5 epochs 90 % of the fall of the test error is complete. In training the KL term in nats"
    )
    assert "is 39.1 in epoch 1, at most 65.4 (epoch 2), at least" not in said
    assert said.endswith("and 58.3 at the end; from epoch 3 on it stays within 5 % of that.")
    tested = of_codes.course([73.4, 55.8, 59.6, 59.1, 59.0], "On test images")
    assert tested.startswith(
        "On test images the KL term in nats is 73.4 in epoch 1, at least 55.8 (epoch 2) and 59.0 at the end"
    )
    assert "moves by more than 5 % up to the last" in of_codes.course([20.0, 30.0, 50.0], "In training")
