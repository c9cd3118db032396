"""The interval of a Fréchet distance: what each image adds, by counting it more often; and how often the truth is held, with
Gaussians whose distance is known on paper."""

import math
from functools import partial

import numpy as np
import pytest

from diabolo.errors import DiaboloError
from diabolo.metrics.generation import fid
from diabolo.statistics import blocks
from diabolo.studies import Measured, difference

pytestmark = pytest.mark.filterwarnings("ignore:a Fréchet distance of")
FEW, MANY = 150, pytest.param(2000, marks=pytest.mark.slow)


def mixing(width, seed=99):
    return np.random.default_rng(seed).standard_normal((width, width)) / math.sqrt(width)


def on_paper(mean, one, other):
    root = np.sqrt(np.maximum(np.linalg.eigvals(one @ other).real, 0)).sum()
    return float(mean @ mean + np.trace(one + other) - 2 * root)


def weighted(x, y, u, v):
    """The distance of sets of which image i counts uᵢ times."""

    def moments(z, w):
        mean = w @ z / w.sum()
        away = z - mean
        return mean, (away * w[:, None]).T @ away / w.sum() * len(z) / (len(z) - 1)

    (a, one), (b, other) = moments(x, u), moments(y, v)
    return on_paper(a - b, one, other)


@pytest.mark.parametrize("dead", [False, True])
def test_what_an_image_adds_is_what_counting_it_more_often_changes(dead):
    random = np.random.default_rng(0)
    x, y = random.standard_normal((60, 3)) @ mixing(3), 1.3 * random.standard_normal((50, 3)) + 0.4
    if dead:  # the real images never show one feature; the generated ones do
        y[:, 2] = 0
    found = fid(x, y)
    ones = np.ones(60), np.ones(50)
    for side, each in enumerate((found.by_generated, found.by_real)):
        assert each.sum() == pytest.approx(0, abs=1e-12)
        for i in (0, 7, 31):
            change = []
            for step in (1e-4, -1e-4):
                counts = [one.copy() for one in ones]
                counts[side][i] += step
                change.append(weighted(x, y, *counts))
            assert each[i] == pytest.approx((change[0] - change[1]) / 2e-4, rel=2e-3, abs=1e-6)


def test_its_error_is_that_of_many_paired_bootstraps():
    """Of reconstructions the pairs are drawn together: the error is a fraction of that of two sides that are drawn apart."""
    random = np.random.default_rng(0)
    y = random.standard_normal((800, 4)) @ mixing(4)
    x = 0.9 * y + 0.05 * random.standard_normal((800, 4)) + 0.1
    pairs, apart = [], []
    for _ in range(300):
        rows, others = random.integers(0, 800, (2, 800))
        pairs.append(fid(x[rows], y[rows]).value)
        apart.append(fid(x[rows], y[others]).value)
    found = fid(x, y, of=np.arange(800))
    assert found.error == pytest.approx(np.std(pairs), rel=0.2)
    assert fid(x, y).error == pytest.approx(np.std(apart), rel=0.2)
    assert fid(x, y).error > 2 * found.error
    order = random.permutation(800)
    assert fid(x[order], y, of=order).error == pytest.approx(found.error)


def draw(random, kind, n, width):
    """Generated and real features, what was made from what, and the distance of their distributions."""
    one = mixing(width)
    z = random.standard_normal((n, width))
    y, real = z @ one, one.T @ one
    shift = np.zeros(width)
    shift[:2] = 0.3
    if kind == "samples":
        other = 1.15 * one + 0.1 * mixing(width, 5)
        return random.standard_normal((n, width)) @ other + shift, y, None, on_paper(shift, other.T @ other, real)
    if kind == "reconstructions":
        rest = 0.2 * mixing(width, 6)
        x = 0.95 * y + random.standard_normal((n, width)) @ rest + 0.1 * shift
        return x, y, np.arange(n), on_paper(0.1 * shift, 0.95**2 * real + rest.T @ rest, real)
    both = np.stack([np.arange(n), np.roll(np.arange(n), 1)], 1)
    return y[both].mean(1), y, both, on_paper(0 * shift, real / 2, real)


@pytest.mark.parametrize("times", [FEW, MANY])
@pytest.mark.parametrize(("n", "width"), [(400, 4), (800, 12)])
@pytest.mark.parametrize("kind", ["samples", "reconstructions", "interpolations"])
def test_intervals_hold_the_distance_on_paper(kind, n, width, times):
    """Without its bias, that of infinitely many images; as it is, the mean distance of as many."""
    random = np.random.default_rng(1)
    values, errors, limits, truth = [], [], [], 0.0
    for i in range(times):
        x, y, of, truth = draw(random, kind, n, width)
        found = fid(x, y, of, seed=i)
        values.append(found.value)
        errors.append(found.error)
        limits.append(found.without_bias.interval())
    slack = 3 * math.sqrt(0.05 * 0.95 / times) if times < 1000 else 0
    held = np.mean([low <= truth <= high for low, high in limits])
    assert 0.90 - slack <= held <= 0.97 + slack
    off = np.abs(np.array(values) - np.mean(values))
    assert 0.90 - slack <= np.mean(off < 1.96 * np.array(errors)) <= 0.975 + slack
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.3 if slack else 0.12)


@pytest.mark.parametrize("times", [FEW, MANY])
@pytest.mark.parametrize("kind", ["samples", "reconstructions"])
def test_differences_of_two_models_hold_the_difference_on_paper(kind, times):
    """Both are measured against the same real images, which their difference must not count twice."""
    random = np.random.default_rng(2)
    width, n = 4, 600
    one = mixing(width)
    real = one.T @ one
    block, hits, widths = blocks(n), [], []
    sizes = 1.3, 1.2
    truth = np.subtract(*(on_paper(np.zeros(width), size**2 * real, real) for size in sizes))
    for i in range(times):
        y = random.standard_normal((n, width)) @ one
        fake = partial(random.standard_normal, (n, width))
        made = [size * y if kind == "reconstructions" else size * fake() @ one for size in sizes]
        found = [fid(x, y, np.arange(n) if kind == "reconstructions" else None, seed=i) for x in made]
        a, b = (Measured(f.without_bias.value, f.error, shared=f.shared("test", block)) for f in found)
        low, high = difference(a, b).estimate.interval()
        hits.append(low <= truth <= high)
        widths.append((high - low) / (2 * 1.96 * math.hypot(a.error, b.error)))
    slack = 3 * math.sqrt(0.05 * 0.95 / times) if times < 1000 else 0
    assert 0.90 - slack <= np.mean(hits) <= 0.97 + slack
    assert np.mean(widths) < (0.9 if kind == "samples" else 0.6)


def test_what_does_not_fit_is_refused():
    x = np.random.default_rng(0).standard_normal((20, 2))
    for of in (np.arange(19), np.arange(20.0), np.zeros((20, 1, 1), int)):
        with pytest.raises(DiaboloError, match="`of` names the real images that each generated one"):
            fid(x, x, of=of)
    for of in (np.arange(20) + 1, np.arange(20) - 1):
        with pytest.raises(DiaboloError, match="`of` names real images from 0 to 19"):
            fid(x, x, of=of)
