"""A bound from which there is a way back: within it nothing changes, beyond it only steps that lead back are taken."""

import math

import pytest
import torch

from diabolo.bottlenecks import Gaussian
from diabolo.bottlenecks.gaussian import LOGVAR_RANGE
from diabolo.bounds import held
from diabolo.likelihoods import Gaussian as GaussianLikelihood
from diabolo.likelihoods import Laplace
from diabolo.randomness import Draws


def test_within_the_bounds_value_and_gradient_are_those_of_x_bit_for_bit():
    x = torch.linspace(-3, 3, 101).requires_grad_()
    y = held(x, -3.0, 3.0)
    assert torch.equal(y, x)
    weights = torch.randn(101, generator=torch.Generator().manual_seed(0))
    (grad,) = torch.autograd.grad((y * weights).sum(), x)
    assert torch.equal(grad, weights)


@pytest.mark.parametrize("direction", [1.0, -1.0])
def test_beyond_them_only_what_leads_back_passes(direction):
    x = torch.tensor([-9.0, -4.0, 0.0, 4.0, 9.0]).requires_grad_()
    y = held(x, -3.0, 3.0)
    assert y.tolist() == [-3.0, -3.0, 0.0, 3.0, 3.0]
    (grad,) = torch.autograd.grad(direction * y.sum(), x)
    back = [0, 0, 1, 1, 1] if direction > 0 else [1, 1, 1, 0, 0]
    assert grad.tolist() == [direction * each for each in back]


def test_second_derivatives_and_functional_ones():
    x = torch.tensor([0.5, 2.0, 5.0], dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradgradcheck(lambda x: held(x, -3.0, 3.0).pow(3), x[:2].detach().requires_grad_())
    assert torch.func.vmap(torch.func.grad(lambda x: held(x, -3.0, 3.0).square()))(x).tolist() == [1.0, 4.0, 6.0]


@pytest.mark.parametrize("start", [LOGVAR_RANGE[0] - 5, LOGVAR_RANGE[1] + 5])
def test_a_log_variance_out_of_range_is_trained_back(start):
    """By the KL term alone, whose minimum is at a variance of 1."""
    bottleneck = Gaussian(2, 1)
    with torch.no_grad():
        bottleneck.to_posterior.weight.zero_()
        bottleneck.to_posterior.bias.copy_(torch.tensor([0.0, start]))
    optimizer = torch.optim.Adam(bottleneck.parameters(), 0.5)
    for _ in range(80):
        optimizer.zero_grad()
        bottleneck(torch.zeros(4, 2), Draws()).penalties["kl"].mean().backward()
        optimizer.step()
    assert abs(float(bottleneck.to_posterior.bias[1].detach())) < 5


@pytest.mark.parametrize("make", [lambda: GaussianLikelihood("learned"), lambda: Laplace("learned")])
def test_a_learned_scale_below_its_floor_is_trained_back(make):
    likelihood = make()
    name, scale = next(iter(likelihood.named_parameters()))
    with torch.no_grad():
        scale.fill_(math.log(1e-9))
    raw, x = torch.zeros(4, 1, 2, 2), torch.ones(4, 1, 2, 2)
    likelihood.loss(raw, x).mean().backward()
    assert float(scale.grad) < 0, name  # a step against it makes the scale larger
