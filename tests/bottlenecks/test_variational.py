"""The densities a bottleneck says of its codes, against torch.distributions; its draws."""

import pytest
import torch
from torch.distributions import Independent, Normal

from diabolo.bottlenecks import Gaussian, Variational
from diabolo.randomness import Draws, generator


@pytest.fixture
def posterior():
    g = torch.Generator().manual_seed(0)
    return tuple(2 * torch.randn(6, 4, generator=g, dtype=torch.float64) for _ in range(2))


def test_the_densities_are_those_of_torch(posterior):
    mu, logvar = posterior
    bottleneck, z = Gaussian(8, 4), 3 * torch.randn(6, 5, 4, dtype=torch.float64)
    assert isinstance(bottleneck, Variational)
    q = Independent(Normal(mu[:, None], (0.5 * logvar[:, None]).exp()), 1)
    assert torch.allclose(bottleneck.log_posterior(z, posterior), q.log_prob(z), rtol=1e-12)
    assert torch.allclose(bottleneck.log_prior(z), Independent(Normal(torch.zeros(4), 1.0), 1).log_prob(z), rtol=1e-12)


def test_draws_are_of_each_posterior_and_differentiable(posterior):
    mu, logvar = (p.requires_grad_() for p in posterior)
    k = 20_000
    z = Gaussian(8, 4).draw((mu, logvar), Draws(generator(0, "test")), k)
    assert z.shape == (6, k, 4)
    noise = ((z - mu[:, None]) / (0.5 * logvar[:, None]).exp()).detach()
    assert noise.mean(1).abs().max() < 5 / k**0.5
    assert (noise.var(1) - 1).abs().max() < 5 * (2 / k) ** 0.5
    assert torch.corrcoef(noise.permute(0, 2, 1).flatten(0, 1)).triu(1).abs().max() < 5 / k**0.5
    to_mu, to_logvar = torch.autograd.grad(z.sum(), (mu, logvar))
    assert torch.allclose(to_mu, torch.full_like(mu, k))
    assert torch.allclose(to_logvar, 0.5 * (z - mu[:, None]).sum(1))


def test_processes_share_the_draws_of_one(posterior):
    bottleneck, whole = Gaussian(8, 4), Gaussian(8, 4).draw(posterior, Draws(generator(0, "test")), 3)
    halves = [
        bottleneck.draw(tuple(p[i : i + 3] for p in posterior), Draws(generator(0, "test"), (i, 6)), 3) for i in (0, 3)
    ]
    assert torch.equal(torch.cat(halves), whole)


def test_one_draw_is_that_of_the_vae():
    bottleneck, features = Gaussian(8, 4), torch.randn(6, 8)
    z = bottleneck.draw(bottleneck.posterior(features), Draws(generator(0, "test")), 1)
    assert torch.equal(z[:, 0], bottleneck(features, Draws(generator(0, "test"))).z)
