"""Nearest training images against SciPy, and whether copies are told from samples that are not."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import mannwhitneyu, norm

from diabolo.errors import DiaboloError
from diabolo.latents import medoids, memorisation, nearest
from diabolo.latents.nearest import _copies, _ratio


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 4), st.booleans())
def test_they_are_those_of_scipy(seed, k, whole):
    random = np.random.default_rng(seed)
    a, b = (random.integers(0, 256, (n, 1, 3, 4), dtype=np.uint8) for n in (5, 30))
    if not whole:
        a, b = (np.float32(x) / 255 for x in (a, b))
    index, distance = nearest(a, b, k)
    expected = cdist(*(np.float64(np.float32(x.reshape(len(x), -1) / (255 if whole else 1))) for x in (a, b)))
    np.testing.assert_allclose(distance, np.sort(expected, 1)[:, :k], rtol=1e-6)
    np.testing.assert_allclose(np.take_along_axis(expected, index, 1), distance, rtol=1e-6)


def test_pieces_do_not_matter(monkeypatch):
    random = np.random.default_rng(0)
    a, b = random.random((7, 6)), random.random((50, 6))
    whole = nearest(a, b, 3)
    monkeypatch.setattr(sys.modules["diabolo.latents.nearest"], "BYTES", 4 * 6 * 8)  # the function has its name
    for found, expected in zip(nearest(a, b, 3), whole, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_pieces_hold_as_many_as_are_asked_for(monkeypatch):
    random = np.random.default_rng(0)
    a, b = random.random((4, 6)), random.random((11, 6))
    monkeypatch.setattr(sys.modules["diabolo.latents.nearest"], "BYTES", 1)
    index, distance = nearest(a, b, 5)
    wanted = cdist(np.float32(a), np.float32(b))
    np.testing.assert_array_equal(index, wanted.argsort(1)[:, :5])
    np.testing.assert_allclose(distance, np.sort(wanted, 1)[:, :5], rtol=1e-6)
    np.testing.assert_array_equal(np.sort(nearest(a, b, 11)[0], 1), np.tile(np.arange(11), (4, 1)))


def test_of_two_equal_training_images_neither_stands_out():
    assert _ratio(np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 2.0]])).tolist() == [1, 0, 0.5]


def test_a_copy_is_at_a_distance_of_exactly_0_and_of_two_the_first_is_named():
    train = np.random.default_rng(0).integers(0, 256, (40, 1, 28, 28), dtype=np.uint8)
    train[30] = train[12]
    index, distance = nearest(train[[12, 5]], train, 2)
    assert index[0].tolist() == [12, 30]
    assert distance[0].tolist() == [0, 0]
    assert (index[1, 0], distance[1, 0]) == (5, 0)


def normal(seed, n):
    return np.random.default_rng(seed).normal(size=(n, 4))


def test_samples_of_the_same_distribution_are_no_copies():
    """Under the null, z is a standard normal number and copies are 1 in 100; over many draws both must show."""
    found = [memorisation(normal(3 * s, 200), normal(3 * s + 1, 300), normal(3 * s + 2, 200)) for s in range(60)]
    assert abs(np.mean([one.z for one in found])) < 0.5
    assert 0.6 < np.std([one.z for one in found]) < 1.6
    assert np.mean([one.nearer for one in found]) == pytest.approx(0.5, abs=0.02)
    assert np.mean([one.copies for one in found]) < 0.03
    assert np.mean([one.copies_p < 0.05 for one in found]) < 0.15


@pytest.mark.parametrize("times", [400, pytest.param(4000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("n", "m"), [(100, 100), (100, 400), (300, 150), (40, 250)])
def test_the_chance_of_copies_is_exact(n, m, times):
    """Of one distribution, p is below 0.05 in 5 % of cases and below ½ in half of them, however few images are unseen."""
    random = np.random.default_rng(0)
    p = np.array([_copies(*(random.beta(3, 1, size) for size in (n, m)))[1] for _ in range(times)])
    for level, low, high in ((0.05, 0.03, 0.07), (0.5, 0.45, 0.55)):
        slack = 3 * np.sqrt(level * (1 - level) / times)
        assert low - (slack if times < 1000 else 0) < np.mean(p < level) < high + (slack if times < 1000 else 0)


def test_the_chance_of_copies_in_whole_orders():
    """Against all orders of three samples and 100 unseen images, of which the smallest is the bar."""
    unseen = np.arange(1, 101) / 200 + 0.3
    for x in range(4):
        ratio = np.array([0.1] * x + [0.99] * (3 - x))
        found, p = _copies(ratio, unseen)
        before = [
            1.0,
            *(np.prod([(3 - j) / (103 - j) for j in range(i)]) for i in (1, 2, 3)),
            0.0,
        ]  # x samples come first
        assert found == x
        assert before[x + 1] <= p <= before[x] + 1e-12
    same = np.full(200, 0.5)
    assert _copies(same[:50], same) == (0, pytest.approx(1.0, abs=0.5))  # all alike


def test_copies_are_found():
    train, unseen = normal(0, 500), normal(1, 300)
    random = np.random.default_rng(2)
    copies = train[:100] + 0.01 * random.normal(size=(100, 4))
    found = memorisation(copies, train, unseen)
    assert found.nearer > 0.97
    assert found.z > 10
    assert found.p < 1e-9
    assert found.copies > 0.7
    assert found.copies_p < 1e-9
    np.testing.assert_array_equal(found.index[:, 0], np.arange(100))
    some = memorisation(np.concatenate([copies[:20], normal(3, 180)]), train, unseen)
    assert some.copies > 0.06  # a tenth of copies shows here
    assert some.copies_p < 1e-4


def test_a_blur_alone_is_near_but_no_copy():
    """Shrunk samples are nearer to training points than unseen points are, yet to no single one."""
    found = memorisation(0.3 * normal(0, 200), normal(1, 500), normal(2, 300))
    assert found.nearer > 0.7
    assert found.copies < 0.05


def test_the_statistic_is_that_of_mann_and_whitney():
    samples, train, unseen = normal(0, 50), normal(1, 80), normal(2, 120)
    a, b = (cdist(x, train).min(1) for x in (samples, unseen))
    found = memorisation(samples, train, unseen)
    assert found.nearer == pytest.approx((a[:, None] < b).mean())
    np.testing.assert_allclose(found.samples, a, rtol=1e-5)
    np.testing.assert_allclose(found.unseen, b, rtol=1e-5)
    assert found.z == pytest.approx((found.nearer - 0.5) / np.sqrt(171 / (12 * 50 * 120)))
    assert found.p == pytest.approx(mannwhitneyu(a, b, alternative="less", method="asymptotic").pvalue, rel=1e-3)
    two, others = (np.sort(cdist(x, train), 1)[:, :2] for x in (samples, unseen))
    np.testing.assert_allclose(found.ratio, two[:, 0] / two[:, 1], rtol=1e-4)
    assert found.copies == (found.ratio < (others[:, 0] / others[:, 1]).min() * (1 + 1e-6)).mean()
    assert found.index.shape == (50, 2)


@pytest.mark.parametrize(
    ("queries", "references", "k", "said"),
    [
        (np.ones((2, 3)), np.ones((5, 4)), 1, "cannot be looked for"),
        (np.ones((0, 3)), np.ones((5, 3)), 1, "cannot be looked for"),
        (np.ones((2, 3)), np.ones((5, 3)), 6, "6 nearest images were asked for among 5"),
        (np.full((2, 3), np.nan), np.ones((5, 3)), 1, "looked for hold NaN"),
        (np.ones((2, 3)), np.full((5, 3), np.nan), 1, "looked through hold NaN"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(queries, references, k, said):
    with pytest.raises(DiaboloError, match=said):
        nearest(queries, references, k)


def test_a_hundred_unseen_images_are_enough():
    assert 0 <= memorisation(normal(0, 20), normal(1, 50), normal(2, 100)).p <= 1
    assert 0 <= memorisation(normal(0, 2), normal(1, 2), normal(2, 100)).p <= 1


@pytest.mark.parametrize(("n", "of", "m"), [(10, 10, 99), (1, 10, 100), (10, 1, 100)])
def test_too_few_images_are_refused(n, of, m):
    with pytest.raises(DiaboloError, match=f"100 unseen images or more, .* not {m}, {n} and {of}"):
        memorisation(normal(0, n), normal(1, of), normal(2, m))


def test_one_in_a_hundred_unseen_images_is_counted_with_the_sample_itself():
    unseen = np.arange(1.0, 150.0)  # of 149 and one more, 1 % is the second
    assert _copies(np.array([1.5, 50.0]), unseen)[0] == 1
    assert _copies(np.array([1.5, 50.0]), unseen[:148])[0] == 0


def test_a_sample_at_the_bar_is_no_copy_and_is_the_smallest_of_the_others():
    """One sample, as near as the nearest of 100 unseen images: it comes before that with probability 1 / 101, and before the
    other 99 as Mann and Whitney have it."""
    unseen = np.arange(1.0, 101.0)
    before_all = norm.cdf((0.5 - 99 / 2) / np.sqrt(99 * 101 / 12))
    assert _copies(np.array([1.0]), unseen) == (0, pytest.approx(1 / 101 + 100 / 101 * before_all))


@pytest.mark.parametrize(("offset", "scale"), [(0.0, 1.0), (1e4, 1.0), (4000.0, 1e-2), (1e4, 1e-3)])
def test_features_in_float64_are_not_rounded(offset, scale):
    random = np.random.default_rng(0)
    a, b = (offset + scale * random.normal(size=(n, 5)) for n in (20, 150))
    index, distance = nearest(a, b, 3)
    expected = cdist(a, b)
    order = np.argsort(expected, 1)[:, :3]
    assert (index == order).all()
    np.testing.assert_allclose(distance, np.take_along_axis(expected, order, 1), rtol=1e-9)


@pytest.mark.parametrize(("n", "width", "k"), [(333, 784, 2), (1003, 64, 3), (90, 5, 1)])
def test_of_images_that_repeat_the_earlier_come_first(n, width, k):
    random = np.random.default_rng(1)
    few = random.random((10, width), np.float32)
    several = few[random.integers(0, 10, n)]
    index, _ = nearest(few[:7], several, k)
    exact = np.square(few[:7, None].astype(np.float64) - several[None]).sum(2)
    assert (index == np.argsort(exact, 1, kind="stable")[:, :k]).all()


@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.float64])
def test_an_image_is_at_no_distance_from_itself_in_another_precision(kind):
    images = np.random.default_rng(2).integers(0, 256, (40, 1, 5, 5), dtype=np.uint8)
    there = images if kind is np.uint8 else (images / 255).astype(kind)
    index, distance = nearest(images[:9] / 255, there)
    assert (index[:, 0] == np.arange(9)).all()
    assert (distance == 0).all()


def test_medoids_are_the_points_with_the_least_mean_distance(monkeypatch):
    random = np.random.default_rng(0)
    points, labels = random.normal(size=(40, 2, 3)), random.integers(-1, 3, 40)
    wanted = {}
    for label in range(3):
        own = np.flatnonzero(labels == label)
        wanted[label] = own[cdist(points[own].reshape(-1, 6), points[own].reshape(-1, 6)).mean(1).argmin()]
    assert medoids(points, labels) == wanted
    monkeypatch.setattr(sys.modules["diabolo.latents.nearest"], "BYTES", 8 * 5)  # in pieces
    assert medoids(points, labels) == wanted
    assert medoids((255 * points.clip(0, 1)).astype(np.uint8), np.zeros(40, int)).keys() == {0}


def test_medoids_of_what_cannot_be_compared_are_refused():
    with pytest.raises(DiaboloError, match="3 points, but labels"):
        medoids(np.zeros((3, 2)), np.zeros(2, int))
    with pytest.raises(DiaboloError, match="class 4 hold NaN"):
        medoids(np.full((3, 2), np.nan), np.full(3, 4))
