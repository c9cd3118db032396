"""Usage, mutual information and the prior hole, against closed forms and other code."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from scipy.special import logsumexp
from scipy.stats import entropy, norm
from sklearn.metrics.pairwise import rbf_kernel
from torch.distributions import MultivariateNormal, kl_divergence

from diabolo.bottlenecks.gaussian import kl_per_unit
from diabolo.errors import DiaboloError
from diabolo.metrics import information
from diabolo.metrics.information import frechet_to_normal, marginal_kl_per_unit, mmd_to_normal, mutual_information
from diabolo.metrics.usage import active_units, codebook_use, duplicate_codes, effective_dimensions, live_units


def channel(n, noise, seed=0, units=1):
    """x ~ N(0, 1 − σ²), z = x + σ ε: the aggregated posterior is N(0, 1) and I(x; z) = −log σ for each unit."""
    g = torch.Generator().manual_seed(seed)
    mu = torch.randn(n, units, generator=g, dtype=torch.float64) * math.sqrt(1 - noise**2)
    logvar = torch.full_like(mu, 2 * math.log(noise))
    z = mu + noise * torch.randn(n, units, generator=g, dtype=torch.float64)
    return z, torch.arange(n), mu, logvar


@pytest.mark.parametrize("noise", [0.9, 0.3, 0.1])
def test_mutual_information_of_a_gaussian_channel(noise):
    found = mutual_information(*channel(3000, noise))
    low, high = float(found.low.mean()), float(found.high.mean())
    assert low == pytest.approx(-math.log(noise), abs=0.06)
    assert high == pytest.approx(-math.log(noise), abs=0.06)
    assert low < high


def test_it_is_never_above_log_n_and_says_between_which_bounds_it_lies():
    z, rows, mu, logvar = channel(200, 0.01, units=4)  # 18.4 nats, of which 200 images can show 5.3
    found = mutual_information(z, rows, mu, logvar)
    assert (found.low <= math.log(200) + 1e-9).all()
    assert float(found.low.mean()) < 4 * -math.log(0.01) < float(found.high.mean())


def test_it_is_the_definition_image_by_image():
    z, rows, mu, logvar = channel(7, 0.5, units=3)
    log_q = np.array([[norm.logpdf(a, m, 0.5).sum() for m in mu.numpy()] for a in z.numpy()])
    found = mutual_information(z, rows, mu, logvar)
    assert np.allclose(found.marginal, logsumexp(log_q, 1) - math.log(7))
    assert np.allclose(found.low, log_q.diagonal() - logsumexp(log_q, 1) + math.log(7))
    others = np.where(np.eye(7, dtype=bool), -np.inf, log_q)
    assert np.allclose(found.high, log_q.diagonal() - logsumexp(others, 1) + math.log(6))


def test_pieces_of_any_size_add_up(monkeypatch):
    z, rows, mu, logvar = channel(9, 0.5, units=2)
    whole, units = mutual_information(z, rows, mu, logvar), marginal_kl_per_unit(z, mu, logvar)
    for pairs in (1, 30):
        monkeypatch.setattr(information, "PAIRS", pairs)
        assert torch.allclose(mutual_information(z, rows, mu, logvar).high, whole.high)
        assert torch.allclose(marginal_kl_per_unit(z, mu, logvar), units)
    log_q = np.stack([norm.logpdf(z.numpy()[:, None, j], mu.numpy()[None, :, j], 0.5) for j in range(2)])
    wanted = (logsumexp(log_q, 2) - math.log(9) - norm.logpdf(z.numpy().T)).mean(1)
    assert np.allclose(units, wanted)


def test_a_single_image_tells_nothing_and_draws_may_be_of_some_images_only():
    z, rows, mu, logvar = channel(5, 0.5)
    alone = mutual_information(z[:1], rows[:1], mu[:1], logvar[:1])
    assert alone.low.tolist() == [0]
    assert alone.high.tolist() == [math.inf]
    some = mutual_information(z[2:4].float(), rows[2:4], mu.float(), logvar.float())
    assert some.low.dtype == torch.float64
    assert torch.allclose(some.low, mutual_information(z, rows, mu, logvar).low[2:4], atol=1e-5)


def test_a_collapsed_posterior_tells_nothing():
    mu = torch.zeros(50, 3)
    found = mutual_information(torch.randn(50, 3), torch.arange(50), mu, mu)
    assert found.low.abs().max() < 1e-12
    assert found.high.abs().max() < 1e-12


def test_the_units_of_the_aggregated_posterior_against_closed_forms():
    z, _, mu, logvar = channel(4000, 0.5, units=2)
    assert marginal_kl_per_unit(z, mu, logvar).abs().max() < 0.02  # it is the prior
    moved = marginal_kl_per_unit(z + 1, mu + 1, logvar)
    assert torch.allclose(moved, torch.full((2,), 0.5, dtype=torch.float64), atol=0.06)  # KL(N(1, 1) ‖ N(0, 1)) = ½


def test_the_parts_of_the_kl_term_add_up():
    z, rows, mu, logvar = channel(4000, 0.5, units=2)
    mu, z = mu + 0.5, z + 0.5
    kl = float(kl_per_unit(mu, logvar).sum(1).mean())
    information = float(mutual_information(z, rows, mu, logvar).low.mean())
    assert kl == pytest.approx(information + float(marginal_kl_per_unit(z, mu, logvar).sum()), abs=0.1)


def test_the_frechet_distance_is_that_of_two_gaussians():
    codes = np.random.default_rng(0).normal(size=(500, 5)) @ np.diag([2, 1, 0.5, 0.1, 0.01]) + 1
    mean, covariance = codes.mean(0), np.cov(codes, rowvar=False)
    trace = np.trace(covariance + np.eye(5) - 2 * sqrtm(covariance).real)
    assert frechet_to_normal(codes) == pytest.approx(mean @ mean + trace, rel=1e-6)


def test_draws_of_the_prior_are_as_near_as_the_docstring_says():
    random = np.random.default_rng(0)
    found = np.mean([frechet_to_normal(random.normal(size=(2000, 8))) for _ in range(20)])
    assert found == pytest.approx(8 * 13 / 8000, rel=0.2)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 30), st.integers(1, 5), st.floats(0.3, 4), st.integers(0, 99))
def test_mmd_is_its_definition_with_scikit_learns_kernel(n, size, bandwidth, seed):
    codes = np.random.default_rng(seed).normal(size=(n, size)) + 1
    gamma = 1 / (2 * bandwidth**2)
    kernel = rbf_kernel(codes, gamma=gamma)
    among = kernel[~np.eye(n, dtype=bool)].mean()
    prior = np.random.default_rng(1).normal(size=(4000, size))
    across = rbf_kernel(codes, prior, gamma=gamma).mean()
    both = rbf_kernel(prior[:2000], prior[2000:], gamma=gamma).mean()
    assert mmd_to_normal(codes, bandwidth) == pytest.approx(among - 2 * across + both, abs=0.06)


def test_mmd_is_about_zero_for_the_prior_itself_and_not_for_codes_that_missed_it():
    random = np.random.default_rng(0)
    found = np.array([mmd_to_normal(random.normal(size=(300, 4))) for _ in range(60)])
    assert abs(found.mean()) < 3 * found.std() / math.sqrt(60)  # unbiased
    for codes in (random.normal(size=(300, 4)) + 0.5, 0.5 * random.normal(size=(300, 4))):
        assert mmd_to_normal(codes) > found.max()


def test_the_distances_refuse_what_is_no_code():
    for distance in (frechet_to_normal, mmd_to_normal):
        with pytest.raises(DiaboloError, match="two or more"):
            distance(np.zeros((1, 3)))
        with pytest.raises(DiaboloError, match="NaN"):
            distance(np.array([[0.0, np.nan], [1, 1]]))
        with pytest.raises(DiaboloError, match=r"not \(3,\)"):
            distance(np.zeros(3))


def test_distances_to_the_prior_of_two_codes_by_hand():
    codes = np.array([[1.0], [-1.0]])  # of mean 0 and variance 2
    assert frechet_to_normal(codes) == pytest.approx((math.sqrt(2) - 1) ** 2)
    assert frechet_to_normal(codes + 3) == pytest.approx((math.sqrt(2) - 1) ** 2 + 9)
    for bandwidth, square in ((None, 1.0), (2.0, 4.0)):  # by default √D
        among = math.exp(-4 / (2 * square))
        across = math.sqrt(square / (square + 1)) * math.exp(-1 / (2 * (square + 1)))
        wanted = among - 2 * across + math.sqrt(square / (square + 2))
        assert mmd_to_normal(codes, bandwidth) == pytest.approx(wanted)
    for bandwidth in (0, -1, math.inf, math.nan):
        with pytest.raises(DiaboloError, match="bandwidth of a kernel is above 0"):
            mmd_to_normal(codes, bandwidth)


def test_the_kernel_distance_in_pieces_is_the_same(monkeypatch):
    codes = np.random.default_rng(0).normal(size=(11, 3))
    whole = mmd_to_normal(codes)
    size = 3.0
    kernel = rbf_kernel(codes, gamma=1 / (2 * size))
    norms = np.square(codes).sum(1)
    across = (size / (size + 1)) ** 1.5 * np.exp(-norms / (2 * (size + 1))).mean()
    assert whole == pytest.approx(kernel[~np.eye(11, dtype=bool)].mean() - 2 * across + (size / (size + 2)) ** 1.5)
    for pairs in (1, 33):
        monkeypatch.setattr(information, "PAIRS", pairs)
        assert mmd_to_normal(codes) == pytest.approx(whole)


def test_active_and_live_units():
    random = np.random.default_rng(0)
    mu = random.normal(size=(1000, 4)) * [1, 0.2, 0.05, 0]  # variances 1, 0.04, 0.0025, 0
    assert active_units(mu).tolist() == [True, True, False, False]
    assert live_units(1e6 * mu).tolist() == [True, True, True, False]  # whatever the scale
    assert not active_units(1e-6 * mu).any()


def test_effective_dimensions():
    axes = np.concatenate([np.eye(3), -np.eye(3)])
    assert effective_dimensions(axes) == pytest.approx(3)
    assert effective_dimensions(np.outer(np.arange(9), [1, 2, 3])) == pytest.approx(1)
    assert effective_dimensions(np.ones((5, 3))) == 0
    turned = axes @ np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    assert effective_dimensions(turned * 7 + 1) == pytest.approx(3)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=40).filter(any))
def test_codebook_use_is_scipys_entropy(counts):
    use = codebook_use(np.array(counts))
    assert use.entropy == pytest.approx(entropy(counts, base=2), abs=1e-9)
    assert use.perplexity == pytest.approx(math.exp(entropy(counts)))
    assert (use.used, use.dead) == (np.count_nonzero(counts), len(counts) - np.count_nonzero(counts))


def test_duplicate_codes_are_counted_once_each():
    codes = np.random.default_rng(0).normal(size=(6, 4))
    assert duplicate_codes(codes) == 0
    codes[3] = codes[5] = codes[0] + 1e-6
    assert duplicate_codes(codes) == 2


def test_kl_of_a_gaussian_channel_is_torchs():
    mu, logvar = torch.tensor([[0.3, -1.0]]), torch.tensor([[0.2, -0.5]])
    theirs = kl_divergence(
        MultivariateNormal(mu[0], (logvar[0]).exp().diag()), MultivariateNormal(torch.zeros(2), torch.eye(2))
    )
    assert float(kl_per_unit(mu, logvar).sum()) == pytest.approx(float(theirs), rel=1e-5)


def test_of_two_images_the_other_is_the_mixture():
    z, rows, mu, logvar = channel(2, 0.5)
    log_q = norm.logpdf(z.numpy(), mu.numpy().T, 0.5)  # (2, 2)
    found = mutual_information(z, rows, mu, logvar)
    assert np.allclose(found.high, [log_q[0, 0] - log_q[0, 1], log_q[1, 1] - log_q[1, 0]])


def test_codes_far_from_0_lose_no_digits():
    """Posteriors of σ = e^-9 around 4,000: the squares over σ² are 1e15, and their sums were off by half a nat."""
    g = torch.Generator().manual_seed(2)
    mu = 4000 + torch.randn(30, 3, generator=g, dtype=torch.float64)
    rows, logvar = torch.arange(30), torch.full((30, 3), -18.0, dtype=torch.float64)
    z = mu + math.exp(-9) * torch.randn(30, 3, generator=g, dtype=torch.float64)
    log_q = torch.distributions.Normal(mu, math.exp(-9)).log_prob(z[:, None]).sum(2).logsumexp(1) - math.log(30)
    found = mutual_information(z, rows, mu, logvar)
    assert found.marginal.numpy() == pytest.approx(log_q.numpy(), abs=1e-4)
    assert found.low.numpy() == pytest.approx(math.log(30), abs=1e-4)
