"""Each sentence on two weights of the KL term, in each of its outcomes."""

import pytest

from diabolo.studies.celeba import fits, regimes
from diabolo.studies.celeba.fits import at
from diabolo.studies.celeba.regimes import Betas
from diabolo.studies.engine.findings import Measured

BETAS = Betas(1.0, 0.1)
POINTS, FID, NATS = {"unit": "percentage points"}, {"unit": "squared distance of features"}, {"unit": "nats"}


def found(**changed):
    """Numbers that show both halves of the lesson, but for those `changed`: value by name and weight."""
    numbers = {
        at("probe gap", 1.0): Measured(5.0, 0.5, **POINTS),
        at("probe gap", 0.1): Measured(0.4, 0.5, **POINTS),
        "probe gap, β = 1 less probe gap, β = 0.1": Measured(4.6, 0.7, **POINTS),
        at("FID, N(0, I)", 1.0): Measured(150, 2, **FID),
        at("FID, fitted Gaussian", 1.0): Measured(130, 2, **FID),
        at("FID, mixture of ten", 1.0): Measured(129, 3, **FID),
        at("FID, N(0, I)", 0.1): Measured(320, 2, **FID),
        at("FID, fitted Gaussian", 0.1): Measured(95, 2, **FID),
        at("FID, mixture of ten", 0.1): Measured(80, 2, **FID),
        at("N(0, I) over fitted Gaussian", 1.0): Measured(1.15),
        at("N(0, I) over fitted Gaussian", 0.1): Measured(3.4),
        at("KL", 1.0): Measured(60, 1, **NATS),
        at("KL", 0.1): Measured(150, 1, **NATS),
        at("hole", 1.0): Measured(3, 0.2, **NATS),
        at("hole", 0.1): Measured(30, 1, **NATS),
        at("hole, mean and covariance", 0.1): Measured(25, 1, **NATS),
        at("I(x; z) at most", 1.0): Measured(57, **NATS),
        at("I(x; z) at most", 0.1): Measured(120, **NATS),
        at("I(x; z) at least", 1.0): Measured(8.5, **NATS),
        at("I(x; z) at least", 0.1): Measured(8.5, **NATS),
        at("hole at most", 1.0): Measured(20.0, 1, **NATS),
        at("hole at most", 0.1): Measured(140.0, 1, **NATS),
        "most of I(x; z)": Measured(8.5, **NATS),
        at("FID, Gaussian of the means", 1.0): Measured(160, 2, **FID),
        at("FID, Gaussian of the means", 0.1): Measured(96, 2, **FID),
        **{at("variance of a unit, means", beta): Measured(0.4) for beta in (1.0, 0.1)},
        **{at("variance of a unit, draws", beta): Measured(0.99) for beta in (1.0, 0.1)},
    }
    assert changed.keys() <= numbers.keys()
    return numbers | {
        name: Measured(value, numbers[name].error, unit=numbers[name].unit) for name, value in changed.items()
    }


def test_the_gap_of_the_probe():
    said = regimes.probe(found(), BETAS, "Smiling")
    assert said.startswith(
        "Over seeds, a linear probe for Smiling is 5.0 ± 1.0 percentage points less accurate on the VAE's codes at β = 1 than "
        "on the undercomplete model's. At β = 0.1 the accuracies do not differ significantly (gap 0.4 ± 1.0 percentage points)."
    )
    assert "The smaller weight narrows the gap by 4.6 ± 1.4" in said
    wide = found(**{at("probe gap", 0.1): 9.0, "probe gap, β = 1 less probe gap, β = 0.1": -4.0})
    assert "At β = 0.1 it is 9.0 ± 1.0 percentage points less accurate." in regimes.probe(wide, BETAS, "Smiling")
    assert "widens the gap by 4.0 ± 1.4" in regimes.probe(wide, BETAS, "Smiling")
    reverse = regimes.probe(found(**{at("probe gap", 1.0): -5.0, at("probe gap", 0.1): -5.1}), BETAS, "Smiling")
    assert "is 5.0 ± 1.0 percentage points more accurate on the VAE's codes at β = 1 than" in reverse
    assert "At β = 0.1 it is 5.1 ± 1.0 percentage points more accurate." in reverse
    assert "The gaps at the two weights do not differ significantly." in reverse
    low = regimes.probe(found(**{at("probe gap", 0.1): -0.4}), BETAS, "Smiling")
    assert "(gap −0.4 ± 1.0 percentage points)" in low
    none = regimes.probe(found(**{at("probe gap", 1.0): 0.2}), BETAS, "Smiling")
    assert "Over seeds, the accuracies of a linear probe for Smiling on the VAE's codes at β = 1 and on the" in none
    assert "do not differ significantly (gap 0.2 ± 1.0 percentage points). At β = 0.1" in none


def test_where_codes_are_drawn():
    said = fits.drawn(found(), BETAS)
    assert "At β = 0.1 the fitted Gaussian has an FID of 95, against 320 from N(0, I), 3.4 times as much" in said
    mixed = fits.mixtures(found(), BETAS)
    assert "At β = 0.1 a mixture of ten gives a lower FID than the Gaussian (80 against 95)." in mixed
    assert (
        "At β = 1 the FIDs of a mixture of ten and of the Gaussian do not differ significantly (129 and 130)." in mixed
    )
    worse = found(**{at("FID, fitted Gaussian", 0.1): 400, at("FID, mixture of ten", 0.1): 500})
    assert "an FID of 400, above the 320 of N(0, I)." in fits.drawn(worse, BETAS)
    assert "a mixture of ten gives a higher FID than the Gaussian (500 against 400)" in fits.mixtures(worse, BETAS)
    same = fits.drawn(found(**{at("FID, fitted Gaussian", 0.1): 321}), BETAS)
    assert "the FIDs of the fitted Gaussian and of N(0, I) differ by less than" in same


def test_pairs_by_seed_decide():
    """Numbers that differ much from seed to seed, and alike for both."""
    wide = {name: Measured(one.value, 50, **FID) if "FID" in name else one for name, one in found().items()}
    assert "the FIDs of the fitted Gaussian and of N(0, I) do not differ significantly" in fits.drawn(wide, BETAS)
    pair = "FID, fitted Gaussian, β = 0.1 less FID, N(0, I), β = 0.1"
    assert "an FID of 95, against 320" in fits.drawn(wide | {pair: Measured(-225, 5, **FID)}, BETAS)


def test_what_the_gaussian_is_fitted_to():
    said = fits.means(found(), BETAS)
    assert "at β = 1 (variance of a unit 0.40, not 0.99) its FID is 160 in place of 130;" in said
    assert "at β = 0.1 (variance of a unit 0.40, not 0.99) the FIDs of the two fits d" in said
    assert ") (" not in said
    lower = found(**{at("FID, Gaussian of the means", 1.0): 90})
    assert "its FID is 90, lower than 130" in fits.means(lower, BETAS)


@pytest.mark.parametrize(
    ("gaussian", "first"),
    [(50, "gives an FID of 50, against 100"), (150, "above the 100 of N(0, I)"), (100.5, "differ by less than")],
)
@pytest.mark.parametrize(
    ("more", "then"), [(20, "it is too narrow"), (-20, "it gives a lower FID"), (0.1, "an FID that differs by less")]
)
@pytest.mark.parametrize(
    ("mixed", "last"), [(-20, "no single ellipsoid"), (20, "has a higher FID"), (0.1, "differs by less than")]
)
def test_fits_of_a_single_model(gaussian, first, more, then, mixed, last):
    fids = {"N(0, I)": 100, "fitted Gaussian": gaussian, "Gaussian of the means": gaussian + more}
    numbers = {f"FID, {name}": Measured(value, 0.1, **FID) for name, value in fids.items()}
    numbers |= {"variance of a unit, means": Measured(0.4), "variance of a unit, draws": Measured(0.99)}
    said = fits.single(numbers)
    assert first in said
    assert then in said
    assert "variance of a unit 0.40 in place of 0.99" in said
    assert "mixture" not in said
    both = fits.single(numbers | {"FID, mixture of ten": Measured(gaussian + mixed, 0.1, **FID)})
    assert last in both.removeprefix(said)
    assert both.endswith("Row 1.13 has the same over seeds, which decides.")


def test_the_parts_of_the_kl_term():
    said = regimes.parts(found(), BETAS)
    assert "At β = 0.1, KL(q(z)‖p) is at least 30.0 and at most 140.0 of the 150 nats, and I(x; z) lies" in said
    assert said.endswith("and I(x; z) lies between 8.5 and 120.")
    said = regimes.farther(found(), BETAS)
    assert said.endswith("farther from the prior at the smaller weight: at least 30 nats, against at most 20.")
    assert "is not decided: its lower bound" in regimes.farther(found(**{at("hole at most", 1.0): 30.5}), BETAS)
    assert "do not show that" in regimes.farther(found(**{at("hole at most", 1.0): 60}), BETAS)
    assert "cannot exceed 8.5 nats" in regimes.ceiling(found())


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (29, "nearly all of the lower bound"),
        (20, "most of the lower bound"),
        (9, "the rest being shape"),
        (0.2, "nothing for mean and covariance"),
    ],
)
def test_what_mean_and_covariance_account_for(part, said):
    text = regimes.moments(found(**{at("hole, mean and covariance", 0.1): part}), BETAS)
    assert said in text
    assert f"that part is {part:.1f}" in text


def test_the_lesson():
    assert regimes.lesson(found(), BETAS).whole
    said = regimes.verdict(found(), BETAS)
    assert said.startswith("Two regimes differ in degree.")
    assert said.endswith("At β = 1 a Gaussian fitted to draws lowers the FID too, but less.")
    alike = regimes.verdict(found(**{at("FID, fitted Gaussian", 1.0): 150.5}), BETAS)
    assert "gives an FID that differs by less than" in alike
    assert "raises the FID" in regimes.verdict(found(**{at("FID, fitted Gaussian", 1.0): 190}), BETAS)
    for name, value, said in (
        (at("probe gap", 1.0), 0.1, "no gap of the probe at β = 1"),
        (at("probe gap", 0.1), 4.0, "a gap that stays open at β = 0.1"),
        (at("N(0, I) over fitted Gaussian", 0.1), 1.5, "no gain of 2 times by the fitted Gaussian at β = 0.1"),
        (at("FID, fitted Gaussian", 0.1), 500, "no gain of 2 times"),
        (at("N(0, I) over fitted Gaussian", 1.0), 2.5, "such a gain at β = 1 already"),
    ):
        text = regimes.verdict(found(**{name: value}), BETAS)
        assert "do not separate fully here" in text
        assert said in text
