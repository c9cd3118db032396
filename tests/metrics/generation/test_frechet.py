"""The Fréchet distance: against torch-fidelity, torchmetrics, scipy's matrix root and what Gaussians give on paper."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torchmetrics.image.fid import FrechetInceptionDistance

from diabolo.errors import DiaboloError
from diabolo.metrics.generation import Moments, fid, frechet_distance
from diabolo.randomness import derive

pytestmark = pytest.mark.filterwarnings("ignore:a Fréchet distance of")


def features(n=300, width=6, seed=0, size=1.0, shift=0.0):
    random = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).standard_normal((width, width))
    return size * random.standard_normal((n, width)) @ mixing + shift


def test_it_is_torch_fidelitys():
    one, other = features(500, 8, 0), features(400, 8, 1, 1.3, 0.5)
    statistics = [fid_features_to_statistics(torch.from_numpy(x)) for x in (one, other)]
    expected = fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    assert fid(one, other).value == pytest.approx(expected, rel=1e-9)


def test_it_is_torchmetrics():
    class Flat(torch.nn.Module):
        num_features = 12

        def forward(self, x):
            return x.flatten(1)

    images = [torch.rand(90, 3, 2, 2, generator=torch.Generator().manual_seed(i)) ** (1 + i) for i in range(2)]
    other = FrechetInceptionDistance(Flat(), normalize=True, input_img_size=(3, 2, 2)).set_dtype(torch.float64)
    for real, x in zip((True, False), images, strict=True):
        other.update(x.double(), real=real)
    ours = fid(images[1].flatten(1).double().numpy(), images[0].flatten(1).double().numpy()).value
    assert ours == pytest.approx(float(other.compute()), rel=1e-6)


def test_two_gaussians_on_paper():
    """Of N(m₁, s₁²) and N(m₂, s₂²) it is (m₁ − m₂)² + (s₁ − s₂)², and so in each direction where the axes are the same."""
    base = np.random.default_rng(0).standard_normal((200, 3))
    base = np.linalg.qr(base - base.mean(0))[0] * np.sqrt(199)  # covariance exactly I, mean 0
    base -= base.mean(0)
    sizes = np.array([[1.0, 2.0, 0.5], [3.0, 2.0, 0.0]])
    shift = np.array([1.0, -2.0, 0.5])
    expected = np.square(shift).sum() + np.square(sizes[0] - sizes[1]).sum()
    assert fid(base * sizes[0], base * sizes[1] + shift).value == pytest.approx(expected, rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 7), st.integers(0, 1000), st.floats(0.01, 100))
def test_properties(width, seed, size):
    one, other = features(60, width, seed, size), features(50, width, seed + 1, size, size)
    moments = Moments.of(one), Moments.of(other)
    found = frechet_distance(*moments)
    covariances = [m.covariance for m in moments]
    root = sqrtm(covariances[0] @ covariances[1]).real
    expected = np.square(moments[0].mean - moments[1].mean).sum() + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-8 * size**2)
    assert found == pytest.approx(frechet_distance(*moments[::-1]), rel=1e-8, abs=1e-8 * size**2)
    assert frechet_distance(moments[0], moments[0]) == pytest.approx(0, abs=1e-6 * size**2)
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((width, width)))[0]
    assert frechet_distance(Moments.of(one @ turn), Moments.of(other @ turn)) == pytest.approx(found, rel=1e-6)


def test_a_dead_feature_makes_nothing_imaginary():
    """The product of two singular covariances has no real root by the general route in floating point; here it has."""
    one, other = features(300, 6), features(300, 6, 1)
    one[:, 2] = other[:, 2] = 0
    one[:, 4], other[:, 4] = one[:, 0], other[:, 0]
    kept = [0, 1, 3, 5]
    assert np.isfinite(fid(one, other).value)
    assert fid(one, one).value == pytest.approx(0, abs=1e-6)
    assert fid(one[:, kept], other[:, kept]).value < fid(one, other).value


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_moments_do_not_depend_on_the_pieces(size):
    x = features(400, 5, shift=1000.0)  # far from 0, where a sum of squares in one go loses its digits
    pieces = [Moments.of(x[i : i + size]) for i in range(0, len(x), size)]
    whole, found = Moments.of(x), sum(pieces[1:], pieces[0])
    assert found.n == whole.n
    np.testing.assert_allclose(found.mean, whole.mean, rtol=1e-12)
    np.testing.assert_allclose(found.covariance, np.cov(x.T), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(whole.covariance, np.cov(x.T), rtol=1e-9, atol=1e-9)


def test_few_images_make_it_too_large():
    """Which is why values at different n must not be compared."""
    same = [[fid(features(n, 8, 2 * i), features(n, 8, 2 * i + 1)).value for i in range(5)] for n in (50, 500)]
    assert np.mean(same[0]) > 5 * np.mean(same[1]) > 0


def test_many_features_have_an_interval_too():
    x, y = np.random.default_rng(0).standard_normal((2, 700, 260))
    found = fid(x, 1.1 * y)
    assert found.low < found.value < found.high
    assert found.without_bias.value < found.value


def test_half_of_too_few_images_says_nothing_of_the_bias():
    found = fid(features(16, 8), features(40, 8, 1))
    assert found.bias is None
    assert found.without_bias is None
    assert found.error > 0


def test_too_few_images_are_refused():
    with pytest.raises(DiaboloError, match="6 features needs 7 images or more on either side, not 6"):
        fid(features(6), features(100, seed=1))
    with pytest.raises(DiaboloError, match="6 features needs 7 images or more on either side, not 6"):
        fid(features(100), features(6, seed=1))
    assert fid(features(7), features(7, seed=1)).value > 0
    with pytest.raises(DiaboloError, match="not of 6 and 5 numbers"):
        fid(features(), features(width=5))
    with pytest.raises(DiaboloError, match="NaN"):
        fid(np.full((30, 2), np.nan), features(30, 2))


@pytest.mark.filterwarnings("default:a Fréchet distance of")
def test_under_ten_thousand_it_warns():
    with pytest.warns(UserWarning, match="300 to 300 images is too large by more than that of 10,000") as told:
        fid(features(), features(seed=1))
    assert told[0].filename == __file__  # where it was called
    many = features(10_000, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fid(many, many)


def test_moments_by_hand():
    one, other = Moments.of([[1.0, 0], [3, 2]]), Moments.of([[5.0, 1]])
    assert (one.n, one.mean.tolist(), one.scatter.tolist()) == (2, [2, 1], [[2, 2], [2, 2]])
    four = [[1.0, 0], [3, 2], [5, 1], [0, 7], [2, 2]]
    for k in (1, 2, 3):
        added, at_once = Moments.of(four[:k]) + Moments.of(four[k:]), Moments.of(four)
        np.testing.assert_allclose(added.mean, at_once.mean)
        np.testing.assert_allclose(added.scatter, at_once.scatter)
    both = one + other
    whole = Moments.of([[1.0, 0], [3, 2], [5, 1]])
    assert both.n == 3
    np.testing.assert_allclose(both.mean, whole.mean)
    np.testing.assert_allclose(both.scatter, whole.scatter)
    np.testing.assert_allclose(both.covariance, np.cov([[1, 3, 5], [0, 2, 1]]))
    alone = one.over_processes()
    assert alone.n == 2
    np.testing.assert_allclose(alone.scatter, one.scatter)


def test_what_is_shared_and_what_is_its_own():
    random = np.random.default_rng(0)
    y = random.standard_normal((40, 2))
    block = np.arange(40) // 4
    samples = fid(random.standard_normal((30, 2)), y)
    assert samples.shared("test", block).own == pytest.approx(np.square(samples.by_generated).sum())
    assert samples.shared("test", block).parts == pytest.approx(np.bincount(block, samples.by_real))
    assert samples.error == pytest.approx(
        np.sqrt(np.square(samples.by_real).sum() + np.square(samples.by_generated).sum())
    )
    made = fid(y + 0.1, y, of=np.arange(40))
    assert made.shared("test", block).own == 0
    assert made.shared("test", block).parts == pytest.approx(np.bincount(block, made.by_real + made.by_generated))
    both = np.stack([np.arange(40), np.roll(np.arange(40), 1)], 1)
    pairs = fid(y[both].mean(1), y, of=both)
    total = pairs.by_real + pairs.by_generated + np.roll(pairs.by_generated, -1)
    assert pairs.error**2 == pytest.approx(max(0, np.square(total).sum() - np.square(pairs.by_generated).sum()))
    assert made.low == max(0, made.value - 1.959963984540054 * made.error)
    assert made.high == pytest.approx(made.value + 1.959963984540054 * made.error)


@pytest.mark.parametrize(("width", "splits"), [(2, 4), (3, 1)])
def test_the_bias_is_that_of_halves(width, splits, monkeypatch):
    monkeypatch.setattr("diabolo.metrics.generation.frechet.WIDE", 2)
    x, y = features(31, width), features(40, width, 1)
    found = fid(x, y, seed=3)
    random, halves = np.random.default_rng(derive(3, "frechet")), []
    for _ in range(splits):
        second = random.permutation(40) < 20
        first = random.permutation(31) < 15
        halves += [
            frechet_distance(Moments.of(x[first == here]), Moments.of(y[second == here])) for here in (False, True)
        ]
    assert found.bias == pytest.approx(np.mean(halves) - found.value)
    assert found.without_bias.value == pytest.approx(found.value - found.bias)


def test_the_bias_of_reconstructions_keeps_them_with_their_images():
    y = features(40, 3, 1)
    order = np.random.default_rng(0).permutation(40)
    x = y[order] + 0.1
    found = fid(x, y, of=order)
    random, halves = np.random.default_rng(derive(0, "frechet")), []
    for _ in range(4):
        second = random.permutation(40) < 20
        half = second[order]
        halves += [
            frechet_distance(Moments.of(x[half == here]), Moments.of(y[second == here])) for here in (False, True)
        ]
    assert found.bias == pytest.approx(np.mean(halves) - found.value)


@pytest.mark.parametrize(("n", "known"), [(8, True), (7, False)])
def test_halves_of_more_images_than_features(n, known):
    for x, y in ((features(n, 3), features(20, 3, 1)), (features(20, 3), features(n, 3, 1))):
        assert (fid(x, y).bias is not None) == known


def test_two_kinds_of_features_have_no_distance():
    with pytest.raises(DiaboloError, match="not of 2 and 3 numbers"):
        frechet_distance(Moments.of(features(9, 2)), Moments.of(features(9, 3)))


@pytest.mark.filterwarnings("ignore:a Fréchet distance")
def test_what_an_image_adds_in_any_unit_and_where_nothing_varies():
    x, y = np.random.default_rng(0).normal(size=(2, 40, 3)) * [[[1.0]], [[2.0]]]
    found, tiny = fid(x, y), fid(1e-7 * x, 1e-7 * y)
    np.testing.assert_allclose(tiny.by_generated, 1e-14 * found.by_generated, rtol=1e-6)
    still = fid(np.ones((40, 3)), y)  # all alike: only the mean moves, and no image moves it
    np.testing.assert_allclose(still.by_generated, 0)
    assert still.error > 0


def test_moments_of_two_processes_are_those_of_all(monkeypatch):
    x = np.random.default_rng(0).normal(size=(30, 3))
    own, theirs, whole = Moments.of(x[:10]), Moments.of(x[10:]), Moments.of(x)
    apart = theirs.mean - whole.mean
    added = iter([20.0, 20 * theirs.mean, theirs.scatter + 20 * np.outer(apart, apart)])  # what the other one brings
    monkeypatch.setattr("diabolo.distributed.total", lambda value: value + torch.as_tensor(next(added)))
    found = own.over_processes()
    assert found.n == 30
    np.testing.assert_allclose(found.mean, whole.mean)
    np.testing.assert_allclose(found.scatter, whole.scatter)
