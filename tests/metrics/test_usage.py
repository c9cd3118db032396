"""Sparsity of codes against what it is by hand."""

import numpy as np

from diabolo.metrics.usage import hoyer


def test_hoyer_goes_from_even_codes_to_one_unit_alone():
    even, one = np.full((1, 9), -2.0), np.eye(9)[:1] * 5
    assert np.allclose(hoyer(np.concatenate([even, one, np.zeros((1, 9))])), [0, 1, 0])
    z = np.array([[3.0, 4.0]])
    assert np.allclose(hoyer(z), (np.sqrt(2) - 7 / 5) / (np.sqrt(2) - 1))
    assert np.allclose(hoyer(1000 * z), hoyer(z))
    assert hoyer(np.ones((2, 1))).tolist() == [0, 0]
