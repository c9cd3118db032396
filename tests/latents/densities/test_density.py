"""Images from a density over the codes of a model."""

import numpy as np
import pytest
import torch

from diabolo import latents, zoo
from diabolo.errors import DiaboloError, NoPriorError
from diabolo.latents.densities import PIECE, check_continuous, draw_images, take_turns
from diabolo.randomness import derive


@pytest.mark.parametrize("name", ["undercomplete", "vae"])
def test_a_density_is_decoded(name, tiny_model, tiny_pixels):
    model = tiny_model(name)
    density = latents.fit_density("gaussian", latents.codes.encode(model, images(tiny_pixels)))
    drawn = draw_images(model, density, 9, 1)
    expected = model.decode(torch.from_numpy(density.sample(9, 1)).float()).numpy()
    np.testing.assert_array_equal(drawn, expected)


def test_without_one_it_is_the_prior(tiny_model):
    model = tiny_model("vae")
    np.testing.assert_array_equal(draw_images(model, None, 20, 5), model.sample(20, 5).numpy())
    many = draw_images(model, None, PIECE + 30, 5)
    assert many.shape == (PIECE + 30, 1, 8, 8)
    assert len(np.unique(many.reshape(len(many), -1), axis=0)) == len(many)  # no piece repeats another


def test_pca_is_kept_within_the_range_of_images(tiny_model, tiny_pixels):
    pca = tiny_model("pca")
    pca.solve(tiny_pixels(200))
    density = latents.fit_density("mixture", pca.encode(torch.from_numpy(tiny_pixels(200))).numpy(), components=2)
    for drawn in (draw_images(pca, None, 50), draw_images(pca, density, 50)):
        assert 0 <= drawn.min() <= drawn.max() <= 1


def test_what_a_conditional_model_is_told(tiny_model, tiny_pixels):
    model = tiny_model("vae", condition="label", classes=3)
    y = take_turns(torch.arange(3), 7)
    assert y.tolist() == [0, 1, 2, 0, 1, 2, 0]
    density = latents.fit_density("normal", np.zeros((1, 4)))
    z = torch.from_numpy(density.sample(7, 2)).float()
    np.testing.assert_array_equal(draw_images(model, density, 7, 2, y), model.decode(z, y).numpy())
    np.testing.assert_array_equal(draw_images(model, None, 7, 2, y), model.sample(7, 2, y).numpy())


def test_pieces_of_many_samples(tiny_model, monkeypatch):
    monkeypatch.setattr("diabolo.latents.densities.density.PIECE", 4)
    model = tiny_model("vae", condition="label", classes=3)
    y = take_turns(torch.arange(3), 10)
    drawn = draw_images(model, None, 10, 5, y)
    for start in (0, 4, 8):
        own = y[start : start + 4]
        wanted = model.sample(len(own), derive(5, "piece", start), own).numpy()
        np.testing.assert_array_equal(drawn[start : start + 4], wanted)
    np.testing.assert_array_equal(draw_images(model, None, 4, 5, y[:4]), model.sample(4, 5, y[:4]).numpy())
    assert take_turns(None, 3) is None


def test_there_is_no_density_over_no_code():
    with pytest.raises(DiaboloError, match="no density over codes: use 'prior'"):
        check_continuous(zoo.completion_plain((1, 4, 4), hidden=(4,)), "gaussian")


def test_discrete_codes_take_no_density_but_their_own(tiny_model):
    model = tiny_model("vqvae", net="conv", codes=8)
    with pytest.raises(DiaboloError, match="the codes of vqvae are discrete: use 'prior'"):
        check_continuous(model, "mixture")
    with pytest.raises(NoPriorError):
        draw_images(model, None, 3)


def images(tiny_pixels):
    from diabolo.data import as_images

    return as_images(tiny_pixels(200))
