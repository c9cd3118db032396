"""Blur and grid patterns of sets of images, where they are known."""

import pytest
import torch
from torch.nn import functional as F

from diabolo.errors import DiaboloError
from diabolo.metrics import grid_pattern, sharpness
from diabolo.randomness import generator


def noise(n, side=32):
    return torch.rand(n, 2, side, side, generator=generator(n, "noise"))


def test_sharpness_is_the_frequency_up_to_which_the_power_is_kept():
    x = noise(64)
    frequency = torch.fft.fftfreq(32) * 32
    near = torch.hypot(frequency[:, None], frequency[None]) < 8.5  # rings 0 … 8
    smooth = torch.fft.ifft2(torch.fft.fft2(x) * near).real
    assert sharpness(x, noise(65)) == 16
    assert sharpness(smooth, x) == 8
    assert sharpness(0.6 * x, x) == 0  # 36 % of the power
    assert sharpness(0.6 * x, x, share=0.3) == 16


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
