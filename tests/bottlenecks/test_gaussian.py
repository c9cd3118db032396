"""The KL term against torch.distributions and against numerical integration; sampling and its gradient."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from torch.distributions import Normal, kl_divergence

from diabolo.bottlenecks import Gaussian, kl_to_standard_normal
from diabolo.bottlenecks.gaussian import LOGVAR_RANGE
from diabolo.errors import DiaboloError
from diabolo.randomness import Draws, generator
from diabolo.schedules import Linear


def transparent(latent_dim, beta=1.0):
    """A waist whose features are its μ and log σ² themselves."""
    waist = Gaussian(2 * latent_dim, latent_dim, beta)
    with torch.no_grad():
        waist.to_posterior.weight.copy_(torch.eye(2 * latent_dim))
        waist.to_posterior.bias.zero_()
    return waist


def draws(seed=0):
    return Draws(generator(seed, "test"))


def test_kl_is_that_of_torch():
    g = torch.Generator().manual_seed(0)
    mu, logvar = (3 * torch.randn(50, 7, generator=g, dtype=torch.float64) for _ in range(2))
    wanted = kl_divergence(Normal(mu, (0.5 * logvar).exp()), Normal(0.0, 1.0)).sum(1)
    got = kl_to_standard_normal(mu, logvar)
    assert got.shape == (50,)
    assert torch.allclose(got, wanted, rtol=1e-12)


@pytest.mark.parametrize(("mu", "logvar"), [(0.0, 0.0), (1.5, 0.0), (0.0, 2.0), (-0.7, -3.0), (3.0, 1.0)])
def test_kl_is_the_integral(mu, logvar):
    sigma = math.exp(0.5 * logvar)

    def log_density(z, m, s):
        return -0.5 * ((z - m) / s) ** 2 - math.log(s) - 0.5 * math.log(2 * math.pi)

    def integrand(z):
        log_q = log_density(z, mu, sigma)
        return math.exp(log_q) * (log_q - log_density(z, 0.0, 1.0))

    wanted, _ = quad(integrand, mu - 12 * sigma, mu + 12 * sigma, epsabs=1e-10)
    got = kl_to_standard_normal(*(torch.tensor([[v]], dtype=torch.float64) for v in (mu, logvar)))
    assert got.item() == pytest.approx(wanted, abs=1e-8)


@given(st.floats(-5, 5), st.floats(-20, 20))
def test_kl_is_zero_at_the_prior_alone(mu, logvar):
    kl = kl_to_standard_normal(*(torch.tensor([[v]], dtype=torch.float64) for v in (mu, logvar))).item()
    assert kl >= -1e-15
    if abs(mu) > 1e-3 or abs(logvar) > 1e-3:
        assert kl > 0


def test_kl_is_never_negative_in_float32():
    # a collapsed posterior lies so close to the prior that exp(logvar) − 1 − logvar cancels
    logvar = 1e-4 * torch.randn(10_000, 1, generator=torch.Generator().manual_seed(0))
    assert kl_to_standard_normal(torch.zeros_like(logvar), logvar).min() >= 0


def test_the_first_half_is_the_mean_the_second_the_log_variance():
    mu, logvar = transparent(2).posterior(torch.tensor([[1.0, 2.0, -3.0, 4.0]]))
    assert mu.tolist() == [[1.0, 2.0]]
    assert logvar.tolist() == [[-3.0, 4.0]]


def test_a_sample_is_normal_about_the_mean():
    n, mu, logvar = 200_000, 1.5, -1.0
    latent = transparent(1)(torch.tensor([[mu, logvar]]).expand(n, 2), draws())
    e = ((latent.z - mu) / math.exp(0.5 * logvar)).double()
    se = 1 / math.sqrt(n)
    assert abs(e.mean()) < 5 * se
    assert abs(e.var() - 1) < 5 * math.sqrt(2) * se
    assert abs(e.pow(3).mean()) < 5 * math.sqrt(15) * se
    assert abs(e.pow(4).mean() - 3) < 5 * math.sqrt(96) * se


def test_each_unit_of_each_image_has_noise_of_its_own():
    e = transparent(4)(torch.zeros(5, 8), draws()).z
    assert len(e.unique()) == 20


def test_the_gradient_reaches_mean_and_variance_through_the_sample():
    features = torch.tensor([[0.3, -0.2, 0.5, -1.0]], requires_grad=True)
    latent = transparent(2)(features, draws())
    (gradient,) = torch.autograd.grad(latent.z.sum(), features)
    noise = (latent.z - latent.code).detach()  # σ ε, whose derivative by log σ² is ½ σ ε
    assert torch.allclose(gradient, torch.cat([torch.ones(1, 2), 0.5 * noise], 1))


def test_the_code_is_the_mean_and_the_penalty_the_kl():
    features = torch.randn(6, 10, generator=torch.Generator().manual_seed(1))
    waist = Gaussian(10, 3)
    one, other = waist(features, draws(0)), waist(features, draws(1))
    mu, logvar = waist.posterior(features)
    assert torch.equal(one.code, mu)
    assert torch.equal(one.code, other.code)
    assert not torch.equal(one.z, other.z)
    assert torch.equal(one.penalties["kl"], kl_to_standard_normal(mu, logvar))
    assert waist.units == {"kl": "nats per image"}


@pytest.mark.parametrize("mu", [0.0, 1e4, -1e4])
@pytest.mark.parametrize("logvar", [1e4, 19.0, -19.0, -1e4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_extreme_posteriors_overflow_nowhere(mu, logvar, dtype):
    features = torch.tensor([[mu, mu, logvar, logvar]], dtype=dtype, requires_grad=True)
    waist = transparent(2).to(dtype)
    latent = waist(features, draws())
    (latent.z.mean() + latent.penalties["kl"].mean()).backward()
    for value in (latent.z, latent.penalties["kl"], features.grad):
        assert torch.isfinite(value).all()
    assert latent.z.dtype == latent.penalties["kl"].dtype == torch.float32


def test_within_the_range_nothing_is_clamped():
    low, high = LOGVAR_RANGE
    assert low <= -15
    assert high >= 10
    _, logvar = transparent(2).posterior(torch.tensor([[0.0, 0.0, -15.0, 10.0]]))
    assert logvar.tolist() == [[-15.0, 10.0]]


def test_the_weight_is_a_number_or_a_schedule():
    assert Gaussian(4, 2, 0.25).weights["kl"](0.5) == 0.25
    assert Gaussian(4, 2, "linear(0, 2)").weights["kl"](0.25) == 0.5
    assert Gaussian(4, 2, Linear(0, 4)).weights["kl"](0.5) == 2.0
    assert Gaussian(4, 2).weights["kl"](0.0) == 1.0


def test_the_prior_is_the_standard_normal():
    z = Gaussian(4, 3).prior(100_000, draws(), torch.device("cpu"))
    assert z.shape == (100_000, 3)
    assert z.mean(0).abs().max() < 0.02
    assert (torch.cov(z.T) - torch.eye(3)).abs().max() < 0.03


@pytest.mark.parametrize("latent_dim", [0, -1])
def test_no_code_is_refused(latent_dim):
    with pytest.raises(DiaboloError, match="latent_dim must be at least 1"):
        Gaussian(4, latent_dim)
