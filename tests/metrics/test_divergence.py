"""KL between two Gaussians, against quadrature, torch and closed special cases."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm
from torch.distributions import MultivariateNormal, kl_divergence

from diabolo.bottlenecks.gaussian import kl_to_standard_normal
from diabolo.errors import DiaboloError
from diabolo.metrics import gaussian_kl

FULL = np.array([[1.0, 0.8], [0.8, 2.0]])


def random_gaussian(size, seed):
    random = np.random.default_rng(seed)
    root = random.normal(size=(size, size))
    return random.normal(size=size), root @ root.T + 0.5 * np.eye(size)


@pytest.mark.parametrize(("mu_p", "var_p", "mu_q", "var_q"), [(0, 1, 0, 1), (1.5, 0.25, -1, 4), (-3, 9, 2, 0.5)])
def test_one_dimension_by_quadrature(mu_p, var_p, mu_q, var_q):
    p, q = norm(mu_p, math.sqrt(var_p)), norm(mu_q, math.sqrt(var_q))
    wide = 12 * math.sqrt(var_p)
    wanted, _ = quad(lambda x: p.pdf(x) * (p.logpdf(x) - q.logpdf(x)), mu_p - wide, mu_p + wide, epsabs=1e-11)
    assert gaussian_kl(mu_p, var_p, mu_q, var_q) == pytest.approx(wanted, abs=1e-9)
    assert gaussian_kl([mu_p], [[var_p]], [mu_q], [var_q]) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize(("cov_p", "cov_q"), [(FULL, [0.5, 3.0]), ([0.5, 3.0], FULL), (FULL, FULL[::-1, ::-1])])
def test_two_dimensions_by_quadrature(cov_p, cov_q):
    def full(covariance):
        return np.diag(covariance) if np.ndim(covariance) == 1 else covariance

    mu_p, mu_q = np.array([0.5, -1.0]), np.array([-1.0, 0.3])
    p, q = multivariate_normal(mu_p, full(cov_p)), multivariate_normal(mu_q, full(cov_q))
    side, step = np.linspace(-16, 16, 400, retstep=True)  # the trapezium rule is exact to rounding for such functions
    points = np.stack(np.meshgrid(side, side), -1).reshape(-1, 2)
    wanted = (p.pdf(points) * (p.logpdf(points) - q.logpdf(points))).sum() * step**2
    assert gaussian_kl(mu_p, cov_p, mu_q, cov_q) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("size", [1, 2, 7, 40])
def test_full_covariances_as_in_torch(size):
    p, q = random_gaussian(size, 1), random_gaussian(size, 2)
    theirs = kl_divergence(*(MultivariateNormal(*map(torch.from_numpy, one)) for one in (p, q)))
    assert gaussian_kl(*p, *q) == pytest.approx(float(theirs), rel=1e-10)


def test_a_diagonal_posterior_and_the_standard_normal_have_the_kl_term_of_a_vae():
    mu, logvar = torch.tensor([[0.3, -1.0, 2.0]]).double(), torch.tensor([[0.2, -3.0, 1.0]]).double()
    found = gaussian_kl(mu[0].numpy(), logvar[0].exp().numpy(), 0, 1)
    assert found == pytest.approx(float(kl_to_standard_normal(mu, logvar)), rel=1e-12)


def test_of_equal_covariances_half_the_squared_distance_is_left():
    mu = np.array([1.0, -2.0])
    assert gaussian_kl(mu, FULL, 0, FULL) == pytest.approx(mu @ np.linalg.solve(FULL, mu) / 2)
    assert gaussian_kl(0, 4, mu, 4) == pytest.approx(5 / 8), "one variance for both dimensions"


def test_of_equal_means_and_multiples_the_ratio_decides():
    for r in (1e-6, 0.5, 3.0, 1e6):
        assert gaussian_kl(0, r * FULL, 0, FULL) == pytest.approx(r - 1 - math.log(r), rel=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.integers(0, 99))
def test_it_is_0_for_the_same_above_0_for_others_and_the_same_in_all_coordinates(size, seed):
    p, q = random_gaussian(size, seed), random_gaussian(size, seed + 1000)
    assert gaussian_kl(*p, *p) < 1e-10
    assert gaussian_kl(*p, *q) > 0
    assert abs(gaussian_kl(*p, *q) - gaussian_kl(*q, *p)) > 1e-6, "no distance: the order counts"
    a = random_gaussian(size, seed + 2000)[1]
    moved = [(a @ mu + 1, a @ sigma @ a.T) for mu, sigma in (p, q)]
    assert gaussian_kl(*moved[0], *moved[1]) == pytest.approx(gaussian_kl(*p, *q), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (([0, 0], [1, 0], 0, 1), "covariance_p is not positive definite: its smallest eigenvalue is 0"),
        ((0, 1, 0, -1), "covariance_q is not positive definite: its smallest eigenvalue is -1"),
        ((0, [[1, 2], [2, 1]], 0, 1), "covariance_p is not positive definite"),
        ((0, [[1, 0.5], [0.4, 1]], 0, 1), "covariance_p is not symmetric"),
        ((math.nan, 1, 0, 1), "mean_p holds NaN or infinity"),
        ((0, 1, 0, math.inf), "covariance_q holds NaN or infinity"),
        (([0, 0], 1, [0, 0, 0], 1), r"of one D above 0, not mean_p \(2,\)"),
        (([[0, 0]], 1, 0, 1), r"means are \(D,\)"),
        (([], 1, 0, 1), r"of one D above 0"),
        ((0, np.ones((2, 2, 2)), 0, 1), r"covariances \(D, D\) or \(D,\), .* covariance_p \(2, 2, 2\)"),
    ],
)
def test_what_is_no_gaussian_is_refused(arguments, said):
    with pytest.raises(DiaboloError, match=said):
        gaussian_kl(*arguments)
