"""What a frozen representation is good for: how well a linear layer, or the nearest neighbours, read the class off it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from diabolo.errors import DiaboloError
from diabolo.metrics.logistic import softmax_regression

UNKNOWN = -1
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class LinearProbe:
    """A linear layer that reads the class off a representation.

    Attributes:
        layer: x (N, D), as it is, → logits (N, K).
        classes: (K,), the label that each logit stands for.
    """

    layer: nn.Linear
    classes: Labels

    def predict(self, x: NDArray[Any]) -> Labels:
        """The most probable labels (N,) of `x` (N, D)."""
        with torch.no_grad():
            logits = self.layer(torch.as_tensor(x).to(self.layer.weight.dtype))
        found: Labels = self.classes[logits.argmax(1).numpy()]
        return found


def linear_probe(x: NDArray[Any], y: Labels, l2: float | None = None, standardise: bool = True) -> LinearProbe:
    """One `nn.Linear` trained to convergence with cross entropy, all examples at once (Alain & Bengio 2017, arXiv 1610.01644).
    Nothing in it is drawn at random.

    Args:
        x: representations (N, D); what made them is not touched.
        y: labels (N,); examples of an unknown one (-1) are left out.
        l2: λ of the penalty λ/2 ‖W‖² on the weights of standardised x; 1/N when left out (scikit-learn's C = 1).
        standardise: divide each number by its standard deviation first, so that the penalty bears on all alike; it is undone in
            the layer. Else all are left in the one scale that they have.

    Raises:
        DiaboloError: when fewer than two classes are known, or x is not finite.
    """
    x, y = known(x, y)
    classes, index = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise DiaboloError(f"a probe tells classes apart, and the labels hold {len(classes)}")
    scale = scale_of(x) if standardise else np.ones(x.shape[1], x.dtype)
    weight, bias = softmax_regression(torch.from_numpy(x / scale), torch.from_numpy(index), len(classes), l2)
    layer = nn.Linear(x.shape[1], len(classes))
    with torch.no_grad():
        layer.weight.copy_(weight / torch.from_numpy(scale))
        layer.bias.copy_(bias)
    return LinearProbe(layer, classes)


def nearest_neighbours(x: NDArray[Any], y: Labels, queries: NDArray[Any], neighbours: int = 5) -> Labels:
    """The label that most of the k nearest of `x` (N, D) have, for each of `queries` (M, D): (M,); the smaller one if two are
    as frequent. Euclidean distance in x as it is: units that hardly vary hardly count.

    Raises:
        DiaboloError: when fewer than k of the labels `y` (N,) are known.
    """
    from sklearn.neighbors import KNeighborsClassifier  # slow to import

    x, y = known(x, y)
    if not 1 <= neighbours <= len(y):
        raise DiaboloError(f"the number of neighbours must be from 1 to {len(y)}, not {neighbours}")
    if not np.isfinite(x.sum() + queries.sum()):
        raise DiaboloError("a probe was given numbers that are NaN or infinite")
    brute = KNeighborsClassifier(neighbours, algorithm="brute").fit(x, y)
    found: Labels = brute.predict(queries.astype(x.dtype))
    return found


def majority(y: Labels) -> int:
    """The most frequent of the known labels `y` (N,): what one says without looking."""
    values, counts = np.unique(y[y != UNKNOWN], return_counts=True)
    return int(values[counts.argmax()])


def known(x: NDArray[Any], y: Labels) -> tuple[NDArray[Any], Labels]:
    """The rows of `x` (N, D) and `y` (N,) whose label is known."""
    if len(x) != len(y):
        raise DiaboloError(f"there are {len(x)} representations but {len(y)} labels")
    there = y != UNKNOWN
    return (x, y) if there.all() else (x[there], y[there])


def scale_of(x: NDArray[Any]) -> NDArray[Any]:
    """The standard deviation of each column of `x` (N, D); 1 for a constant one."""
    deviation = x.std(0, dtype=np.float64)
    return np.where(deviation > 1e-12 * np.abs(x).max(0), deviation, 1).astype(x.dtype)
