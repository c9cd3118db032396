import numpy as np
import pytest
import torch

from diabolo import metrics, zoo
from diabolo.data import Images
from diabolo.errors import DiaboloError

SHAPE = (1, 6, 6)


def images(n=5):
    pixels = np.random.default_rng(0).integers(0, 256, (n, *SHAPE), dtype=np.uint8)
    return Images(pixels, labels=np.zeros(n, np.int64))


def model(recipe, **options):
    torch.manual_seed(0)
    return recipe(SHAPE, hidden=(8,), **options)


def test_errors_are_those_of_the_pixels_that_were_not_told():
    x = images()
    made = metrics.complete(model(zoo.completion, latent_dim=3), x, k=4, seed=1)
    unknown = np.ones((6, 6), bool)
    unknown[3:, :3] = False
    assert (made.told[:, 0, unknown] == 0.5).all()
    np.testing.assert_allclose(made.told[:, 0, ~unknown], x.images[:, 0, ~unknown] / 255, rtol=1e-6)
    wrong = (made.images - x.images[:, None] / 255)[..., unknown]
    np.testing.assert_allclose(made.errors, np.square(wrong).mean((2, 3)), rtol=1e-5)
    np.testing.assert_allclose(made.of_mean, np.square(wrong.mean(1)).mean((1, 2)), rtol=1e-4)
    np.testing.assert_allclose(made.spread, made.images[..., unknown].var(1).mean((1, 2)), rtol=1e-3)
    assert (made.best <= made.mean).all()
    assert (made.best < made.mean).any()


def test_answers_differ_by_seed_and_not_without():
    vae = model(zoo.completion, latent_dim=3)
    one, other, again = (metrics.complete(vae, images(), 2, seed).images for seed in (0, 1, 0))
    assert (one == again).all()
    assert (one != other).any()
    plain = metrics.complete(model(zoo.completion_plain), images(), 3)
    assert (plain.images == plain.images[:, :1]).all()
    np.testing.assert_allclose(plain.spread, 0, atol=1e-9)


def test_one_answer_is_the_best_and_the_mean():
    made = metrics.complete(model(zoo.completion, latent_dim=3), images(), k=1)
    assert made.images.shape == (5, 1, *SHAPE)
    assert (made.best == made.mean).all()
    np.testing.assert_allclose(made.spread, 0, atol=1e-12)


def test_what_completes_nothing_is_refused():
    with pytest.raises(DiaboloError, match="completes nothing"):
        metrics.complete(model(zoo.cvae, latent_dim=2), images())
    with pytest.raises(DiaboloError, match="at least 1"):
        metrics.complete(model(zoo.completion, latent_dim=2), images(), 0)


def test_the_plain_network_has_a_conditional_likelihood():
    plain, x = model(zoo.completion_plain), images()
    pixels = torch.from_numpy(x.images).float() / 255
    direct = plain.loss(pixels).terms["reconstruction"].detach()
    for samples in (1, 7):
        assert metrics.nll(plain, x, samples).mean == pytest.approx(float(direct), rel=1e-5)
