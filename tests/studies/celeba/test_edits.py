"""Arithmetic with the codes of several models, compared at an equal gain."""

import pytest

from diabolo.studies.celeba import edits
from diabolo.studies.celeba.edits import DRIFT, Edit
from diabolo.studies.celeba.fits import at
from diabolo.studies.engine.findings import Measured

BETAS = (1.0, 0.1)
UNIT = {"unit": "change of probability"}
SATURATES = Edit((0, 1, 2), (0.0, 0.6, 0.8), (0.0, 0.05, 0.15))


def test_the_first_alpha_of_a_gain_and_the_drift_there():
    assert SATURATES.at_gain(0.3) == pytest.approx((0.5, 0.025))
    assert SATURATES.at_gain(0.7) == pytest.approx((1.5, 0.10))
    assert SATURATES.at_gain(0.8) == pytest.approx((2, 0.15))
    assert SATURATES.at_gain(0.0) == (0, 0.0)
    back = Edit((0, 1, 2), (0.0, 0.5, 0.2), (0.0, 0.1, 0.4))
    assert back.at_gain(0.4) == pytest.approx((0.8, 0.08))
    with pytest.raises(ValueError, match=r"0.9 is not reached: it is 0.8 at most"):
        SATURATES.at_gain(0.9)


def test_all_reach_the_common_gain():
    weak = Edit((0, 1, 2), (0.0, 0.2, 0.5), (0.0, 0.02, 0.06))
    assert edits.common_gain([SATURATES, weak]) == 0.5
    assert weak.at_gain(0.5)[0] == 2


def found(strong, weak, error=0.002):
    numbers = {at("gain", 1.0): 0.65, at("gain", 0.1): 0.89, "gain, undercomplete": 0.9, "equal gain": 0.6}
    drifts = {at(DRIFT, 1.0): strong, at(DRIFT, 0.1): weak, f"{DRIFT}, undercomplete": 0.1}
    pairs = {f"{at(DRIFT, b)} less {DRIFT}, undercomplete": v - 0.1 for b, v in zip(BETAS, (strong, weak), strict=True)}
    return {name: Measured(value, 0.5, **UNIT) for name, value in (numbers | drifts).items()} | {
        name: Measured(value, error, 2, **UNIT) for name, value in pairs.items()
    }


def test_arithmetic_at_an_equal_gain():
    raised = edits.raised(found(0.05, 0.15), BETAS, "Eyeglasses", 2.0)
    assert raised.endswith("raises its probability by 0.65 (β = 1), 0.89 (β = 0.1) and 0.90 (undercomplete).")
    said = edits.arithmetic(found(0.05, 0.15), BETAS)
    assert "For the same gain of 0.60, identity-related attributes move by 0.050 (β = 1), 0.150 (β = 0.1)" in said
    assert "at β = 1 the KL term helps arithmetic: they move 0.050 ± 0.009 less than without it" in said
    assert "at β = 0.1 the KL term hurts arithmetic: they move 0.050 ± 0.009 more" in said
    unsure = edits.arithmetic(found(0.05, 0.15, error=0.03), BETAS)
    assert unsure.endswith("Paired by seed, neither β differs significantly from no KL term.")
    alike = edits.arithmetic(found(0.1, 0.101, error=0.0001), BETAS)
    assert alike.endswith("Paired by seed, both β are within 0.01 of no KL term, too little to matter.")
    tiny = edits.arithmetic(found(0.1, 0.15, error=0.0001), BETAS)
    assert (
        "at β = 1 this differs by less than 0.01, too little to matter, from no KL term; at β = 0.1 the KL term hurts"
        in tiny
    )


def test_two_comparisons_are_one_family():
    """By itself each has p = 0.04 here: of two that is not enough."""
    both = found(0.05, 0.15, error=0.0102)
    assert "helps" not in edits.arithmetic(both, BETAS)


def test_models_that_do_not_gain_are_not_compared():
    numbers = {name: one for name, one in found(0.05, 0.15).items() if DRIFT not in name}
    assert edits.arithmetic(numbers, BETAS).endswith("nothing is compared at an equal gain.")
