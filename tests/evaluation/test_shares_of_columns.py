"""The intervals of accuracies over the columns of a table, by simulation."""

import numpy as np
import pytest
from scipy import stats

from diabolo.evaluation.by_kind import _share
from diabolo.statistics import wilson


def coverage(n, right):
    """How often Wilson's interval of one column holds the share, exactly: it swings around 95 %."""
    hits = np.arange(n + 1)
    ends = np.array([wilson(int(k), n) for k in hits])
    return stats.binom.pmf(hits, n, right)[(ends[:, 0] <= right) & (right <= ends[:, 1])].sum()


def held(n, right, columns, together=False):
    random, found = np.random.default_rng(0), []
    for _ in range(1000):
        rows = random.random((n, 1 if together else columns)) < right
        score = _share(rows.mean(1), "test", {})
        found.append(score.low <= right <= score.high)
    return np.mean(found)


@pytest.mark.parametrize(("n", "right"), [(20, 0.95), (40, 0.99), (100, 0.7)])
def test_the_interval_of_one_column_is_wilsons(n, right):
    assert held(n, right, 1) == pytest.approx(coverage(n, right), abs=0.03)
    assert held(n, right, 5, together=True) == pytest.approx(coverage(n, right), abs=0.03)  # right in all, or in none


@pytest.mark.parametrize("columns", [2, 5])
@pytest.mark.parametrize(("n", "right"), [(20, 0.95), (40, 0.9), (100, 0.7)])
def test_of_several_columns_it_is_wide_enough(n, right, columns):
    assert held(n, right, columns) >= 0.95


def test_where_all_is_right_the_interval_has_a_width():
    score = _share(np.ones(40), "test", {})
    assert (score.value, score.high, score.n) == (1.0, 1.0, 40)
    assert score.low == pytest.approx(1 / (1 + 1.959964**2 / 40))  # Wilson's lower end at p = 1: n / (n + z²)
