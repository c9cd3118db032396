"""The bootstrap: what several statistics would have been on other images, the same other images for all of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diabolo.errors import DiaboloError
from diabolo.statistics.estimate import check_confidence

Kind = Literal["percentile", "basic"]
ROWS = 2**22  # numbers held at once
LEAST = 100  # draws of an interval


@dataclass(frozen=True)
class Replicates:
    """Several statistics of the same images, and of as many draws of images.

    Attributes:
        found: each statistic of the images themselves, by name.
        drawn: each statistic of every draw (R,), by name: number r of any two is of the same draw.

    Example:
        >>> found = diabolo.statistics.replicate({"mean": np.mean}, (np.arange(50.0),), n_resamples=200)
        >>> found.found["mean"], found.drawn["mean"].shape
        (24.5, (200,))
    """

    found: Mapping[str, float]
    drawn: Mapping[str, NDArray[np.float64]]

    def interval(self, name: str, confidence: float = 0.95, kind: Kind = "percentile") -> tuple[float, float]:
        """(low, high) of one statistic."""
        return ends(self.found[name], self.drawn[name], confidence, kind)

    def difference(self, a: str, b: str, confidence: float = 0.95, kind: Kind = "percentile") -> tuple[float, float]:
        """(low, high) of a − b, from the difference within each draw: what both share does not widen it."""
        return ends(self.found[a] - self.found[b], self.drawn[a] - self.drawn[b], confidence, kind)


def replicate(
    statistics: Mapping[str, Callable[..., Any]],
    *sides: tuple[ArrayLike, ...],
    n_resamples: int = 1000,
    seed: int = 0,
) -> Replicates:
    """Each of `statistics` on the rows as they are, and on as many draws of them with replacement (Efron 1979).

    Args:
        statistics: each of all arrays of all sides in turn, to one number.
        sides: each a tuple of arrays (n, …) whose row i belongs together, such as an image and its reconstructions by two
            models: they are drawn together. Different sides, such as samples and real images, are drawn independently.
        n_resamples: draws R; each is shared by all statistics.
        seed: of the draws.

    Raises:
        DiaboloError: for fewer than two rows, arrays of a side that do not belong together, or fewer than 100 draws.

    Example:
        >>> a, b = np.arange(50.0), np.arange(50.0) + 1
        >>> found = diabolo.statistics.replicate({"difference": lambda a, b: (a - b).mean()}, (a, b), n_resamples=200)
        >>> found.found["difference"]
        -1.0
    """
    groups = [[np.asarray(each) for each in side] for side in sides]
    for group in groups:
        lengths = {len(each) for each in group}
        if len(lengths) != 1 or min(lengths) < 2:
            raise DiaboloError(
                f"a bootstrap needs two examples or more, in arrays of one length, not {sorted(lengths)}"
            )
    if not groups or not statistics:
        raise DiaboloError("a bootstrap needs a statistic and what it is of")
    if n_resamples < LEAST:
        raise DiaboloError(f"a 95 % interval needs at least {LEAST} bootstrap draws, not {n_resamples}")
    sizes = [len(group[0]) for group in groups]
    rng = np.random.default_rng(seed)
    drawn = {name: np.empty(n_resamples) for name in statistics}
    together = max(1, ROWS // sum(sizes))
    for start in range(0, n_resamples, together):
        here = min(together, n_resamples - start)
        rows = [rng.integers(0, n, (here, n)) for n in sizes]
        for i in range(here):
            arrays = [each[rows[s][i]] for s, group in enumerate(groups) for each in group]
            for name, statistic in statistics.items():
                drawn[name][start + i] = statistic(*arrays)
    whole = [each for group in groups for each in group]
    return Replicates({name: float(statistic(*whole)) for name, statistic in statistics.items()}, drawn)


def ends(found: float, drawn: NDArray[np.float64], confidence: float, kind: Kind = "percentile") -> tuple[float, float]:
    """The interval of a statistic from its draws: between their quantiles ("percentile"), or those mirrored at what was found
    ("basic": where draws lie above it by a bias, the truth lies below it by as much)."""
    check_confidence(confidence)
    if kind not in ("percentile", "basic"):
        raise DiaboloError(f"an interval of a bootstrap is 'percentile' or 'basic', not {kind!r}")
    low, high = np.quantile(drawn, ((1 - confidence) / 2, (1 + confidence) / 2))
    return (float(low), float(high)) if kind == "percentile" else (float(2 * found - high), float(2 * found - low))
