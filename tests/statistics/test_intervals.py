"""Intervals against scipy's, and against how often they hold the truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from diabolo.errors import DiaboloError
from diabolo.statistics import bootstrap, mean_interval, wilson


@settings(deadline=None)
@given(n=st.integers(1, 10_000), share=st.floats(0, 1), confidence=st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_wilson_is_scipys(n, share, confidence):
    successes = round(share * n)
    theirs = stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
    low, high = wilson(successes, n, confidence)
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert 0 <= low <= successes / n <= high <= 1
    assert low < high


@settings(deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=50).filter(lambda x: np.std(x) > 1e-3))
def test_the_interval_of_a_mean_is_scipys(values):
    theirs = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert mean_interval(values) == pytest.approx((theirs.low, theirs.high), rel=1e-9, abs=1e-9)


def test_equal_values_have_an_interval_of_no_width():
    assert mean_interval([2.0, 2.0, 2.0]) == (2.0, 2.0)


def test_the_bootstrap_is_near_scipys_and_repeats_itself():
    x = np.random.default_rng(0).exponential(size=200)
    theirs = stats.bootstrap((x,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(1))
    ours = bootstrap(np.mean, x, n_resamples=4000, seed=5)
    assert ours == pytest.approx(tuple(theirs.confidence_interval), abs=0.01)
    assert ours == bootstrap(np.mean, x, n_resamples=4000, seed=5)
    assert ours != bootstrap(np.mean, x, n_resamples=4000, seed=6)


def test_the_bootstrap_draws_rows_together():
    x = np.random.default_rng(0).normal(size=(50, 3))
    assert bootstrap(lambda a, b: np.abs(a - 2 * b).max(), 2 * x, x, n_resamples=100) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: wilson(3, 2), "3 successes in 2 trials"),
        (lambda: wilson(0, 0), "0 successes in 0 trials"),
        (lambda: wilson(1, 2, 95), "confidence is a share"),
        (lambda: mean_interval([1.0]), "two finite numbers"),
        (lambda: mean_interval([1.0, np.nan]), "two finite numbers"),
        (lambda: bootstrap(np.mean, [1.0]), "two examples"),
        (lambda: bootstrap(np.mean, [1.0, 2.0], [1.0]), "of one length"),
        (lambda: bootstrap(np.mean, [1.0, 2.0], n_resamples=10), "at least 100"),
    ],
)
def test_what_has_no_interval_is_refused(wrong, said):
    with pytest.raises(DiaboloError, match=said):
        wrong()
