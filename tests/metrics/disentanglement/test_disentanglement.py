"""Disentanglement against cases worked out by hand, scikit-learn, and what each paper says of its extremes.

Numbers of units and of factors differ throughout: a matrix that is reshaped where it should be transposed is caught.
"""

import math
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy
from sklearn.ensemble import RandomForestRegressor
from sklearn.metrics import mutual_info_score, r2_score

from diabolo.errors import DiaboloError
from diabolo.metrics.disentanglement import (
    binned,
    dci,
    entropies,
    factor_vae_score,
    from_importance,
    gaps,
    majority_vote,
    mig,
    modularity,
    mutual_information_matrix,
    sap,
    separability,
)

GRID = np.stack(np.meshgrid(np.arange(4), np.arange(3), np.arange(2), indexing="ij"), -1).reshape(
    -1, 3
)  # all 24 of 3 factors


def many(n=3000, seed=0):
    """Three factors (n, 3): a number, a number, a category of two."""
    random = np.random.default_rng(seed)
    return np.stack([random.random(n), random.random(n), random.random(n) < 0.3], 1)


def test_bins_keep_few_values_and_cut_many_evenly():
    values = np.array([[5.0, 0.0], [7.0, 0.24], [5.0, 0.26], [9.0, 1.0]])
    assert binned(values, 3)[:, 0].tolist() == [0, 1, 0, 2]
    assert binned(np.linspace(0, 1, 101)[:, None], 4)[[0, 24, 26, 51, 100], 0].tolist() == [0, 0, 1, 2, 3]
    skewed = np.append(np.linspace(0, 1, 50), 10.0)[:, None]  # bins are of equal width, not of equal counts
    assert np.bincount(binned(skewed, 5)[:, 0], minlength=5).tolist() == [50, 0, 0, 0, 1]


def test_what_is_no_number_lies_in_no_bin():
    with pytest.raises(DiaboloError, match="in no bin"):
        binned(np.array([[0.0], [np.nan]]))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 200), st.integers(1, 5), st.integers(1, 4), st.integers(0, 999))
def test_mutual_information_is_scikit_learns_unit_by_factor(n, units, factors, seed):
    random = np.random.default_rng(seed)
    codes, values = random.integers(0, 5, (n, units)), random.integers(0, 3, (n, factors))
    matrix = mutual_information_matrix(codes, values)
    assert matrix.shape == (units, factors)
    wanted = [[mutual_info_score(codes[:, i], values[:, k]) for k in range(factors)] for i in range(units)]
    assert np.allclose(matrix, wanted, atol=1e-12)
    assert np.allclose(entropies(values), [entropy(np.bincount(v)) for v in values.T])


def test_mig_by_hand():
    matrix = np.array([[0.6, 0.1], [0.2, 0.0], [0.3, 0.5]])  # 3 units, 2 factors
    assert mig(matrix, np.array([1.0, 0.5])) == pytest.approx([(0.6 - 0.3) / 1, (0.5 - 0.1) / 0.5])
    with pytest.raises(DiaboloError, match="2 factors and there are 3"):
        mig(matrix, np.ones(3))
    with pytest.raises(DiaboloError, match="never varies"):
        mig(matrix, np.array([1.0, 0.0]))


def test_mig_is_one_for_a_unit_each_and_nought_for_two_units_alike():
    codes = np.concatenate([GRID, np.zeros((24, 2), int)], 1)  # 5 units, 2 of them idle
    perfect = mutual_information_matrix(codes, GRID)
    assert mig(perfect, entropies(GRID)) == pytest.approx([1, 1, 1])
    assert perfect.max(0) == pytest.approx([math.log(4), math.log(3), math.log(2)])
    twice = mutual_information_matrix(np.concatenate([GRID, GRID], 1), GRID)
    assert mig(twice, entropies(GRID)) == pytest.approx([0, 0, 0])


def test_of_a_single_unit_the_gap_is_all_that_it_tells():
    assert gaps(np.array([[0.3, 0.7]])).tolist() == [0.3, 0.7]


def test_modularity_by_hand():
    matrix = np.array([[2.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])  # 4 units, 3 factors
    assert modularity(matrix)[:3] == pytest.approx([1, 1 - 1 / 2, 0])
    assert np.isnan(modularity(matrix)[3])
    with pytest.raises(DiaboloError, match="two factors"):
        modularity(matrix[:, :1])


def test_modularity_is_of_units_and_mig_of_factors():
    """One factor in two units is modular and has no gap; two factors in one unit are not modular."""
    doubled = mutual_information_matrix(GRID[:, [0, 0, 1, 2]], GRID)
    assert modularity(doubled) == pytest.approx([1, 1, 1, 1])
    assert mig(doubled, entropies(GRID)) == pytest.approx([0, 1, 1])
    both = mutual_information_matrix((GRID[:, 0] * 3 + GRID[:, 1])[:, None], GRID)
    assert modularity(both)[0] == pytest.approx(1 - (math.log(3) / math.log(4)) ** 2 / 2)


def test_dci_of_an_importance_matrix_by_hand():
    diagonal = np.eye(4)[:, :3]  # 4 units, 3 factors, one unit idle
    assert from_importance(diagonal) == pytest.approx((1, 1))
    assert from_importance(np.ones((4, 3))) == pytest.approx((0, 0), abs=1e-12)
    spread = np.array(
        [[1.0, 0.0], [1.0, 0.0], [0.0, 2.0]]
    )  # each unit has one factor; factor 1 needs two units of three
    disentangled, complete = from_importance(spread)
    assert disentangled == pytest.approx(1)
    assert complete == pytest.approx(0.5 * (1 - math.log(2) / math.log(3)) + 0.5)
    shared = np.array([[3.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    disentangled, complete = from_importance(shared)
    assert disentangled == pytest.approx(1 - entropy([0.75, 0.25], base=2))
    assert complete == pytest.approx(1)
    assert from_importance(np.zeros((3, 2))) == (0, 0)
    assert from_importance(spread / 100) == pytest.approx(from_importance(spread))
    assert from_importance(shared / 100) == pytest.approx((disentangled, complete))


def test_transposing_swaps_disentanglement_and_completeness():
    r = np.random.default_rng(0).random((5, 3))
    assert from_importance(r) == pytest.approx(from_importance(r.T)[::-1])


def test_dci_reads_numbers_and_categories():
    factors = many()
    codes = np.concatenate([factors[:, [2, 0, 1]], np.random.default_rng(1).random((3000, 1))], 1)  # 4 units, one noise
    found = dci(codes[:2000], factors[:2000], codes[2000:], factors[2000:])
    assert found.importance.shape == (4, 3)
    assert found.importance.argmax(0).tolist() == [1, 2, 0]
    assert found.disentanglement > 0.95
    assert found.completeness > 0.95
    assert (found.informativeness > 0.98).all()
    noise = dci(codes[:2000, 3:], factors[:2000], codes[2000:, 3:], factors[2000:])
    assert (noise.informativeness < 0.1).all()


def test_sap_is_a_squared_correlation_for_numbers_and_a_threshold_for_categories():
    factors = many()
    random = np.random.default_rng(1)
    codes = np.stack(
        [factors[:, 0] + 0.3 * random.normal(size=3000), 5 - 2 * factors[:, 2], random.random(3000), factors[:, 1]], 1
    )
    matrix = separability(codes[:2000], factors[:2000], codes[2000:], factors[2000:])
    assert matrix.shape == (4, 3)
    assert matrix[0, 0] == pytest.approx(np.corrcoef(codes[2000:, 0], factors[2000:, 0])[0, 1] ** 2)
    assert matrix[1, 2] == pytest.approx(1)
    assert matrix[3, 1] == pytest.approx(1)
    assert matrix[2].max() < 0.1
    assert sap(matrix) == pytest.approx(np.sort(matrix, 0)[-1] - np.sort(matrix, 0)[-2])
    twice = separability(codes[:, [1, 1]], factors[:, 2:], codes[:, [1, 1]], factors[:, 2:])
    assert sap(twice).tolist() == [0]


def test_a_rare_category_read_by_never_is_worth_nothing():
    rare = (np.arange(1000) % 20 == 0).astype(float)[:, None]
    noise = np.random.default_rng(0).random((1000, 1))
    assert separability(noise[:500], rare[:500], noise[500:], rare[500:])[0, 0] < 0.15


def test_the_factor_vae_score_of_its_extremes():
    factors = many(5000)
    codes = np.concatenate(
        [factors[:, [1, 2, 0]] * [1, 20, 0.5], np.zeros((5000, 1))], 1
    )  # any scale, and an idle unit
    assert factor_vae_score(codes, factors, bins=10) == 1
    noise = np.random.default_rng(1).normal(size=(5000, 4))
    assert factor_vae_score(noise, factors) < 0.5  # chance is a third
    assert factor_vae_score(np.zeros((5000, 2)), factors) == 0


def test_the_factor_vae_score_compares_units_by_their_own_deviation():
    """Unit 1 halves its variance when factor 1 is held, unit 0 keeps its own, which is a thousandth of it: without the scales
    unit 0 would always win and say nothing."""
    random = np.random.default_rng(0)
    factors = random.integers(0, 2, (4000, 2)).astype(float)
    codes = (factors + 0.1 * random.normal(size=(4000, 2))) * [0.05, 1.5]
    assert factor_vae_score(codes, factors, seed=1) == 1


def test_the_factor_vae_score_is_of_votes_that_did_not_train(monkeypatch):
    """Of noise, with as many units as votes, the training votes would be right by heart."""
    seen = {}

    def spy(*given):
        seen["votes"] = given
        return majority_vote(*given)

    monkeypatch.setattr(sys.modules["diabolo.metrics.disentanglement.scores"], "majority_vote", spy)
    random = np.random.default_rng(0)
    score = factor_vae_score(random.normal(size=(3000, 40)), random.integers(0, 4, (3000, 4)).astype(float), votes=40)
    units, held, test_units, test_held = seen["votes"]
    assert [len(part) for part in seen["votes"]] == [20] * 4
    assert not np.array_equal(units, test_units)
    assert not np.array_equal(held, test_held)
    assert score == majority_vote(units, held, test_units, test_held) < 0.6 < majority_vote(units, held, units, held)


def test_dci_measures_errors_against_a_constant_of_the_images_it_is_tested_on():
    random = np.random.default_rng(0)
    factors, test_factors = random.random((3000, 2)), 0.45 + 0.1 * random.random((500, 2))
    codes, test_codes = (
        factors + 0.05 * random.normal(size=(3000, 2)),
        test_factors + 0.05 * random.normal(size=(500, 2)),
    )
    found = dci(codes, factors, test_codes, test_factors)
    for k in range(2):
        forest = RandomForestRegressor(10, min_samples_leaf=5, random_state=0).fit(codes, factors[:, k])
        assert found.informativeness[k] == pytest.approx(r2_score(test_factors[:, k], forest.predict(test_codes)))
    assert found.informativeness.max() < 0  # they vary so little that a constant is better


def test_the_majority_vote_by_hand():
    units, factors = np.array([0, 0, 0, 1, 1]), np.array([2, 2, 0, 1, 1])
    assert majority_vote(units, factors, np.array([0, 0, 1, 1]), np.array([2, 0, 1, 2])) == 0.5


def test_turning_the_code_destroys_it_all_but_informativeness():
    factors = many(4000)
    codes = factors - factors.mean(0)
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    cut = binned(factors)
    kept, lost = (mig(mutual_information_matrix(binned(z), cut), entropies(cut)).mean() for z in (codes, codes @ turn))
    assert kept > 0.9 > 0.3 > lost
    plain, turned = (dci(z[:3000], factors[:3000], z[3000:], factors[3000:]) for z in (codes, codes @ turn))
    assert plain.disentanglement > turned.disentanglement + 0.3
    assert turned.informativeness.min() > 0.8


def test_bins_at_their_edges():
    values = np.array([[0.0], [0.25], [0.5], [0.75], [1.0]])
    assert binned(values, 4)[:, 0].tolist() == [0, 1, 2, 3, 3]
    assert binned(values, 5)[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert binned(np.array([[7], [7]]), 2)[:, 0].tolist() == [0, 0]


def test_codes_and_factors_go_in_pairs():
    for codes, factors in (
        (np.zeros((3, 1), int), np.zeros((2, 1), int)),
        (np.zeros((0, 1), int), np.zeros((0, 1), int)),
    ):
        with pytest.raises(DiaboloError, match=f"{len(codes)} codes but {len(factors)} rows"):
            mutual_information_matrix(codes, factors)


def test_no_information_is_not_below_nothing():
    codes = np.arange(9)[:, None] % 3
    assert (mutual_information_matrix(codes, np.arange(9)[:, None] // 3) >= 0).all()
    assert math.copysign(1, entropies(np.zeros((4, 1), int))[0]) == 1


def test_a_category_of_one_kind_and_a_unit_that_never_varies_are_not_read():
    z = np.linspace(0, 1, 20)[:, None]
    for code, factor in ((z, np.zeros((20, 1))), (np.zeros((20, 1)), (z > 0.5).astype(float)), (np.zeros((20, 1)), z)):
        assert separability(code, factor, code, factor).tolist() == [[0]]
    assert separability(z, z, z, np.zeros((20, 1))).tolist() == [[0]]
    assert separability(z, z, np.zeros((20, 1)), z).tolist() == [[0]]


def test_ten_kinds_are_a_category_and_eleven_a_number():
    """A unit that is the factor turned inside out: a category can be read off it, a number hardly."""
    for kinds, perfect in ((10, True), (11, False)):
        factor = np.repeat(np.arange(kinds), 12)[:, None].astype(float)
        code = (factor * 7 % kinds) + 0.0
        read = separability(code, factor, code, factor)[0, 0]
        assert (read == pytest.approx(1)) == perfect
        wanted = 1 if perfect else np.corrcoef(code[:, 0], factor[:, 0])[0, 1] ** 2
        assert read == pytest.approx(wanted)


def test_a_category_by_hand():
    """A threshold between 1 and 2; of the test examples 3 of 4 and 1 of 2 are right."""
    code, factor = np.array([[0.0], [1], [2], [3]] * 5), np.array([[0.0], [0], [5], [5]] * 5)
    test_code, test_factor = np.array([[0.0], [0], [1], [3], [3], [0]]), np.array([[0.0], [0], [0], [0], [5], [5]])
    found = separability(code, factor, test_code, test_factor)[0, 0]
    assert found == pytest.approx(((0.75 + 0.5) / 2 - 0.5) / 0.5)
    assert separability(code, factor, code, 5 - factor)[0, 0] == 0  # worse than by chance


@pytest.mark.parametrize(("votes", "group"), [(1, 2), (2, 1)])
def test_a_vote_of_too_few(votes, group):
    factors = np.stack([np.arange(40) % 2, np.arange(40) // 20], 1)
    assert 0 <= factor_vae_score(factors.astype(float), factors, 2, 2) <= 1
    with pytest.raises(DiaboloError, match=f"not {votes} of {group}"):
        factor_vae_score(factors.astype(float), factors, votes, group)


def test_votes_by_hand():
    """Unit 0 stands for factor 1 in two of three; unit 1 has no vote to learn from, and says 0."""
    units, factors = np.array([0, 0, 0, 2]), np.array([1, 1, 0, 2])
    assert majority_vote(units, factors, np.array([0, 0, 1, 2]), np.array([1, 0, 0, 2])) == 0.75
    assert majority_vote(units, factors, np.array([3]), np.array([3])) == 0


def test_idle_units_have_no_vote():
    factors = np.stack([np.arange(60) % 2, np.arange(60) // 30], 1)
    codes = factors + 0.0
    idle = np.concatenate([codes, 1e-3 * np.random.default_rng(0).standard_normal((60, 3))], 1)
    for unit in (1e-3, 1, 1e3):  # of the largest deviation, in whatever it is measured
        assert factor_vae_score(unit * idle, factors, 100) == factor_vae_score(unit * codes, factors, 100) == 1
    assert factor_vae_score(np.ones((60, 2)), factors) == 0


def test_a_unit_of_a_hundredth_of_the_largest_deviation_has_no_say():
    """Deviations of 0.5 and 50; without the first unit one is left, which says the same of both factors."""
    factors = np.stack([np.arange(60) % 2, np.arange(60) // 30], 1)
    assert factor_vae_score(factors * [1.0, 100.0], factors, 100) < 0.7
    assert factor_vae_score(factors * [1.01, 100.0], factors, 100) == 1


def test_informativeness_of_a_constant_and_of_a_category():
    random = np.random.default_rng(0)
    codes = random.random((200, 2))
    factors = np.stack([codes[:, 0] > 0.5, codes[:, 1], np.zeros(200)], 1).astype(float)
    found = dci(codes, factors, codes, factors)
    assert found.informativeness[0] > 0.9
    assert found.informativeness[1] > 0.9
    assert np.isnan(found.informativeness[2])
    assert found.importance.shape == (2, 3)
    assert found.importance[0, 0] > 0.9
    assert found.importance[:, :2].sum(0) == pytest.approx([1, 1])
    test = np.where(np.arange(200)[:, None] < 150, [[0.9, 0.5]], [[0.1, 0.5]])  # 150 of 200 are of one class
    wrong = factors.copy()
    wrong[:, 0] = np.arange(200) < 100
    share = dci(codes, factors, test, wrong).informativeness[0]
    assert share == pytest.approx(1 - 0.25 / 0.5)


@pytest.mark.parametrize("kinds", [10, 11])
def test_up_to_ten_kinds_are_read_as_categories(kinds):
    """Read wrong by one, which is near for a number and wrong for a category."""
    z = np.repeat(np.arange(kinds), 20)[:, None].astype(float)
    off = np.clip(z + 1, 0, kinds - 1)
    found = dci(z, z, off, z).informativeness[0]
    if kinds == 10:
        assert found == pytest.approx(1 - 0.9 / 0.9)
    else:
        assert found > 0.85


@pytest.mark.parametrize("value", [0.1, 4000.1])
def test_codes_that_are_all_the_same_tell_nothing_however_their_mean_is_rounded(value):
    codes, factors = np.full((7, 3), value), np.arange(14).reshape(7, 2) % 3
    assert factor_vae_score(codes, factors) == 0
    assert (separability(codes, factors / 7, codes, factors / 7) == 0).all()
    assert (separability(codes, factors, codes, factors) == 0).all()


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_bins_are_of_one_width_in_any_precision(kind):
    """Of the whole range of float16, which its own difference is beyond; and of numbers that lie on the edges of bins."""
    for values in (np.linspace(-60_000, 60_000, 401), -60_000 + np.arange(2000) / 256):
        column = values.astype(kind)
        exact = column.astype(np.float64)
        if len(np.unique(exact)) > 20:
            expected = np.digitize(exact, np.linspace(exact.min(), exact.max(), 21)[1:-1])
            assert (binned(column[:, None])[:, 0] == expected).all()
