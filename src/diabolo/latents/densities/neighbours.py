"""A code of a training image, moved by about as much as its neighbours are away: a kernel density of varying width."""

import math

import numpy as np
import torch

from diabolo.latents.codes import different
from diabolo.latents.densities.density import NARROWEST, Density, Floats, density
from diabolo.memory import at_once
from diabolo.randomness import derive
from diabolo.ranges import Count, Positive, checked

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
