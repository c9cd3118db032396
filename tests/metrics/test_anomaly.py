"""Areas by hand; their interval by its definition over all pairs, and by how often it holds the truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, mannwhitneyu, norm, t

from diabolo.errors import DiaboloError
from diabolo.metrics.anomaly import delong, separation
from diabolo.statistics import wilson


def test_by_hand():
    found = separation(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    assert found.auroc == 0.75  # three of four pairs in order
    assert found.auprc == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert found.share == 0.5


def test_perfect_and_reversed():
    y = np.arange(40) >= 30
    assert separation(np.arange(40.0), y).auroc == 1
    assert separation(-np.arange(40.0), y).auroc == 0
    assert separation(np.zeros(40), y).auroc == 0.5
    assert separation(np.where(y, np.inf, 0.0), y).auprc == 1


def wald(scores, y):
    """The area, and the two parts of DeLong's variance, by their definition over all pairs."""
    above, below = scores[y], scores[~y]
    wins = (above[:, None] > below) + 0.5 * (above[:, None] == below)
    return wins.mean(), wins.mean(1).var(ddof=1) / len(above), wins.mean(0).var(ddof=1) / len(below)


def shape(area, m, n):
    """Newcombe 2006: how the variance of the area depends on it."""
    return area * (1 - area) * (1 + ((m + n) / 2 - 1) * ((1 - area) / (2 - area) + area / (1 + area))) / (m * n)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.integers(0, 6), min_size=2, max_size=30),
    st.lists(st.integers(0, 6), min_size=2, max_size=30),
)
def test_the_ends_are_as_far_away_as_the_variance_over_all_pairs_says(above, below):
    scores, m, n = np.array(above + below, float), len(above), len(below)
    y = np.arange(m + n) < m
    area, one, other = wald(scores, y)
    assert area == pytest.approx(mannwhitneyu(above, below).statistic / m / n)
    low, high = delong(scores, y)
    assert 0 <= low <= area <= high <= 1
    moderated, quantile = 1.0, norm.ppf(0.975)
    if one + other > 0:
        df = (one + other) ** 2 / (one**2 / (m - 1) + other**2 / (n - 1))
        moderated = (df * (one + other) / shape(area, m, n) + 5) / (df + 5)
        quantile = t.ppf(0.975, df + 5)
    for end in (low, high):
        if 0 < end < 1 and 0 < area < 1:
            assert abs(end - area) == pytest.approx(quantile * np.sqrt(moderated * shape(end, m, n)), abs=1e-7)


def test_of_many_images_it_is_the_interval_of_delong():
    rng, y = np.random.default_rng(4), np.arange(40_000) < 10_000
    scores = rng.normal(size=40_000) + y
    area, one, other = wald(scores.round(1), y)
    half = norm.ppf(0.975) * np.sqrt(one + other)
    low, high = delong(scores.round(1), y)
    assert (low, high) == pytest.approx((area - half, area + half), abs=0.02 * half)


@pytest.mark.parametrize(("m", "n"), [(2, 2), (5, 40), (40, 5)])
def test_images_all_in_order_leave_as_much_room_below_as_so_few_right_answers(m, n):
    y = np.arange(m + n) < m
    low, high = delong(1.0 * y, y)
    assert high == 1
    assert low == pytest.approx(binomtest(min(m, n), min(m, n)).proportion_ci(method="exact").low)
    assert delong(-1.0 * y, y) == pytest.approx((0, 1 - low), abs=1e-9)


@pytest.mark.parametrize("times", [400, pytest.param(10_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("spread", [1, 4])
@pytest.mark.parametrize(("m", "n", "truth"), [(3, 3, 0.5), (2, 8, 0.5), (3, 5, 0.6), (4, 9, 0.9), (6, 4, 0.7)])
def test_areas_of_very_few_images_are_held_however_they_spread(m, n, truth, spread, times):
    """Three of either kind would be held in 90 of 100 cases at 0.5, and two against eight that spread less in 78."""
    rng, y, held = np.random.default_rng(3), np.arange(m + n) < m, []
    above = norm.ppf(truth) * np.hypot(spread, 1)
    for _ in range(times):
        low, high = delong(np.where(y, above + spread * rng.normal(size=m + n), rng.normal(size=m + n)), y)
        held.append(low <= truth <= high)
    assert np.mean(held) >= 0.93 - (0.03 if times < 1000 else 0)


@pytest.mark.parametrize(
    ("m", "n", "apart"), [(10, 10, 2), (10, 10, 3), (30, 30, 2), (2, 30, 1), (2, 100, 2), (5, 50, 1.5), (5, 500, 1)]
)
def test_few_images_and_large_areas_are_held_too(m, n, apart):
    """A ± 1.96 standard errors holds the first three in 80, 50 and 89 of 100 cases; the others, of which one side is of few,
    would be held in 82 to 88 by a variance that is taken as known."""
    rng, truth, held, y = np.random.default_rng(5), norm.cdf(apart / np.sqrt(2)), 0, np.arange(m + n) < m
    for _ in range(400):
        low, high = delong(rng.normal(size=m + n) + apart * y, y)
        held += low <= truth <= high
    assert 0.91 <= held / 400 <= 0.99


def test_a_resample_without_an_anomalous_image_has_no_precision():
    """Two of 50: so it is in 13 of 100 resamples, and all others are perfect."""
    y = np.arange(50) >= 48
    assert separation(y.astype(float), y).auprc_interval == (0, 1)


def test_the_area_is_that_of_mann_and_whitney():
    rng = np.random.default_rng(2)
    above, below = rng.integers(2, 9, 30), rng.integers(0, 7, 50)
    found = separation(np.concatenate([above, below]), np.arange(80) < 30)
    assert found.auroc == pytest.approx(mannwhitneyu(above, below).statistic / 1500)


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    rng, truth, held = np.random.default_rng(0), norm.cdf(1 / np.sqrt(2)), 0
    y = np.arange(150) < 50
    for _ in range(300):
        low, high = delong(rng.normal(size=150) + y, y)
        held += low <= truth <= high
    low, high = wilson(held, 300, 0.999)
    assert low < 0.95 < high


def test_intervals_hold_their_values_and_repeat_themselves():
    rng = np.random.default_rng(1)
    y = np.arange(200) < 40
    one, other = (separation(rng_scores, y, seed=3) for rng_scores in [rng.normal(size=200) + y] * 2)
    assert one == other
    assert one.auroc_interval[0] < one.auroc < one.auroc_interval[1]
    assert one.auprc_interval[0] < one.auprc < one.auprc_interval[1]


@pytest.mark.parametrize(
    ("scores", "y", "said"),
    [
        ([1.0, np.nan, 2.0, 3.0], [True, True, False, False], "1 of 4 anomaly scores are NaN"),
        ([1.0, 2.0, 3.0], [True, False, False], "not 1 and 2"),
        ([1.0, 2.0, 3.0], [True, True, False], "not 2 and 1"),
        ([1.0, 2.0, 3.0], [True, True, True], "not 3 and 0"),
    ],
)
def test_nonsense_is_refused(scores, y, said):
    with pytest.raises(DiaboloError, match=said):
        separation(np.array(scores), np.array(y))
