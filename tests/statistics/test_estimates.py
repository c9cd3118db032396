"""Estimates, their differences and families of them, against scipy and sums written out."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from diabolo.errors import DiaboloError
from diabolo.statistics import Estimate, against_best, differ, holm, mean, paired, sign_test, welch

values = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20).filter(lambda x: np.std(x) > 1e-3)


@settings(deadline=None)
@given(values, st.floats(-10, 10))
def test_a_mean_is_scipys_one_sample_test(x, bar):
    one, theirs = mean(x), stats.ttest_1samp(x, 0)
    assert one.interval(0.9) == pytest.approx(tuple(theirs.confidence_interval(0.9)), rel=1e-7, abs=1e-7)
    assert one.p == pytest.approx(theirs.pvalue, rel=1e-7)
    assert one.beyond(bar) == pytest.approx(
        stats.ttest_1samp(x, bar, alternative="greater").pvalue, rel=1e-6, abs=1e-12
    )


@settings(deadline=None)
@given(values, st.integers(0, 99))
def test_pairs_are_scipys_related_samples(x, seed):
    y = np.random.default_rng(seed).normal(size=len(x))
    theirs = stats.ttest_rel(x, y)
    found = paired(x, y)
    assert found.p == pytest.approx(theirs.pvalue, rel=1e-6)
    assert found.interval() == pytest.approx(tuple(theirs.confidence_interval()), rel=1e-6, abs=1e-9)


@settings(deadline=None)
@given(values, values)
def test_groups_have_scipys_error_and_welchs_degrees_of_freedom(a, b):
    """Those of 1947, written out; scipy has Satterthwaite's. Where one alone is small, it is Cochran and Cox's interval."""
    assume(min(np.var(a), np.var(b)) > 1e-4 * max(np.var(a), np.var(b)))
    found, theirs = welch(a, b), stats.ttest_ind(a, b, equal_var=False)
    n, m = len(a), len(b)
    u, v = np.var(a, ddof=1) / n, np.var(b, ddof=1) / m
    expected = (u + v) ** 2 / (u**2 / (n + 1) + v**2 / (m + 1)) - 2
    fewer = min(n, m) - 1
    assert found.error == pytest.approx(math.sqrt(u + v), rel=1e-9)
    assert found.value / found.error == pytest.approx(theirs.statistic, rel=1e-6, abs=1e-9)
    if n != m and fewer < 4:
        reach = (u * stats.t.ppf(0.975, n - 1) + v * stats.t.ppf(0.975, m - 1)) / (u + v)
        low, high = found.interval()
        assert high - low == pytest.approx(2 * reach * found.error, rel=1e-6)
    elif fewer == 1:
        assert found.df == pytest.approx(theirs.df, rel=1e-6)
    else:
        assert found.df == pytest.approx(max(fewer, min(expected, max(theirs.df, 2 * fewer))), rel=1e-6)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(theirs.statistic), found.df), rel=1e-6)


def test_well_known_errors_add_as_squares():
    found = differ(Estimate(5.0, 3.0), Estimate(1.0, 4.0))
    assert found == Estimate(4.0, 5.0)
    assert found.interval() == pytest.approx((4 - 5 * 1.959964, 4 + 5 * 1.959964), rel=1e-6)
    assert differ(Estimate(5.0, 3.0, 2), Estimate(1.0, 0.0)).df == pytest.approx(2)  # as well known as the noisy one


def test_tiny_numbers_do_not_underflow():
    large, small = (welch(np.multiply([1, 2, 4], size), np.multiply([2, 5, 9], size)) for size in (1, 1e-100))
    assert small.df == pytest.approx(large.df)
    assert small.p == pytest.approx(large.p)


def test_numbers_without_noise_differ_surely_or_not_at_all():
    assert mean([0.1] * 3) == Estimate(0.1, 0.0, 2)
    assert welch([2.0, 2.0], [1.0, 1.0, 1.0]).p == 0
    assert welch([2.0, 2.0], [2.0, 2.0]).p == 1
    assert paired([1.0, 2.0], [1.0, 2.0]).p == 1
    assert (-Estimate(2.0, 1.0, 3)).value == -2


@pytest.mark.parametrize(
    ("p", "adjusted"),
    [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),  # as R's p.adjust(…, "holm")
        ([0.5, 0.5, 0.001], [1.0, 1.0, 0.003]),
        ([0.2], [0.2]),
        ([], []),
    ],
)
def test_holm(p, adjusted):
    np.testing.assert_allclose(holm(p), adjusted)


def test_the_sign_test_is_scipys():
    for more, less in ((30, 15), (2, 8), (5, 5), (0, 7), (4, 0)):
        assert sign_test(more, less) == pytest.approx(stats.binomtest(more, more + less).pvalue)
    assert sign_test(0, 0) == 1
    with pytest.raises(DiaboloError, match="no numbers of pairs"):
        sign_test(-1, 3)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.floats(0.001, 0.3))
def test_holm_rejects_what_the_steps_of_the_paper_reject(p, level):
    rejected, left = set(), sorted(range(len(p)), key=lambda i: p[i])
    while left and p[left[0]] * len(left) < level:
        rejected.add(left.pop(0))
    assert {i for i, q in enumerate(holm(p)) if q < level} == rejected


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: mean([1.0]), "two finite numbers"),
        (lambda: welch([1.0], [1.0, 2.0]), "two finite numbers"),
        (lambda: welch([1.0, math.nan], [1.0, 2.0]), "two finite numbers"),
        (lambda: welch([[1.0, 2.0]], [1.0, 2.0]), "of shape"),
        (lambda: paired([1.0, 2.0], [1.0, 2.0, 3.0]), "not of 2 and 3"),
        (lambda: Estimate(math.nan, 1.0), "finite number"),
        (lambda: Estimate(1.0, -1.0), "error of 0 or more"),
        (lambda: Estimate(1.0, 1.0, 0), "degrees of freedom above 0"),
        (lambda: Estimate(1.0, 1.0).interval(95), "confidence is a share"),
        (lambda: Estimate(1.0, 1.0).interval(0), "confidence is a share"),
        (lambda: holm([0.5, 1.1]), "between 0 and 1"),
        (lambda: holm([math.nan]), "between 0 and 1"),
    ],
)
def test_what_says_nothing_is_refused(wrong, said):
    with pytest.raises(DiaboloError, match=said):
        wrong()


def test_the_best_is_compared_as_one_of_all_pairs():
    values = {"a": 1.0, "b": 3.2, "c": 3.3}

    def apart(x, y):
        return Estimate(values[x] - values[y], 1.0) if {x, y} != {"a", "c"} else None

    best, others = against_best(values, apart)
    assert best == "a"
    assert others["b"][0].value == pytest.approx(2.2)
    assert others["b"][1] == pytest.approx(2 * Estimate(2.2, 1.0).p)  # of two pairs that are known
    assert others["c"] == (None, 1.0)
    best, others = against_best(values, lambda x, y: Estimate(values[x] - values[y], 1.0), largest=True)
    assert best == "c"
    assert others["a"][0].value == pytest.approx(-2.3)
    assert others["a"][1] == pytest.approx(3 * Estimate(2.3, 1.0).p)
    assert against_best({"a": 1.0}, apart) == ("a", {})
    with pytest.raises(DiaboloError, match="no best of no numbers"):
        against_best({}, apart)
