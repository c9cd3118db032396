"""What may be said: bars, effects and equivalence."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from diabolo.errors import DiaboloError
from diabolo.statistics import Estimate, decide, equivalence_p, equivalent, mean, verdict


@pytest.mark.parametrize(
    ("value", "relation", "bar", "ends", "state"),
    [
        (0.8808, "≥", 0.881, (), "missed"),  # which rounds to 88.1 %
        (0.88099999, "≥", 0.881, (), "missed"),
        (0.881, "≥", 0.881, (), "met"),
        (0.881, ">", 0.881, (), "missed"),
        (0.95, "≥", 0.9, (0.91, 0.97), "met"),
        (0.95, "≥", 0.9, (0.89, 0.97), "not decided"),
        (0.85, "≥", 0.9, (0.80, 0.91), "not decided"),
        (0.85, "≥", 0.9, (0.80, 0.89), "missed"),
        (0.85, "≥", 0.9, (0.80, 0.90), "not decided"),  # 0.90 would do
        (0.85, ">", 0.9, (0.80, 0.90), "missed"),
        (0.03, "<", 0.04, (0.02, 0.0399), "met"),
        (0.03, "≤", 0.04, (0.02, 0.05), "not decided"),
        (5, "=", 5, (), "met"),
        (5.0, "=", 5, (4.9, 5.1), "not decided"),
        (5.0, "=", 5, (5.0, 5.0), "met"),
        (5.5, "=", 5, (5.1, 5.9), "missed"),
        (7.0, "≤", 6.0, (4.0, 5.0), "not decided"),  # a biased number outside its interval
    ],
)
def test_a_bar_is_met_or_missed_or_not_decided(value, relation, bar, ends, state):
    assert verdict(value, relation, bar, *ends) == state


@settings(deadline=None)
@given(st.floats(-9, 9), st.floats(0.01, 5), st.sampled_from([2, 5, 30, math.inf]), st.floats(0.01, 5))
def test_equivalence_is_an_interval_within_the_margin(value, error, df, margin):
    """Two one-sided tests, with scipy's tails; and the interval of twice the level says the same."""
    difference = Estimate(value, error, df)
    upper = stats.t.sf((margin - value) / error, df)
    lower = stats.t.sf((margin + value) / error, df)
    assert equivalence_p(difference, margin) == pytest.approx(max(lower, upper), abs=1e-9)
    low, high = difference.interval(0.9)
    if min(abs(low + margin), abs(high - margin)) > 1e-9:
        assert equivalent(difference, margin) == (-margin < low and high < margin)


def test_a_difference_that_is_not_significant_is_not_the_same():
    unclear = Estimate(0.5, 1.0)
    assert decide(unclear, least=0.1) == "not decided"
    assert decide(unclear, least=1.0) == "not decided"
    assert decide(unclear, least=3.0) == "same"
    assert decide(Estimate(0.0, 10.0), least=3.0) == "not decided"


def test_a_sure_difference_below_the_least_size_is_no_effect():
    small = Estimate(-0.01, 0.001)
    assert decide(small, least=0.005) == "less"
    assert decide(-small, least=0.005) == "more"
    assert decide(small, least=0.005, p=0.2) == "not decided"  # one of many
    assert decide(small, least=0.02) == "same"
    assert decide(small, least=0.011) == "small"  # surely there, and may be as large as matters
    assert decide(small, least=0.011, p=0.2) == "not decided"


def test_without_noise():
    assert decide(Estimate(2.0, 0.0), least=1.0) == "more"
    assert decide(Estimate(0.0, 0.0), least=1.0) == "same"
    assert decide(Estimate(-0.5, 0.0), least=0.5) == "less"  # the least size itself matters


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: decide(mean([1.0, 2.0]), least=0), "least size of a comparison is a number above 0"),
        (lambda: decide(mean([1.0, 2.0]), least=math.nan), "least size"),
        (lambda: equivalent(mean([1.0, 2.0]), 0), "margin of a comparison"),
        (lambda: equivalent(mean([1.0, 2.0]), math.inf), "margin of a comparison"),
        (lambda: verdict(1, "about", 2), "held to by one of"),
        (lambda: verdict(math.nan, "≤", 2), "cannot be held"),
        (lambda: verdict(1, "≤", 2, 0.5), "both ends"),
        (lambda: verdict(1, "≤", 2, 3, 0.5), "turned round"),
        (lambda: verdict(1, "≤", 2, math.nan, 3), "cannot be held"),
    ],
)
def test_what_cannot_be_judged_is_refused(wrong, said):
    with pytest.raises(DiaboloError, match=said):
        wrong()


def test_a_least_size_must_be_given():
    with pytest.raises(TypeError, match="least"):
        decide(Estimate(1.0, 0.1))


def test_arrays_of_numpy_are_numbers_too():
    assert verdict(np.float32(0.5), "≤", np.float64(1.0), np.float32(0.25), np.float32(0.75)) == "met"
