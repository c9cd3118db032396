"""The FactorVAE score: hold one factor, and see which unit then varies least."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.errors import DiaboloError
from diabolo.metrics.disentanglement.information import BINS, binned
from diabolo.metrics.usage import from_first

IDLE = 0.01  # of the largest standard deviation: units that vary less have no say
VOTES = 800
GROUP = 64


def factor_vae_score(
    codes: NDArray[Any], factors: NDArray[Any], votes: int = VOTES, group: int = GROUP, bins: int = BINS, seed: int = 0
) -> float:
    """Accuracy of a majority vote that tells from the unit of least variance, in a group of images that share one factor,
    which factor that is (Kim & Mnih 2018, arXiv 1802.05983, section 4). Chance is about 1 / F.

    The groups are drawn from images that there are: such as lie in the same bin of the factor, so that a factor that is a
    number still varies within 1 / `bins` of its range. Half of the votes train, the other half are scored.

    Args:
        codes: (N, D).
        factors: (N, F), numbers or categories.
        votes: groups, half of them for training.
        group: images in each, drawn with replacement.
        bins: of a factor with more different values than that.
        seed: of the draws.
    """
    if votes < 2 or group < 2:
        raise DiaboloError(f"a vote needs two groups of two images or more, not {votes} of {group}")
    moved = from_first(codes)
    deviation = moved.std(0)
    alive = deviation > IDLE * deviation.max()
    if not alive.any():
        return 0.0
    z = moved[:, alive] / deviation[alive]
    random, where = np.random.default_rng(seed), binned(factors, bins)
    held = random.integers(factors.shape[1], size=votes)
    least = np.empty(votes, np.int64)
    for k in range(factors.shape[1]):  # the groups of one factor at once
        mine = np.flatnonzero(held == k)
        order = np.argsort(where[:, k], kind="stable")
        counts = np.bincount(where[:, k])
        starts = counts.cumsum() - counts
        bin_of = where[random.integers(len(z), size=len(mine)), k]  # bins as often as images lie in them
        within = (random.random((len(mine), group)) * counts[bin_of, None]).astype(np.int64)
        least[mine] = z[order[starts[bin_of, None] + within]].var(1).argmin(1)
    return majority_vote(least[: votes // 2], held[: votes // 2], least[votes // 2 :], held[votes // 2 :])


def majority_vote(
    units: NDArray[np.int64], factors: NDArray[np.int64], test_units: NDArray[np.int64], test_factors: NDArray[np.int64]
) -> float:
    """The share of (unit, factor) pairs that are as in most pairs of the same unit among those to learn from: each (V,)."""
    usual = {unit: np.bincount(factors[units == unit]).argmax() for unit in np.unique(units)}
    said = np.array([usual.get(unit, 0) for unit in test_units])  # a unit without a vote says 0
    return float((said == test_factors).mean())
