"""Gaussians: the standard normal, which a VAE is trained towards, and the one with the mean and covariance of the codes."""

import math

import numpy as np

from diabolo.latents.densities.density import NARROWEST, Density, Floats, density
from diabolo.randomness import derive

MANY = 10  # codes for each dimension, from which on the sample covariance needs no shrinkage


@density("normal")
class Normal(Density):
    """N(0, I). It fits nothing: of the codes only their length is looked at."""

    def least(self, width: int) -> int:
        """One, to know the length."""
        return 1

    def _fit(self, z: Floats) -> None:
        pass

    def _sample(self, n: int, seed: int) -> Floats:
        return standard_normal(n, self.width, seed)

    def _log_prob(self, z: Floats) -> Floats:
        return log_standard_normal(z)


@density("gaussian")
class Gaussian(Density):
    """N(μ, Σ) with the mean and the full covariance of the codes (Ghosh et al. 2020, arXiv 1903.12436).

    With fewer than ten codes for each dimension, Σ is shrunk towards a multiple of I (Ledoit & Wolf 2004, "A well-conditioned
    estimator for large-dimensional covariance matrices"; scikit-learn's), and `setting` says by how much.
    """

    def _fit(self, z: Floats) -> None:
        self.mu = z.mean(0)
        if len(z) < MANY * self.width:
            from sklearn.covariance import ledoit_wolf  # slow to import

            sigma, shrinkage = ledoit_wolf(z)
            self.setting["shrinkage"] = float(shrinkage)
        else:
            sigma = np.atleast_2d(np.cov(z, rowvar=False))
        variances, self.axes = np.linalg.eigh(sigma)
        # Dead units have no variance at all; a Gaussian that has a density needs some in every direction.
        self.variances = np.maximum(variances, max(NARROWEST**2 * variances.max(), np.finfo(np.float64).tiny))

    def _sample(self, n: int, seed: int) -> Floats:
        drawn: Floats = self.mu + (standard_normal(n, self.width, seed) * np.sqrt(self.variances)) @ self.axes.T
        return drawn

    def _log_prob(self, z: Floats) -> Floats:
        u: Floats = (z - self.mu) @ self.axes / np.sqrt(self.variances)
        log_density: Floats = log_standard_normal(u) - np.log(self.variances).sum() / 2
        return log_density


def standard_normal(n: int, width: int, seed: int) -> Floats:
    """(n, width) from N(0, I)."""
    return np.random.default_rng(derive(seed, "density")).standard_normal((n, width))


def log_standard_normal(u: Floats) -> Floats:
    """log N(u; 0, I) in nats of each row of `u` (N, D): (N,)."""
    log_density: Floats = -(np.square(u).sum(1) + u.shape[1] * math.log(2 * math.pi)) / 2
    return log_density
