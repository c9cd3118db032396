"""The continuous Bernoulli: normalised, stable around λ = ½, and its mean is a mean."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from torch.distributions import ContinuousBernoulli as Theirs

from diabolo import zoo
from diabolo.likelihoods import Bernoulli, ContinuousBernoulli
from diabolo.likelihoods.densities import log_normaliser

OURS = ContinuousBernoulli()
LOGITS = [0.0, 1e-6, 1e-3, 0.1, 0.499999, 0.5, 0.500001, 1.0, 3.0, 10.0]
BOTH = sorted({sign * logit for logit in LOGITS for sign in (-1, 1)})


@pytest.mark.parametrize("logit", BOTH)
def test_the_density_integrates_to_one_and_x_hat_is_its_mean(logit):
    raw = torch.tensor([[logit]])

    def density(x):
        return torch.exp(-OURS.loss(raw.double(), torch.tensor([[x]], dtype=torch.float64))).item()

    assert quad(density, 0, 1)[0] == pytest.approx(1, abs=2e-6)
    assert quad(lambda x: x * density(x), 0, 1)[0] == pytest.approx(OURS.mean(raw).item(), abs=2e-6)


def test_the_normaliser_is_that_of_float64_mathematics():
    logits = torch.cat([torch.linspace(-40, 40, 4001), torch.linspace(-0.6, 0.6, 2001)]).double()
    logits = logits[logits.abs() > 1e-3]
    wanted = torch.log(logits / torch.tanh(logits / 2))
    assert torch.allclose(log_normaliser(logits.float()).double(), wanted, rtol=2e-7, atol=2e-7)
    assert log_normaliser(torch.zeros(1)).item() == pytest.approx(np.log(2), abs=1e-7)
    # the series itself, in float64, where it is used
    near = logits[logits.abs() < 0.5]
    assert torch.allclose(log_normaliser(near), torch.log(near / torch.tanh(near / 2)), rtol=0, atol=3e-9)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.01, 5.0))
def test_it_is_the_log_density_of_torch(seed, spread):
    g = torch.Generator().manual_seed(seed)
    raw, x = spread * torch.randn(4, 1, 5, 5, generator=g), torch.rand(4, 1, 5, 5, generator=g)
    theirs = Theirs(logits=raw.double())
    assert torch.allclose(
        OURS.loss(raw, x).double(), -theirs.log_prob(x.double()).flatten(1).sum(1), rtol=1e-4, atol=2e-3
    )
    assert torch.allclose(OURS.mean(raw).double(), theirs.mean, atol=2e-5)  # torch's own series is a short one


def test_its_derivative_is_mean_minus_x_even_around_one_half():
    # an exponential family: d/d logit of −log p is E[x] − x; through log C by autograd, against the closed form of the mean
    raw = torch.cat([torch.linspace(-30, 30, 2001), torch.linspace(-1, 1, 2001), torch.zeros(1)])[:, None]
    raw.requires_grad_()
    x = torch.full_like(raw, 0.3)
    (gradient,) = torch.autograd.grad(OURS.loss(raw, x).sum(), raw)
    assert torch.allclose(gradient, OURS.mean(raw) - x, atol=3e-6)


def test_x_hat_is_not_the_sigmoid():
    raw = torch.tensor([-4.0, -1.0, 0.0, 1.0, 4.0])
    x_hat = OURS.mean(raw)
    drawn = (x_hat - 0.5).abs() < (torch.sigmoid(raw) - 0.5).abs()
    assert drawn.tolist() == [True, True, False, True, True]
    assert x_hat[2] == 0.5
    assert (OURS.mean(torch.tensor([-1e4, 1e4])) - torch.tensor([0.0, 1.0])).abs().max() < 1e-3


def test_it_differs_from_the_cross_entropy_by_the_normaliser():
    raw, x = torch.randn(3, 7), torch.rand(3, 7)
    assert torch.allclose(Bernoulli().loss(raw, x) - OURS.loss(raw, x), log_normaliser(raw).sum(1), atol=1e-5)


def test_a_vae_trains_with_it_by_name():
    model = zoo.vae((1, 8, 8), 4, hidden=(16,), likelihood="continuous-bernoulli")
    loss = model.loss(torch.rand(6, 1, 8, 8))
    loss.total.backward()
    assert model.units["reconstruction"] == "nats per image"
    assert all(p.grad.isfinite().all() for p in model.parameters())
