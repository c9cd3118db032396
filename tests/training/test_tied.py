"""A weight that two layers share has two names in the state of the model: both must hold the same, whatever is kept."""

import pytest
import torch
from torch import nn

import diabolo
from diabolo import Autoencoder, bottlenecks, likelihoods
from diabolo.parts import part
from diabolo.training import files


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
