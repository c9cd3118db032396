"""What one sees in reconstructions and in new faces, by the numbers that show it."""

import pytest

from diabolo.studies.celeba import seen
from diabolo.studies.celeba.fits import at
from diabolo.studies.engine.findings import Measured

BETAS = (1.0, 0.1)
NAMES = ("undercomplete", "sparse", "denoising")


def looks(resolutions, grids, contrasts=(0.9, 0.9, 0.9), none=0.5):
    numbers = {"grid, none": none}
    for what, values in {"resolution": resolutions, "grid": grids, "contrast": contrasts}.items():
        numbers |= {f"{what}, {name}": value for name, value in zip(NAMES, values, strict=True)}
    return seen.reconstructions({name: Measured(value) for name, value in numbers.items()}, NAMES, 64)


def test_what_one_sees_in_reconstructions():
    said = looks((8.1, 7.2, 7.9), (0.92, 0.91, 1.03), (0.93, 0.9, 1.1))
    assert said.startswith("To the eye all reconstructions are blurred: detail finer than about 4 pixels")
    assert (
        "They hardly differ in sharpness. Enlarged, a faint checkerboard shows in flat areas of all. Half of the"
        in said
    )
    assert "power is kept up to 8.1 (undercomplete), 7.2 (sparse) and 7.9 (denoising) cycles per image." in said
    assert (
        "0.92 (undercomplete), 0.91 (sparse) and 1.03 (denoising) grey levels of 255 (images without one: 0.50 at most)"
        in said
    )
    assert said.endswith("Contrast is 93 % (undercomplete), 90 % (sparse) and 110 % (denoising) of that of the images.")
    apart = looks((32, 16, 0), (0.2, 1.3, 0.2))
    assert apart.startswith(
        "To the eye the reconstructions are sharp (undercomplete), soft (sparse) and blurred (denoising)."
    )
    assert "The denoising model's are the most blurred" in apart
    assert "A checkerboard shows in sparse, of period 2 or 4 pixels" in apart
    assert "No checkerboard shows." in looks((0, 0, 0), (0.5, 0.5, 0.5))
    assert "even the largest shapes are off" in looks((0, 0, 0), (1, 1, 1))


@pytest.mark.parametrize(
    ("error", "cycles"),
    [((9, 0.2, 0.4, 0.6, 0.9), 2.5), ((9, 0.6, 0.1, 0.1, 0.1), 0.0), ((9, 0.1, 0.1, 0.1, 0.4), 4.0)],
)
def test_the_finest_frequency_that_is_kept(error, cycles):
    assert seen.finest((1, 1, 1, 1, 1), error) == pytest.approx(cycles)


@pytest.mark.parametrize(
    ("value", "half", "said"),
    [
        (0.1, 0.05, "well formed"),
        (0.5, 0.2, "slightly deformed"),
        (1.0, 0.2, "half-formed"),
        (2.6, 0.5, "broken up"),
        (0.7, 0.1, "slightly deformed, perhaps half-formed"),
        (0.3, 0.1, "slightly deformed, perhaps well formed"),
        (0.7, 3.0, "slightly deformed, perhaps well formed or broken up"),
    ],
)
def test_an_interval_over_an_end_of_a_band_allows_another_word(value, half, said):
    assert seen.band(Measured(value, half / 1.96), seen.FORMS) == said


def test_what_one_sees_in_new_faces():
    each = {"form": (2.6, 0.1), "relative coverage": (0.2, 0.95), "sharpness": (26.0, 5.0)}
    numbers = {
        at(f"{what}, {name}", beta): Measured(value, 0.01)
        for what, values in each.items()
        for name, value in zip(("N(0, I)", "fitted Gaussian"), values, strict=True)
        for beta in BETAS
    }
    said = seen.samples(numbers, BETAS, 32)
    assert said.startswith(
        "New faces are sharp from N(0, I) at β = 1 and N(0, I) at β = 0.1; blurred from the fitted Gaussian at β = 1 and the "
        "fitted Gaussian at β = 0.1."
    )
    assert (
        "At β = 0.1, faces from N(0, I) are broken up (form 2.600 ± 0.020) and much less varied (coverage 0.200 ± 0.020); "
        "those from the fitted Gaussian are well formed (0.100 ± 0.020) and as varied (0.950 ± 0.020)." in said
    )
    assert said.endswith(seen.SCALE)
    same = numbers | {name: numbers[name.replace("N(0, I)", "fitted Gaussian")] for name in numbers}
    assert (
        "New faces are blurred. At β = 1, faces from N(0, I) and from the fitted Gaussian are well formed (form 0.100 ± 0.020 "
        "and 0.100 ± 0.020) and as varied (coverage 0.950 ± 0.020 and 0.950 ± 0.020). At β = 0.1,"
        in seen.samples(same, BETAS, 32)
    )
    unsure = numbers | {
        at("relative coverage, N(0, I)", 0.1): Measured(0.79, 0.02),
        at("form, N(0, I)", 0.1): Measured(0.7, 0.05),
    }
    assert (
        "are slightly deformed, perhaps half-formed (form 0.70 ± 0.10), and less varied, perhaps as varied (coverage 0.79 ± "
        "0.04);" in seen.samples(unsure, BETAS, 32)
    )
