"""A code of a training image, moved by about as much as its neighbours are away: a kernel density of varying width."""

import math

import numpy as np
import torch

from diabolo.errors import DiaboloError
from diabolo.latents.densities.density import NARROWEST, Density, Floats, density
from diabolo.randomness import derive
from diabolo.ranges import Count, Positive, checked

PAIRS = 2**24  # distances held at once


@density("neighbours")
class Neighbours(Density):
    """1/N Σᵢ N(z; zᵢ, σᵢ² I) with σᵢ = scale · dᵢ / √D, dᵢ the distance from zᵢ to its k-th nearest neighbour (Breiman, Meisel
    & Purcell 1977, "Variable kernel estimates of multivariate densities"). No shape is assumed, and with a small scale every
    sample lies beside a training image's code: look for memorised images.

    Args:
        k: the number of the neighbour that says how far.
        scale: 1 moves a code about as far as that neighbour is away.
    """

    @checked
    def __init__(self, k: Count = 5, scale: Positive = 1.0) -> None:
        super().__init__()
        if k < 1 or not 0 < scale < math.inf:
            raise DiaboloError(f"neighbours are counted from 1 and the scale is above 0, not {k} and {scale}")
        self.k, self.scale = k, scale

    def least(self, width: int) -> int:
        """One that has k neighbours."""
        return self.k + 1

    def _fit(self, z: Floats) -> None:
        from sklearn.neighbors import NearestNeighbors  # slow to import

        distance = NearestNeighbors(n_neighbors=self.k).fit(z).kneighbors()[0][:, -1]
        if not distance.max() > 0:
            raise DiaboloError("all codes are the same: there is no density of them, the encoder has collapsed")
        # Codes that occur more than k times would give a kernel of no width.
        distance = np.maximum(distance, max(NARROWEST * float(distance.max()), float(np.finfo(np.float64).tiny)))
        self.centres, self.sigma = z, self.scale * distance / math.sqrt(self.width)
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
        rows = max(1, PAIRS // len(centres))
        parts = [
            torch.logsumexp(constant + few @ weighted.T - few.square().sum(1, keepdim=True) / 2 * precision, 1)
            for few in points.split(rows)
        ]
        return torch.cat(parts).numpy()
