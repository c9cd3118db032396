"""The direction of the KL divergence: one Gaussian fitted to a mixture of two, by KL(p ‖ q) and by KL(q ‖ p).

Both are computed by Gauss–Hermite quadrature over the Gaussians that the mean is taken of.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.metrics import gaussian_kl

Floats = NDArray[np.float64]
NODES = 40  # of the quadrature, along each axis
SIZE = 2


@dataclass(frozen=True)
class Gaussian:
    """N(μ, L Lᵀ) over the plane.

    Attributes:
        mean: μ (2,).
        root: L (2, 2), lower triangular.
    """

    mean: Floats
    root: Floats

    @classmethod
    def of(cls, mean: Any, covariance: Any) -> "Gaussian":
        """With this mean and covariance."""
        return cls(np.asarray(mean, np.float64), np.linalg.cholesky(np.asarray(covariance, np.float64)))

    @property
    def covariance(self) -> Floats:
        """Σ (2, 2)."""
        return self.root @ self.root.T

    def log_prob(self, z: Floats) -> Floats:
        """log p(z) in nats of `z` (…, 2): (…)."""
        u = np.linalg.solve(self.root, (z - self.mean)[..., None])[..., 0]
        log_density: Floats = -np.square(u).sum(-1) / 2 - np.log(2 * np.pi * self.root.diagonal().prod())
        return log_density

    def points(self) -> tuple[Floats, Floats]:
        """Points (M, 2) and weights (M,) whose weighted mean is the mean over this Gaussian."""
        x, w = np.polynomial.hermite_e.hermegauss(NODES)
        grid = np.stack(np.meshgrid(x, x), -1).reshape(-1, SIZE)
        weights: Floats = np.outer(w, w).ravel() / w.sum() ** 2
        return self.mean + grid @ self.root.T, weights


@dataclass(frozen=True)
class Mixture:
    """Σₖ wₖ N(μₖ, Σₖ) over the plane."""

    weights: Floats
    parts: tuple[Gaussian, ...]

    def log_prob(self, z: Floats) -> Floats:
        """log p(z) in nats of `z` (…, 2): (…)."""
        each = [np.log(w) + part.log_prob(z) for w, part in zip(self.weights, self.parts, strict=True)]
        log_density: Floats = np.logaddexp.reduce(each)
        return log_density


def kl_to(p: Mixture, q: Gaussian) -> float:
    """KL(p ‖ q) in nats: the mean over the mixture p."""
    found = 0.0
    for weight, part in zip(p.weights, p.parts, strict=True):
        z, w = part.points()
        found += weight * (w @ (p.log_prob(z) - q.log_prob(z)))
    return float(found)


def kl_from(q: Gaussian, p: Mixture) -> float:
    """KL(q ‖ p) in nats: the mean over the Gaussian q."""
    z, w = q.points()
    return float(w @ (q.log_prob(z) - p.log_prob(z)))


def covering(p: Mixture) -> Gaussian:
    """The Gaussian q of least KL(p ‖ q): that with the mean and the covariance of p."""
    mean = sum(w * part.mean for w, part in zip(p.weights, p.parts, strict=True))
    second = sum(
        w * (part.covariance + np.outer(part.mean, part.mean)) for w, part in zip(p.weights, p.parts, strict=True)
    )
    return Gaussian.of(mean, second - np.outer(mean, mean))


def seeking(p: Mixture) -> Gaussian:
    """The Gaussian q of least KL(q ‖ p), by BFGS: the best of one start at each part of p and one at `covering`."""
    from scipy.optimize import minimize  # slow to import

    def unpacked(x: Floats) -> Gaussian:
        return Gaussian(x[:2], np.array([[np.exp(x[2]), 0], [x[3], np.exp(x[4])]]))

    def start(q: Gaussian) -> Floats:
        (a, _), (b, c) = q.root
        return np.array([*q.mean, np.log(a), b, np.log(c)])

    found = [minimize(lambda x: kl_from(unpacked(x), p), start(q)) for q in (*p.parts, covering(p))]
    return unpacked(min(found, key=lambda one: float(one.fun)).x)


# Two clusters of unequal weight, far enough apart for a gap between them.
TARGET = Mixture(
    np.array([0.6, 0.4]),
    (Gaussian.of([-2.2, -1.0], [[0.9, 0.5], [0.5, 0.8]]), Gaussian.of([2.6, 1.6], [[0.5, -0.2], [-0.2, 0.6]])),
)
EXTENT = (-7.5, 7.5, -5.5, 5.5)


def grid(n: int = 221) -> Floats:
    """Points (n, n, 2) over `EXTENT`, the lowest row first."""
    x0, x1, y0, y1 = EXTENT
    return np.stack(np.meshgrid(np.linspace(x0, x1, n), np.linspace(y0, y1, n)), -1)


def on_grid(density: Gaussian | Mixture, n: int = 221) -> Floats:
    """Its values (n, n) over `EXTENT`, the lowest row first."""
    values: Floats = np.exp(density.log_prob(grid(n)))
    return values


def between_the_modes(q: Gaussian | Mixture, p: Mixture = TARGET, least: float = 0.05) -> float:
    """The share of the mass of q in the gap of p: in the strip between the means of its two parts, across the line that joins
    them, where p has less than `least` of its largest density. The share of p itself in it is not 0."""
    start, end = (part.mean for part in p.parts)
    along = (grid() - start) @ (end - start) / np.square(end - start).sum()  # 0 at one mean, 1 at the other
    of_p, of_q = on_grid(p), on_grid(q)
    return float(of_q[(along > 0) & (along < 1) & (of_p < least * of_p.max())].sum() / of_q.sum())


def covered(q: Gaussian, p: Mixture = TARGET, share: float = 0.95) -> float:
    """The share of the mass of p within the ellipse that holds `share` of the mass of q."""
    u = np.linalg.solve(q.root, (grid() - q.mean)[..., None])[..., 0]
    of_p = on_grid(p)
    return float(of_p[np.square(u).sum(-1) < -2 * np.log(1 - share)].sum() / of_p.sum())


def closed_and_numerical(a: Gaussian, b: Gaussian) -> dict[str, tuple[float, float]]:
    """KL(a ‖ b) in nats by the closed form (`diabolo.metrics.gaussian_kl`) and by quadrature over a, for full covariances, for
    their diagonals alone, and for the diagonal of a against N(0, I), as in the loss of a VAE."""
    full, variances = (a.covariance, b.covariance), (a.covariance.diagonal(), b.covariance.diagonal())
    cases = {
        "full": (a.mean, full[0], b.mean, full[1]),
        "full, p and q exchanged": (b.mean, full[1], a.mean, full[0]),
        "diagonal": (a.mean, variances[0], b.mean, variances[1]),
        "diagonal, q = N(0, I)": (a.mean, variances[0], np.zeros(SIZE), np.ones(SIZE)),
    }

    def numerical(mean_p: Floats, of_p: Floats, mean_q: Floats, of_q: Floats) -> float:
        p, q = (
            Gaussian.of(mean, np.diag(given) if given.ndim == 1 else given)
            for mean, given in ((mean_p, of_p), (mean_q, of_q))
        )
        return kl_to(Mixture(np.ones(1), (p,)), q)

    return {name: (gaussian_kl(*case), numerical(*case)) for name, case in cases.items()}


def least_of(pairs: int, seed: int = 0) -> float:
    """The smallest KL, in nats, between two random Gaussians of full covariance, of so many pairs of them."""
    random = np.random.default_rng(seed)

    def drawn() -> tuple[Floats, Floats]:
        root = random.normal(size=(SIZE, SIZE))
        return random.normal(size=SIZE), root @ root.T + 0.01 * np.eye(SIZE)

    return min(gaussian_kl(*drawn(), *drawn()) for _ in range(pairs))
