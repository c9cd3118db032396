"""Binarised images: 0 or 1 with the right chance, anew each time, for input and target alike."""

import pytest
import torch
from torch import nn

from diabolo import corruptions, zoo
from diabolo.errors import UnknownNameError
from diabolo.observations import AsIs, Binarised, Dequantised, as_observation
from diabolo.randomness import Draws, generator


def draws(seed=0, window=None):
    return Draws(generator(seed, "test"), window)


def test_each_value_is_one_as_often_as_its_grey_says():
    grey, n = torch.linspace(0, 1, 11), 40_000
    drawn = Binarised()(grey.expand(n, 11), draws())
    assert set(drawn.unique().tolist()) == {0.0, 1.0}
    assert drawn.dtype == grey.dtype
    error = (drawn.mean(0) - grey).abs()
    assert (error <= 5 * (grey * (1 - grey) / n).sqrt()).all()  # black stays black, white stays white: no error at all


def test_it_is_drawn_anew_each_time_and_by_the_seed_alone():
    x, source = torch.full((5, 1, 4, 4), 0.5), draws()
    one, other = Binarised()(x, source), Binarised()(x, source)
    assert not torch.equal(one, other)
    assert torch.equal(one, Binarised()(x, draws()))
    assert torch.equal(torch.cat([Binarised()(x[:2], draws(0, (0, 5))), Binarised()(x[2:], draws(0, (2, 5)))]), one)


class Spy(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner, self.saw = inner, []

    def __getattr__(self, name):
        return super().__getattr__(name) if name in ("inner", "saw") else getattr(super().__getattr__("inner"), name)

    def forward(self, *inputs):
        self.saw.append(inputs[0])
        return self.inner(*inputs)


@pytest.mark.parametrize("name", ["vae", "iwae"])
@pytest.mark.parametrize("noise", [None, corruptions.Masking(0.5)])
def test_encoder_and_target_see_the_same_draw(name, noise, monkeypatch):
    model = zoo.build(name, (1, 8, 8), latent_dim=3, observation="binarised", corruption=noise)
    model.encoder = spy = Spy(model.encoder)
    targets, score = [], model.likelihood.loss
    monkeypatch.setattr(model.likelihood, "loss", lambda raw, x: targets.append(x) or score(raw, x))
    x = torch.rand(6, 1, 8, 8)
    for _ in range(2):
        model.loss(x, draws())
    target = targets[0][::5] if name == "iwae" else targets[0]
    assert set(target.unique().tolist()) == {0.0, 1.0}
    if noise is None:
        assert torch.equal(spy.saw[0], target)
    else:  # what is masked is masked for the encoder alone
        assert ((spy.saw[0] == target) | (spy.saw[0] == 0)).all()
        assert not torch.equal(spy.saw[0], target)
    assert torch.equal(targets[0], targets[1])  # the same seed, the same draw


def test_what_is_asked_of_a_trained_model_sees_the_image_given():
    model = zoo.vae((1, 8, 8), 3, observation="binarised")
    x = torch.rand(4, 1, 8, 8)
    plain = zoo.vae((1, 8, 8), 3)
    plain.load_state_dict(model.state_dict())
    assert torch.equal(model.encode(x), plain.encode(x))
    assert set(model.observe(x).unique().tolist()) == {0.0, 1.0}
    assert torch.equal(model.observe(x, 3), model.observe(x, 3))
    assert not torch.equal(model.observe(x, 3), model.observe(x, 4))
    assert torch.equal(plain.observe(x), x)


@pytest.mark.parametrize("name", [name for name in zoo.RECIPES if name != "pca"])
def test_every_recipe_can_have_it(name):
    assert isinstance(zoo.build(name, (1, 8, 8), observation="binarised").observation, Binarised)
    assert isinstance(zoo.build(name, (1, 8, 8)).observation, AsIs)


def test_an_unknown_one_is_refused():
    with pytest.raises(UnknownNameError, match="unknown observation 'binarized'; did you mean 'binarised'"):
        as_observation("binarized")


def test_a_dequantised_pixel_lies_anywhere_in_the_bin_of_its_level():
    levels = torch.arange(256)
    drawn = Dequantised()((levels / 255).expand(2000, 256), draws())
    within = 256 * drawn - levels
    assert ((within >= 0) & (within <= 1)).all()  # 1 by rounding alone
    assert within.mean().item() == pytest.approx(0.5, abs=0.005)
    assert within.var().item() == pytest.approx(1 / 12, abs=0.002)
    off = levels / 255 + 0.4 / 255  # as resized or JPEG pixels are between levels: they are rounded to them first
    assert torch.equal((256 * Dequantised()(off, draws())).floor(), levels.float())
    assert torch.equal(drawn, Dequantised()((levels / 255).expand(2000, 256), draws()))
