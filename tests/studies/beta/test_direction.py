"""A Gaussian fitted to a mixture in either direction of KL, and what is said of it."""

import numpy as np
import pytest

from diabolo.metrics import gaussian_kl
from diabolo.studies import Measured
from diabolo.studies.beta import direction, divergence
from diabolo.studies.beta.direction import TARGET, Gaussian, Mixture, covering, kl_from, kl_to, seeking


@pytest.fixture(scope="module")
def fits():
    return {"covering": covering(TARGET), "seeking": seeking(TARGET)}


def test_the_quadrature_is_that_of_a_fine_grid(fits):
    x0, x1, y0, y1 = direction.EXTENT
    cell = (x1 - x0) * (y1 - y0) / 400**2
    p, q = (direction.on_grid(one, 401) for one in (TARGET, fits["covering"]))
    assert p.sum() * cell == pytest.approx(1, abs=2e-3)
    assert kl_to(TARGET, fits["covering"]) == pytest.approx((p * np.log(p / q)).sum() * cell, abs=5e-3)
    one = Gaussian.of([0.3, -0.2], [[0.5, 0.2], [0.2, 0.7]])
    of_one = direction.on_grid(one, 401)
    assert kl_from(one, TARGET) == pytest.approx((of_one * np.log(of_one / p)).sum() * cell, abs=1e-3)


def test_of_a_mixture_of_one_part_both_fits_are_that_part():
    part = Gaussian.of([1.0, -2.0], [[2.0, 0.5], [0.5, 1.0]])
    single, other = Mixture(np.array([1.0]), (part,)), Gaussian.of([0.0, 0.0], np.eye(2))
    for fit in (covering(single), seeking(single)):
        assert fit.mean == pytest.approx(part.mean, abs=1e-3)
        assert fit.covariance == pytest.approx(part.covariance, abs=1e-3)
    assert kl_to(single, other) == pytest.approx(gaussian_kl(part.mean, part.covariance, 0, 1))
    assert kl_from(other, single) == pytest.approx(gaussian_kl(0, 1, part.mean, part.covariance))


def test_each_fit_is_the_best_by_its_own_divergence(fits):
    random = np.random.default_rng(0)
    for name, kl in (("covering", lambda q: kl_to(TARGET, q)), ("seeking", lambda q: kl_from(q, TARGET))):
        for _ in range(20):
            moved = random.normal(0, 0.1, (2, 2))
            near = Gaussian(fits[name].mean + moved[0], fits[name].root + np.diag(moved[1]).clip(-0.2))
            assert kl(near) > kl(fits[name])


def test_one_covers_and_the_other_seeks(fits):
    assert direction.covered(fits["covering"]) > 0.9
    assert direction.covered(fits["seeking"]) == pytest.approx(0.95 * TARGET.weights[0], abs=0.02)
    gap, floor = (direction.between_the_modes(one) for one in (fits["covering"], TARGET))
    assert gap > 4 * floor
    assert direction.between_the_modes(fits["seeking"]) == pytest.approx(floor, abs=0.01)
    assert np.linalg.norm(fits["seeking"].mean - TARGET.parts[0].mean) < 0.1
    assert direction.least_of(200) > 0


def test_only_what_lies_between_the_means_is_in_the_gap():
    middle = 0.4 * TARGET.parts[0].mean + 0.6 * TARGET.parts[1].mean
    assert direction.between_the_modes(Gaussian.of(middle, 0.01 * np.eye(2))) == pytest.approx(1, abs=1e-6)
    beyond = TARGET.parts[1].mean + np.array([2.0, 2.0])  # as thin there, but behind the second mean
    assert np.exp(TARGET.log_prob(beyond)) < 0.05 * direction.on_grid(TARGET).max()
    assert direction.between_the_modes(Gaussian.of(beyond, 0.01 * np.eye(2))) == pytest.approx(0, abs=1e-6)


def test_the_closed_form_is_the_quadrature_in_every_case(fits):
    found = direction.closed_and_numerical(fits["covering"], fits["seeking"])
    assert len(found) == 4
    for closed, numerical in found.values():
        assert closed == pytest.approx(numerical, abs=1e-9)
    assert len({round(closed, 6) for closed, _ in found.values()}) == 4


def numbers(**changed):
    f = {f"{kl}, {fit}": 1.0 + (own != fit) for own, kl in divergence.FITS.items() for fit in divergence.FITS}
    f |= {"mixture covered, covering": 0.96, "mixture covered, seeking": 0.57}
    f |= {"mass in the gap, covering": 0.41, "mass in the gap, seeking": 0.05, "mass in the gap, mixture": 0.03}
    f |= {"KL between the two fits, there": 3.2, "KL between the two fits, back": 0.8}
    f |= {"random pairs": 1000, "least KL of random pairs": 0.0123}
    return {name: Measured(value) for name, value in (f | changed).items()}


def test_what_is_said_of_them():
    said = divergence.direction(numbers())
    assert said.startswith("Each fit is better by its own divergence and worse by the other.")
    assert "96 % of its mass" in said
    assert "41 % of the mass of the fit lies in the gap between them, where the mixture itself has 3 %" in said
    assert "KL(p ‖ q) is 1 nats for the first fit and 2 for the second; KL(q ‖ p) is 2 and 1." in said
    lost = divergence.direction(numbers(**{"KL(q ‖ p), seeking": 5.0}))
    assert lost.startswith("The numerical fits are not better")
    told = divergence.no_distance(numbers())
    assert "The smallest of 1,000 random pairs of Gaussians is 0.0123 nats" in told
    assert "it is 3.2 nats one way and 0.8 the other" in told
