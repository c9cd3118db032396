"""Each sentence on two weights of the KL term, and on what one sees, in each of its outcomes."""

import pytest

from diabolo.studies.celeba import regimes, seen
from diabolo.studies.celeba.regimes import Betas, at
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
        at("gain", 1.0): Measured(0.5, 0.02, unit="probability"),
        at("gain", 0.1): Measured(0.4, 0.02, unit="probability"),
        "gain, undercomplete": Measured(0.3, 0.02, unit="probability"),
        at("drift per gain", 1.0): Measured(0.1, 0.01, unit="probability"),
        at("drift per gain", 0.1): Measured(0.15, 0.01, unit="probability"),
        "drift per gain, undercomplete": Measured(0.3, 0.01, unit="probability"),
    }
    assert changed.keys() <= numbers.keys()
    return numbers | {
        name: Measured(value, numbers[name].error, unit=numbers[name].unit) for name, value in changed.items()
    }


def test_the_gap_of_the_probe():
    said = regimes.probe(found(), BETAS, "Smiling")
    assert "codes at β = 1 less accurately than from the undercomplete model's, by 5.0 ± 1.0 percentage points" in said
    assert "at β = 0.1 with an accuracy that does not differ significantly from" in said
    assert "(gap 0.4 percentage points). The smaller weight narrows the gap by 4.6 ± 1.4" in said
    assert said.endswith("is never encoded, however informative.")
    wide = found(**{at("probe gap", 0.1): 9.0, "probe gap, β = 1 less probe gap, β = 0.1": -4.0})
    assert "and at β = 0.1 less accurately than from the undercomplete model's, by 9.0 ± 1.0" in regimes.probe(
        wide, BETAS, "Smiling"
    )
    assert "widens the gap by 4.0 ± 1.4" in regimes.probe(wide, BETAS, "Smiling")
    reverse = regimes.probe(found(**{at("probe gap", 1.0): -5.0, at("probe gap", 0.1): -5.1}), BETAS, "Smiling")
    assert "codes at β = 1 more accurately than from the undercomplete model's, by 5.0 ± 1.0" in reverse
    assert "The gaps at the two weights do not differ significantly." in reverse
    assert "never encoded" not in reverse


def test_where_codes_are_drawn():
    said = regimes.drawn(found(), BETAS)
    assert "At β = 0.1 the fitted Gaussian has an FID of 95 and N(0, I) one of 320, 3.4 times as much" in said
    assert "a mixture of ten is better still (80)." in said
    assert "the FID of a mixture of ten (129) does not differ significantly from the Gaussian's." in said
    worse = found(**{at("FID, fitted Gaussian", 0.1): 400, at("FID, mixture of ten", 0.1): 500})
    assert "At β = 0.1 the fitted Gaussian has an FID of 400, above the 320 of N(0, I); a mixture of ten is worse" in (
        regimes.drawn(worse, BETAS)
    )
    same = {
        name: told for name, told in found(**{at("FID, fitted Gaussian", 0.1): 321}).items() if "mixture" not in name
    }
    assert "the FIDs of the fitted Gaussian and of N(0, I) differ by less than" in regimes.drawn(same, BETAS)
    assert "mixture" not in regimes.drawn(same, BETAS)


def test_the_parts_of_the_kl_term():
    said = regimes.parts(found(), BETAS)
    assert "At β = 0.1, KL(q(z)‖p) is at least 30.0 of the 150 nats and I(x; z) lies between 8.5 and 120." in said
    assert (
        "The smaller weight spends 90 nats more, and the lower bound on KL(q(z)‖p) is larger by 27.0 ± 2.0 nats" in said
    )
    assert "nearer to the prior" in regimes.parts(found(**{at("hole", 1.0): 60}), BETAS)
    assert "50 nats fewer, and the lower bounds on KL(q(z)‖p) d" in (
        regimes.parts(found(**{at("KL", 0.1): 10, at("hole", 0.1): 3.1}), BETAS)
    )


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (29, "nearly all that can be shown"),
        (20, "most of what"),
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
    assert "These are two regimes." in regimes.verdict(found(), BETAS)
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


def test_arithmetic_at_two_weights():
    said = regimes.arithmetic(found(), BETAS, "Eyeglasses", 2.0)
    assert (
        "At α = 2 adding Eyeglasses raises its probability by 0.50 (β = 1), 0.40 (β = 0.1) and 0.30 (undercomplete)"
        in said
    )
    assert "by 0.10 (β = 1), 0.15 (β = 0.1) and 0.30 (undercomplete) for each unit of that. The KL term helps" in said
    assert "The KL term hurts" in regimes.arithmetic(
        found(**{at("drift per gain", 1.0): 0.9}), BETAS, "Eyeglasses", 2.0
    )
    same = regimes.arithmetic(found(**{at("drift per gain", 1.0): 0.31}), BETAS, "Eyeglasses", 2.0)
    assert "how much the person changes does not differ significantly between β = 1 and no KL term" in same


def test_what_one_sees_in_reconstructions():
    names = ("undercomplete", "sparse", "denoising")
    said = seen.reconstructions(dict(zip(names, (8, 8, 7), strict=True)), dict.fromkeys(names, 1.2), 64)
    assert said.startswith("To the eye all reconstructions are blurred: detail finer than about 4.0 pixels")
    assert "The denoising model's are the most blurred. No checkerboard shows" in said
    said = seen.reconstructions(
        dict(zip(names, (32, 16, 0), strict=True)), dict(zip(names, (1, 1.3, 1), strict=True)), 64
    )
    assert said.startswith(
        "To the eye the reconstructions are sharp (undercomplete), soft (sparse) and blurred (denoising)."
    )
    assert "A checkerboard shows in those of the sparse model." in said
    assert "even the largest shapes are off" in seen.reconstructions({"a": 0, "b": 0}, {"a": 1, "b": 1}, 64)


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((100, 0.5, 24), "sharp, as well formed as reconstructions and as varied"),
        ((149, 0.41, 23), "soft, as well formed as reconstructions and as varied"),
        ((151, 0.39, 13), "soft, partly half-formed compared with reconstructions and less varied"),
        ((249, 0.21, 12), "blurred, partly half-formed compared with reconstructions and less varied"),
        ((251, 0.19, 5), "blurred, half-formed compared with reconstructions and much less varied"),
    ],
)
def test_what_one_sees_in_new_faces(numbers, said):
    """On both sides of each threshold, with FIDs of 100 for reconstructions and of 300 for averages of two of them."""
    whats = ("FID", "coverage", "sharpness")
    each = {"N(0, I)": numbers, "fitted Gaussian": numbers, seen.OWN: (100, 0.5, 30), seen.AVERAGES: (300, 0.1, 30)}
    found = {
        f"{what}, {name}, β = {beta:g}": Measured(value)
        for name, values in each.items()
        for what, value in zip(whats, values, strict=True)
        for beta in BETAS
    }
    text = seen.samples(found, BETAS, 32)
    assert f"At β = 0.1 faces from N(0, I) and from the fitted Gaussian are {said} (FID" in text
    other = seen.samples(found | {"FID, N(0, I), β = 0.1": Measured(1234.5)}, BETAS, 32)
    if numbers[0] == 100:
        assert (
            "At β = 0.1 faces from N(0, I) are sharp, half-formed compared with reconstructions and as varied" in other
        )
        assert (
            "(FID 1,230 and 100; reconstructions 100, averages of two 300; coverage 50 % and 50 %; detail up" in other
        )
