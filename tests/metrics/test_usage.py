"""How much of a code is used, against what it is by hand and by scipy. Sizes in bits, by hand and by scipy."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy

from diabolo.errors import DiaboloError
from diabolo.metrics.usage import (
    active_units,
    codebook_use,
    compression_ratio,
    duplicate_codes,
    effective_dimensions,
    hoyer,
    image_bits,
    index_bits,
    live_units,
)


def test_use_of_a_codebook_by_hand():
    found = codebook_use(np.array([4, 4, 4, 4, 0]))
    assert (found.used, found.dead, found.entropy, found.perplexity) == (4, 1, 2.0, 4.0)  # 2 bits, not 2 nats
    counts = np.random.default_rng(0).integers(0, 50, 64)
    found = codebook_use(counts)
    assert found.entropy == pytest.approx(entropy(counts, base=2))
    assert found.perplexity == pytest.approx(np.exp(entropy(counts)))
    alone = codebook_use(np.array([0, 7]))
    assert math.copysign(1, alone.entropy) == 1  # no "-0.00 bits" in a table
    assert (alone.used, alone.dead, alone.entropy, alone.perplexity) == (1, 1, 0.0, 1.0)


def test_a_unit_is_active_by_the_variance_of_its_mean():
    """Over the images and above 0.01 (Burda et al. 2016), be its KL what it may."""
    mu = np.sqrt([0.0099, 0.0101, 4.0, 0.0]) * np.resize([1, -1], (100, 1)) + [0, 0, 0, 3]
    assert active_units(mu).tolist() == [False, True, True, False]
    assert active_units(mu, 1.0).tolist() == [False, False, True, False]
    assert active_units(np.array([[0.0], [1.0]]), 0.25).tolist() == [False]  # no more than it


def test_a_unit_is_live_by_the_liveliest():
    codes = np.array([1.0, 0.02, 0.005, 0.0]) * np.resize([1, -1], (10, 1)) + 7
    assert live_units(codes).tolist() == [True, True, False, False]
    assert live_units(1e-6 * codes).tolist() == [True, True, False, False]
    assert live_units(np.array([[0.0, 0.0], [2.0, 1.0]]), 0.5).tolist() == [True, False]  # no more than half


def test_effective_dimensions_of_even_and_of_single_directions():
    even = np.concatenate([np.eye(3), -np.eye(3)])
    assert effective_dimensions(even) == pytest.approx(3)
    assert effective_dimensions(even * [1, 0, 0]) == pytest.approx(1)
    assert effective_dimensions(np.ones((5, 3))) == effective_dimensions(np.ones((1, 3))) == 0
    assert effective_dimensions(np.array([[0.0, 0], [1, 1]])) == pytest.approx(1)
    assert effective_dimensions(even * [2, 1, 0]) == pytest.approx(np.exp(entropy([0.8, 0.2])))


def test_duplicates_repeat_an_earlier_code():
    vectors = np.array([[0.0, 0], [1, 0], [0, 1e-9], [1, 1e-9], [0, 3], [0, 0]])
    assert duplicate_codes(vectors) == 3
    assert duplicate_codes(1000 * vectors) == 3
    assert duplicate_codes(np.ones((2, 3))) == 1
    star = np.array([[0.0], [1.0], [-1.0]])  # distances 1, 1 and 2
    assert (duplicate_codes(star, 1.0), duplicate_codes(star, 0.9)) == (2, 0)
    assert duplicate_codes(np.eye(4)) == duplicate_codes(np.eye(1)) == 0


def test_hoyer_goes_from_even_codes_to_one_unit_alone():
    even, one = np.full((1, 9), -2.0), np.eye(9)[:1] * 5
    assert np.allclose(hoyer(np.concatenate([even, one, np.zeros((1, 9))])), [0, 1, 0])
    z = np.array([[3.0, 4.0]])
    assert np.allclose(hoyer(z), (np.sqrt(2) - 7 / 5) / (np.sqrt(2) - 1))
    assert np.allclose(hoyer(1000 * z), hoyer(z))
    assert np.allclose(hoyer(z / 10), hoyer(z))
    assert hoyer(np.ones((1, 3))).tolist() == [0]  # not −3e-16
    assert hoyer(np.ones((2, 1))).tolist() == [0, 0]


@pytest.mark.parametrize("value", [0.1, 4000.1, -7.3])
@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_codes_that_are_all_the_same_use_nothing_however_their_mean_is_rounded(value, kind):
    codes = np.full((7, 3), value, kind)
    assert effective_dimensions(codes) == 0
    assert not live_units(codes).any()


def test_a_constant_unit_far_from_0_is_dead_beside_units_that_hardly_vary():
    codes = np.full((7, 2), 4000.1)
    codes[:, 1] = 1e-12 * np.arange(7)
    assert live_units(codes).tolist() == [False, True]
    assert effective_dimensions(codes) == pytest.approx(1)


def test_bits_of_images_and_indices():
    assert image_bits(np.zeros((5, 3, 32, 32), np.uint8)) == 3 * 32 * 32 * 8
    assert image_bits(np.zeros((5, 7), np.float32)) == 7 * 32
    assert index_bits(64, 512) == 64 * 9
    assert index_bits(0, 7) == index_bits(7, 1) == 0
    assert compression_ratio(24_576, 576) == pytest.approx(42.67, abs=0.01)


@pytest.mark.parametrize("code", [1.0, 0.5, 2.0**-1000])
def test_any_code_of_more_than_no_bits_has_a_ratio(code):
    assert compression_ratio(8, code) == 8 / code


@settings(deadline=None)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=40).filter(any))
def test_no_coder_by_share_needs_more_than_the_indices_themselves(counts):
    found = codebook_use(np.array(counts)).entropy
    assert found == pytest.approx(entropy(counts, base=2), abs=1e-9)
    assert found <= index_bits(1, len(counts)) + 1e-9


def test_nonsense_is_refused():
    with pytest.raises(DiaboloError, match="no compression ratio"):
        compression_ratio(8, 0)
    with pytest.raises(DiaboloError, match="no compression ratio"):
        compression_ratio(8, float("nan"))
    with pytest.raises(DiaboloError, match="at 3 places of 0 codes"):
        index_bits(3, 0)
    with pytest.raises(DiaboloError, match="at -1 places of 2 codes"):
        index_bits(-1, 2)
