"""A model that gives every image the same code: nothing is divided by the variance of its codes."""

import warnings

import numpy as np
import pytest

import diabolo
from diabolo.codec import PlainCodec
from diabolo.data import Images


class Blind(PlainCodec):
    name = "blind"

    def encode(self, x, y=None):
        return self.observe(x).new_full((len(x), *self.latent_shape), 0.25)

    def decode(self, z, y=None):
        return z[:, :1, None, None].expand(-1, 1, 8, 8)


@pytest.mark.parametrize("width", [3, 3000])
def test_it_is_measured_without_a_warning(width):
    x = np.random.default_rng(0).integers(0, 256, (900, 1, 8, 8), dtype=np.uint8)
    labels = np.arange(900) % 3
    train, test = (Images(x[part], labels=labels[part], name="noise") for part in (slice(700), slice(700, None)))
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        found = diabolo.evaluate(Blind((1, 8, 8), (width,)), data=(train, test), measures=("probes", "reconstruction"))
    assert found.sections["probes"].scores["linear probe: codes"].value == pytest.approx(
        1 / 3, abs=0.01
    )  # one class for all
