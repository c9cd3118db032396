"""The kernel distance: against torch-fidelity, torchmetrics' kernel and sums written out."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_fidelity.metric_kid import kid_features_to_metric
from torchmetrics.image.kid import poly_mmd

from diabolo.errors import DiaboloError
from diabolo.metrics.generation import kid, polynomial_mmd


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


def test_mistakes():
    with pytest.raises(DiaboloError, match="4 generated images or more"):
        kid(features(3), features())
    with pytest.raises(DiaboloError, match="two images or more, not 1"):
        kid(features(), features(), size=1)
    with pytest.raises(DiaboloError, match="not of 5 and 4 numbers"):
        kid(features(), features(width=4))
