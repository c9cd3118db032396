"""The face that PCA and every autoencoder have, so that nobody needs to ask which of them a codec is."""

import ast
from pathlib import Path

import numpy as np
import pytest
import torch

import diabolo
from diabolo import bottlenecks, evaluation, latents, likelihoods, nets, zoo
from diabolo.codec import PlainCodec
from diabolo.evaluation.subject import Subject

SRC = Path(diabolo.__file__).parent


@pytest.fixture(scope="module")
def pca(digits):
    model = diabolo.PCA(digits[0].shape, 5)
    model.solve(digits[0].images)
    return model


def members():
    face = {name for name in vars(diabolo.Codec) if not name.startswith("_")} | set(diabolo.Codec.__annotations__)
    assert {"encode", "corrupt", "condition", "drawn_from"} <= face
    return sorted(face)


@pytest.mark.parametrize("member", members())
def test_pca_and_an_autoencoder_have_it(pca, member):
    model = zoo.undercomplete((1, 8, 8), latent_dim=5)
    assert type(getattr(pca, member)) is type(getattr(model, member)) or member in ("bottleneck", "reconstructs")
    assert hasattr(model, member)


def test_what_pca_does_not_have_does_nothing(pca, digits):
    x = torch.from_numpy(digits[1].images[:20])
    pixels, z = x.float() / 255, pca.encode(x)
    assert torch.equal(pca.corrupt(x), pixels)
    assert torch.equal(pca.observe(x.numpy()), pixels)
    assert torch.equal(pca.sample_codes(x, seed=3), z)
    latent = pca.bottleneck(pca.features(x), None)
    assert torch.equal(latent.code, z)
    assert torch.equal(latent.z, z)
    assert (pca.condition.to_encoder, pca.condition.to_decoder, pca.condition.needs_column, pca.head.needs_column) == (
        0, 0, None, None,
    )  # fmt: skip
    assert pca.condition.pick(x, None) is None
    assert not pca.bottleneck.discrete
    assert not any(True for _ in pca.parameters())
    assert set(pca.state_dict()) == {"mu", "components", "variances"}


def test_the_bottleneck_within_skips_is_the_core():
    unet = zoo.unet((1, 16, 16), channels=(4, 8))
    assert isinstance(unet.bottleneck, bottlenecks.WithSkips)
    assert unet.bottleneck.core is unet.bottleneck.inner
    plain = zoo.vae((1, 8, 8), latent_dim=2)
    assert plain.bottleneck.core is plain.bottleneck


def test_features_are_what_the_bottleneck_is_given(digits):
    model = zoo.cvae(digits[0].shape, latent_dim=3)
    some = digits[1].take(range(30))
    y = torch.from_numpy(some.labels)
    features = model.features(torch.from_numpy(some.images), y)
    assert not features.requires_grad
    mu, _ = model.bottleneck.posterior(features)
    assert torch.allclose(mu, model.encode(torch.from_numpy(some.images), y), atol=1e-6)
    assert model.training  # its mode is put back


def test_kl_of_units_of_a_vae_with_skips_is_that_of_its_core(digits):
    encoder, decoder = nets.build("unet", digits[0].shape, 3, channels=(4, 8))
    inner = bottlenecks.Gaussian(encoder.features, 3)
    model = diabolo.Autoencoder(encoder, bottlenecks.around(encoder, inner), decoder, likelihoods.Bernoulli())
    few = digits[1].take(range(40))
    mu, logvar = inner.posterior(model.features(torch.from_numpy(few.images))[:, : encoder.features])
    expected = (0.5 * (mu.double() ** 2 + logvar.double().exp() - 1 - logvar.double())).mean(0)
    assert latents.kl_of_units(model, few) == pytest.approx(expected.detach().numpy(), rel=1e-4)


class Halves(PlainCodec):
    """A codec of one's own, which is neither: it keeps the left half of an image and draws it twice."""

    name = "halves"

    def encode(self, x, y=None):
        return self.observe(x)[..., :4].flatten(1)

    def decode(self, z, y=None):
        return z.view(-1, 1, 8, 4).repeat(1, 1, 1, 2)


def test_a_codec_of_ones_own_is_measured(digits):
    few = digits[0].take(range(200)), digits[1].take(range(150))
    subject = Subject(Halves((1, 8, 8), (32,)), *few)
    found = {
        name: evaluation.MEASURES[name](subject).scores
        for name in ("reconstruction", "usage", "rate", "probes", "learned")
    }
    x = few[1].images.astype(np.float64) / 255
    error = ((np.concatenate([x[..., :4]] * 2, -1) - x) ** 2).mean()
    assert found["reconstruction"]["MSE"].value == pytest.approx(error, rel=1e-5)
    assert found["probes"]
    assert found["learned"]


def test_a_codec_that_lacks_a_half_says_which():
    class Half(PlainCodec):
        name = "half"

    with pytest.raises(
        diabolo.DiaboloError, match=r"the codec half does not say how it encodes: .* encode\(x, y=None\)"
    ):
        Half((4,), (2,)).reconstruct(torch.zeros(1, 4))
    with pytest.raises(diabolo.DiaboloError, match="does not say how it decodes"):
        Half((4,), (2,)).decode(torch.zeros(1, 2))


def test_nobody_asks_which_codec_it_is_without_a_reason():
    """An `isinstance` of a kind of codec says beside it why it must ask."""
    asked = []
    for file in SRC.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "isinstance":
                kinds = {n.id for n in ast.walk(node.args[1]) if isinstance(n, ast.Name)}
                if kinds & {"Autoencoder", "PCA", "Discrete"}:
                    asked.append((file.name, node.lineno, text.splitlines()[node.lineno - 1]))
    assert len(asked) < 12
    assert [one for one in asked if "  # " not in one[2]] == []
