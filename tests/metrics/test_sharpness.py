"""Blur and grid patterns of sets of images, where they are known, and how often their intervals hold them."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from diabolo.errors import DiaboloError
from diabolo.metrics import fine_power, grid_pattern, sharpness
from diabolo.randomness import generator
from diabolo.statistics import mean


def noise(n, side=32):
    return torch.rand(n, 2, side, side, generator=generator(n, "noise"))


def test_sharpness_is_the_frequency_up_to_which_the_power_is_kept():
    x = noise(64)
    frequency = torch.fft.fftfreq(32) * 32
    near = torch.hypot(frequency[:, None], frequency[None]) < 8.5  # rings 0 … 8
    smooth = torch.fft.ifft2(torch.fft.fft2(x) * near).real
    assert sharpness(x, noise(65)) == 16
    assert sharpness(smooth, x) == pytest.approx(8.5, abs=0.1)  # all of frequency 8, and nothing of 9
    assert sharpness(0.6 * x, x) == 0  # 36 % of the power
    assert sharpness(0.6 * x, x, share=0.3) == 16
    assert sharpness(0.6 * x, x, least=4) == 3
    dim = torch.fft.ifft2(torch.fft.fft2(smooth) * (torch.hypot(frequency[:, None], frequency[None]) > 2.5)).real
    assert sharpness(dim, x) == 0  # the lowest frequencies alone are missing
    assert sharpness(dim, x, least=3) == pytest.approx(sharpness(smooth, x))


def filtered(x, cutoff):
    """Half of the power is left at that frequency."""
    frequency = torch.fft.fftfreq(x.shape[-1], 1 / x.shape[-1])
    kept = torch.exp2(-0.5 * (frequency[:, None] ** 2 + frequency**2) / cutoff**2)
    return torch.fft.ifft2(torch.fft.fft2(x) * kept).real


@pytest.mark.parametrize("models", [150, pytest.param(2_000, marks=pytest.mark.slow)])
def test_intervals_over_three_seeds_hold_the_sharpness_of_many(models):
    """Models whose blur differs by less than a cycle: in whole cycles their intervals would often have no width."""
    random, real = np.random.default_rng(0), noise(30)
    found = np.array([sharpness(filtered(noise(30), random.normal(8.3, 0.3)), real) for _ in range(models)])
    assert found.mean() == pytest.approx(8.3, abs=0.2)
    few = [random.choice(found, 3, replace=False) for _ in range(1000)]

    def held(values, truth):
        return np.mean([low <= truth <= high for low, high in (mean(v).interval() for v in values)])

    assert 0.92 < held(few, found.mean()) < 0.98
    assert held([np.floor(v) for v in few], np.floor(found).mean()) < 0.85


@pytest.mark.parametrize("times", [200, pytest.param(3_000, marks=pytest.mark.slow)])
def test_intervals_of_fine_power_hold_the_ratio(times):
    """Images of different contrast, 0.8 times as strong as the real ones; the real ones are drawn anew as well."""
    random = torch.Generator().manual_seed(0)

    def images(n):
        contrast = torch.exp(0.5 * torch.randn(n, 1, 1, 1, generator=random))
        return contrast * torch.randn(n, 1, 16, 16, generator=random)

    found = [fine_power(0.8 * images(60), images(60), 4).interval() for _ in range(times)]
    assert 0.90 < np.mean([low <= 0.64 <= high for low, high in found]) < 0.98


@pytest.mark.parametrize(
    ("wave", "size"), [([1, -1], 0.1), ([1, 0, -1, 0], 0.1 / 2**0.5), ([0.5, 0, -0.5, 0], 0.05 / 2**0.5)]
)
def test_a_grid_is_as_strong_as_its_root_mean_square(wave, size):
    x, real = noise(400), noise(401)
    lines = 0.1 * torch.tensor(wave, dtype=torch.float32).repeat(32 // len(wave))
    assert grid_pattern(x + lines, real) == pytest.approx(size, rel=0.1)
    assert grid_pattern(x + lines[:, None], real) == pytest.approx(size, rel=0.1)
    assert grid_pattern(x, real) < 0.01


def test_blur_alone_is_no_grid_nor_is_any_other_wave():
    x, real = noise(400), noise(401)
    blurred = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), "circular"), 3, 1)
    assert grid_pattern(blurred, real) < 0.01
    wave = torch.cos(2 * torch.pi * 11 * torch.arange(32) / 32)
    assert grid_pattern(x + 0.1 * wave, real) < 0.01


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(DiaboloError, match="sides of 16, 20, 24, … pixels, not in 8×8"):
        grid_pattern(noise(2, 8), noise(3, 8))
    with pytest.raises(DiaboloError, match="of one size are compared"):
        grid_pattern(noise(2), noise(3, 16))
    with pytest.raises(DiaboloError, match=r"the images are \(16, 16\) pixels, but the real ones \(32, 32\)"):
        sharpness(noise(2, 16), noise(3))
    with pytest.raises(DiaboloError, match="two finite numbers or more"):
        fine_power(noise(1), noise(3), 4)
