"""The kernel distance: against torch-fidelity, torchmetrics' kernel and sums written out."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_fidelity.metric_kid import kid_features_to_metric
from torchmetrics.image.kid import poly_mmd

from diabolo.errors import DiaboloError
from diabolo.metrics.generation import Kernel, fid, kid, manifold, polynomial_mmd
from diabolo.metrics.generation.kernel import _size
from diabolo.randomness import derive
from diabolo.studies import Measured, difference


def features(n=120, width=5, seed=0, shift=0.0):
    return np.random.default_rng(seed).standard_normal((n, width)) + shift


def test_it_is_torch_fidelitys():
    one, other = features(), features(seed=1, shift=0.3)
    named = {"kid_subsets": 1, "kid_subset_size": 120, "kid_kernel": "poly", "kid_kernel_poly_degree": 3}
    named |= {"kid_kernel_poly_gamma": None, "kid_kernel_poly_coef0": 1.0, "verbose": False, "rng_seed": 0}
    expected = kid_features_to_metric(torch.from_numpy(one), torch.from_numpy(other), **named)
    assert polynomial_mmd(one, other) == pytest.approx(expected["kernel_inception_distance_mean"], rel=1e-9)


def test_it_is_torchmetrics():
    one, other = features(), features(seed=1, shift=0.3)
    expected = float(poly_mmd(torch.from_numpy(one), torch.from_numpy(other)))
    assert polynomial_mmd(one, other) == pytest.approx(expected, rel=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 6), st.integers(2, 6), st.integers(1, 3), st.integers(0, 99))
def test_it_is_the_sum_that_the_paper_writes(m, n, width, seed):
    x, y = features(m, width, seed), features(n, width, seed + 1)

    def k(a, b):
        return (a @ b / width + 1) ** 3

    expected = sum(k(x[i], x[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    expected += sum(k(y[i], y[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    expected -= 2 * sum(k(a, b) for a in x for b in y) / (m * n)
    assert polynomial_mmd(x, y) == pytest.approx(expected, abs=1e-9)


def test_without_a_difference_it_is_0_on_average():
    """No bias, whatever the number of images: that is what it has above the Fréchet distance."""
    found = [polynomial_mmd(features(20, 4, 2 * i), features(20, 4, 2 * i + 1)) for i in range(400)]
    assert abs(np.mean(found)) < 3 * np.std(found) / 20
    assert min(found) < 0


def test_disjoint_subsets_and_their_interval():
    one, other = features(1000), features(1000, seed=1, shift=0.5)
    found = kid(one, other, size=100)
    assert (len(found.subsets), found.size) == (10, 100)
    low, high = found.interval
    assert low < polynomial_mmd(one, other) < high
    assert found.value == found.subsets.mean()
    np.testing.assert_array_equal(found.subsets, kid(one, other, size=100).subsets)
    assert not np.array_equal(found.subsets, kid(one, other, size=100, seed=1).subsets)


def test_smaller_subsets_where_images_are_few():
    found = kid(features(90), features(70, seed=1))
    assert (len(found.subsets), found.size) == (10, 7)


@settings(max_examples=20, deadline=None)
@given(st.integers(4, 7), st.integers(0, 99), st.booleans())
def test_kin_are_left_out_of_every_sum(n, seed, two):
    x, y = features(n, 2, seed), features(n, 2, seed + 1)
    of = [{i, (i + 1) % n} if two else {i} for i in range(n)]

    def mean(pairs):
        return np.mean([(a @ b / 2 + 1) ** 3 for a, b in pairs])

    expected = mean([(x[i], x[j]) for i in range(n) for j in range(n) if not of[i] & of[j]])
    expected += mean([(y[i], y[j]) for i in range(n) for j in range(n) if i != j])
    expected -= 2 * mean([(x[i], y[j]) for i in range(n) for j in range(n) if j not in of[i]])
    assert polynomial_mmd(x, y, np.array([sorted(each) for each in of])) == pytest.approx(expected, abs=1e-9)


def remade(random, n):
    """Real images, and reconstructions of them that are a little off."""
    y = random.standard_normal((n, 4))
    return 0.95 * y + 0.1 * random.standard_normal((n, 4)) + 0.05, y


def test_reconstructions_have_no_bias_either():
    """An image is like its own reconstruction: taken for strangers, they would make the distance too small."""
    random = np.random.default_rng(0)
    pairs = [remade(random, 30) for _ in range(400)]
    others = [remade(random, 30)[1] for _ in range(400)]
    strangers = np.mean([polynomial_mmd(x, y) for (x, _), y in zip(pairs, others, strict=True)])
    kin = [polynomial_mmd(x, y, np.arange(30)) for x, y in pairs]
    taken = [polynomial_mmd(x, y) for x, y in pairs]
    noise = np.std([polynomial_mmd(x, y) for (x, _), y in zip(pairs, others, strict=True)]) / 20
    assert abs(np.mean(kin) - strangers) < 3 * noise
    assert np.mean(taken) < np.mean(kin) - 10 * np.std(kin) / 20


def on_paper(mean, covariance):
    """The distance of N(mean, covariance) to N(0, I) of four features: the cube is a sum over the first three moments."""
    second = covariance + np.outer(mean, mean) - np.eye(4)
    third = np.einsum("i,jk->ijk", mean, covariance)
    third = third + third.transpose(1, 0, 2) + third.transpose(1, 2, 0) + np.einsum("i,j,k->ijk", mean, mean, mean)
    return 3 * mean @ mean / 4 + 3 * np.square(second).sum() / 4**2 + np.square(third).sum() / 4**3


@pytest.mark.parametrize("times", [100, pytest.param(2000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["samples", "reconstructions", "interpolations"])
def test_intervals_hold_the_truth(kind, times):
    random = np.random.default_rng(0)
    n, found = 200, []
    for i in range(times):
        x, y = remade(random, n)
        of = np.arange(n)
        if kind == "samples":
            x, of = remade(random, n)[0], None
        if kind == "interpolations":
            of = np.stack([np.arange(n), np.roll(np.arange(n), 1)], 1)
            x = y[of].mean(1)
        found.append(kid(x, y, seed=i, of=of))
    size, shift = {"interpolations": (0.5, 0.0)}.get(kind, (0.95**2 + 0.1**2, 0.05))
    truth = on_paper(np.full(4, shift), size * np.eye(4))
    slack = 3 * np.sqrt(0.05 * 0.95 / times) if times < 1000 else 0
    held = np.mean([one.interval[0] <= truth <= one.interval[1] for one in found])
    assert 0.90 - slack <= held <= 0.97 + slack  # ten subsets, whose estimates are skewed
    narrow = np.mean([np.diff(one.interval) for one in found])
    if kind == "reconstructions":
        apart = np.mean([np.diff(kid(*remade(random, n), seed=i).interval) for i in range(50)])
        assert narrow < 0.7 * apart


def test_two_models_are_compared_subset_by_subset():
    random = np.random.default_rng(0)
    y = random.standard_normal((1000, 4))
    one, other = (kid(size * y, y, 100, of=np.arange(1000)) for size in (0.9, 0.88))
    a, b = (Measured(k.value, np.std(k.subsets, ddof=1) / np.sqrt(10), 9, k.shared("test")) for k in (one, other))
    found = difference(a, b)
    apart = one.subsets - other.subsets
    assert found.error == pytest.approx(apart.std(ddof=1) / np.sqrt(10))
    assert found.estimate.df == pytest.approx(9)


def test_mistakes():
    with pytest.raises(DiaboloError, match="was made from every other"):
        polynomial_mmd(features(3), features(3), [[0, 1], [1, 2], [2, 0]])
    with pytest.raises(DiaboloError, match="too few for a kernel distance"):
        kid(features(4), features(4), of=[0, 0, 0, 0])
    with pytest.raises(DiaboloError, match="4 generated images or more"):
        kid(features(3), features())
    with pytest.raises(DiaboloError, match="two images or more, not 1"):
        kid(features(), features(), size=1)
    with pytest.raises(DiaboloError, match="not of 5 and 4 numbers"):
        kid(features(), features(width=4))


def test_two_subsets_have_an_interval_and_one_has_none():
    low, high = Kernel(np.array([0.1, 0.3]), 50).interval
    assert low + high == pytest.approx(0.4)
    assert high - low == pytest.approx(2 * 12.7062 * 0.1, rel=1e-5)  # Student's t of one degree of freedom
    assert Kernel(np.array([0.1]), 50).interval is None


def test_four_images_are_enough_and_what_each_subset_adds():
    x, y = features(4, 2), features(4, 2, 1)
    found = kid(x, y)
    assert (found.size, len(found.subsets)) == (2, 2)
    for few in ((x[:3], y), (x, y[:3])):
        with pytest.raises(DiaboloError, match=r"4 (generated|real) images or more"):
            kid(*few)
    assert kid(x, y, size=2).size == 2
    shared = Kernel(np.array([0.1, 0.3]), 50).shared("test")
    assert shared.parts == pytest.approx((-0.05, 0.05))
    assert Kernel(np.array([0.1]), 50).shared("test") is None


@pytest.mark.parametrize(("images", "size"), [(9, 2), (29, 2), (30, 3), (10_000, 1000), (20_000, 1000)])
def test_ten_subsets_at_least(images, size):
    assert _size(1000, images) == size


def test_subsets_hold_what_was_made_of_their_images(monkeypatch):
    """Reconstructions given in another order: subset by subset, with the real images in the order of the seed."""
    y = features(40, 3)
    order = np.random.default_rng(5).permutation(40)
    x = y[order] + 0.3
    found = kid(x, y, 10, of=order)
    rows = np.random.default_rng(derive(0, "kernel")).permutation(40)
    place = np.argsort(order)
    wanted = [polynomial_mmd(x[place[rows[i : i + 4]]], y[rows[i : i + 4]], np.arange(4)) for i in range(0, 40, 4)]
    assert found.size == 4
    assert found.subsets == pytest.approx(wanted)


@pytest.mark.parametrize(("used", "parents", "enough"), [(2, 1, True), (1, 1, False), (6, 2, True), (5, 2, False)])
def test_the_fewest_parents(used, parents, enough):
    y = features(8, 2)
    of = np.stack([np.arange(used), np.roll(np.arange(used), 1)], 1)[:, :parents]
    of = np.concatenate([of, of, of, of])[: max(4, 2 * used)]
    x = features(len(of), 2, 1)
    if enough:
        assert np.isfinite(kid(x, y, of=of).value)
    else:
        with pytest.raises(DiaboloError, match=rf"images made from {used} real ones are too few"):
            kid(x, y, of=of)


@pytest.mark.parametrize("measure", [fid, kid, manifold, polynomial_mmd])
def test_features_of_two_extractors_are_not_compared(measure):
    one, other = np.random.default_rng(0).normal(size=(2, 40, 3))
    with pytest.raises(DiaboloError, match="not of 3 and 2 numbers"):
        measure(one, other[:, :2])
