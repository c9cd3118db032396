"""The densities a bottleneck says of its codes, against torch.distributions; its draws. The KL term against
torch.distributions and against numerical integration; sampling and its gradient.
"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from torch.distributions import Independent, Normal, kl_divergence

from diabolo import zoo
from diabolo.bottlenecks import Gaussian, Variational, kl_per_unit, kl_to_standard_normal
from diabolo.bottlenecks.gaussian import LOGVAR_RANGE
from diabolo.errors import DiaboloError
from diabolo.randomness import Draws, generator
from diabolo.schedules import Linear


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


def transparent(latent_dim, beta=1.0):
    """A bottleneck whose features are its μ and log σ² themselves."""
    bottleneck = Gaussian(2 * latent_dim, latent_dim, beta)
    with torch.no_grad():
        bottleneck.to_posterior.weight.copy_(torch.eye(2 * latent_dim))
        bottleneck.to_posterior.bias.zero_()
    return bottleneck


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
    bottleneck = Gaussian(10, 3)
    one, other = bottleneck(features, draws(0)), bottleneck(features, draws(1))
    mu, logvar = bottleneck.posterior(features)
    assert torch.equal(one.code, mu)
    assert torch.equal(one.code, other.code)
    assert not torch.equal(one.z, other.z)
    assert torch.equal(one.penalties["kl"], kl_to_standard_normal(mu, logvar))
    assert bottleneck.units == {"kl": "nats per image"}


@pytest.mark.parametrize("mu", [0.0, 1e4, -1e4])
@pytest.mark.parametrize("logvar", [1e4, 19.0, -19.0, -1e4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_extreme_posteriors_overflow_nowhere(mu, logvar, dtype):
    features = torch.tensor([[mu, mu, logvar, logvar]], dtype=dtype, requires_grad=True)
    bottleneck = transparent(2).to(dtype)
    latent = bottleneck(features, draws())
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
    with pytest.raises(DiaboloError, match="latent_dim must be a whole number of at least 1"):
        Gaussian(4, latent_dim)


@pytest.mark.parametrize("beta", [-1.0, "linear(1, -1)", "cosine(1, -0.1)"])
def test_a_negative_beta_is_refused(beta):
    with pytest.raises(DiaboloError, match="beta must be 0 or more throughout training"):
        Gaussian(4, 2, beta)


# --- free bits and capacity ---------------------------------------------------------------------------------------------------


def posteriors():
    """Features of three units: one collapsed, one that says little, one that says much; in float64."""
    g = torch.Generator().manual_seed(0)
    mu = torch.tensor([0.0, 0.1, 2.0]) * torch.randn(40, 3, generator=g)
    return torch.cat([mu, torch.tensor([0.0, -0.05, -3.0]).expand(40, 3)], 1).double().requires_grad_()


def penalties(bottleneck, features, progress=1.0):
    latent = bottleneck(features, draws())
    return latent.penalties | bottleneck.batch_penalties(
        features, latent, latent.z, torch.nn.Identity(), draws(), progress
    )


def test_kl_per_unit_is_that_of_torch():
    mu, logvar = posteriors().chunk(2, 1)
    wanted = kl_divergence(Normal(mu, (0.5 * logvar).exp()), Normal(0.0, 1.0))
    assert torch.allclose(kl_per_unit(mu, logvar), wanted, rtol=1e-9, atol=1e-15)
    assert torch.allclose(kl_per_unit(mu, logvar).sum(1), kl_to_standard_normal(mu, logvar))


def test_without_being_asked_for_nothing_bends_the_kl():
    bottleneck = Gaussian(4, 2)
    assert bottleneck.units == {"kl": "nats per image"}
    assert list(bottleneck.weights) == ["kl"]
    assert penalties(bottleneck, torch.randn(3, 4)).keys() == {"kl"}
    assert zoo.vae((1, 8, 8)).units.keys() == {"reconstruction", "kl"}


@pytest.mark.parametrize("floor", [0.01, 0.1, 1.0, 100.0])
def test_free_bits_are_counted_unit_by_unit_over_the_batch(floor):
    bottleneck, features = transparent(3).double(), posteriors()
    bottleneck.free_bits = floor
    mu, logvar = features.float().chunk(2, 1)
    per_unit = kl_divergence(Normal(mu.double(), (0.5 * logvar.double()).exp()), Normal(0.0, 1.0)).mean(0)
    found = penalties(bottleneck, features)
    wanted = sum(max(floor, kl) for kl in per_unit.tolist())
    assert found["free_bits"].shape == (40,)
    assert found["free_bits"].tolist() == pytest.approx([wanted] * 40, rel=1e-5)
    assert found["kl"].mean().item() == pytest.approx(per_unit.sum().item(), rel=1e-5)  # the true one, never clamped


def test_units_below_the_floor_are_left_in_peace():
    features = posteriors()
    bottleneck = transparent(3).double()
    bottleneck.free_bits = 0.5
    penalties(bottleneck, features)["free_bits"].mean().backward()
    pressed = features.grad.abs().sum(0).view(2, 3) > 0
    assert pressed.tolist() == [[False, False, True], [False, False, True]]
    again = posteriors()
    penalties(transparent(3).double(), again)["kl"].mean().backward()
    assert torch.allclose(features.grad[:, 2], again.grad[:, 2])


@pytest.mark.parametrize("target", [1.0, 50.0])
def test_the_capacity_draws_from_both_sides(target):
    features, plain = posteriors(), posteriors()
    bottleneck = Gaussian(6, 3, 7.0, capacity="linear(0, 100)").double()
    with torch.no_grad():
        bottleneck.to_posterior.weight.copy_(torch.eye(6))
        bottleneck.to_posterior.bias.zero_()
    found = penalties(bottleneck, features, target / 100)
    kl = found["kl"].mean().item()
    assert 1 < kl < 50
    assert found["capacity"].tolist() == pytest.approx([abs(kl - target)] * 40, rel=1e-6)
    found["capacity"].mean().backward()
    penalties(transparent(3).double(), plain)["kl"].mean().backward()
    assert torch.allclose(features.grad, plain.grad * (1 if kl > target else -1), atol=1e-9)


@pytest.mark.parametrize(
    ("options", "bent"), [({"free_bits": 0.3}, "free_bits"), ({"capacity": "linear(0, 5)"}, "capacity")]
)
def test_the_total_is_the_weighted_sum_and_kl_is_written_down(options, bent):
    torch.manual_seed(0)
    model, x = zoo.vae((1, 8, 8), 4, beta="linear(0, 8)", **options), torch.rand(6, 1, 8, 8)
    loss = model.loss(x, draws(), 0.5)
    assert list(loss.terms) == list(model.units) == ["reconstruction", "kl", bent]
    assert loss.weights == {"reconstruction": 1.0, "kl": 0.0, bent: 4.0}
    assert loss.total.item() == pytest.approx(sum(loss.weights[n] * t.item() for n, t in loss.terms.items()), rel=1e-6)
    mu, logvar = model.bottleneck.posterior(model.encoder(x))
    assert loss.terms["kl"].item() == pytest.approx(kl_to_standard_normal(mu, logvar).mean().item())


def test_a_capacity_is_reached_in_training():
    torch.manual_seed(0)
    model, x = zoo.vae((1, 8, 8), 4, beta=10.0, capacity=5.0, hidden=(16,)), torch.rand(32, 1, 8, 8)
    optimizer, noise = torch.optim.Adam(model.parameters(), lr=1e-2), draws()
    for _ in range(150):
        optimizer.zero_grad()
        loss = model.loss(x, noise)
        loss.total.backward()
        optimizer.step()
    assert loss.terms["kl"].item() == pytest.approx(5.0, abs=0.6)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"free_bits": -0.1}, "free_bits must be a number of at least 0, not -0.1"),
        ({"free_bits": float("nan")}, "free_bits must be a number of at least 0"),
        ({"capacity": -1.0}, "the capacity must be 0 or more"),
        ({"capacity": "linear(0, -5)"}, "the capacity must be 0 or more"),
        ({"free_bits": 0.5, "capacity": 1.0}, "ask for one of them"),
    ],
)
def test_what_cannot_bend_the_kl_is_refused(options, says):
    with pytest.raises(DiaboloError, match=says):
        Gaussian(4, 2, **options)
