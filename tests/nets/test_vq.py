"""The pair of van den Oord et al. 2017 for CIFAR-10, layer by layer, and any other size."""

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from diabolo import nets, parts
from diabolo.errors import DiaboloError

CIFAR = (3, 32, 32)


def layers(net):
    """(kind, weight shape, stride) of the layers with weights, in the order they run."""
    found = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d | nn.Linear)]
    return [(type(m).__name__, tuple(m.weight.shape), m.stride[0] if hasattr(m, "stride") else None) for m in found]


RESIDUALS = [("Conv2d", (32, 128, 3, 3), 1), ("Conv2d", (128, 32, 1, 1), 1)] * 2


def test_the_layers_are_those_of_the_paper():
    encoder, decoder = nets.build("vq-conv", CIFAR, nets.Maps(64))
    assert encoder.map_shape == (128, 8, 8)
    assert layers(encoder) == [
        ("Conv2d", (64, 3, 4, 4), 2),
        ("Conv2d", (128, 64, 4, 4), 2),
        ("Conv2d", (128, 128, 3, 3), 1),
        *RESIDUALS,
    ]
    assert layers(decoder) == [
        ("Conv2d", (128, 64, 3, 3), 1),
        *RESIDUALS,
        ("ConvTranspose2d", (128, 64, 4, 4), 2),
        ("ConvTranspose2d", (64, 3, 4, 4), 2),
    ]
    # by hand: 3·64·16+64, 64·128·16+128, 128²·9+128, and twice 128·32·9+32 + 32·128+128
    residuals = 2 * (128 * 32 * 9 + 32 + 32 * 128 + 128)
    assert sum(p.numel() for p in encoder.parameters()) == 3136 + 131200 + 147584 + residuals
    assert sum(p.numel() for p in decoder.parameters()) == 73856 + residuals + 131136 + 3075
    assert encoder(torch.rand(2, *CIFAR)).shape == (2, 128 * 64)
    assert decoder(torch.randn(2, 64, 8, 8)).shape == (2, *CIFAR)


def test_it_computes_what_the_paper_draws():
    encoder, decoder = (m.double() for m in nets.build("vq-conv", CIFAR, nets.Maps(6), width=8, residual_width=5))
    x, z = torch.rand(2, *CIFAR, dtype=torch.float64), torch.randn(2, 6, 8, 8, dtype=torch.float64)
    one, two, three, r1, r2, r3, r4 = [m for m in encoder.modules() if isinstance(m, nn.Conv2d)]
    h = three(two(one(x - 0.5).relu()).relu())
    for narrow, wide in ((r1, r2), (r3, r4)):
        h = h + wide(narrow(h.relu()).relu())
    assert torch.allclose(encoder(x), h.relu().flatten(1))
    first, r1, r2, r3, r4 = [m for m in decoder.modules() if isinstance(m, nn.Conv2d)]
    up, out = [m for m in decoder.modules() if isinstance(m, nn.ConvTranspose2d)]
    h = first(z)
    for narrow, wide in ((r1, r2), (r3, r4)):
        h = h + wide(narrow(h.relu()).relu())
    h = functional.conv_transpose2d(h.relu(), up.weight, up.bias, 2, 1).relu()
    assert torch.allclose(decoder(z), functional.conv_transpose2d(h, out.weight, out.bias, 2, 1))


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([1, 3]), st.integers(8, 50), st.integers(8, 50), st.sampled_from([3, nets.Maps(3), nets.Maps()]))
def test_any_image_comes_back(channels, height, width, code):
    shape = (channels, height, width)
    encoder, decoder = nets.build("vq-conv", shape, code, (2, 4), width=4, residual_width=2, residual_layers=1)
    features = encoder(torch.rand(2, *shape), torch.rand(2, 2))
    assert features.shape == (2, encoder.features)
    z = torch.rand(2, 3) if code == 3 else torch.rand(2, code.channels or 4, *encoder.map_shape[1:])
    assert decoder(z, torch.rand(2, 4)).shape == (2, *shape)


def test_each_width_and_the_depth_can_be_halved():
    whole = sum(p.numel() for p in nets.build("vq-conv", CIFAR, nets.Maps(64))[0].parameters())
    for option in ({"width": 64}, {"residual_width": 16}, {"residual_layers": 1}, {"residual_layers": 0}):
        encoder, decoder = nets.build("vq-conv", CIFAR, nets.Maps(64), **option)
        assert sum(p.numel() for p in encoder.parameters()) < whole
        assert decoder(torch.randn(1, 64, 8, 8)).shape == (1, *CIFAR)


def test_survives_a_run_folder():
    pair = nets.build("vq-conv", (1, 9, 11), nets.Maps(3), width=4)
    for net, x in zip(pair, (torch.rand(2, 1, 9, 11), torch.rand(2, 3, 2, 2)), strict=True):
        again = parts.build(json.loads(json.dumps(parts.describe(net))))
        again.load_state_dict(net.state_dict())
        assert torch.equal(again(x), net(x))


@pytest.mark.parametrize(
    ("shape", "options", "says"),
    [
        ((1, 7, 9), {}, "8×8 pixels or more"),
        ((64,), {}, r"images \(C, H, W\)"),
        (CIFAR, {"width": 1}, "width must be a whole number of at least 2"),
        (CIFAR, {"residual_width": 0}, "residual_width must be a whole number of at least 1"),
        (CIFAR, {"residual_layers": -1}, "residual_layers must be a whole number from 0"),
        (CIFAR, {"channels": (3,)}, "unknown option 'channels' of the net 'vq-conv'"),
        (CIFAR, {"activation": "rellu"}, "did you mean 'relu'"),
    ],
)
def test_nonsense_is_refused(shape, options, says):
    with pytest.raises(DiaboloError, match=says):
        nets.build("vq-conv", shape, 4, **options)
