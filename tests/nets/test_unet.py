"""U-Net cones: what the decoder sees is the code, so the skip maps are part of it; cut, it is an ordinary narrow pair."""

import json
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from diabolo import nets, parts, zoo
from diabolo.bottlenecks import WithSkips
from diabolo.errors import DiaboloError

pytestmark = pytest.mark.filterwarnings("ignore:no bottleneck")
SMALL = {"net": "unet", "channels": (4, 6)}


@pytest.mark.parametrize("skips", [True, False])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_square_size_comes_back(channels, skips):
    for size in range(8, 60):
        encoder, decoder = nets.build("unet", (channels, size, size), 3, channels=(2, 3), skips=skips)
        found = encoder(torch.rand(2, channels, size, size))
        assert encoder.features == 3 * (size // 4) ** 2
        assert encoder.skip_features == (2 * size**2 + 3 * (size // 2) ** 2 if skips else 0)
        assert found.shape == (2, encoder.features + encoder.skip_features)
        assert decoder(torch.randn(2, 3 + encoder.skip_features)).shape == (2, channels, size, size)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([1, 3]), st.integers(8, 40), st.integers(8, 40), st.sampled_from(["batch", "group", "none"]),
    st.booleans(), st.sampled_from([3, nets.Maps(5), nets.Maps()]),
)  # fmt: skip
def test_any_image_code_and_condition(channels, height, width, norm, skips, code):
    shape = (channels, height, width)
    encoder, decoder = nets.build("unet", shape, code, (2, 6), channels=(2, 4), norm=norm, skips=skips)
    found = encoder(torch.rand(2, *shape), torch.rand(2, 2))
    assert found.shape == (2, encoder.features + encoder.skip_features)
    own = 3 if code == 3 else (code.channels or 4) * math.prod(encoder.map_shape[1:])
    assert decoder(torch.rand(2, own + encoder.skip_features), torch.rand(2, 6)).shape == (2, *shape)


def test_the_skip_maps_go_to_the_level_of_their_size():
    encoder, decoder = nets.build("unet", (1, 13, 10), 3, channels=(4, 6))
    x = torch.rand(2, 1, 13, 10)
    encoder.eval(), decoder.eval()
    large = encoder.levels[0](x)
    small = encoder.levels[1](encoder.pool(large))
    bottom = encoder.bottom(encoder.pool(small))
    assert torch.equal(encoder(x), torch.cat([h.flatten(1) for h in (bottom, large, small)], 1))
    code = torch.randn(2, 3)
    h = decoder.from_code(code)
    for level, skip in zip(decoder.levels, (small, large), strict=True):
        h = torch.nn.functional.interpolate(h, skip.shape[2:])
        h = level(torch.cat([h, skip], 1))
    z = torch.cat([code, large.flatten(1), small.flatten(1)], 1)
    assert torch.equal(decoder(z), decoder.to_raw(h))


@pytest.mark.parametrize("name", ["undercomplete", "sparse", "vae", "contractive", "rae", "denoising", "unet"])
def test_any_waist_has_the_skips_beside_it_and_inference_agrees(name):
    model = zoo.build(name, (1, 12, 12), latent_dim=5, **SMALL)
    plain = zoo.build(name, (1, 12, 12), latent_dim=5, net="conv")
    inner, skips = model.bottleneck.inner, model.encoder.skip_features
    assert type(inner) is type(plain.bottleneck)
    assert model.latent_shape == (5 + skips,)
    assert model.units == plain.units
    assert model.bottleneck.weights.keys() == plain.bottleneck.weights.keys()
    x = torch.rand(3, 1, 12, 12)
    z = model.encode(x)
    assert torch.equal(model.decode(z), model.reconstruct(x))
    found = model.encoder.eval()(x)
    assert torch.equal(z[:, 5:], found[:, model.encoder.features :])
    loss = model.train().loss(x)
    assert loss.terms.keys() == model.units.keys()
    loss.total.backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    again = parts.build(json.loads(json.dumps(parts.describe(model))))
    again.load_state_dict(model.state_dict())
    assert torch.equal(again.reconstruct(x), model.reconstruct(x))


@pytest.mark.parametrize("name", ["vqvae", "fsq"])
def test_discrete_codes_have_no_way_around_them(name):
    with pytest.raises(DiaboloError, match="around its discrete codes, which no prior could then draw"):
        zoo.build(name, (1, 8, 8), **SMALL)
    assert zoo.build(name, (1, 8, 8), **SMALL, skips=False).bottleneck.discrete


def test_samples_have_the_inner_prior_and_no_skips():
    from diabolo.randomness import Draws, generator

    model = zoo.vae((1, 12, 12), 5, **SMALL)
    z, wanted = (
        b.prior(4, Draws(generator(0)), torch.device("cpu")) for b in (model.bottleneck, model.bottleneck.inner)
    )
    assert torch.equal(z[:, :5], wanted)
    assert not z[:, 5:].any()
    assert model.sample(3).shape == (3, 1, 12, 12)


def test_the_penalties_are_those_of_the_inner_waist():
    model = zoo.vae((1, 12, 12), 5, **SMALL)
    x = torch.rand(3, 1, 12, 12)
    features = model.encoder.eval()(x)[:, : model.encoder.features]
    mu, logvar = model.bottleneck.inner.posterior(features)
    kl = torch.distributions.kl_divergence(
        torch.distributions.Normal(mu.double(), (0.5 * logvar.double()).exp()), torch.distributions.Normal(0.0, 1.0)
    )
    assert model.eval().loss(x).terms["kl"].item() == pytest.approx(kl.sum(1).mean().item(), rel=1e-5)


def test_without_skips_it_is_a_narrow_pair():
    model = zoo.vae((1, 12, 12), 5, **SMALL, skips=False)
    assert model.latent_shape == (5,)
    assert not isinstance(model.bottleneck, WithSkips)
    assert model.decode(torch.zeros(2, 5)).shape == (2, 1, 12, 12)


def test_a_waist_that_starts_from_features_sees_its_own(tiny_pixels):
    class Noting(torch.nn.Module):
        latent_shape, weights, units, logged, differentiates = (2,), {}, {}, (), False

        def initialise(self, features, draws):
            self.seen = features()

    inner = Noting()
    WithSkips(inner, 3, 4).initialise(lambda: torch.arange(14.0).view(2, 7), None)
    assert inner.seen.tolist() == [[0, 1, 2], [7, 8, 9]]


def test_after_training_the_code_of_a_unet_means_little_and_that_of_a_narrow_pair_all(tiny_pixels):
    x = torch.from_numpy(tiny_pixels(64)).float() / 255

    def errors(skips):
        torch.manual_seed(0)
        model = zoo.unet((1, 8, 8), 8, channels=(8, 16), skips=skips)
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        for _ in range(150):
            optimizer.zero_grad()
            model.loss(x).total.backward()
            optimizer.step()
        z = model.encode(x)
        whole = (model.decode(z) - x).square().mean().item()
        z[:, :8] = 0
        return whole, (model.decode(z) - x).square().mean().item()

    (whole, zeroed), (narrow, narrow_zeroed) = errors(True), errors(False)
    assert zeroed < 0.2 * narrow_zeroed  # the image goes around the code
    assert whole < narrow


def test_warns_that_there_is_no_bottleneck():
    with pytest.warns(UserWarning, match="no bottleneck"):
        zoo.unet((1, 12, 12), 5)


@pytest.mark.parametrize(
    ("shape", "options", "says"),
    [
        ((1, 7, 9), {}, "8×8 pixels or more"),
        ((64,), {}, r"images \(C, H, W\)"),
        ((1, 8, 8), {"channels": (2, 2, 2, 2)}, "4 layers are too many for a side of 8 pixels"),
        ((1, 8, 8), {"norm": "bacth"}, "did you mean 'batch'"),
        ((1, 8, 8), {"hidden": (3,)}, "unknown option 'hidden' of the net 'unet'"),
    ],
)
def test_nonsense_is_refused(shape, options, says):
    with pytest.raises(DiaboloError, match=says):
        nets.build("unet", shape, 4, **options)


def test_importance_weights_are_refused_for_want_of_a_density():
    with pytest.raises(DiaboloError, match="importance weights need a bottleneck"):
        zoo.iwae((1, 12, 12), 5, **SMALL)
