"""SAP: how much better a factor is read off its best unit than off the second best."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.metrics.disentanglement.information import gaps

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
