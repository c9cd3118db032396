"""The bootstrap of several statistics at once: one draw of rows for all of them; and what is kept by blocks of images."""

import numpy as np
import pytest

from diabolo.errors import DiaboloError
from diabolo.statistics import Estimate, Shared, apart, blocks, bootstrap, replicate, shared


def test_all_statistics_of_a_draw_see_the_same_rows():
    x = np.random.default_rng(0).normal(size=(40, 2))
    found = replicate({"a": lambda a, b, r: a.mean() + r.mean(), "b": lambda a, b, r: b.mean() + r.mean()},
                      (x[:, 0], x[:, 0] + 1), (np.arange(30.0),), n_resamples=100)  # fmt: skip
    np.testing.assert_allclose(found.drawn["b"] - found.drawn["a"], 1)
    assert found.difference("b", "a") == pytest.approx((1, 1))
    low, high = found.interval("a")
    assert low < found.found["a"] < high


def test_sides_are_drawn_independently():
    x = np.arange(200.0)
    found = replicate({"a": lambda a, b: a.mean(), "b": lambda a, b: b.mean()}, (x,), (x,), n_resamples=400)
    assert abs(np.corrcoef(found.drawn["a"], found.drawn["b"])[0, 1]) < 0.2


def test_a_basic_interval_mirrors_a_percentile_interval():
    x = np.random.default_rng(0).exponential(size=50)
    found = replicate({"max": np.max}, (x,), n_resamples=200)
    low, high = found.interval("max")
    assert found.interval("max", kind="basic") == pytest.approx((2 * x.max() - high, 2 * x.max() - low))
    with pytest.raises(DiaboloError, match="'percentile' or 'basic'"):
        found.interval("max", kind="studentised")


def test_one_statistic_is_the_bootstrap():
    x = np.random.default_rng(0).exponential(size=50)
    assert replicate({"m": np.mean}, (x,), n_resamples=300, seed=4).interval("m", 0.9) == bootstrap(
        np.mean, x, n_resamples=300, seed=4, confidence=0.9
    )


@pytest.mark.parametrize(
    ("sides", "more", "said"),
    [
        (([1.0],), {}, "two examples"),
        (([1.0, 2.0], [1.0]), {}, "of one length"),
        (([1.0, 2.0],), {"n_resamples": 99}, "at least 100"),
    ],
)
def test_what_cannot_be_drawn_is_refused(sides, more, said):
    with pytest.raises(DiaboloError, match=said):
        replicate({"it": lambda *a: 0.0}, sides, **more)


def test_no_statistic_is_refused():
    with pytest.raises(DiaboloError, match="needs a statistic"):
        replicate({}, ([1.0, 2.0],))


@pytest.mark.parametrize(("n", "count", "sizes"), [(10, 3, [4, 3, 3]), (5, 100, [1] * 5), (200, 100, [2] * 100)])
def test_blocks_are_of_nearly_one_length(n, count, sizes):
    assert np.bincount(blocks(n, count)).tolist() == sizes
    assert (np.diff(blocks(n, count)) >= 0).all()


def test_what_two_numbers_share_is_counted_once():
    """Means over the same images: the error of their difference is that of pairs."""
    random = np.random.default_rng(0)
    image = random.normal(size=4000)
    a, b = image + 0.1 * random.normal(size=(2, 4000))
    block = blocks(4000)
    kept = [shared("test", (x - x.mean()) / 4000, block) for x in (a, b)]
    ones = [Estimate(x.mean(), np.sqrt(part.variance)) for x, part in zip((a, b), kept, strict=True)]
    found = apart(*ones, *kept)
    assert ones[0].error == pytest.approx(a.std() / np.sqrt(4000), rel=0.25)
    assert found.value == pytest.approx((a - b).mean())
    assert found.error == pytest.approx((a - b).std() / np.sqrt(4000), rel=0.25)
    assert found.df == pytest.approx(99)
    # What is a number's own stays: an error of 3 on top of what is shared.
    own = shared("test", (a - a.mean()) / 4000, block, 9.0)
    assert apart(*ones, own, kept[1]).error == pytest.approx(np.hypot(3.0, found.error))
    percent = [part.times(100) for part in (own, kept[1])]
    assert apart(*ones, *percent).error == pytest.approx(100 * np.hypot(3.0, found.error))
    # Of other images, or nothing known of them, they are independent.
    other = shared("other", (b - b.mean()) / 4000, block)
    for two in (other, None):
        assert apart(*ones, kept[0], two).error == pytest.approx(np.hypot(ones[0].error, ones[1].error))
    assert Shared.read(own.record()).of == "test"
    np.testing.assert_allclose(Shared.read(own.record()).parts, own.parts, rtol=1e-5)
    assert Shared.read(own.record()).own == 9
    assert Shared.read(None) is None


def test_blocks_must_fit():
    with pytest.raises(DiaboloError, match="two blocks or more"):
        shared("test", [1.0, 2.0], np.zeros(2, int))
    with pytest.raises(DiaboloError, match="two blocks or more"):
        shared("test", [1.0, 2.0], blocks(3))
