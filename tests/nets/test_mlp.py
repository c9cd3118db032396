import json
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from diabolo import nets, parts
from diabolo.errors import DiaboloError
from diabolo.nets.layers import ACTIVATIONS
from diabolo.nets.mlp import SHORT, MLPDecoder, MLPEncoder

shapes = st.one_of(
    st.tuples(st.integers(1, 40)),
    st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9)),
)


@settings(max_examples=40, deadline=None)
@given(shapes, st.integers(1, 9), st.lists(st.integers(1, 8), max_size=3), st.integers(1, 5))
def test_any_shape_comes_back(shape, latent_dim, hidden, n):
    encoder, decoder = nets.build("mlp", shape, latent_dim, hidden=tuple(hidden))
    assert encoder(torch.rand(n, *shape)).shape == (n, encoder.features)
    assert encoder.features == (hidden[-1] if hidden else math.prod(shape))
    assert decoder(torch.rand(n, latent_dim)).shape == (n, *shape)


def test_layers_are_linear_then_active():
    encoder = MLPEncoder((1, 2, 2), (5, 3), "tanh")
    x = torch.rand(7, 1, 2, 2)
    one, _, two, _ = encoder.layers
    wanted = torch.tanh(torch.tanh(x.flatten(1) @ one.weight.T + one.bias) @ two.weight.T + two.bias)
    assert torch.allclose(encoder(x), wanted, atol=1e-6)


def test_the_decoder_mirrors_the_encoder_and_its_last_layer_is_bare():
    decoder = MLPDecoder(2, (1, 2, 2), (5, 3), "relu")
    one, _, two, _ = decoder.layers
    assert [tuple(m.weight.shape) for m in (one, two, decoder.to_raw)] == [(3, 2), (5, 3), (4, 5)]
    z = torch.randn(6, 2)
    h = (z @ one.weight.T + one.bias).relu()
    h = (h @ two.weight.T + two.bias).relu()
    wanted = (h @ decoder.to_raw.weight.T + decoder.to_raw.bias).view(6, 1, 2, 2)
    assert torch.allclose(decoder(z), wanted, atol=1e-6)


def test_without_hidden_layers_it_is_linear():
    encoder, decoder = nets.build("mlp", (1, 2, 3), 2, hidden=())
    x = torch.rand(4, 1, 2, 3)
    assert torch.equal(encoder(x), x.flatten(1))
    z = torch.randn(4, 2)
    assert torch.allclose(decoder(2 * z) - decoder(z), decoder(z) - decoder(0 * z), atol=1e-5)


def test_none_is_the_default():
    by_default, given = nets.build("mlp", (1, 8, 8), 4), nets.build("mlp", (1, 8, 8), 4, hidden=None, activation=None)
    assert [str(net) for net in by_default] == [str(net) for net in given]
    assert by_default[0].features == 512


@pytest.mark.parametrize(("code", "layers"), [(0, 2), (1, 3), (SHORT, 3), (SHORT + 1, 2), (64, 2)])
def test_a_code_of_a_few_numbers_gets_one_layer_more(code, layers):
    condition = (0, 0 if code else 5)  # without a code the decoder sees the condition alone
    encoder, decoder = nets.build("mlp", (1, 8, 8), code, condition)
    assert [stage[1][0].out_features for stage in encoder.stages] == [512] * layers
    assert [stage[0].out_features for stage in decoder.stages[:-1]] == [512] * layers
    encoder, decoder = nets.build("mlp", (1, 8, 8), code, condition, hidden=(7,))
    assert (len(encoder.stages), len(decoder.stages)) == (1, 2)


def test_survives_a_run_folder():
    for net, x in zip(
        nets.build("mlp", (3, 4, 5), 2, hidden=(6,)), (torch.rand(2, 3, 4, 5), torch.rand(2, 2)), strict=True
    ):
        again = parts.build(json.loads(json.dumps(parts.describe(net))))
        again.load_state_dict(net.state_dict())
        assert torch.equal(again(x), net(x))


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_every_activation(name):
    encoder, decoder = nets.build("mlp", (4,), 2, hidden=(3,), activation=name)
    assert torch.isfinite(decoder(encoder(torch.rand(5, 4))[:, :2])).all()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"hidden": (0,)}, "hidden must be a whole number of at least 1"),
        ({"hidden": (4, -1)}, "hidden must be a whole number of at least 1"),
        ({"hidden": 512}, "hidden"),
        ({"hidden": (2.5,)}, "hidden"),
        ({"activation": "rellu"}, "did you mean 'relu'"),
        ({"hiden": (3,)}, "did you mean 'hidden'"),
        ({"channels": (3,)}, "unknown option 'channels' of the net 'mlp'"),
        ({"norm": "batch"}, "unknown option 'norm' of the net 'mlp'"),
    ],
)
def test_nonsense_is_refused(options, says):
    with pytest.raises(DiaboloError, match=says):
        nets.build("mlp", (1, 8, 8), 4, **options)


@pytest.mark.parametrize(
    ("net", "shape", "latent_dim", "says"),
    [
        ("mpl", (4,), 2, "did you mean 'mlp'"),
        ("mlp", (), 2, "input_shape must be"),
        ("mlp", (1, 0, 8), 2, "input_shape must be"),
        ("mlp", (-3,), 2, "input_shape must be"),
        ("mlp", (4,), 0, "latent_dim must be at least 1, not 0"),
        ("mlp", (4,), 2.5, "latent_dim"),
        ("mlp", (4,), "2", "latent_dim"),
    ],
)
def test_nets_refuse_nonsense(net, shape, latent_dim, says):
    with pytest.raises(DiaboloError, match=says):
        nets.build(net, shape, latent_dim)
