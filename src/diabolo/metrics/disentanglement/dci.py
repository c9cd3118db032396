"""DCI: whether each unit matters for one factor (disentanglement), each factor needs one unit (completeness), and how well
factors are read off the code at all (informativeness)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.metrics.disentanglement.sap import KINDS

FITTED = 5000  # examples that forests are fitted to
TREES = 10


@dataclass(frozen=True)
class DCI:
    """What was found.

    Attributes:
        importance: R (D, F), how much unit i matters for factor k; each column sums to 1, or is 0 where nothing was read.
        disentanglement: the mean over units of 1 − H_F(Pᵢ), weighted by how much they matter.
        completeness: the mean over factors of 1 − H_D(P̃ₖ), weighted by how much is in the column.
        informativeness: (F,), the share of the error of a constant that the code saves: R² for a number; for a category
            1 − wrong / wrong when always saying the most frequent one.
    """

    importance: NDArray[np.float64]
    disentanglement: float
    completeness: float
    informativeness: NDArray[np.float64]


def dci(
    codes: NDArray[Any],
    factors: NDArray[Any],
    test_codes: NDArray[Any],
    test_factors: NDArray[Any],
    seed: int = 0,
    trees: int = TREES,
) -> DCI:
    """Of random forests, one for each factor, that read it off the code (Eastwood & Williams 2018, ICLR).

    Args:
        codes, factors: (N, D) and (N, F); the forests are fitted to the first 5,000.
        test_codes, test_factors: (M, D) and (M, F), what informativeness is measured on.
        seed: of the forests.
        trees: in each.
    """
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor  # slow to import

    codes, factors = codes[:FITTED], factors[:FITTED]
    importance = np.zeros((codes.shape[1], factors.shape[1]))
    told = np.zeros(factors.shape[1])
    for k, (factor, wanted) in enumerate(zip(factors.T, test_factors.T, strict=True)):
        category = len(np.unique(factor)) <= KINDS
        forest = (RandomForestClassifier if category else RandomForestRegressor)(
            trees, min_samples_leaf=5, random_state=seed
        )
        found = forest.fit(codes, factor.astype(str) if category else factor).predict(test_codes)
        importance[:, k] = forest.feature_importances_
        if category:
            wrong = (found != wanted.astype(str)).mean()
            usual = 1 - np.unique(wanted, return_counts=True)[1].max() / len(wanted)
        else:
            wrong, usual = np.square(found - wanted).mean(), wanted.var(dtype=np.float64)
        told[k] = 1 - wrong / usual if usual else np.nan
    disentanglement, completeness = from_importance(importance)
    return DCI(importance, disentanglement, completeness, told)


def from_importance(importance: NDArray[np.float64]) -> tuple[float, float]:
    """Disentanglement and completeness of R (D, F), both 0 … 1: with P the rows of R made to sum to 1 and P̃ the columns,

    D = Σᵢ ρᵢ (1 − H_F(Pᵢ)), ρᵢ = Σₖ R_ik / Σ R;   C = Σₖ κₖ (1 − H_D(P̃ₖ)), κₖ = Σᵢ R_ik / Σ R,

    H_F and H_D being entropies to the base F and D.
    """
    r = np.abs(importance)
    return _focus(r), _focus(r.T)


def _focus(r: NDArray[np.float64]) -> float:
    """1 − entropy of each row (to the base of its length), weighted by the row's sum."""
    sums, length = r.sum(1), r.shape[1]
    if not sums.sum():
        return 0.0
    p = r / np.where(sums > 0, sums, 1)[:, None]
    entropy = -(p * np.log(np.where(p > 0, p, 1))).sum(1) / np.log(max(length, 2))
    return float((sums / sums.sum() * (1 - entropy)).sum())
