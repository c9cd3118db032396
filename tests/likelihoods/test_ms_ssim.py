"""MS-SSIM against its definition in numpy and scipy (float64), and against torchmetrics."""

import numpy as np
import pytest
import torch
from scipy.signal import convolve2d
from torchmetrics.functional.image import multiscale_structural_similarity_index_measure as theirs
from torchmetrics.functional.image import structural_similarity_index_measure as ssim

from diabolo import zoo
from diabolo.errors import DiaboloError
from diabolo.likelihoods import MSSSIM
from diabolo.likelihoods.ms_ssim import EXPONENTS, ms_ssim, scales_of


def pair(shape, noise=0.1, n=3, seed=0):
    g = torch.Generator().manual_seed(seed)
    c, h, w = shape
    waves = torch.rand(n, c, 2, 1, 1, generator=g) * 8
    y, x = torch.linspace(0, 1, h).view(-1, 1), torch.linspace(0, 1, w).view(1, -1)
    image = 0.5 + 0.4 * torch.sin(waves[:, :, 0] * x + waves[:, :, 1] * y)
    return image, (image + noise * torch.randn(image.shape, generator=g)).clamp(0, 1)


def by_definition(x, y, scales, window):
    """Wang, Simoncelli & Bovik 2003, one image (C, H, W), with windows that lie within it."""
    offsets = np.arange(window) - (window - 1) / 2
    w = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.5**2))
    w /= w.sum()
    result = 1.0
    exponents = np.array(EXPONENTS[:scales]) / (1 if scales == 5 else sum(EXPONENTS[:scales]))
    for scale in range(scales):
        maps = []
        for a, b in zip(x, y, strict=True):
            blur = lambda image: convolve2d(image, w, mode="valid")  # noqa: E731
            ma, mb = blur(a), blur(b)
            va, vb, cov = blur(a * a) - ma**2, blur(b * b) - mb**2, blur(a * b) - ma * mb
            structure = (2 * cov + 0.03**2) / (va + vb + 0.03**2)
            luminance = (2 * ma * mb + 0.01**2) / (ma**2 + mb**2 + 0.01**2)
            maps.append(structure * luminance if scale == scales - 1 else structure)
        result *= max(np.mean(maps), 1e-6) ** exponents[scale]
        halve = lambda z: z.reshape(len(z), z.shape[1] // 2, 2, z.shape[2] // 2, 2).mean((2, 4))  # noqa: E731
        if scale < scales - 1:
            x, y = (halve(z[:, : z.shape[1] // 2 * 2, : z.shape[2] // 2 * 2]) for z in (x, y))
    return result


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 40), (1, 8, 8), (3, 9, 7), (3, 64, 64), (1, 176, 180)])
@pytest.mark.parametrize("noise", [0.02, 0.3])
def test_it_is_what_the_paper_says(shape, noise):
    x, y = pair(shape, noise)
    wanted = [
        by_definition(a.double().numpy(), b.double().numpy(), *scales_of(shape)) for a, b in zip(x, y, strict=True)
    ]
    assert ms_ssim(x, y).numpy() == pytest.approx(wanted, rel=2e-4)


def test_all_five_scales_are_near_those_of_torchmetrics():
    # torchmetrics pads by reflection for the last scale; the border is what differs
    x, y = pair((3, 192, 192))
    got = theirs(x, y, data_range=1.0, reduction="none", betas=EXPONENTS)
    assert ms_ssim(x, y).numpy() == pytest.approx(got.numpy(), abs=3e-3)


def test_one_scale_is_the_ssim_of_torchmetrics_within_the_border():
    x, y = pair((3, 20, 16))
    assert scales_of((3, 20, 16)) == (1, 11)
    _, full = ssim(x, y, data_range=1.0, reduction="none", return_full_image=True)
    assert ms_ssim(x, y).numpy() == pytest.approx(full[..., 5:-5, 5:-5].mean((1, 2, 3)).numpy(), abs=1e-5)


def test_how_many_scales_an_image_has():
    sides = {
        4: (1, 3),
        8: (1, 7),
        11: (1, 11),
        21: (1, 11),
        22: (2, 11),
        28: (2, 11),
        32: (2, 11),
        64: (3, 11),
        128: (4, 11),
    }
    assert {side: scales_of((1, side, 99)) for side in sides} == sides
    assert scales_of((3, 176, 176)) == scales_of((3, 500, 400)) == (5, 11)


def test_equal_images_lose_nothing_and_opposite_ones_all():
    x, _ = pair((1, 28, 28))
    assert ms_ssim(x, x).numpy() == pytest.approx(1, abs=1e-5)
    assert (ms_ssim(x, 1 - x) < 0.01).all()
    raw = torch.logit(x).requires_grad_()
    loss = MSSSIM().loss(raw, 1 - x)
    loss.sum().backward()
    assert raw.grad.isfinite().all()
    assert MSSSIM("linear").loss(x, x).abs().max() < 1e-5


def test_images_do_not_mix_and_half_precision_is_left():
    x, y = pair((1, 28, 28), n=4)
    together = MSSSIM("linear").loss(x, y)
    assert torch.allclose(
        together, torch.cat([MSSSIM("linear").loss(x[i : i + 1], y[i : i + 1]) for i in range(4)]), atol=1e-6
    )
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(MSSSIM("linear").loss(x, y), together)
    assert MSSSIM().loss(x.bfloat16(), y).dtype == torch.float32


def test_its_gradient_leads_to_the_image():
    x, y = pair((1, 28, 28), noise=0.4)
    raw = y.clone().requires_grad_()
    optimizer = torch.optim.Adam([raw], lr=0.02)
    for _ in range(100):
        optimizer.zero_grad()
        loss = MSSSIM("linear").loss(raw, x).mean()
        loss.backward()
        optimizer.step()
    assert loss < 0.01


@pytest.mark.parametrize("shape", [(12,), (1, 3, 8)])
def test_what_is_no_image_is_refused_when_the_model_is_made(shape):
    with pytest.raises(DiaboloError, match="MS-SSIM compares images"):
        zoo.vae(shape, 2, hidden=(4,), likelihood="ms-ssim")
