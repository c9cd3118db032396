"""Each property of a well-tuned VAE in each of its outcomes."""

import pytest

from diabolo.studies import Measured
from diabolo.studies.beta import properties


def found(**changed):
    f = {
        "fine detail, VAE": 0.8,
        "fine detail, AE": 1.4,
        "effective digits, VAE": 9.1,
        "effective digits, AE": 5.0,
        "effective digits, test images": 9.8,
        "coverage, VAE": 0.7,
        "coverage, AE": 0.1,
        "longest step, VAE": 1.5,
        "longest step, AE": 1.7,
        "lowest confidence, VAE": 0.7,
        "lowest confidence, AE": 0.6,
        "KL, VAE": 12.5,
        "KL, β = 10": 0.0005,
        "active units, VAE": 12.0,
        "Fréchet distance, VAE": 0.2,
        "Fréchet distance, AE": 100.0,
        "Fréchet distance, β = 10": 0.01,
        "Fréchet distance, draws of N(0, I)": 0.0123,
        "variance explained, VAE": 0.83,
        "variance explained, AE": 0.95,
    } | {name.replace("__", ", ").replace("_", " "): value for name, value in changed.items()}
    return {name: Measured(value, 0.01) for name, value in f.items()}


@pytest.mark.parametrize(
    ("detail", "said"), [(0.3, "visibly blurred"), (0.8, "slightly soft"), (1.0, "about as sharp"), (1.5, "rougher")]
)
def test_sharpness(detail, said):
    assert said in properties.sharpness(found(fine_detail__VAE=detail))


def test_variety_and_coverage():
    assert (
        "9.1 effective digits among the VAE's samples (autoencoder: 5.0; test images: 9.8), so every"
        in properties.variety(found())
    )
    assert "rare or hard to read" in properties.variety(found(effective_digits__VAE=6.0))
    assert "70 % of the test images have a sample of the VAE nearby, against 10 %" in properties.coverage(found())
    assert "only 5 %" in properties.coverage(found(coverage__VAE=0.05))
    assert "do not differ significantly" in properties.coverage(found(coverage__VAE=0.105))


def test_smoothness():
    assert "less than the autoencoder's 1.7" in properties.smoothness(found())
    assert "more than the autoencoder's 1.7" in properties.smoothness(found(longest_step__VAE=1.9))
    assert "does not differ significantly" in properties.smoothness(found(longest_step__VAE=1.705))
    assert "is higher for the VAE (0.7 against 0.6)" in properties.smoothness(found())
    assert "is lower for the VAE (0.5 against 0.6)" in properties.smoothness(found(lowest_confidence__VAE=0.5))
    assert "does not differ significantly (VAE 0.605, autoencoder 0.6)" in properties.smoothness(
        found(lowest_confidence__VAE=0.605)
    )


def test_no_collapse_and_its_price():
    assert (
        "No collapse: the VAE's code has a KL of 12.5 nats, and 12 of its 64 units are active (β = 10: less than 0.001 nats)"
        in properties.alive(found(), 64)
    )
    assert "as many draws of N(0, I) itself are at 0.0123 by chance" in properties.alive(found(), 64)
    assert "(β = 10: 0.02 nats)" in properties.alive(found() | {"KL, β = 10": Measured(0.02)}, 64)
    assert properties.alive(found(active_units__VAE=0.0), 64).startswith("Collapse")
    assert properties.price(found()).startswith("The price is reconstruction: the VAE explains 83.0 %")
    assert properties.price(found(variance_explained__VAE=0.96)).startswith("None of it costs")
    whole = " ".join(properties.well_tuned(found(), 64))
    assert [name in whole for name in ("Sharpness", "Variety", "Coverage", "Smoothness", "No collapse")] == [True] * 5
