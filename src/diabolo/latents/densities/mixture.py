"""A mixture of Gaussians with full covariances: scikit-learn's."""

from typing import Literal

import numpy as np

from diabolo.latents.densities.density import Density, Floats, Scale, density
from diabolo.randomness import derive
from diabolo.ranges import AnySeed, Count, Plural, checked

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
