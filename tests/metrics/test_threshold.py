"""The threshold of a false-alarm rate: what it promises, by simulation and in closed form."""

import numpy as np
import pytest
from scipy import stats

from diabolo.errors import DiaboloError
from diabolo.metrics import threshold


@pytest.mark.parametrize(
    ("n", "rate", "k"), [(99, 0.05, 95), (100, 0.05, 96), (19, 0.05, 19), (9, 0.1, 9), (20, 0.5, 11)]
)
def test_it_is_the_kth_smallest(n, rate, k):
    scores = np.random.default_rng(0).permutation(n).astype(float)
    assert threshold(scores, rate).value == k - 1


@pytest.mark.parametrize(("n", "rate"), [(19, 0.05), (50, 0.1), (200, 0.02)])
def test_further_images_exceed_it_at_most_so_often(n, rate):
    random = np.random.default_rng(0)
    share = np.array([stats.expon.sf(threshold(random.exponential(size=n), rate).value) for _ in range(4000)])
    k = round((n + 1) * (1 - rate) + 0.499)
    assert share.mean() == pytest.approx(1 - k / (n + 1), abs=4 * share.std() / np.sqrt(len(share)))
    assert share.mean() <= rate + 4 * share.std() / np.sqrt(len(share))
    low, high = threshold(random.exponential(size=n), rate).between
    assert np.mean((share > low) & (share < high)) == pytest.approx(0.95, abs=0.015)


def test_p_values_are_shares_of_held_out_scores():
    found = threshold([1.0, 2.0, 2.0, 3.0], 0.25)
    assert found.p_values([0, 1, 2, 2.5, 3, 9]).tolist() == pytest.approx([1, 1, 0.8, 0.4, 0.4, 0.2])


def test_flags_and_p_values_agree_whatever_the_ties():
    random = np.random.default_rng(1)
    for n, rate in ((19, 0.05), (57, 0.1), (99, 0.03)):
        found = threshold(random.integers(0, 12, n), rate)
        scores = random.integers(0, 14, 200)
        assert np.array_equal(found.flags(scores), found.p_values(scores) <= rate + 1e-12)


def test_what_no_threshold_can_be_chosen_for():
    with pytest.raises(DiaboloError, match=r"rate of 0\.05 takes 19 held-out images or more, and there are 18$"):
        threshold(np.arange(18), 0.05)
    with pytest.raises(DiaboloError, match="1 of 20 scores of held-out images are NaN"):
        threshold([*range(19), np.nan], 0.05)
    with pytest.raises(DiaboloError, match="1 of 2 scores are NaN"):
        threshold(np.arange(19), 0.05).flags([0, np.nan])
    for rate in (0, 1, -0.1, np.nan):
        with pytest.raises(DiaboloError, match="lies between 0 and 1"):
            threshold(np.arange(19), rate)
