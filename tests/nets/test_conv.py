"""Any image of 8×8 pixels or more goes through the cones and comes back in its own size."""

import json
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from diabolo import nets, parts, zoo
from diabolo.errors import DiaboloError
from diabolo.nets.conv import ConvDecoder, ConvEncoder, conv_layers

side = st.integers(8, 100)


def kinds(net, *types):
    return [m for m in net.modules() if isinstance(m, types)]


def there_and_back(shape, **options):
    encoder, decoder = nets.build("conv", shape, 3, **options)
    features = encoder(torch.rand(2, *shape))
    assert features.shape == (2, encoder.features)
    raw = decoder(torch.randn(2, 3))
    assert raw.shape == (2, *shape)
    return encoder, decoder


@pytest.mark.parametrize("channels", [1, 3])
def test_every_square_size_comes_back(channels):
    for size in range(8, 101):
        depth = len(conv_layers((channels, size, size)))
        encoder, _ = there_and_back((channels, size, size), channels=(2,) * depth)
        bottom = math.isqrt(encoder.features // 2)
        assert 2 <= bottom <= 6, (size, bottom)  # "about 4×4"


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([1, 3]), side, side, st.sampled_from(["batch", "group", "none"]))
def test_any_rectangle_comes_back(channels, height, width, norm):
    there_and_back((channels, height, width), norm=norm)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_layers_are_mirrored(data):
    shape = (1, data.draw(side), data.draw(side))
    layer = st.tuples(st.integers(1, 3), st.integers(2, 5), st.integers(1, 3), st.integers(0, 1))
    layers = tuple(data.draw(st.lists(layer, min_size=1, max_size=3)))
    layers = tuple((c, max(k, s), s, p) for c, k, s, p in layers)
    try:
        encoder = ConvEncoder(shape, layers)
    except DiaboloError:
        return
    assert encoder(torch.rand(2, *shape)).shape == (2, encoder.features)
    assert ConvDecoder(3, shape, layers)(torch.randn(2, 3)).shape == (2, *shape)


def test_default_channels_double_up_to_256():
    assert [layer[0] for layer in conv_layers((3, 64, 64))] == [32, 64, 128, 256]
    assert [layer[0] for layer in conv_layers((3, 100, 100))] == [32, 64, 128, 256, 256]
    assert [layer[0] for layer in conv_layers((1, 8, 8))] == [32]
    assert conv_layers((1, 32, 32), (5, 7)) == ((5, 4, 2, 1), (7, 4, 2, 1))


@pytest.mark.parametrize(("norm", "kind"), [("batch", nn.BatchNorm2d), ("group", nn.GroupNorm)])
def test_norm_from_the_second_layer_on(norm, kind):
    encoder, decoder = nets.build("conv", (1, 32, 32), 4, channels=(8, 16, 24), norm=norm)
    assert [bool(kinds(block, kind)) for block in encoder.layers] == [False, True, True]
    assert [bool(kinds(block, kind)) for block in decoder.layers] == [True, True, False]
    for block in encoder.layers[1:]:
        convolution, normalised, _ = block
        assert isinstance(convolution, nn.Conv2d)
        assert isinstance(normalised, kind)
        assert normalised.weight.shape == (convolution.out_channels,)


def test_without_norm():
    for net in nets.build("conv", (1, 32, 32), 4, norm="none"):
        assert not kinds(net, nn.BatchNorm2d, nn.GroupNorm)


def test_the_last_layer_is_bare():
    _, decoder = nets.build("conv", (3, 16, 16), 4)
    assert isinstance(decoder.layers[-1], nn.ConvTranspose2d)
    assert decoder(100 * torch.randn(50, 4)).min() < 0  # no activation keeps the logits above 0


@pytest.mark.parametrize("net", ["conv", "conv-to-point"])
def test_the_decoder_mirrors_the_encoder(net):
    encoder, decoder = nets.build(net, (3, 28, 28), 4)
    there = [m.weight.shape for m in kinds(encoder, nn.Conv2d)]
    back = [m.weight.shape for m in kinds(decoder, nn.ConvTranspose2d)]
    assert there == back[::-1]  # (out, in, k, k) of the one is (in, out, k, k) of the other
    assert decoder.from_code[0].weight.shape == (encoder.features, 4)


def test_conv_to_point_is_the_pair_of_the_notebooks():
    encoder, decoder = nets.build("conv-to-point", (1, 28, 28), 64)
    x, maps = torch.rand(2, 1, 28, 28), []
    for block in encoder.layers:
        x = block(x)
        maps.append(tuple(x.shape[1:]))
    assert maps == [(32, 14, 14), (64, 7, 7), (128, 3, 3), (256, 1, 1)]
    assert decoder(torch.randn(2, 64)).shape == (2, 1, 28, 28)


def test_features_and_map_have_the_same_order():
    # what the encoder flattens, the decoder takes up again as it was
    encoder, decoder = nets.build("conv", (1, 16, 24), 4, channels=(3, 5))
    x = torch.rand(2, 1, 16, 24)
    h = encoder.layers(x)
    assert tuple(h.shape[1:]) == decoder.map_shape == (5, 4, 6)
    assert torch.equal(encoder(x).view(-1, *decoder.map_shape), h)


def test_channels_last_gives_the_same():
    encoder, decoder = nets.build("conv", (3, 20, 28), 4, norm="group")
    x, z = torch.rand(2, 3, 20, 28), torch.randn(2, 4)
    plain = encoder(x), decoder(z)
    encoder.to(memory_format=torch.channels_last)
    decoder.to(memory_format=torch.channels_last)
    for got, wanted in zip((encoder(x), decoder(z)), plain, strict=True):
        assert torch.allclose(got, wanted, atol=1e-5)


@pytest.mark.parametrize("net", ["conv", "conv-to-point"])
def test_survives_a_run_folder(net):
    for part, x in zip(nets.build(net, (3, 28, 30), 4), (torch.rand(3, 3, 28, 30), torch.rand(3, 4)), strict=True):
        again = parts.build(json.loads(json.dumps(parts.describe(part))))
        again.load_state_dict(part.state_dict())
        assert torch.equal(again.eval()(x), part.eval()(x))


@pytest.mark.parametrize("shape", [(1, 7, 7), (3, 8, 7), (3, 7, 64), (1, 1, 1)])
def test_an_image_too_small_is_refused(shape):
    for net in ("conv", "conv-to-point"):
        with pytest.raises(DiaboloError, match=r"8×8 pixels or more, not .*use net='mlp'"):
            nets.build(net, shape, 4)


@pytest.mark.parametrize("shape", [(64,), (28, 28)])
def test_vectors_are_refused(shape):
    with pytest.raises(DiaboloError, match=r"images \(C, H, W\).*use net='mlp'"):
        nets.build("conv", shape, 4)


@pytest.mark.parametrize(
    ("shape", "options", "says"),
    [
        ((1, 8, 8), {"channels": (4, 4, 4, 4)}, r"4 layers are too many for a side of 8 pixels: .*\[8, 4, 2, 1, 0\]"),
        ((1, 64, 8), {"channels": (4,) * 5}, "5 layers are too many for a side of 8 pixels"),
        ((1, 8, 64), {"channels": (4,) * 5}, "5 layers are too many for a side of 8 pixels"),
        ((1, 16, 16), {"channels": ()}, "channels"),
        ((1, 16, 16), {"channels": (0,)}, "channels"),
        ((1, 16, 16), {"channels": (8, -1)}, "channels"),
        ((1, 16, 16), {"channels": 32}, "channels"),
        ((1, 16, 16), {"norm": "bacth"}, "did you mean 'batch'"),
        ((1, 8, 8), {"norm": "bacth"}, "did you mean 'batch'"),  # one layer, which has no norm to build
        ((1, 16, 16), {"activation": "leaky-relu"}, "did you mean 'leaky_relu'"),
        ((1, 16, 16), {"hidden": (3,)}, "unknown option 'hidden' of the net 'conv'"),
    ],
)
@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_nonsense_is_refused(shape, options, says):
    with pytest.raises(DiaboloError, match=says):
        nets.build("conv", shape, 4, **options)


def test_conv_to_point_says_when_its_fixed_layers_do_not_fit():
    with pytest.raises(DiaboloError, match="4 layers are too many for a side of 12 pixels"):
        nets.build("conv-to-point", (1, 12, 12), 4)
    with pytest.raises(DiaboloError, match="unknown option 'channels' of the net 'conv-to-point'"):
        nets.build("conv-to-point", (1, 28, 28), 4, channels=(3,))


@pytest.mark.parametrize("size", [8, 9, 17, 33])
def test_a_batch_trains_through_odd_sizes(size):
    model = zoo.vae((1, size, size), 4, net="conv")
    loss = model.loss(torch.rand(4, 1, size, size))
    loss.total.backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.parameters())


@settings(max_examples=15, deadline=None)
@given(st.sampled_from([1, 3]), side, side)
def test_maps_grow_by_copies_in_place_of_transposed_convolutions(channels, height, width):
    _, decoder = there_and_back((channels, height, width), upsampling=True)
    assert not kinds(decoder, nn.ConvTranspose2d)
    assert all(conv.kernel_size == (3, 3) for conv in kinds(decoder, nn.Conv2d))


def test_copied_pixels_leave_no_grid_where_the_kernels_are_constant():
    """A constant map stays constant, away from the border, through any 3×3 convolutions; through transposed ones of kernel 3
    and stride 2 it does not."""
    layers = ((4, 3, 2, 1), (4, 3, 2, 1))
    flat = {}
    for upsampling in (True, False):
        decoder = ConvDecoder(3, (1, 32, 32), layers, norm="none", upsampling=upsampling)
        for conv in kinds(decoder.layers, nn.Conv2d, nn.ConvTranspose2d):
            nn.init.constant_(conv.weight, 0.1)
            nn.init.zeros_(conv.bias)
        raw = decoder.layers(torch.ones(1, *decoder.map_shape)).detach()[0, 0, 8:-8, 8:-8]
        flat[upsampling] = float(raw.std() / raw.mean())
    assert flat[True] < 1e-5
    assert flat[False] > 0.1
