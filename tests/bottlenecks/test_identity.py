"""Codes and decoders held small: each penalty against its definition, in float64."""

from itertools import product

import pytest
import torch
from torch import nn
from torch.autograd.functional import jacobian

from diabolo import zoo
from diabolo.bottlenecks import Identity, Latent, Regularised
from diabolo.errors import DiaboloError
from diabolo.randomness import Draws, generator


def test_the_code_is_a_linear_map_without_penalty():
    features = torch.randn(6, 10, generator=torch.Generator().manual_seed(0))
    bottleneck = Identity(10, 3)
    latent = bottleneck(features, Draws())
    wanted = features @ bottleneck.to_code.weight.T + bottleneck.to_code.bias
    assert torch.allclose(latent.z, wanted, atol=1e-6)
    assert torch.equal(latent.code, latent.z)
    assert latent.penalties == bottleneck.weights == bottleneck.units == {}
    assert bottleneck.latent_shape == (3,)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_codes_are_float32(dtype):
    assert Identity(10, 3).to(dtype)(torch.zeros(2, 10, dtype=dtype), Draws()).z.dtype == torch.float32


def test_no_code_is_refused():
    with pytest.raises(DiaboloError, match="latent_dim must be a whole number of at least 1, not 0"):
        Identity(10, 0)


SHAPE = (1, 8, 8)


def model(seed=0, **options):
    torch.manual_seed(seed)
    return zoo.rae(SHAPE, **({"latent_dim": 3, "hidden": (6,), "activation": "tanh"} | options))


def images(n=5):
    return torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(0))


def test_small_codes():
    bottleneck = Regularised(3, 3, code_l2=0.5)
    with torch.no_grad():
        bottleneck.to_code.weight.copy_(torch.eye(3))
        bottleneck.to_code.bias.zero_()
    latent = bottleneck(torch.tensor([[1.0, -2.0, 0.0], [0.0, 3.0, 4.0]]), Draws())
    assert latent.penalties["code_l2"].tolist() == [2.5, 12.5]
    assert bottleneck.weights["code_l2"](0.3) == 0.5
    assert bottleneck.units.keys() == bottleneck.weights.keys() == {"code_l2"}


def test_small_weights_of_the_decoder():
    rae = model(decoder_l2=0.5)
    loss = rae.loss(images())
    wanted = sum(p.square().sum() for p in rae.decoder.parameters())
    assert loss.terms["decoder_l2"].item() == pytest.approx(wanted.item(), rel=1e-6)
    for p, g in zip(
        rae.decoder.parameters(),
        torch.autograd.grad(loss.terms["decoder_l2"], [*rae.decoder.parameters()]),
        strict=True,
    ):
        assert torch.allclose(g, 2 * p, rtol=1e-5)


def test_a_flat_decoder():
    # a decoder of 3 pixels: the mean over all 8 combinations of signs is the norm itself
    torch.manual_seed(0)
    decoder = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    bottleneck, z = Regularised(5, 2, gradient_penalty=1.0), torch.randn(4, 2, dtype=torch.float64).requires_grad_()
    found = []
    for signs in product((0.25, 0.75), repeat=3):
        draws = Draws()
        draws.uniform = lambda like, signs=signs: torch.tensor(signs).expand_as(like)
        raw = decoder(z)
        found.append(bottleneck.batch_penalties(z, Latent(z, z), raw, decoder, draws, 1.0)["gradient_penalty"])
    wanted = torch.stack([jacobian(decoder, one).square().sum() for one in z])
    assert torch.allclose(torch.stack(found).mean(0).double(), wanted, rtol=1e-5)


@pytest.mark.parametrize("frozen", [(), ("encoder", "bottleneck"), ("decoder",)])
def test_in_training_and_in_validation(frozen):
    rae = model(gradient_penalty=1.0)
    for part in frozen:
        getattr(rae, part).requires_grad_(False)
    x = images(200)
    training, validation = rae.loss(x, Draws(generator(0))), None
    with torch.no_grad():
        validation = rae.loss(x, Draws(generator(0)))
    assert validation.terms["gradient_penalty"].item() == pytest.approx(training.terms["gradient_penalty"].item())
    assert not validation.total.requires_grad
    training.total.backward()
    wanted = torch.stack([jacobian(lambda z: rae.decoder(z[None])[0], z).square().sum() for z in rae.encode(x)])
    assert training.terms["gradient_penalty"].item() == pytest.approx(wanted.mean().item(), rel=0.2)


def test_what_weighs_nothing_is_not_there():
    rae = model(code_l2=0.0, decoder_l2=0.0)
    assert rae.units.keys() == {"reconstruction"}
    assert rae.loss(images()).terms.keys() == {"reconstruction"}
    assert not rae.bottleneck.differentiates
    everything = model(code_l2="linear(0, 1)", decoder_l2=1.0, gradient_penalty=1.0)
    loss = everything.loss(images(), Draws(generator(0)), 0.5)
    assert list(loss.terms) == list(everything.units) == ["reconstruction", "code_l2", "decoder_l2", "gradient_penalty"]
    assert loss.weights["code_l2"] == 0.5


def test_bfloat16_gives_nearly_the_same_in_float32():
    rae, x = model(gradient_penalty=1.0), images(16)
    plain = rae.loss(x, Draws(generator(0))).terms
    with torch.autocast("cpu", torch.bfloat16):
        loss = rae.loss(x, Draws(generator(0)))
    loss.total.backward()
    for name, value in loss.terms.items():
        assert value.dtype == torch.float32
        assert value.item() == pytest.approx(plain[name].item(), rel=0.05)
    assert all(p.grad.isfinite().all() for p in rae.parameters())


def test_training_flattens_the_decoder():
    x, found = images(64), []
    for weight in (0.0, 1e-2):
        rae = model(gradient_penalty=weight, decoder_l2=0.0)
        optimizer, draws = torch.optim.Adam(rae.parameters(), lr=3e-3), Draws(generator(0))
        for _ in range(100):
            optimizer.zero_grad()
            rae.loss(x, draws).total.backward()
            optimizer.step()
        found.append(jacobian(lambda z, rae=rae: rae.decoder(z[None])[0], rae.encode(x)[0]).square().sum())
    assert found[1] < 0.5 * found[0]


@pytest.mark.parametrize("name", ["code_l2", "decoder_l2", "gradient_penalty"])
@pytest.mark.parametrize("weight", [-1.0, "linear(0, -1)", "inf"])
def test_a_weight_that_rewards_is_refused(name, weight):
    with pytest.raises(DiaboloError):
        Regularised(4, 2, **{name: weight})
