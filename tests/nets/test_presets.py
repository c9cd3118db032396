"""The pairs of well-known experiments: every layer and parameter as published."""

import json
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from diabolo import bottlenecks, nets, parts, zoo
from diabolo.errors import DiaboloError
from diabolo.nets.layers import BatchNorm2d

MNIST = (1, 28, 28)


def count(model):
    return sum(p.numel() for p in model.parameters())


def dense(*widths):
    return sum(a * b + b for a, b in pairwise(widths))


@pytest.mark.parametrize(
    ("net", "latent_dim", "hidden", "activation"),
    [
        ("mlp-512-256-128", 2, (512, 256, 128), nn.LeakyReLU),
        ("mlp-256-128", 32, (256, 128), nn.ReLU),
        ("mlp-one-hidden", 10, (128,), nn.ReLU),
        ("linear", 10, (), None),
    ],
)
def test_the_fully_connected_ones(net, latent_dim, hidden, activation):
    model = zoo.undercomplete(MNIST, latent_dim, net=net)
    there, back = (784, *hidden, latent_dim), (latent_dim, *reversed(hidden), 784)
    layers = [m for m in model.modules() if isinstance(m, nn.Linear)]
    wanted = [*pairwise(there), *pairwise(back)]
    assert [(m.in_features, m.out_features) for m in layers] == wanted
    assert count(model) == dense(*there) + dense(*back)
    others = [m for m in model.modules() if not list(m.children()) and not isinstance(m, nn.Linear)]
    assert [type(m) for m in others if "diabolo" not in type(m).__module__] == [activation] * 2 * len(hidden)
    assert isinstance(model.bottleneck, bottlenecks.Identity)  # no activation on the code


def test_the_pair_for_the_plane_is_small_enough():
    assert count(zoo.undercomplete(MNIST, 2, net="mlp-512-256-128")) <= 1_500_000


def test_one_hidden_layer_may_have_any_width_but_is_one():
    model = zoo.undercomplete(MNIST, 3, net="mlp-one-hidden", hidden=(50,))
    assert count(model) == dense(784, 50, 3) + dense(3, 50, 784)
    for hidden, said in (
        ((50, 20), "one hidden layer"),
        ((), "one hidden layer"),
        (50, "hidden must be whole numbers"),
    ):
        with pytest.raises(DiaboloError, match=said):
            zoo.undercomplete(MNIST, 3, net="mlp-one-hidden", hidden=hidden)


def test_conv_to_point_by_hand():
    model = zoo.undercomplete(MNIST, 64, net="conv-to-point")
    kernels = 16 * 32 + 16 * 32 * 64 + 9 * 64 * 128 + 9 * 128 * 256
    encoder = kernels + 32 + 3 * (64 + 128 + 256)  # a bias, and scale and shift of batch norm
    decoder = dense(64, 256) + 2 * 256 + kernels + 1 + 3 * (128 + 64 + 32)
    assert count(model) == encoder + dense(256, 64) + decoder == 839_489
    assert all(m.bias is not None for m in model.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d))
    first = [type(m).__name__ for m in model.decoder.from_code]
    assert first == ["Linear", "Unflatten", "BatchNorm2d", "LeakyReLU"]


def test_conv_16_32_64_by_hand():
    model = zoo.undercomplete(MNIST, 32, net="conv-16-32-64")
    kernels = 9 * 16 + 9 * 16 * 32 + 49 * 32 * 64
    assert count(model.encoder) == kernels + 16 + 32 + 64
    assert count(model.decoder) == dense(32, 64) + kernels + 32 + 16 + 1
    assert [m.kernel_size for m in model.encoder.modules() if isinstance(m, nn.Conv2d)] == [(3, 3), (3, 3), (7, 7)]
    assert model.encoder.map_shape == (64, 1, 1)
    assert zoo.undercomplete((1, 8, 8), 4, net="conv-16-32-64").reconstruct(torch.rand(2, 1, 8, 8)).shape == (
        2,
        1,
        8,
        8,
    )


# --- convolutions and pooling alone ---------------------------------------------------------------------------------------


def test_the_denoiser_has_three_convolutions_three_transposed_ones_and_a_last():
    model = zoo.denoising_conv(MNIST)
    block, back = ["Conv2d", "BatchNorm2d", "LeakyReLU", "MaxPool2d"], ["ConvTranspose2d", "BatchNorm2d", "LeakyReLU"]
    assert [type(m).__name__ for m in model.encoder.modules() if not list(m.children())] == 3 * block
    kinds = [type(m).__name__ for m in model.decoder.modules() if not list(m.children())]
    assert kinds == ["Identity", *3 * back, "Conv2d"]
    assert not [m for m in model.modules() if isinstance(m, nn.Linear)]
    assert not list(model.bottleneck.parameters())
    kernels = 9 * (16 + 16 * 20 + 20 * 16) + 9 * (16 * 20 + 20 * 16 + 16 * 16)
    norms = 2 * (16 + 20 + 16) + 2 * (20 + 16 + 16)
    assert count(model) == kernels + norms + 9 * 16 + 1 == 14_321
    assert model.latent_shape == (16, 3, 3)
    assert model.summary().parameters <= 15_000


def test_its_code_is_the_map_itself():
    model = zoo.denoising_conv(MNIST)
    x = torch.rand(2, *MNIST)
    z = model.encode(x)
    assert torch.equal(z, model.encoder.eval().layers(x))
    assert torch.equal(model.decode(z), torch.sigmoid(model.decoder.eval().layers(z)))
    assert torch.equal(model.decode(z), model.reconstruct(x))
    assert model.corruption.sigma == 0.5
    assert model.corruption.clip
    assert model.sample(2).shape == (2, *MNIST)


def test_the_waist_is_narrowed_by_the_last_channels():
    assert zoo.denoising_conv(MNIST, channels=(16, 16, 2)).latent_shape == (2, 3, 3)
    assert zoo.denoising_conv(MNIST, net="conv").latent_shape == (128, 3, 3)
    assert zoo.denoising_conv((3, 32, 32), net="resnet", channels=(8, 4)).latent_shape == (4, 8, 8)
    with pytest.raises(DiaboloError, match="needs an encoder that ends in a map"):
        zoo.denoising_conv(MNIST, net="mlp")


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([1, 3]), st.integers(8, 50), st.integers(8, 50), st.sampled_from([3, nets.Maps(5), nets.Maps()]))
def test_any_image_comes_back(channels, height, width, code):
    shape = (channels, height, width)
    encoder, decoder = nets.build("conv-pool", shape, code, (2, 6), channels=(2, 3, 4))
    features = encoder(torch.rand(2, *shape), torch.rand(2, 2))
    assert features.shape == (2, encoder.features)
    z = torch.rand(2, 3) if code == 3 else torch.rand(2, code.channels or 4, *encoder.map_shape[1:])
    assert decoder(z, torch.rand(2, 6)).shape == (2, *shape)


def test_statistics_are_shared_between_processes():
    assert all(type(m) is BatchNorm2d for m in zoo.denoising_conv(MNIST).modules() if isinstance(m, nn.BatchNorm2d))


@pytest.mark.parametrize("net", ["linear", "mlp-512-256-128", "mlp-256-128", "mlp-one-hidden", "conv-pool"])
def test_survives_a_run_folder(net):
    for part, x in zip(nets.build(net, MNIST, 4), (torch.rand(3, *MNIST), torch.rand(3, 4)), strict=True):
        again = parts.build(json.loads(json.dumps(parts.describe(part))))
        again.load_state_dict(part.state_dict())
        assert torch.equal(again.eval()(x), part.eval()(x))


@pytest.mark.parametrize(
    ("net", "options", "says"),
    [
        ("linear", {"hidden": (3,)}, "unknown option 'hidden' of the net 'linear'"),
        ("mlp-256-128", {"hidden": (3,)}, "unknown option 'hidden' of the net 'mlp-256-128'"),
        ("conv-pool", {"channels": ()}, "channels"),
        ("conv-pool", {"channels": (4, 0)}, "channels"),
        ("conv-pool", {"channels": 4}, "channels"),
        ("conv-pool", {"channels": (4,) * 5}, "5 layers are too many for a side of 28 pixels"),
        ("conv-pool", {"norm": "group"}, "unknown option 'norm' of the net 'conv-pool'"),
    ],
)
def test_nonsense_is_refused(net, options, says):
    with pytest.raises(DiaboloError, match=says):
        nets.build(net, MNIST, 4, **options)


@pytest.mark.parametrize(
    ("shape", "options", "net"),
    [
        ((3, 32, 32), {}, "ConvEncoder"),
        ((3, 64, 64), {"channels": (8, 16)}, "ConvEncoder"),
        ((3, 32, 32), {"hidden": (32,)}, "MLPEncoder"),
        ((3, 32, 32), {"hidden": None}, "ConvEncoder"),
        ((3, 8, 8), {}, "MLPEncoder"),
        ((1, 28, 28), {}, "MLPEncoder"),
        ((30,), {}, "MLPEncoder"),
    ],
)
def test_where_nobody_names_a_net_the_images_choose_it(shape, options, net):
    model = zoo.m2(shape, latent_dim=4, **options)
    assert type(model.encoder).__name__ == net
    assert type(model.head.encoder).__name__ == net
