"""Areas by hand; DeLong's interval by its definition over all pairs, and by how often it holds the truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, norm

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


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.integers(0, 6), min_size=2, max_size=30),
    st.lists(st.integers(0, 6), min_size=2, max_size=30),
)
def test_the_variance_is_that_over_all_pairs(above, below):
    scores = np.array(above + below, float)
    y = np.arange(len(scores)) < len(above)
    wins = (np.array(above)[:, None] > np.array(below)) + 0.5 * (np.array(above)[:, None] == np.array(below))
    half = norm.ppf(0.975) * np.sqrt(wins.mean(1).var(ddof=1) / len(above) + wins.mean(0).var(ddof=1) / len(below))
    low, high = delong(scores, y)
    assert low == pytest.approx(max(0, wins.mean() - half), abs=1e-9)
    assert high == pytest.approx(min(1, wins.mean() + half), abs=1e-9)
    u = mannwhitneyu(above, below).statistic
    assert wins.mean() == pytest.approx(u / len(above) / len(below))


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
