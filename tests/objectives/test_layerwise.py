"""The loss of one layer and its mirror, written out."""

import pytest
import torch

from diabolo import likelihoods, zoo
from diabolo.errors import DiaboloError
from diabolo.objectives.layerwise import Layerwise, levels, trained
from diabolo.randomness import Draws, generator


@pytest.fixture
def model():
    torch.manual_seed(0)
    return zoo.undercomplete((1, 4, 4), 3, hidden=(8, 6))


def loss(model, level, x):
    return Layerwise(level)(model, x, None, Draws(generator(0, "test")), 0.0)


def test_each_level_reconstructs_what_it_is_given(model):
    x = torch.rand(5, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    first, second = model.encoder.stages
    last, middle, outer = model.decoder.stages
    h1 = first(x)
    h2 = second(h1)
    code = model.bottleneck(h2.flatten(1), Draws(generator(0, "test"))).z
    one, two, three = (loss(model, level, x) for level in (1, 2, 3))
    assert torch.allclose(one.total, model.likelihood.loss(outer(h1).view(x.shape), x).mean())
    assert torch.allclose(two.total, (middle(h2) - h1).square().flatten(1).mean(1).mean())
    assert torch.allclose(three.total, (last(code) - h2).square().flatten(1).mean(1).mean())
    assert set(three.terms) == {"reconstruction"}
    assert [Layerwise(n).units(model)["reconstruction"] for n in (1, 2)] == [
        model.likelihood.unit, "squared error per unit of the layer",
    ]  # fmt: skip
    assert Layerwise(1).schedules(model) == {}
    assert Layerwise(1).logged(model) == ()


def test_only_the_layer_and_its_mirror_have_gradients(model):
    x = torch.rand(5, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    for level in (1, 2, 3):
        model.zero_grad()
        loss(model, level, x).total.backward()
        moved = {name for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}
        assert moved == trained(model, level) & {name for name, _ in model.named_parameters()}
        assert len(moved) == 4  # two weights, two biases


def test_what_has_no_such_layer_is_refused(model):
    assert levels(model) == 3
    Layerwise(3).check(model)
    with pytest.raises(DiaboloError, match="3 layers to train one by one, not 4"):
        Layerwise(4).check(model)
    with pytest.raises(DiaboloError, match="level must be a whole number of at least 1"):
        Layerwise(0)
    with pytest.raises(DiaboloError, match="under a condition"):
        levels(zoo.vae((1, 4, 4), 3, condition="label", hidden=(8,)))
    model.decoder = zoo.undercomplete((1, 4, 4), 3, hidden=(8,)).decoder
    with pytest.raises(DiaboloError, match="mirror each other"):
        levels(model)
    model.decoder = torch.nn.Linear(3, 16)
    with pytest.raises(DiaboloError, match="mirror each other"):
        levels(model)


def test_the_likelihood_learns_with_the_first_layer_alone():
    torch.manual_seed(0)
    model = zoo.undercomplete((1, 4, 4), 3, hidden=(8,), likelihood=likelihoods.Gaussian("learned"))
    own = {f"likelihood.{name}" for name, _ in model.likelihood.named_parameters()}
    assert own
    assert own <= trained(model, 1)
    assert not own & trained(model, 2)


def test_a_map_is_laid_flat_before_the_bottleneck():
    torch.manual_seed(0)
    model, x = zoo.undercomplete((1, 8, 8), 3, net="conv", channels=(4, 5)), torch.rand(4, 1, 8, 8)
    found = loss(model, 3, x).total
    h = model.encoder.stages[1](model.encoder.stages[0](x))
    back = model.decoder.stages[0](model.bottleneck(h.flatten(1), Draws(generator(0, "test"))).z)
    torch.testing.assert_close(found, (back.flatten(1) - h.flatten(1)).square().mean())


@pytest.mark.parametrize("level", [1, 2, 3])
def test_in_half_precision_the_error_is_taken_in_float32(model, level):
    with torch.autocast("cpu", torch.bfloat16):
        assert loss(model, level, torch.rand(5, 1, 4, 4)).total.dtype == torch.float32


@pytest.mark.parametrize("given", ["to_encoder", "to_decoder"])
def test_a_condition_on_either_side_is_refused(given):
    model = zoo.undercomplete((1, 8, 8), latent_dim=2, hidden=(16, 8))
    assert levels(model) == 3
    setattr(model.condition, given, 3)
    with pytest.raises(DiaboloError, match="under a condition"):
        levels(model)
