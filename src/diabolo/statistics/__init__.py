"""How far a number can be trusted, and what may be said of it: the one home of intervals, tests and verdicts.

Intervals hold the true number in 95 of 100 repetitions. A difference is an `Estimate`; that there is one needs a least size
(`decide`), that there is none a margin, and a bar within an interval decides nothing (`verdict`).
"""

from diabolo.statistics.blocks import Shared, apart, blocks, shared
from diabolo.statistics.differences import against_best, differ, holm, paired, sign_test, welch
from diabolo.statistics.estimate import Estimate, mean
from diabolo.statistics.intervals import bootstrap, mean_interval, paired_shares, wilson
from diabolo.statistics.resampling import Replicates, replicate
from diabolo.statistics.verdicts import (
    Decision,
    State,
    decide,
    equivalence_p,
    equivalent,
    least_difference,
    least_in,
    verdict,
    what_matters,
)

__all__ = [
    "Decision",
    "Estimate",
    "Replicates",
    "Shared",
    "State",
    "against_best",
    "apart",
    "blocks",
    "bootstrap",
    "decide",
    "differ",
    "equivalence_p",
    "equivalent",
    "holm",
    "least_difference",
    "least_in",
    "mean",
    "mean_interval",
    "paired",
    "paired_shares",
    "replicate",
    "shared",
    "sign_test",
    "verdict",
    "welch",
    "what_matters",
    "wilson",
]
