"""A weight that two layers share has two names in the state of the model: both must hold the same, whatever is kept."""

import copy
import json

import pytest
import torch
from torch import nn

import diabolo
from diabolo import Autoencoder, bottlenecks, likelihoods, parts
from diabolo.errors import DiaboloError
from diabolo.parts import part
from diabolo.runs import files, tied


class Inwards(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.input_shape = nn.Linear(64, 16), (1, 8, 8)

    def forward(self, x):
        return self.layer(x.flatten(1)).relu()


class Outwards(nn.Module):
    def __init__(self, mirrored):
        super().__init__()
        self.inner, self.mirrored = nn.Linear(4, 16), mirrored

    def forward(self, z):
        return (self.inner(z).relu() @ self.mirrored.weight).unflatten(1, (1, 8, 8))


@part
class Tied(Autoencoder):
    """The decoder's last matrix is that of the encoder's first layer, transposed."""

    def __init__(self):
        encoder = Inwards()
        super().__init__(encoder, bottlenecks.Identity(16, 4), Outwards(encoder.layer), likelihoods.SquaredError())


@pytest.fixture
def made():
    torch.manual_seed(0)
    return Tied()


@pytest.mark.parametrize("precision", ["float32", "bf16"])
@pytest.mark.parametrize("ema", [None, 0.9])
@pytest.mark.parametrize("keep", ["last", "best"])
def test_both_names_hold_what_is_kept(precision, ema, keep, made, train, tiny_pixels):
    x, held = tiny_pixels(), tiny_pixels(seed=1)
    run = train(made, x, held, epochs=3, lr=3e-2, ema=ema, precision=precision, keep=keep)
    for name in ("model", "best"):
        tensors, _ = files.read_tensors(run.path / f"{name}.safetensors")
        one, other = tensors["encoder.layer.weight"], tensors["decoder.mirrored.weight"]
        assert one.dtype == other.dtype == torch.float32
        assert torch.equal(one, other), name
    best = diabolo.load(run.path, "best")
    error = (best.reconstruct(held) - torch.from_numpy(held).float() / 255).square().mean()
    assert float(error) == pytest.approx(min(line["validation"]["total"] for line in run.history), rel=1e-4)


@pytest.mark.parametrize("ema", [None, 0.9])
def test_it_goes_on_bit_for_bit(ema, made, train, tiny_pixels, left, tmp_path):
    x = tiny_pixels()
    how = {"lr": 3e-2, "ema": ema, "precision": "bf16"}
    half = train(made, x, epochs=2, **how)
    diabolo.resume(half.path, x, epochs=4)
    torch.manual_seed(0)
    whole = train(Tied(), x, epochs=4, **how)
    assert left(half.path) == left(whole.path)


@part
class Layer(nn.Module):
    def __init__(self, units: int = 16):
        super().__init__()
        self.linear, self.norm = nn.Linear(64, units), nn.BatchNorm1d(units)


@part
class First(nn.Module):
    def __init__(self, layer: Layer):
        super().__init__()
        self.layer, self.input_shape = layer, (1, 8, 8)

    def forward(self, x):
        return self.layer.norm(self.layer.linear(x.flatten(1))).relu()


@part
class Last(nn.Module):
    def __init__(self, layer: Layer, others: tuple = ()):
        super().__init__()
        self.inner, self.layer, self.others = nn.Linear(4, 16), layer, others

    def forward(self, z):
        return (self.layer.norm(self.inner(z)).relu() @ self.layer.linear.weight).unflatten(1, (1, 8, 8))


def of_parts(last=Last):
    torch.manual_seed(0)
    layer = Layer()
    return Autoencoder(First(layer), bottlenecks.Identity(16, 4), last(layer, (layer,)), likelihoods.SquaredError())


def count(model):
    return sum(p.numel() for p in model.parameters())


def test_a_part_given_to_two_others_is_described_and_built_once():
    model = of_parts()
    described = parts.describe(model)
    assert described["decoder"]["layer"] == {"same_as": "encoder.layer"}
    assert described["decoder"]["others"] == [{"same_as": "encoder.layer"}]
    again = parts.build(json.loads(json.dumps(described)))
    assert again.decoder.layer is again.encoder.layer is again.decoder.others[0]
    assert count(again) == count(model)
    assert parts.describe(again) == described


@pytest.mark.parametrize("where", ["encoder.nothing", "decoder", "", 3, None])
def test_a_part_that_is_to_be_the_same_as_none_is_refused(where):
    described = parts.describe(of_parts())
    described["decoder"]["layer"] = {"same_as": where}
    with pytest.raises(DiaboloError, match="no part"):
        parts.build(described)


@pytest.mark.parametrize("how", ["parts", "by hand"])
def test_what_is_shared_is_shared_when_it_is_loaded_resumed_and_averaged(how, train, tiny_pixels, left):
    def made():
        if how == "parts":
            return of_parts()
        torch.manual_seed(0)
        model = diabolo.zoo.undercomplete((1, 8, 8), latent_dim=64, net="mlp", hidden=(64, 64))
        layers = [m for m in model.modules() if isinstance(m, nn.Linear) and m.weight.shape == (64, 64)]
        assert len(layers) > 2
        layers[-1].weight = layers[0].weight
        return model

    x = tiny_pixels()
    how_trained = {"ema": 0.9, "lr": 1e-2}
    half = train(made(), x, epochs=1, **how_trained)
    again = diabolo.load(half.path)
    assert count(again) == count(half.model)
    assert tied.groups(again) == tied.groups(half.model) != []
    diabolo.resume(half.path, x, epochs=3)
    assert left(half.path) == left(train(made(), x, epochs=3, **how_trained).path)


@pytest.mark.parametrize("said", [[["encoder.layer.linear.weight", "nothing"]], "all", [["a"], 3], [[["x"]]], {"a": 1},
                                  [["encoder.layer.linear.weight", "encoder.layer.linear.bias"]]])  # fmt: skip
def test_a_folder_that_shares_what_is_not_there_is_refused(said):
    with pytest.raises(DiaboloError, match="weights"):
        tied.tie(of_parts(), said)


def test_what_is_tied_stays_tied_in_copies_and_under_a_frozen_name(train, tiny_pixels):
    model = of_parts()
    assert count(copy.deepcopy(model)) == count(model)
    before = model.encoder.layer.linear.weight.detach().clone()
    run = train(model, tiny_pixels(), epochs=1, freeze="decoder.layer", lr=1e-2)
    assert torch.equal(run.model.encoder.layer.linear.weight, before)


@pytest.mark.slow
def test_compiled_steps_train_what_is_shared_as_eager_ones_do(train, tiny_pixels):
    runs = [train(of_parts(), tiny_pixels(), epochs=2, lr=1e-2, compile=compiled) for compiled in (False, True)]
    one, other = (run.model.encoder.layer.linear.weight for run in runs)
    torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)
    assert runs[0].history[-1]["train"]["total"] == pytest.approx(runs[1].history[-1]["train"]["total"], rel=1e-4)
    assert all(isinstance(t, nn.Parameter) for t in runs[1].model.parameters())
