"""Errors and similarities against torchmetrics, scikit-learn, numpy and closed forms; totals in pieces."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score
from torchmetrics.functional.image import peak_signal_noise_ratio

from diabolo.errors import DiaboloError
from diabolo.likelihoods.ms_ssim import ms_ssim
from diabolo.metrics import reconstruction
from diabolo.metrics.reconstruction import Totals, exponents_of, per_image, spectrum


def pair(n=6, shape=(1, 16, 16), seed=0):
    g = torch.Generator().manual_seed(seed)
    x = torch.rand(n, *shape, generator=g)
    return x, x + 0.1 * torch.randn(n, *shape, generator=g)


def test_errors_are_those_of_others():
    x, x_hat = pair(5, (3, 12, 12))
    each = per_image(x, x_hat)
    a, b = x.flatten(1).double().numpy(), x_hat.flatten(1).double().numpy()
    assert each["mse"].tolist() == pytest.approx([mean_squared_error(*p) for p in zip(a, b, strict=True)])
    assert each["mae"].tolist() == pytest.approx([mean_absolute_error(*p) for p in zip(a, b, strict=True)])
    theirs = peak_signal_noise_ratio(x_hat, x, data_range=1.0, reduction="none", dim=(1, 2, 3))
    assert each["psnr"].tolist() == pytest.approx(theirs.tolist(), rel=1e-5)


def test_similarity_of_flat_images_is_luminance_alone():
    a, b = 0.3, 0.7
    each = per_image(torch.full((1, 1, 32, 32), a), torch.full((1, 1, 32, 32), b))
    luminance = (2 * a * b + 1e-4) / (a * a + b * b + 1e-4)
    assert each["ssim"].item() == pytest.approx(luminance, abs=5e-4)
    assert each["ms_ssim"].item() == pytest.approx(luminance ** exponents_of((1, 32, 32))[-1], abs=5e-4)


def test_similarity_is_near_that_of_another_implementation():
    x = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    x = torch.nn.functional.avg_pool2d(x, 5, 1, 2)
    x_hat = (x + 0.05 * torch.randn(x.shape, generator=torch.Generator().manual_seed(1))).clamp(0, 1)
    each = per_image(x, x_hat)
    assert each["ms_ssim"].tolist() == pytest.approx(ms_ssim(x, x_hat).tolist(), abs=0.02)
    assert (per_image(x, x)["ssim"] == 1).all()


@pytest.mark.parametrize(
    ("shape", "names"),
    [
        ((7,), set()),
        ((1, 8, 8), set()),
        ((1, 11, 11), {"ssim"}),
        ((1, 28, 28), {"ssim", "ms_ssim"}),
        ((3, 64, 40), {"ssim", "ms_ssim"}),
    ],
)
def test_what_there_is_for_which_size(shape, names):
    each = per_image(*pair(2, shape))
    assert set(each) == {"mse", "mae", "psnr"} | names
    assert all(values.shape == (2,) and values.dtype == torch.float64 for values in each.values())


def test_broken_reconstructions_are_refused():
    x, x_hat = pair(3)
    x_hat[1, 0, 0, 0] = float("nan")
    with pytest.raises(DiaboloError, match="1 of 3 reconstructions hold NaN"):
        per_image(x, x_hat)
    with pytest.raises(DiaboloError, match=r"\(3, 1, 16, 16\), but their reconstructions \(2, 1, 16, 16\)"):
        per_image(x, x_hat[:2])


def test_variance_is_that_of_the_same_images_in_the_same_scale():
    x, x_hat = pair(20, (1, 4, 5))
    totals = Totals.of(x, x_hat)
    a, b = x.flatten(1).double().numpy(), x_hat.flatten(1).double().numpy()
    assert totals.variance == pytest.approx(a.var())
    assert totals.error_over_variance == pytest.approx(((a - b) ** 2).mean() / a.var())
    assert totals.unexplained == pytest.approx(1 - r2_score(a, b, multioutput="variance_weighted"))
    assert totals.variance_per_pixel == pytest.approx(a.var(0).mean())


def test_the_mean_image_explains_nothing():
    x, _ = pair(20)
    assert Totals.of(x, x.mean(0).expand_as(x)).unexplained == pytest.approx(1, rel=1e-6)


def test_images_that_do_not_vary_are_refused():
    x = torch.full((3, 2, 4, 4), 0.3)
    with pytest.raises(DiaboloError, match="do not vary"):
        _ = Totals.of(x, x).unexplained


def test_exact_images_have_no_psnr_and_are_not_counted_in_its_mean():
    x, x_hat = pair(4)
    x_hat[0] = x[0]
    each = per_image(x, x_hat)
    assert torch.isinf(each["psnr"]).tolist() == [True, False, False, False]
    assert Totals.of(x, x_hat).mean("psnr").item() == pytest.approx(each["psnr"][1:].mean().item())


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(1, 8), min_size=1, max_size=4), st.sampled_from([(5,), (1, 6, 8), (2, 12, 12)]))
def test_totals_of_pieces_are_those_of_the_whole(sizes, shape):
    x, x_hat = pair(sum(sizes), shape)
    pieces = [Totals.of(*few) for few in zip(x.split(sizes), x_hat.split(sizes), strict=True)]
    added, whole = sum(pieces[1:], pieces[0]), Totals.of(x, x_hat)
    assert added.images == whole.images == sum(sizes)
    for name, value in whole.sums.items():
        assert torch.allclose(added.sums[name], value, rtol=1e-9, atol=1e-9), name


def test_pieces_of_any_size_give_the_same_per_image(monkeypatch):
    x, x_hat = pair(9, (1, 28, 28))
    whole = per_image(x, x_hat)
    monkeypatch.setattr(reconstruction, "TOGETHER", 2 * 28 * 28)
    for name, values in per_image(x, x_hat).items():
        assert torch.allclose(values, whole[name], rtol=1e-5), name


# --- spectra --------------------------------------------------------------------------------------------------------------


def test_a_wave_has_its_power_at_its_frequency():
    line = torch.arange(32) / 32
    wave = torch.cos(2 * torch.pi * 5 * line).expand(1, 1, 32, 32)
    power = spectrum(wave)[0]
    assert power.argmax() == 5
    assert power.sum().item() == pytest.approx(power[5].item())


def test_white_noise_is_flat_and_of_its_variance():
    power = spectrum(0.3 * torch.randn(400, 3, 16, 16, generator=torch.Generator().manual_seed(0))).mean(0)
    assert power.tolist() == pytest.approx([0.09] * 9, rel=0.2)


@pytest.mark.parametrize("size", [(8, 8), (9, 9), (8, 13)])
def test_no_power_is_lost_within_the_rings(size):
    h, w = size
    x = torch.randn(2, 1, h, w, generator=torch.Generator().manual_seed(0)).double()
    full = np.abs(np.fft.fft2(x[:, 0].numpy())) ** 2 / (h * w)
    length = np.hypot(np.fft.fftfreq(h)[:, None], np.fft.fftfreq(w)[None, :]) * min(h, w)
    wanted = [full[:, np.rint(length) == r].mean(1) for r in range(min(h, w) // 2 + 1)]
    assert np.allclose(spectrum(x).numpy(), np.stack(wanted, 1))


def test_a_spectrum_is_of_images():
    with pytest.raises(DiaboloError, match="of images"):
        spectrum(torch.rand(3, 10))


def test_resolution_is_where_half_of_the_power_is_lost():
    x = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    spectrum_of_x = torch.fft.fft2(x)
    down, across = torch.meshgrid(torch.fft.fftfreq(32) * 32, torch.fft.fftfreq(32) * 32, indexing="ij")
    coarse = torch.fft.ifft2(spectrum_of_x * (torch.hypot(down, across).round() <= 7)).real
    assert reconstruction.resolution(x, coarse) == 7
    assert reconstruction.resolution(x, x) == 16
    assert reconstruction.resolution(x, torch.zeros_like(x)) == 0
    assert reconstruction.resolution(x, 0.5 * x) == 16  # a quarter of the power is lost everywhere
    assert reconstruction.resolution(x, 0.5 * x, share=0.2) == 0
