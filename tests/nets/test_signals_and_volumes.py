"""Signals and volumes go through the convolutional nets as images do, and come back in their own size."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

import diabolo
from diabolo import bottlenecks, distributed, metrics, nets, parts, zoo
from diabolo.errors import DiaboloError
from diabolo.nets.conv import ConvDecoder, ConvEncoder, conv_layers
from diabolo.nets.layers import GRIDS, BatchNorm1d, BatchNorm2d, BatchNorm3d, join
from diabolo.randomness import Draws

SIGNAL, VOLUME = (2, 21), (1, 8, 9, 10)
NETS = [("conv1d", SIGNAL), ("conv3d", VOLUME)]
each_net = pytest.mark.parametrize(("net", "shape"), NETS)


def there_and_back(net, shape, **options):
    encoder, decoder = nets.build(net, shape, 3, **options)
    features = encoder(torch.rand(2, *shape))
    assert features.shape == (2, encoder.features)
    assert decoder(torch.randn(2, 3)).shape == (2, *shape)
    return encoder, decoder


@pytest.mark.parametrize("upsampling", [False, True])
def test_every_length_comes_back(upsampling):
    for length in (*range(8, 40), 101, 128, 1000):
        depth = len(conv_layers((3, length)))
        encoder, _ = there_and_back("conv1d", (3, length), channels=(2,) * depth, upsampling=upsampling)
        assert 2 <= encoder.map_shape[1] <= 6, (length, encoder.map_shape)  # "about 4"


side = st.integers(8, 19)


@settings(max_examples=10, deadline=None)
@given(side, side, side, st.sampled_from(["batch", "group", "none"]), st.booleans())
def test_any_volume_comes_back(depth, height, width, norm, upsampling):
    there_and_back("conv3d", (2, depth, height, width), channels=(2,), norm=norm, upsampling=upsampling)


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_any_layers_are_mirrored(data):
    shape = (1, *(data.draw(side) for _ in range(data.draw(st.sampled_from([1, 3])))))
    layer = st.tuples(st.integers(1, 2), st.integers(2, 4), st.integers(1, 3), st.integers(0, 1))
    layers = tuple((c, max(k, s), s, p) for c, k, s, p in data.draw(st.lists(layer, min_size=1, max_size=2)))
    try:
        encoder = ConvEncoder(shape, layers)
    except DiaboloError:
        return
    assert encoder(torch.rand(2, *shape)).shape == (2, encoder.features)
    assert ConvDecoder(3, shape, layers)(torch.randn(2, 3)).shape == (2, *shape)


def test_a_signal_is_an_image_of_one_row():
    """The 1-D net is the 2-D formula along one side: convolution, norm by channel, activation; and back."""
    encoder, decoder = nets.build("conv1d", (2, 23), 3, channels=(4, 5))
    x, z = torch.randn(6, 2, 23), torch.randn(6, 3)
    h = x[:, :, None]
    for i, block in enumerate(encoder.layers):
        first, *_ = block
        h = F.conv2d(h, first.weight[:, :, None], first.bias, (1, 2), (0, 1))
        h = F.batch_norm(h, None, None, training=True) if i else h
        h = F.leaky_relu(h)
    assert torch.allclose(encoder(x), h.flatten(1), atol=1e-5)
    h = F.leaky_relu(F.linear(z, decoder.from_code[0].weight, decoder.from_code[0].bias)).view(6, 5, 1, 5)
    for i, (block, missing) in enumerate(zip(decoder.layers, (1, 1), strict=True)):  # 5 → 11 → 23
        first = block[0] if isinstance(block, nn.Sequential) else block
        h = F.conv_transpose2d(h, first.weight[:, :, None], first.bias, (1, 2), (0, 1), (0, missing))
        h = h if i else F.leaky_relu(F.batch_norm(h, None, None, training=True))
    assert torch.allclose(decoder(z), h[:, :, 0], atol=1e-5)


@each_net
def test_the_decoder_mirrors_the_encoder(net, shape):
    grid = GRIDS[len(shape) - 1]
    encoder, decoder = nets.build(net, shape, 4, channels=(3, 5))
    there, back = (
        [m.weight.shape for m in part.modules() if isinstance(m, kind)]
        for part, kind in ((encoder, grid.convolution), (decoder, grid.transposed))
    )
    assert len(there) == 2
    assert there == back[::-1]
    assert there[0][2:] == (4,) * (len(shape) - 1)
    norms = [m for part in (encoder, decoder) for m in part.modules() if isinstance(m, grid.batch_norm)]
    assert [norm.num_features for norm in norms] == [5, 3]


@each_net
def test_a_condition_joins_as_constant_maps(net, shape):
    x, c = torch.rand(3, *shape), torch.rand(3, 4)
    joined = join(x, c)
    assert torch.equal(joined[:, : shape[0]], x)
    maps = joined[:, shape[0] :].flatten(2)
    assert torch.equal(maps, c[:, :, None].expand_as(maps))
    model = zoo.cvae(shape, 3, net=net, channels=(4,), classes=3)
    x_hat = model.sample(3, y=torch.tensor([0, 1, 2]), seed=0)
    assert x_hat.shape == (3, *shape)
    code = torch.zeros(2, 3)
    one, other = model.decode(code, torch.tensor([0, 2]))
    assert not torch.equal(one, other)


ALL = sorted(
    set(zoo.RECIPES) - {"pca", "completion", "completion_plain"}
)  # which has no net, and a quarter of an image


@each_net
@pytest.mark.parametrize("name", ALL)
@pytest.mark.filterwarnings("ignore:no bottleneck")
def test_every_recipe_takes_them(net, shape, name):
    own = {"latent_dim": 3, "codes": 4, "levels": (3, 3, 3), "classes": 3}
    options = {option: value for option, value in own.items() if option in zoo.options_of(name)}
    channels = (4, 4) if name in ("vqvae", "fsq") else (4,)
    torch.manual_seed(0)
    model = zoo.build(name, shape, net=net, channels=channels, **options)
    x, y = torch.rand(6, *shape), torch.arange(6) % 3 if "classes" in options else None
    model.initialise(x, y)
    model.loss(x, Draws(), y=y).total.backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())
    kind = type(GRIDS[len(shape) - 1].convolution(1, 1, 1)).__name__
    assert kind in str(model.summary())
    again = parts.build(json.loads(json.dumps(parts.describe(model))))
    again.load_state_dict(model.state_dict())
    known = y if model.needs_column else None
    assert torch.equal(again.encode(x, known), model.encode(x, known))
    if model.decodes:
        assert model.reconstruct(x, known).shape == x.shape


@each_net
def test_quantised_maps_have_as_many_sides(net, shape):
    model = zoo.vqvae(shape, latent_dim=3, codes=4, net=net, channels=(4,))
    sides = tuple(length // 2 for length in shape[1:])
    assert model.latent_shape == (3, *sides)
    indices = model.bottleneck.indices(model.features(torch.rand(5, *shape)))
    assert indices.shape == (5, *sides)
    assert torch.equal(model.bottleneck.indices_of(model.bottleneck.codes_of(indices)), indices)

    class Prior:
        def draw(self, n, draws, device):
            return indices[:n].reshape(n, -1, sides[-1])  # as the transformer gives it: row by row

    model.bottleneck.attach(Prior())
    assert torch.equal(model.bottleneck.prior(2, Draws(), torch.device("cpu")), model.bottleneck.codes_of(indices[:2]))
    levels = bottlenecks.FSQ((4, *sides), levels=(3, 5))
    number = levels.indices(torch.randn(5, 4 * int(np.prod(sides))))
    assert torch.equal(levels.indices_of(levels.codes_of(number)), number)


@pytest.mark.parametrize("kind", [BatchNorm1d, BatchNorm2d, BatchNorm3d])
def test_two_processes_normalise_by_the_joint_batch(kind, monkeypatch):
    """With the same rows in both, the joint statistics are those of either; the variance that is kept is of twice the rows."""
    sides = (5, 4, 3)[: {BatchNorm1d: 1, BatchNorm2d: 2, BatchNorm3d: 3}[kind]]
    x = 3 + 2 * torch.randn(6, 7, *sides)
    alone, joint = kind(7), kind(7)
    wanted = alone(torch.cat([x, x]))[:6]
    monkeypatch.setattr(distributed, "world", lambda: 2)
    monkeypatch.setattr(distributed, "mean", lambda value: value)
    assert torch.allclose(joint(x), wanted, atol=1e-5)
    assert torch.allclose(joint.running_mean, alone.running_mean, atol=1e-6)
    assert torch.allclose(joint.running_var, alone.running_var, rtol=1e-5)


def test_the_net_is_chosen_by_the_shape():
    chosen = {
        (30,): "mlp",
        (1, 15): "mlp",
        (1, 16): "conv1d",
        (12, 5000): "conv1d",
        (1, 28, 28): "mlp",
        (3, 32, 32): "conv",
        (3, 32, 15): "mlp",
        (1, 8, 8, 8): "conv3d",
        (1, 7, 64, 64): "mlp",
        (1, 8, 8, 8, 8): "mlp",
    }
    assert {shape: nets.usual(shape) for shape in chosen} == chosen
    assert {nets.usual(shape, ["hidden"]) for shape in chosen} == {"mlp"}
    assert isinstance(zoo.vae((1, 16), 2).encoder, ConvEncoder)


@pytest.mark.parametrize("shape", [(5,), (2, 40), (1, 4, 4), (2, 3, 4, 5), (2, 2, 2, 2, 2)])
def test_mlp_takes_any_shape(shape):
    model = zoo.vae(shape, 2, net="mlp", hidden=(6,))
    assert model.reconstruct(torch.rand(3, *shape)).shape == (3, *shape)


@pytest.mark.parametrize(
    ("net", "shape", "says"),
    [
        ("conv1d", (64,), r"a conv1d net needs signals \(C, L\), not \(64,\); use net='mlp' for vectors"),
        ("conv1d", (1, 28, 28), r"signals \(C, L\).*or, for images \(C, H, W\), net='conv'"),
        ("conv1d", (1, 7), "a conv1d net needs 8 samples or more, not 7; use net='mlp'"),
        ("conv3d", (1, 28, 28), r"a conv3d net needs volumes \(C, D, H, W\), not \(1, 28, 28\)"),
        ("conv3d", (1, 8, 7, 8), "needs 8×8×8 voxels or more, not 8×7×8; use net='mlp'"),
        ("conv", (1, 128), r"a conv net needs images.*or, for signals \(C, L\), net='conv1d'"),
        ("resnet", (1, 8, 8, 8), r"needs images.*or, for volumes \(C, D, H, W\), net='conv3d'"),
        ("unet", (1, 128), "net='conv1d'"),
        ("vq-conv", (1, 128), "net='conv1d'"),
        ("conv-to-point", (1, 128), "net='conv1d'"),
        ("conv1d", (1, 8, 8, 8, 8), r"not \(1, 8, 8, 8, 8\); use net='mlp'$"),
    ],
)
def test_what_does_not_fit_is_refused(net, shape, says):
    with pytest.raises(DiaboloError, match=says):
        nets.build(net, shape, 4)


def test_what_a_vector_of_the_map_sees():
    signal = zoo.vqvae((1, 64), latent_dim=2, codes=4, net="conv1d", channels=(3, 3), norm="none", activation="silu")
    x = SimpleNamespace(images=np.random.default_rng(0).random((2, 1, 64)).astype(np.float32))
    assert metrics.receptive_field(signal, x) == (10,)  # 4 samples, and 2 · 3 more of the second layer's kernel


@parts.part
class Folding(nn.Module):
    """Convolutions of two sides, then of three; norm of vectors."""

    def __init__(self):
        super().__init__()
        self.flat, self.deep = nn.Conv2d(1, 4, 3, 2), nn.Conv3d(1, 2, 2)
        self.norm = nn.BatchNorm1d(24)

    def forward(self, x):
        return self.norm(self.deep(self.flat(x)[:, None]).flatten(1))


def test_a_net_with_layers_of_two_and_of_three_sides_trains_by_batches_of_two_or_more(tiny_pixels, tmp_path):
    """Weights of five dimensions have no channels-last layout of four; any batch norm needs two rows."""
    decoder = nets.build("mlp", (1, 8, 8), 3, hidden=(4,))[1]
    model = zoo.undercomplete((1, 8, 8), 3, net=(Folding(), decoder))
    common = {"epochs": 1, "quiet": True, "out": tmp_path, "device": "cpu"}
    run = diabolo.fit(model, tiny_pixels(8), batch_size=4, **common)
    assert np.isfinite(run.history[0]["train"]["total"])
    with pytest.raises(DiaboloError, match="batch norm needs batches of 2 images or more"):
        diabolo.fit(model, tiny_pixels(8), batch_size=1, **common)
