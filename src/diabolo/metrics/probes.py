"""What a frozen representation is good for: how well a linear layer, or the nearest neighbours, read the class off it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from diabolo.errors import DiaboloError
from diabolo.metrics.logistic import softmax_regression, wide

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


def linear_probe(x: NDArray[Any], y: Labels, l2: float | None = None, scale: float | None = None) -> LinearProbe:
    """One `nn.Linear` trained to convergence with cross entropy, all examples at once (Alain & Bengio 2017, arXiv 1610.01644).
    Nothing in it is drawn at random.

    Args:
        x: representations (N, D); what made them is not touched.
        y: labels (N,); examples of an unknown one (-1) are left out.
        l2: λ of the penalty λ/2 ‖W‖² on the weights of x / scale; 1/N when left out (scikit-learn's C = 1).
        scale: the one number that x is divided by first, which is undone in the layer; `common_scale(x)` when left out. No unit
            is divided by a deviation of its own: units that hardly vary, as those that a VAE leaves idle, would be blown up,
            and what the decoder cannot see below the noise of the posterior would be read off them.

    Raises:
        DiaboloError: when fewer than two classes are known, or x is not finite.

    Example:
        >>> x = model.encode(train.images).numpy()
        >>> probe = diabolo.metrics.linear_probe(x, train.labels)
        >>> accuracy = (probe.predict(model.encode(test.images).numpy()) == test.labels).mean()
        >>> bool(accuracy > 0.5)
        True
    """
    x, y = known(x, y)
    classes, index = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise DiaboloError(f"a probe distinguishes classes, and the labels hold {len(classes)}")
    one = common_scale(x) if scale is None else scale
    weight, bias = softmax_regression(wide(x) / one, torch.from_numpy(index), len(classes), l2)
    layer = nn.Linear(x.shape[1], len(classes))
    with torch.no_grad():
        layer.weight.copy_(weight / one)
        layer.bias.copy_(bias)
    return LinearProbe(layer, classes)


def nearest_neighbours(x: NDArray[Any], y: Labels, queries: NDArray[Any], neighbours: int = 5) -> Labels:
    """The label that most of the k nearest of `x` (N, D) have, for each of `queries` (M, D): (M,); the smaller one if two are
    as frequent. Euclidean distance in x as it is: units that hardly vary hardly count.

    Raises:
        DiaboloError: when fewer than k of the labels `y` (N,) are known.

    Example:
        >>> x, y = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]]), np.array([0, 0, 0, 1, 1, 1])
        >>> diabolo.metrics.nearest_neighbours(x, y, np.array([[0.3], [4.9]]), neighbours=3)
        array([0, 1])
    """
    from sklearn.neighbors import KNeighborsClassifier  # slow to import

    x, y = known(x, y)
    if not 1 <= neighbours <= len(y):
        raise DiaboloError(f"the number of neighbours must be from 1 to {len(y)}, not {neighbours}")
    if not all(np.isfinite(z).all() for z in (x, queries)):
        raise DiaboloError("a probe was given numbers that are NaN or infinite")
    brute = KNeighborsClassifier(neighbours, algorithm="brute").fit(x, y)
    found: Labels = brute.predict(queries.astype(x.dtype))
    return found


def majority(y: Labels) -> int:
    """The most frequent of the known labels `y` (N,): what one says without looking."""
    values, counts = np.unique(y[y != UNKNOWN], return_counts=True)
    if not len(values):
        raise DiaboloError("no label is known, so none is the most frequent")
    return int(values[counts.argmax()])


def known(x: NDArray[Any], y: Labels) -> tuple[NDArray[Any], Labels]:
    """The rows of `x` (N, D) and `y` (N,) whose label is known."""
    if len(x) != len(y):
        raise DiaboloError(f"there are {len(x)} representations but {len(y)} labels")
    if x.ndim != 2 or not x.shape[1] or y.ndim != 1:
        raise DiaboloError(f"representations are of the shape (N, D) and labels (N,), not {x.shape} and {y.shape}")
    there = y != UNKNOWN
    return (x, y) if there.all() else (x[there], y[there])


def common_scale(x: NDArray[Any]) -> float:
    """The one number that all columns of `x` (N, D) are divided by, so that they vary by 1 on average: √(1/D Σⱼ var xⱼ); 1
    where nothing varies."""
    deviation = float(np.sqrt(x.var(0, dtype=np.float64).mean()))
    return deviation if deviation > 1e-12 * float(np.abs(x).max(initial=0)) else 1.0
