"""Pre-activation residual cones: He et al. 2016 block by block, and any size from 8×8 up comes back."""

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from diabolo import nets, parts, zoo
from diabolo.errors import DiaboloError
from diabolo.nets.resnet import PreActivation

NORMS = st.sampled_from(["batch", "group", "none"])


@pytest.mark.parametrize("channels", [1, 3])
def test_every_square_size_comes_back(channels):
    for size in range(8, 70):
        encoder, decoder = nets.build("resnet", (channels, size, size), 3, channels=(2, 3))
        assert encoder(torch.rand(1, channels, size, size)).shape == (1, encoder.features)
        assert encoder.map_shape == (3, -(-size // 4), -(-size // 4))
        assert decoder.eval()(torch.randn(1, 3)).shape == (1, channels, size, size)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([1, 3]), st.integers(8, 50), st.integers(8, 50), NORMS, st.integers(1, 3),
    st.sampled_from([3, nets.Maps(5), nets.Maps()]),
)  # fmt: skip
def test_any_image_code_and_condition(channels, height, width, norm, residual_layers, code):
    shape, options = (channels, height, width), {"channels": (2, 4), "norm": norm, "residual_layers": residual_layers}
    encoder, decoder = nets.build("resnet", shape, code, (2, 6), **options)
    features = encoder(torch.rand(2, *shape), torch.rand(2, 2))
    assert features.shape == (2, encoder.features)
    z = torch.rand(2, 3) if code == 3 else torch.rand(2, code.channels or 4, *encoder.map_shape[1:])
    assert decoder(z, torch.rand(2, 6)).shape == (2, *shape)


@pytest.mark.parametrize(("fan_out", "stride"), [(6, 1), (6, 2), (4, 1), (4, 2)])
def test_a_block_is_that_of_the_paper(fan_out, stride):
    block = PreActivation(4, fan_out, "batch", "relu", stride=stride).double()
    x = torch.randn(3, 4, 9, 9, dtype=torch.float64)

    def normalised(h):
        return (h - h.mean((0, 2, 3), keepdim=True)) / (h.var((0, 2, 3), keepdim=True, correction=0) + 1e-5).sqrt()

    first, second = block.branch[0], block.branch[-1]
    before = normalised(x).relu()
    h = functional.conv2d(before, first.weight, None, stride, 1)
    h = functional.conv2d(normalised(h).relu(), second.weight, second.bias, padding=1)
    same = fan_out == 4 and stride == 1
    shortcut = x if same else functional.conv2d(before, block.shortcut.weight, block.shortcut.bias, stride)
    assert torch.allclose(block(x), h + shortcut)
    assert (block.shortcut is None) == same


def test_blocks_of_zero_weight_change_nothing():
    encoder = nets.build("resnet", (1, 8, 8), 3, channels=(4,), residual_layers=4)[0]
    h = torch.randn(2, 4, 4, 4)
    for block in [m for m in encoder.modules() if isinstance(m, PreActivation)][1:]:
        torch.nn.init.zeros_(block.branch[-1].weight)
        torch.nn.init.zeros_(block.branch[-1].bias)
        assert torch.equal(block(h), h)


def test_features_and_map_have_the_same_order():
    encoder, _ = nets.build("resnet", (1, 12, 20), 3, channels=(2, 4))
    x = torch.rand(2, 1, 12, 20)
    assert torch.equal(encoder(x).view(-1, *encoder.map_shape), encoder.layers(x))


def test_survives_a_run_folder_and_channels_last():
    pair = nets.build("resnet", (3, 13, 10), 4, channels=(8, 8), norm="group", residual_layers=2)
    for net, x in zip(pair, (torch.rand(3, 3, 13, 10), torch.rand(3, 4)), strict=True):
        again = parts.build(json.loads(json.dumps(parts.describe(net))))
        again.load_state_dict(net.state_dict())
        assert torch.equal(again(x), net(x))
        again.double().to(memory_format=torch.channels_last)  # group norm may magnify the rounding of float32
        assert torch.allclose(again(x.double()), net.double()(x.double()), atol=1e-9)


@pytest.mark.parametrize("size", [8, 9, 17, 33])
def test_all_weights_get_a_gradient_in_half_precision_too(size):
    model = zoo.vae((1, size, size), 4, net="resnet")
    with torch.autocast("cpu", torch.bfloat16):
        loss = model.loss(torch.rand(4, 1, size, size))
    loss.total.backward()
    assert loss.total.dtype == torch.float32
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.parameters())


@pytest.mark.parametrize(
    ("shape", "options", "says"),
    [
        ((1, 7, 9), {}, "8×8 pixels or more"),
        ((64,), {}, r"images \(C, H, W\)"),
        ((1, 8, 8), {"channels": ()}, "channels"),
        ((1, 8, 8), {"residual_layers": 0}, "residual_layers must be a whole number from 1"),
        ((1, 8, 8), {"norm": "bacth"}, "did you mean 'batch'"),
        ((1, 8, 8), {"width": 3}, "unknown option 'width' of the net 'resnet'"),
    ],
)
def test_nonsense_is_refused(shape, options, says):
    with pytest.raises(DiaboloError, match=says):
        nets.build("resnet", shape, 4, **options)
