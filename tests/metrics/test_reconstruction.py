"""Errors and similarities against scikit-image, torchmetrics, scikit-learn, numpy and closed forms; totals in pieces."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity
from sklearn.datasets import load_sample_images
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score
from torchmetrics.functional.image import peak_signal_noise_ratio

from diabolo.errors import DiaboloError
from diabolo.likelihoods.ms_ssim import EXPONENTS, MSSSIM, scales_of
from diabolo.metrics import reconstruction
from diabolo.metrics.reconstruction import CONSTANT, Totals, cross_spectrum, per_image, spectrum


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


@pytest.fixture(scope="module")
def photographs():
    """Pieces of two photographs, (10, 3, 96, 64) in [0, 1], and the same with noise, blurred, and darker."""
    pieces = [
        photograph[top : top + 96, left : left + 64]
        for photograph in load_sample_images().images
        for top, left in ((0, 0), (100, 200), (150, 400), (300, 30), (320, 560))
    ]
    x = torch.from_numpy(np.stack(pieces)).permute(0, 3, 1, 2).double() / 255
    noise = 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return x, {"noise": x + noise, "blur": torch.nn.functional.avg_pool2d(x, 5, 1, 2), "dark": 0.6 * x}


def of_scikit_image(x, x_hat):
    """The SSIM (n,) of scikit-image, whose mean leaves a border of half a window out."""
    how = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    return [structural_similarity(*both, channel_axis=0, **how) for both in zip(x.numpy(), x_hat.numpy(), strict=True)]


@pytest.mark.parametrize("size", [(96, 64), (11, 11), (11, 40), (28, 28)])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("how", ["noise", "blur", "dark"])
def test_structural_similarity_is_scikit_images(photographs, size, channels, how):
    x, changed = photographs
    x, x_hat = (part[:, :channels, : size[0], : size[1]] for part in (x, changed[how]))
    assert np.abs(per_image(x, x_hat)["ssim"].numpy() - of_scikit_image(x, x_hat)).max() < 1e-12


def test_structural_similarity_of_float32_and_of_flat_images_is_no_less_exact(photographs):
    x, x_hat = photographs[0].float(), photographs[1]["blur"].float()
    x[0], x_hat[0] = 0.25, 0.5  # float32 subtracts equal numbers there
    assert np.abs(per_image(x, x_hat)["ssim"].numpy() - of_scikit_image(x.double(), x_hat.double())).max() < 1e-12


def test_similarity_of_flat_images_is_luminance_alone():
    a, b = 0.3, 0.7
    each = per_image(*(torch.full((1, 1, 32, 32), grey, dtype=torch.float64) for grey in (a, b)))
    luminance = (2 * a * b + 1e-4) / (a * a + b * b + 1e-4)
    assert each["ssim"].item() == pytest.approx(luminance, abs=1e-12)
    assert each["ms_ssim"].item() == pytest.approx(luminance ** (EXPONENTS[1] / sum(EXPONENTS[:2])), abs=1e-12)


@pytest.mark.parametrize("size", [(28, 28), (64, 40), (96, 64)])
@pytest.mark.parametrize("how", ["noise", "blur", "dark"])
def test_multi_scale_similarity_is_what_models_are_trained_on(photographs, size, how):
    x, x_hat = (part[..., : size[0], : size[1]] for part in (photographs[0], photographs[1][how]))
    loss = MSSSIM(output="linear").loss(x_hat, x)
    assert per_image(x, x_hat)["ms_ssim"].tolist() == pytest.approx(
        (1 - loss).tolist(), abs=1e-4
    )  # the loss is float32


def test_multi_scale_similarity_is_made_of_scikit_images_maps(photographs):
    x, x_hat = (part[:, :1, :64, :64] for part in (photographs[0], photographs[1]["noise"]))
    scales = scales_of((1, 64, 64))[0]
    exponents = np.array(EXPONENTS[:scales]) / sum(EXPONENTS[:scales])
    wanted = np.ones(len(x))
    for exponent in exponents[:-1]:
        wanted *= contrast(x, x_hat) ** exponent
        x, x_hat = (torch.nn.functional.avg_pool2d(part, 2) for part in (x, x_hat))
    wanted *= np.array(of_scikit_image(x, x_hat)) ** exponents[-1]
    x, x_hat = (part[:, :1, :64, :64] for part in (photographs[0], photographs[1]["noise"]))
    assert np.abs(per_image(x, x_hat)["ms_ssim"].numpy() - wanted).max() < 1e-12


def contrast(x, x_hat):
    """Contrast and structure (n,) of images (n, 1, H, W), by scipy's Gaussian windows."""
    found = []
    for a, b in zip(x[:, 0].numpy(), x_hat[:, 0].numpy(), strict=True):
        windows = [gaussian_filter(part, 1.5, truncate=3.5)[5:-5, 5:-5] for part in (a, b, a * a, b * b, a * b)]
        mean_a, mean_b, aa, bb, ab = windows
        found.append(((2 * (ab - mean_a * mean_b) + 0.03**2) / (aa - mean_a**2 + bb - mean_b**2 + 0.03**2)).mean())
    return np.array(found)


def test_equal_images_are_as_similar_as_can_be(photographs):
    each = per_image(photographs[0], photographs[0])
    assert each["ssim"].tolist() == pytest.approx([1] * 10, abs=1e-12)
    assert each["ms_ssim"].tolist() == pytest.approx([1] * 10, abs=1e-12)


def test_of_no_images_there_are_no_errors_and_whole_numbers_are_no_pixels():
    assert {len(values) for values in per_image(*(torch.zeros(0, 3, 28, 28),) * 2).values()} == {0}
    with pytest.raises(DiaboloError, match=r"floats in \[0, 1\], not as torch.uint8"):
        per_image(*(torch.full((1, 1, 4, 4), 200, dtype=torch.uint8),) * 2)


@pytest.mark.parametrize(
    ("shape", "names"),
    [
        ((7,), set()),
        ((1, 8, 8), set()),
        ((1, 10, 40), set()),
        ((1, 11, 11), {"ssim"}),
        ((1, 21, 64), {"ssim"}),
        ((1, 22, 22), {"ssim", "ms_ssim"}),
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


@pytest.mark.parametrize("whole", [0, 1])
def test_whole_numbers_on_either_side_are_refused(whole):
    both = [torch.zeros(1, 4), torch.zeros(1, 4)]
    both[whole] = both[whole].long()
    with pytest.raises(DiaboloError, match="as floats"):
        per_image(*both)


def test_numbers_without_pixels_and_reconstructions_of_infinity_are_refused():
    with pytest.raises(DiaboloError, match=r"images are \(3,\)"):
        per_image(torch.zeros(3), torch.zeros(3))
    with pytest.raises(DiaboloError, match="2 of 2 reconstructions"):
        per_image(torch.zeros(2, 3), torch.full((2, 3), torch.inf))


def test_errors_by_hand_and_a_model_that_leaves_the_range():
    each = per_image(torch.tensor([[0.0, 1.0], [0.5, 0.5]]), torch.tensor([[0.0, 1.2], [0.4, 0.7]]))
    assert each["mse"].tolist() == pytest.approx([0.02, 0.025])
    assert each["mae"].tolist() == pytest.approx([0.1, 0.15])
    assert each["psnr"].tolist() == pytest.approx([-10 * np.log10(0.02), -10 * np.log10(0.025)])


def test_the_least_variance_that_counts():
    """Two images that differ by 2 c everywhere have the variance c²."""
    for c, there in ((0.99e-6, False), (1.01e-6, True)):
        x = torch.tensor([[0.5 - c], [0.5 + c]], dtype=torch.float64)
        totals = Totals.of(x, x)
        for measure in ("error_over_variance", "unexplained"):
            if there:
                assert getattr(totals, measure) == 0
            else:
                with pytest.raises(DiaboloError, match="do not vary"):
                    getattr(totals, measure)


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


def test_sums_are_in_float64():
    assert {total.dtype for total in Totals.of(*torch.rand(2, 3, 1, 8, 8)).sums.values()} == {torch.float64}


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


def test_a_cross_spectrum_is_that_of_the_fourier_transforms():
    x, y = torch.rand(2, 3, 2, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    both = (np.fft.fft2(x.numpy()) * np.fft.fft2(y.numpy()).conj()).real.mean(1) / 64
    down, across = np.meshgrid(*[np.fft.fftfreq(8) * 8] * 2, indexing="ij")
    ring = np.hypot(down, across).round()
    wanted = np.stack([both[:, ring == r].mean(1) for r in range(5)], 1)
    np.testing.assert_allclose(cross_spectrum(x, y).numpy(), wanted, atol=1e-12)


def test_waves_out_of_place_do_not_count():
    x = torch.sin(2 * torch.pi * 3 * torch.arange(16) / 16).expand(1, 1, 16, 16)
    share = [float(cross_spectrum(x, y)[0, 3] / spectrum(x)[0, 3]) for y in (x, x / 2, x.roll(4, 3), -x)]
    np.testing.assert_allclose(share, [1, 0.5, 0, -1], atol=1e-6)


def test_a_spectrum_is_of_images():
    for shape in ((3, 10), (1, 3, 10), (1, 1, 1, 4, 4)):
        with pytest.raises(DiaboloError, match="of images"):
            spectrum(torch.rand(shape))


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
    assert reconstruction.resolution(x, 0.5 * x, share=0.25) == 0  # no less than the share
    flat = torch.full((2, 1, 8, 8), 0.3)
    assert reconstruction.resolution(flat, flat) == 4  # there is no power that could be lost
    assert reconstruction.resolution(flat, torch.rand(2, 1, 8, 8)) == 0


@pytest.mark.parametrize("measured", ["error_over_variance", "unexplained"])
def test_images_vary_from_the_least_variance_on(measured):
    def totals(variance):
        sums = {"images": 1, "exact": 0, "mse": 0.25, "pixels": [0.0, 0.0], "squares": 2 * variance}
        return Totals({name: torch.tensor(value, dtype=torch.float64) for name, value in sums.items()})

    assert getattr(totals(CONSTANT), measured) == 0.25 / CONSTANT
    with pytest.raises(DiaboloError, match="do not vary"):
        getattr(totals(np.nextafter(CONSTANT, 0)), measured)


def test_an_image_of_nan_is_refused_and_not_counted_as_exact():
    x = torch.rand(3, 1, 8, 8)
    broken = x.clone()
    broken[0, 0, 0, 0] = torch.nan
    for compare in (per_image, Totals.of):
        with pytest.raises(DiaboloError, match="1 of 3 images hold NaN"):
            compare(broken, x)


def test_errors_of_half_precision_are_not_rounded_before_their_spectrum():
    x, x_hat = (torch.rand(2, 1, 12, 12, generator=torch.Generator().manual_seed(i)).half() for i in (0, 1))
    expected = spectrum(x_hat.double() - x.double()).mean(0)
    torch.testing.assert_close(Totals.of(x, x_hat).mean("error spectrum"), expected)
