"""How often intervals hold the truth and tests err, by simulation: a thousand repetitions always, many where time matters less.

Bounds are on what is promised (93 … 97 % of intervals, 4 … 6 % of tests). The quick ones allow for three standard errors of the
simulation; an interval that is half too wide shows in either.
"""

import math

import numpy as np
import pytest

from diabolo.statistics import (
    Estimate,
    against_best,
    apart,
    blocks,
    bootstrap,
    differ,
    equivalent,
    holm,
    mean,
    paired,
    paired_shares,
    replicate,
    shared,
    welch,
    wilson,
)

MANY = [pytest.param(20_000, marks=pytest.mark.slow)]


def check(hits, low, high):
    """That a share of `hits` lies in low … high, or might: beyond it by three standard errors at most."""
    hits = np.asarray(hits)
    slack = 3 * math.sqrt(0.05 * 0.95 / len(hits)) if len(hits) < 10_000 else 0
    assert low - slack <= hits.mean() <= high + slack, hits.mean()


@pytest.mark.parametrize("times", [1000, *MANY])
def test_means_of_few(times):
    random = np.random.default_rng(0)
    ends = [mean(random.normal(size=3)).interval() for _ in range(times)]
    check([low <= 0 <= high for low, high in ends], 0.94, 0.96)


@pytest.mark.parametrize("spread", [1, 2])
@pytest.mark.parametrize("times", [1500, *MANY])
def test_welch_at_three_seeds(times, spread):
    """Equal groups differ in 4 to 6 % of comparisons, and a real difference of three deviations is found in most."""
    random = np.random.default_rng(0)
    check([welch(random.normal(size=3), spread * random.normal(size=3)).p < 0.05 for _ in range(times)], 0.04, 0.06)
    if spread == 1:
        found = [welch(3 + random.normal(size=3), random.normal(size=3)).p < 0.05 for _ in range(times)]
        check(found, 0.70, 0.80)


@pytest.mark.parametrize("times", [1000, *MANY])
def test_pairs_at_three_seeds(times):
    random = np.random.default_rng(0)
    seeds = 5 * random.normal(size=(times, 3))
    found = [paired(s + random.normal(size=3), s + random.normal(size=3)).p < 0.05 for s in seeds]
    check(found, 0.045, 0.055)


@pytest.mark.parametrize("times", [1000, *MANY])
def test_unequal_groups(times):
    random = np.random.default_rng(0)
    ends = [welch(random.normal(size=4), 3 * random.normal(size=8)).interval() for _ in range(times)]
    check([low <= 0 <= high for low, high in ends], 0.94, 0.96)


@pytest.mark.parametrize(("n", "m"), [(2, 2), (2, 5), (2, 12), (3, 7), (3, 25), (4, 9), (5, 12)])
@pytest.mark.parametrize("spread", [1 / 6, 1 / 3, 1, 3])
@pytest.mark.parametrize("times", [1000, *MANY])
def test_groups_of_few_that_spread_differently(times, n, m, spread):
    """Of no size and no spread are differences called too often; with Welch's degrees of freedom alone, in 13 % at (2, 12)."""
    random = np.random.default_rng(0)
    a, b = random.normal(size=(times, n)), spread * random.normal(size=(times, m))
    ends = [welch(x, y).interval() for x, y in zip(a, b, strict=True)]
    check([low <= 0 <= high for low, high in ends], 0.93, 0.995)


@pytest.mark.parametrize("times", [1000, *MANY])
def test_shares(times):
    counts = np.random.default_rng(0).binomial(60, 0.93, times)
    ends = {int(k): wilson(int(k), 60) for k in np.unique(counts)}
    check([ends[int(k)][0] <= 0.93 <= ends[int(k)][1] for k in counts], 0.93, 0.97)


@pytest.mark.parametrize("n", [10, 30, 100])
@pytest.mark.parametrize("times", [1000, *MANY])
def test_shares_of_the_same_images(times, n):
    """A classifier that is right of 40 % against a majority class of 10 %; where all images agree it has a width still."""
    counts = np.random.default_rng(0).multinomial(n, [0.37, 0.07, 0.56], times)[:, :2]
    ends = {pair: paired_shares(*pair, n) for pair in set(map(tuple, counts.tolist()))}
    held = np.mean([ends[tuple(pair)][0] <= 0.3 <= ends[tuple(pair)][1] for pair in counts.tolist()])
    assert 0.93 < held < 0.985
    low, high = paired_shares(n, 0, n)
    assert low < 1 - 1 / n
    assert high == 1


@pytest.mark.parametrize("n", [10, 30, 100, 250])
@pytest.mark.parametrize("times", [800, *MANY])
def test_two_models_on_the_same_few_images(times, n):
    """By blocks of images, of which each image is its own below a hundred; with an error of their own beside."""
    random = np.random.default_rng(0)

    def one(image):
        values = image + 0.3 * random.normal(size=n)
        return Estimate(values.mean() + 0.1 * random.normal(), 1.0), shared("them", values / n, blocks(n), 0.1**2)

    found = []
    for image in random.normal(size=(times, n)):
        (a, of_a), (b, of_b) = one(image), one(image)
        found.append(apart(a, b, of_a, of_b).p < 0.05)
    check(found, 0.04, 0.06)


@pytest.mark.parametrize("times", [300, pytest.param(3000, marks=pytest.mark.slow)])
def test_the_bootstrap(times):
    """Of a mean, and of the difference of two that are measured on the same images, which is ten times as narrow."""
    random = np.random.default_rng(0)
    one, two = [], []
    for i in range(times):
        image = random.normal(size=100)
        a, b = image + 0.1 * random.normal(size=(2, 100))
        found = replicate({"a": lambda a, b: a.mean(), "b": lambda a, b: b.mean()}, (a, b), n_resamples=200, seed=i)
        (low, high), (below, above) = found.interval("a"), found.difference("a", "b")
        one.append(low <= 0 <= high)
        two.append(below <= 0 <= above)
        assert above - below < 0.5 * (high - low)
    check(one, 0.93, 0.97)
    check(two, 0.93, 0.97)
    low, high = bootstrap(np.mean, np.arange(50.0), n_resamples=100)
    assert low < 24.5 < high


@pytest.mark.parametrize("times", [2000, *MANY])
def test_families(times):
    """Of nine comparisons without an effect, hardly ever is even one significant; uncorrected, one is in a third of them."""
    random = np.random.default_rng(0)
    p = [[Estimate(z, 1.0).p for z in random.normal(size=9)] for _ in range(times)]
    check([min(holm(family)) < 0.05 for family in p], 0.04, 0.06)
    assert np.mean([min(family) < 0.05 for family in p]) > 0.3


@pytest.mark.parametrize("times", [2000, *MANY])
def test_equivalence(times):
    """A difference as large as the margin is called none in 5 % at most; none at all mostly is."""
    random = np.random.default_rng(0)
    at_margin = [equivalent(mean(1 + random.normal(size=10)), 1.0) for _ in range(times)]
    check(at_margin, 0.04, 0.06)
    assert np.mean([equivalent(mean(random.normal(size=10)), 1.2) for _ in range(times)]) > 0.8


@pytest.mark.parametrize("times", [1000, *MANY])
def test_chains_of_differences(times):
    """A mean of five against a number that is known well."""
    random = np.random.default_rng(0)
    found = [differ(mean(random.normal(size=5)), Estimate(0.3 * z, 0.3)).p < 0.05 for z in random.normal(size=times)]
    check(found, 0.04, 0.06)


@pytest.mark.parametrize("times", [1000, *MANY])
def test_the_best_of_many_is_no_winner_by_chance(times):
    """Of six numbers alike, the best is chosen by these very numbers: against it alone, twice as many would be called worse."""
    random = np.random.default_rng(0)
    found = []
    for z in random.normal(size=(times, 6)):
        _, others = against_best(dict(enumerate(z)), lambda a, b, z=z: Estimate(z[a] - z[b], math.sqrt(2)))
        found.append(any(p < 0.05 for _, p in others.values()))
    check(found, 0.02, 0.06)


@pytest.mark.parametrize("times", [200, pytest.param(3_000, marks=pytest.mark.slow)])
def test_tiles_of_a_smooth_map_as_if_they_were_independent(times):
    """A grid over a smooth map finds its mean better than as many points drawn at random: the interval is too wide, never too
    narrow."""
    random = np.random.default_rng(0)
    x, y = np.meshgrid(*(np.linspace(0, 1, 100, endpoint=False),) * 2)
    found = []
    for _ in range(times):
        waves = [(2 * random.normal(size=2), 7 * random.random()) for _ in range(5)]
        whole = 1 / (1 + np.exp(-sum(np.cos(2 * np.pi * (a * x + b * y) + phase) for (a, b), phase in waves)))
        low, high = mean(whole[2::5, 2::5].ravel()).interval()
        found.append(low <= whole.mean() <= high)
    assert np.mean(found) > 0.97
