"""What `quickstart` concludes from either outcome."""

import pytest

from diabolo.studies.engine.findings import Measured
from diabolo.studies.quickstart import words

UNIT = "squared error per pixel"


def measured(ae, pca, vae=0.03):
    return {
        "mean image": Measured(0.08, unit=UNIT),
        "PCA": Measured(pca, 0.0005, unit=UNIT),
        "undercomplete": Measured(ae, 0.0005, unit=UNIT),
        "VAE": Measured(vae, 0.0005, unit=UNIT),
        "KL": Measured(3.44, unit="nats per image"),
        "active units": Measured(5, unit="units"),
    }


@pytest.mark.parametrize(
    ("ae", "pca", "said"),
    [(0.01, 0.02, "brings that down to 0.01 (12 %)"), (0.03, 0.02, "more than PCA"), (0.02, 0.0201, "do not differ")],
)
def test_the_network_against_pca(ae, pca, said):
    text = words.reconstruction(measured(ae, pca), 8)
    assert said in text
    assert text.startswith("From 8 numbers per image, PCA reconstructs the test images with an error of 0.02")


@pytest.mark.parametrize(
    ("vae", "said"),
    [(0.03, "the price is an error of 0.03 instead of 0.01"), (0.005, "even lower"), (0.0101, "differ")],
)
def test_what_drawing_costs(vae, said):
    text = words.drawing(measured(0.01, 0.02, vae), 8)
    assert said in text
    assert "3.44 nats per image in 5 of its 8 numbers" in text


def test_what_is_read():
    n = {"class, from the VAE's code": Measured(0.744), "class, by the most frequent one": Measured(0.1)}
    assert "74.4 % of the test images" in words.reading(n)
