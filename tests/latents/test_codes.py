"""Codes as data: scaled by the training codes, with labels; and M1+M2 learns from ten labels a class."""

import numpy as np
import pytest
import torch

import diabolo
from diabolo import data, latents, zoo
from diabolo.codec import PlainCodec
from diabolo.errors import DiaboloError


@pytest.fixture(scope="module")
def digits():
    return data.load("digits")


@pytest.fixture(scope="module")
def m1(digits):
    model = zoo.pca(digits[0].shape, latent_dim=16)
    model.solve(digits[0].images)
    return model


def test_codes_are_scaled_by_those_of_the_training_images(digits, m1):
    train, test = latents.codes_as_images(m1, *digits)
    z = m1.encode(torch.from_numpy(digits[0].images)).numpy()
    w = m1.encode(torch.from_numpy(digits[1].images)).numpy()
    half = np.abs(z - z.mean(0)).max()
    np.testing.assert_allclose(train.images, 0.5 + (z - z.mean(0)) / half / 2, atol=1e-6)
    np.testing.assert_allclose(test.images, (0.5 + (w - z.mean(0)) / half / 2).clip(0, 1), atol=1e-6)
    assert min(train.images.min(), 1 - train.images.max()) == pytest.approx(0, abs=1e-6)
    np.testing.assert_array_equal(test.labels, digits[1].labels)
    assert (train.name, train.split, train.shape) == ("codes of digits by pca", "train", (16,))


def test_numbers_that_never_vary_are_halves(digits):
    class Constant(PlainCodec):
        def encode(self, x, y=None):
            return torch.full((len(x), 2), 7.0)

    (codes,) = latents.codes_as_images(Constant(digits[0].shape, (2,)), digits[0])
    assert (codes.images == 0.5).all()


def test_codes_that_are_indices_are_refused(digits):
    with pytest.raises(DiaboloError, match="discrete"):
        latents.codes_as_images(zoo.vqvae(digits[0].shape, width=8, residual_width=4), digits[0])


def test_m2_on_the_codes_of_m1_reads_digits_from_a_hundred_labels(digits, m1, tmp_path):
    train, test = latents.codes_as_images(m1, digits[0].keep_labels(100, 0), digits[1])
    torch.manual_seed(0)
    model = zoo.m2(train.shape, 8, hidden=(64,), likelihood="gaussian", activation="silu", alpha=5.0)
    how = {"epochs": 20, "batch_size": 100, "lr": 3e-3, "labelled_per_batch": 32, "quiet": True, "out": tmp_path}
    found = diabolo.fit(model, train, **how).model.predict(test.images).argmax(1).cpu().numpy()
    assert (found == test.labels).mean() > 0.8
    samples = model.sample(10, y=torch.arange(10))
    assert m1.decode(samples).shape == (10, 1, 8, 8)
