"""Sizes in bits, by hand and by scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy

from diabolo.errors import DiaboloError
from diabolo.metrics.rate import compression_ratio, image_bits, index_bits
from diabolo.metrics.usage import codebook_use


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
