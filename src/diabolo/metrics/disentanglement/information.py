"""Measures of disentanglement by mutual information: MIG and modularity. Matrices are (D units, F factors) throughout.

Both want numbers in bins; how many decides the result, and mutual information is overestimated by about
(bins_z − 1)(bins_v − 1) / 2N nats (Miller & Madow), so N should be large against their product.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.errors import DiaboloError

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
