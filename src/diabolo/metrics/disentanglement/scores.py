"""Measures of disentanglement. Matrices are (D units, F factors) throughout.

MIG and modularity by mutual information; SAP, how much better a factor is read off its best unit than off the second best;
DCI, whether each unit matters for one factor and each factor needs one unit; and the FactorVAE score, which unit varies least
while one factor is held.

Those of mutual information want numbers in bins; how many decides the result, and it is overestimated by about (bins_z −
1)(bins_v − 1) / 2N nats (Miller & Madow), so N should be large against their product.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.errors import DiaboloError
from diabolo.metrics.usage import from_first

BINS = 20  # of a unit; as Locatello et al. 2019, arXiv 1811.12359


def binned(values: NDArray[Any], bins: int = BINS) -> NDArray[np.int64]:
    """The bin of each of `values` (N, C), int64: a column of at most `bins` different values keeps one bin for each, any other
    gets `bins` of equal width between its least and largest."""
    if not np.isfinite(values).all():
        raise DiaboloError("numbers that are NaN or infinite lie in no bin")
    columns = []
    for column in np.asarray(values).T:
        found, index = np.unique(column, return_inverse=True)
        if len(found) > bins:
            edges = np.linspace(float(found[0]), float(found[-1]), bins + 1)  # in float64, whatever the values are in
            index = np.digitize(column.astype(np.float64), edges[1:-1])
        columns.append(index.astype(np.int64))
    return np.stack(columns, 1)


def mutual_information_matrix(codes: NDArray[np.int64], factors: NDArray[np.int64]) -> NDArray[np.float64]:
    """I(zᵢ; vₖ) in nats, (D, F), of binned `codes` (N, D) and `factors` (N, F), both counted from 0."""
    n = _paired(codes, factors)
    matrix = np.empty((codes.shape[1], factors.shape[1]))
    for k, factor in enumerate(factors.T):
        kinds = int(factor.max()) + 1
        for i, code in enumerate(codes.T):
            joint = np.bincount(code * kinds + factor, minlength=(int(code.max()) + 1) * kinds).reshape(-1, kinds) / n
            there = joint > 0
            apart = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
            matrix[i, k] = (joint[there] * np.log(joint[there] / apart[there])).sum()
    return matrix.clip(0)


def entropies(factors: NDArray[np.int64]) -> NDArray[np.float64]:
    """H(vₖ) in nats, (F,), of binned `factors` (N, F)."""
    found = np.empty(factors.shape[1])
    for k, factor in enumerate(factors.T):
        p = np.unique(factor, return_counts=True)[1] / len(factor)
        found[k] = -(p * np.log(p)).sum() + 0.0
    return found


def gaps(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """By how much the best unit is ahead of the second best for each factor (F,), in a matrix (D, F)."""
    if len(matrix) == 1:
        best: NDArray[np.float64] = matrix[0]
        return best
    first_two = np.sort(matrix, axis=0)[-2:]
    ahead: NDArray[np.float64] = first_two[1] - first_two[0]
    return ahead


def mig(matrix: NDArray[np.float64], entropy: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mutual information gap of each factor (F,), 0 … 1: (I(z₍₁₎; vₖ) − I(z₍₂₎; vₖ)) / H(vₖ), the two units that tell most
    of it. The score is its mean (Chen et al. 2018, arXiv 1802.04942, equation 6).

    Args:
        matrix: I(zᵢ; vₖ), (D, F).
        entropy: H(vₖ), (F,).
    """
    if matrix.shape[1] != len(entropy):
        raise DiaboloError(f"the matrix has {matrix.shape[1]} factors and there are {len(entropy)} entropies")
    if not (entropy > 0).all():
        raise DiaboloError("a factor that never varies cannot be read off a code")
    return gaps(matrix) / entropy


def modularity(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each unit (D,) tells of one factor alone, 0 … 1: 1 − Σ_{k≠k*} m_ik² / (m_ik*² (F − 1)), k* the factor that unit i
    tells most of. The score is the mean over units that tell anything; others are NaN (Ridgeway & Mozer 2018, arXiv
    1802.05312, section 3).

    Args:
        matrix: m = I(zᵢ; vₖ), (D, F), F of 2 or more.
    """
    if matrix.shape[1] < 2:
        raise DiaboloError("modularity is about two factors or more")
    largest = np.square(matrix.max(1))
    rest = np.square(matrix).sum(1) - largest
    told: NDArray[np.float64] = np.where(
        largest > 0, 1 - rest / np.where(largest > 0, largest, 1) / (matrix.shape[1] - 1), np.nan
    )
    return told


def _paired(codes: NDArray[Any], factors: NDArray[Any]) -> int:
    if len(codes) != len(factors) or not len(codes):
        raise DiaboloError(f"there are {len(codes)} codes but {len(factors)} rows of factors")
    return len(codes)


KINDS = 10  # different values up to which a factor is a category


def separability(
    codes: NDArray[Any], factors: NDArray[Any], test_codes: NDArray[Any], test_factors: NDArray[Any]
) -> NDArray[np.float64]:
    """How well factor k is read off unit i alone, (D, F). For a number R² of the regression line, which is the squared
    correlation; for a category (10 different values or fewer) the balanced accuracy of thresholds on the unit, one fewer than
    there are kinds, scaled so that chance is 0.

    Args:
        codes, factors: (N, D) and (N, F); lines and thresholds are fitted to them.
        test_codes, test_factors: (M, D) and (M, F), what is scored. (The line's R² is that of the test examples.)
    """
    matrix = np.empty((codes.shape[1], factors.shape[1]))
    for k, (factor, test_factor) in enumerate(zip(factors.T, test_factors.T, strict=True)):
        read = _category if len(np.unique(factor)) <= KINDS else _number
        for i, (code, test_code) in enumerate(zip(codes.T, test_codes.T, strict=True)):
            matrix[i, k] = read(code, factor, test_code, test_factor)
    return matrix


def sap(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The gap of each factor (F,) between its best unit and the second best in a matrix of `separability` (D, F). The score is
    its mean (Kumar et al. 2018, arXiv 1711.00848, section 3)."""
    return gaps(matrix)


def _number(code: NDArray[Any], factor: NDArray[Any], test_code: NDArray[Any], test_factor: NDArray[Any]) -> float:
    if any((values == values[0]).all() for values in (code, test_code, test_factor)):
        return 0.0
    return float(np.corrcoef(test_code.astype(np.float64), test_factor.astype(np.float64))[0, 1] ** 2)


def _category(code: NDArray[Any], factor: NDArray[Any], test_code: NDArray[Any], test_factor: NDArray[Any]) -> float:
    from sklearn.tree import DecisionTreeClassifier  # slow to import

    kinds, wanted = np.unique(factor, return_inverse=True)
    if len(kinds) < 2 or (code == code[0]).all():
        return 0.0
    tree = DecisionTreeClassifier(max_leaf_nodes=len(kinds), class_weight="balanced", random_state=0)
    found = kinds[tree.fit(code[:, None], wanted).predict(test_code[:, None])]
    there = [kind for kind in kinds if (test_factor == kind).any()]
    balanced = float(np.mean([(found[test_factor == kind] == kind).mean() for kind in there]))
    return max(0.0, (balanced - 1 / len(kinds)) / (1 - 1 / len(kinds)))


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
