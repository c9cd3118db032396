"""Gaussians: the standard normal, which a VAE is trained towards; the one with the mean and covariance of the codes; a
mixture of several; and one around each code.
"""

import math
from typing import Literal

import numpy as np
import torch

from diabolo.latents.codes import different
from diabolo.latents.densities.density import NARROWEST, Density, Floats, Scale, density
from diabolo.memory import at_once
from diabolo.randomness import derive
from diabolo.ranges import AnySeed, Count, Plural, Positive, checked

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
        # by Σ^½, which is nearly the same for nearly the same codes; axes of equal variance are arbitrary
        u = standard_normal(n, self.width, seed) @ self.axes
        drawn: Floats = self.mu + (u * np.sqrt(self.variances)) @ self.axes.T
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


TRIED = (1, 2, 5, 10, 20, 40)  # numbers of components that BIC chooses among


@density("mixture", "gmm")
class Mixture(Density):
    """Σₖ πₖ N(μₖ, Σₖ), fitted by EM to the codes, each unit scaled to a variance of 1 (Ghosh et al. 2020, arXiv 1903.12436,
    take ten components).

    Args:
        components: how many; or "bic": that of 1, 2, 5, 10, 20, 40 with the lowest Bayesian information criterion (Schwarz
            1978).
        most: of more codes than this, so many drawn by the seed are fitted to.
        seed: of the start of EM, and of that draw.
    """

    @checked
    def __init__(self, components: Count | Literal["bic"] = 10, most: Plural = 20_000, seed: AnySeed = 0) -> None:
        super().__init__()
        self.components, self.most, self.seed = components, most, seed

    def least(self, width: int) -> int:
        """As many for each component as a Gaussian needs."""
        return (width + 1) * (1 if self.components == "bic" else self.components)

    def _fit(self, z: Floats) -> None:
        from sklearn.mixture import GaussianMixture  # slow to import

        if len(z) > self.most >= self.least(self.width):
            z = z[np.random.default_rng(derive(self.seed, "mixture")).permutation(len(z))[: self.most]]
            self.setting["fitted_to"] = len(z)
        self.scale = Scale.of(z)
        u = self.scale.there(z)
        counts = [self.components] if self.components != "bic" else [k for k in TRIED if k * (self.width + 1) <= len(u)]
        seed = derive(self.seed, "mixture") % 2**32
        fitted = [GaussianMixture(k, random_state=seed).fit(u) for k in counts]
        self.model = min(fitted, key=lambda model: model.bic(u)) if len(fitted) > 1 else fitted[0]
        self.setting |= {"components": self.model.n_components} | (
            {"chosen_by": "BIC"} if self.components == "bic" else {}
        )

    def _sample(self, n: int, seed: int) -> Floats:
        self.model.set_params(random_state=derive(seed, "density") % 2**32)
        u, _ = self.model.sample(n)
        # scikit-learn gives them component by component; whoever takes the first few wants some of each
        return self.scale.back(u[np.random.default_rng(derive(seed, "order")).permutation(n)])

    def _log_prob(self, z: Floats) -> Floats:
        log_density: Floats = self.model.score_samples(self.scale.there(z)) - self.scale.log_volume
        return log_density


PAIRS = 2**24  # distances held at once


@density("neighbours")
class Neighbours(Density):
    """1/N Σᵢ N(z; zᵢ, σᵢ² I) with σᵢ = scale · dᵢ / √D, dᵢ the distance from zᵢ to the k-th nearest of the codes that differ
    from it, or the farthest where there are fewer (Breiman, Meisel & Purcell 1977, "Variable kernel estimates of multivariate
    densities"). No shape is assumed, and with a small scale every sample lies beside a training image's code: look for
    memorised images.

    Args:
        k: the number of the neighbour that says how far.
        scale: 1 moves a code about as far as that neighbour is away.
    """

    @checked
    def __init__(self, k: Count = 5, scale: Positive = 1.0) -> None:
        super().__init__()
        self.k, self.scale = k, scale

    def least(self, width: int) -> int:
        """One that has k neighbours."""
        return self.k + 1

    def _fit(self, z: Floats) -> None:
        from sklearn.neighbors import NearestNeighbors  # slow to import

        # Images that repeat would be neighbours at no distance, and kernels of no width.
        apart, which = different(z, 2, f"the density {self.name!r}")
        apart, back = (z, slice(None)) if len(apart) == len(z) else (apart, which)
        k = min(self.k, len(apart) - 1)
        distance = NearestNeighbors(n_neighbors=k).fit(apart).kneighbors()[0][:, -1][back]
        # Codes far nearer than all others, by rounding, would give a kernel of no width.
        distance = np.maximum(distance, max(NARROWEST * float(distance.max()), float(np.finfo(np.float64).tiny)))
        self.centres, self.sigma = z, self.scale * distance / math.sqrt(self.width)
        if k < self.k:
            self.setting["different"] = len(apart)
        self.setting |= {"k": self.k, "scale": self.scale}

    def _sample(self, n: int, seed: int) -> Floats:
        random = np.random.default_rng(derive(seed, "density"))
        which = random.integers(len(self.centres), size=n)
        drawn: Floats = self.centres[which] + self.sigma[which, None] * random.standard_normal((n, self.width))
        return drawn

    def _log_prob(self, z: Floats) -> Floats:
        middle = self.centres.mean(0)  # distances by x² − 2xy + y² lose no digits near 0
        centres, points = torch.from_numpy(self.centres - middle), torch.from_numpy(z - middle)
        precision = torch.from_numpy(self.sigma) ** -2
        constant = -self.width * torch.from_numpy(self.sigma).log() - precision * centres.square().sum(1) / 2
        constant -= self.width / 2 * math.log(2 * math.pi) + math.log(len(centres))
        weighted = centres * precision[:, None]
        rows = at_once(PAIRS, len(centres))
        parts = [
            torch.logsumexp(constant + few @ weighted.T - few.square().sum(1, keepdim=True) / 2 * precision, 1)
            for few in points.split(rows)
        ]
        return torch.cat(parts).numpy()
