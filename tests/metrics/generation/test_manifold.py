"""Precision, recall, density and coverage: against the code of Naeem et al., and cases that one can draw."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prdc import compute_prdc

from diabolo.errors import DiaboloError
from diabolo.metrics.generation import manifold, radii, spread


def values(found):
    return {name: getattr(found, name) for name in ("precision", "recall", "density", "coverage")}


@settings(max_examples=20, deadline=None)
@given(
    st.integers(8, 60), st.integers(8, 60), st.integers(1, 5), st.integers(1, 5), st.integers(0, 999), st.floats(0, 2)
)
def test_it_is_that_of_the_authors(n, m, width, k, seed, shift):
    random = np.random.default_rng(seed)
    real, made = random.standard_normal((n, width)) + 30, random.standard_normal((m, width)) + 30 + shift
    assert values(manifold(made, real, k)) == pytest.approx(compute_prdc(real, made, k))


@settings(max_examples=30, deadline=None)
@given(st.integers(6, 40), st.integers(6, 40), st.integers(1, 3), st.integers(1, 4), st.integers(0, 999))
def test_ties_are_those_of_the_authors(n, m, width, k, seed):
    random = np.random.default_rng(seed)
    real, made = (
        random.integers(0, 4, (n, width)),
        random.integers(0, 4, (m, width)),
    )  # copies, and many equal distances
    assert values(manifold(made, real, k)) == pytest.approx(compute_prdc(real, made, k))


def test_what_lies_on_a_ball_lies_outside_it():
    """Real 0, 1, 2; generated 3, 3.5. With k = 1 every real ball reaches 1, so that 3 lies on that of 2."""
    found = manifold([[3.0], [3.5]], [[0.0], [1.0], [2.0]], k=1)
    assert values(found) == {"precision": 0.0, "recall": 0.0, "density": 0.0, "coverage": 0.0}


def test_pieces_do_not_matter(monkeypatch):
    random = np.random.default_rng(0)
    real, made = random.standard_normal((100, 3)), random.standard_normal((90, 3)) + 0.5
    whole = manifold(made, real)
    monkeypatch.setattr("diabolo.metrics.generation.prdc.PAIRS", 700)
    parts = manifold(made, real)
    for field in ("within", "recalled", "covered"):
        np.testing.assert_array_equal(getattr(whole, field), getattr(parts, field))
    known = manifold(made, real, real_radii=radii(real, 5))
    np.testing.assert_array_equal(whole.within, known.within)


def test_on_a_line():
    """Real 0, 1, 3; generated 0.5, 9. With k = 1 real balls reach 1, 1, 2, those generated 8.5 each."""
    found = manifold([[0.5], [9.0]], [[0.0], [1.0], [3.0]], k=1)
    np.testing.assert_allclose(radii([[0.0], [1.0], [3.0]], 1), [1, 1, 2])
    assert found.within.tolist() == [2, 0]  # 0.5 lies in the balls of 0 and 1, but 2.5 from 3
    assert values(found) == {"precision": 0.5, "recall": 1.0, "density": 1.0, "coverage": pytest.approx(2 / 3)}


def test_the_same_set_is_perfect():
    x = np.random.default_rng(0).standard_normal((200, 8))
    found = manifold(x, x)
    assert found.precision == found.recall == found.coverage == 1


def test_one_image_again_and_again_is_precise_and_covers_nothing():
    real = np.random.default_rng(0).standard_normal((300, 4))
    found = manifold(np.repeat(real[:1], 300, 0), real)
    assert found.precision == 1
    assert found.recall < 0.01
    assert found.coverage < 0.1


def test_an_outlier_raises_precision_but_hardly_density():
    """Why density came after precision: the ball of one real image far away holds whatever is made there."""
    random = np.random.default_rng(0)
    real, made = random.standard_normal((200, 2)), 20 + random.standard_normal((200, 2))
    with_outlier = np.concatenate([real, [[40.0, 40.0]]])
    before, after = manifold(made, real), manifold(made, with_outlier)
    assert (before.precision, after.precision) == (0, 1)
    assert after.density == pytest.approx(0.2)


def test_mistakes():
    x = np.zeros((5, 2))
    with pytest.raises(DiaboloError, match="6 generated images or more"):
        manifold(x, np.ones((9, 2)))
    with pytest.raises(DiaboloError, match="counted from 1, not 0"):
        radii(x, 0)
    with pytest.raises(DiaboloError, match="not of 3 and 2 numbers"):
        manifold(np.zeros((9, 3)), np.zeros((9, 2)))


@pytest.mark.parametrize("times", [40, pytest.param(1000, marks=pytest.mark.slow)])
def test_intervals_count_that_the_balls_are_drawn_too(times):
    random = np.random.default_rng(0)
    found, errors = [], []
    for _ in range(times):
        x, y = 0.9 * random.standard_normal((300, 6)) + 0.3, random.standard_normal((300, 6))
        one = manifold(x, y)
        found.append([one.precision, one.recall, one.density, one.coverage])
        errors.append(list(spread(x, y).values()))
    off = np.abs(found - np.mean(found, 0)) < 2.776 * np.array(errors)  # Student's t of four degrees of freedom
    slack = 3 * np.sqrt(0.05 * 0.95 / times) if times < 1000 else 0
    assert (off.mean(0) >= 0.88 - slack).all()
    assert list(spread(x, y)) == ["precision", "recall", "density", "coverage"]
    assert spread(x[:50], y) == {}


def test_as_many_images_as_a_ball_needs():
    x = np.arange(6.0)[:, None] ** 2
    assert radii(x, 5).tolist() == [25, 24, 21, 16, 16, 25]
    with pytest.raises(DiaboloError, match="6 images or more"):
        radii(x[:5], 5)
    assert manifold(x, x + 0.5).k == 5
    for few in ((x[:5], x), (x, x[:5])):
        with pytest.raises(DiaboloError, match=r"6 (generated|real) images or more"):
            manifold(*few)


@pytest.mark.parametrize(("n", "there"), [(60, True), (59, False)])
def test_a_spread_needs_subsets_of_twelve_images(n, there):
    x, y = np.random.default_rng(0).standard_normal((2, 80, 2))
    for both in ((x[:n], y), (x, y[:n])):
        assert bool(spread(*both)) == there


def test_the_spread_over_subsets_by_hand():
    x, y = np.random.default_rng(0).standard_normal((2, 50, 2))
    found = spread(x, y, k=2)
    parts = [manifold(x[i : i + 10], y[i : i + 10], 2) for i in range(0, 50, 10)]
    assert found == {
        name: pytest.approx(np.std([values(part)[name] for part in parts], ddof=1) / np.sqrt(5)) for name in found
    }


def test_copies_lie_on_balls_however_far_from_0_they_are():
    """Distances that are equal are so to the last bit, though squares of such numbers lose their digits."""
    real = 1e6 + np.array([[0.0, 0], [1, 0], [2, 0], [3, 0]])
    found = manifold(real + np.array([1.0, 0]), real, k=1)
    assert found.within.tolist() == [1, 1, 1, 0]
    assert found.covered.tolist() == [False, True, True, True]
