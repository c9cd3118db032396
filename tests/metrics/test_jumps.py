"""Where a curve jumps, and how much of an image a code sees: against what is known beforehand."""

import numpy as np
import pytest
import torch

import diabolo
from diabolo import DiaboloError, zoo
from diabolo.metrics import Jump, jumps, receptive_field


def test_a_curve_that_falls_with_noise_has_no_jump():
    noise = np.random.default_rng(0).uniform(1, 1.4, 200)
    assert jumps(np.geomspace(1, 0.01, 200) * noise) == []
    assert jumps([]) == []
    assert jumps([3.0]) == []


def test_each_rise_is_one_jump_until_the_curve_is_back():
    curve = [5.0, 2.0, 1.0, 1.0, 1.6, 9.0, 3.0, 1.5, 0.5, 0.7, 0.8, 0.9]
    assert jumps(curve) == [Jump(3, 4, 5, 7, 9.0), Jump(8, 10, 11, None, 1.8)]
    assert jumps(curve, by=2) == [Jump(3, 5, 5, 7, 9.0)]


@pytest.mark.parametrize("curve", [[1.0, 0.0], [1.0, np.nan], [1.0, np.inf], [[1.0, 2.0]]])
def test_curves_without_ratios_are_refused(curve):
    with pytest.raises(DiaboloError, match="a curve of numbers above 0"):
        jumps(curve)


@pytest.mark.parametrize(("layers", "side"), [(0, 18), (1, 26), (2, 34), (3, 42)])
def test_a_residual_block_widens_the_receptive_field_by_a_place_on_each_side(layers, side):
    """4×4 of stride 2 twice see 10 pixels, a 3×3 convolution at stride 4 eight more, and so does each block."""
    torch.manual_seed(0)
    model = zoo.vqvae((1, 64, 64), latent_dim=2, codes=4, width=8, residual_width=8, residual_layers=layers)
    images = diabolo.data.as_images(np.random.default_rng(0).random((8, 64, 64)))
    assert receptive_field(model, images) == (side, side)


def test_an_encoder_without_a_map_sees_no_part():
    images = diabolo.data.as_images(np.zeros((2, 8, 8)))
    with pytest.raises(DiaboloError, match="gives no map of vectors"):
        receptive_field(zoo.undercomplete((1, 8, 8), latent_dim=2), images)
