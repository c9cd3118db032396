"""What a simple classifier reads off a representation: a class, by one linear layer or the nearest neighbours; a class
learned from a few labels; all yes-or-no attributes at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from diabolo.errors import DiaboloError
from diabolo.masks import as_mask
from diabolo.memory import at_once
from diabolo.metrics.logistic import sigmoid_regression, softmax_regression, wide
from diabolo.statistics import wilson

UNKNOWN = -1
TINY = 1e-12  # length below which a representation has no direction
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


def support_vectors(
    x: NDArray[Any], y: Labels, queries: NDArray[Any], cost: float = 10.0, unit_length: bool = True
) -> Labels:
    """The class that a support vector machine gives each of `queries` (M, D): (M,). One against one, with the kernel
    exp(−‖a − b‖² / (D v)), v the variance of all numbers of x (Cortes & Vapnik 1995, Machine Learning 20:273).

    Args:
        x: representations (N, D).
        y: labels (N,); examples of an unknown one (-1) are left out.
        queries: (M, D).
        cost: C, the weight of what lies on the wrong side of the margin.
        unit_length: whether each representation is first scaled to length one, so that only its direction counts.

    Raises:
        DiaboloError: when fewer than two classes are known, or x or queries are not finite.

    Example:
        >>> x, y = np.array([[1.0, 0.0], [2.0, 0.1], [0.0, 1.0], [0.1, 3.0]]), np.array([0, 0, 1, 1])
        >>> diabolo.metrics.support_vectors(x, y, np.array([[5.0, 1.0], [1.0, 5.0]]))
        array([0, 1])
    """
    from sklearn.svm import SVC  # slow to import

    x, y = known(x, y)
    if (classes := len(np.unique(y))) < 2:
        raise DiaboloError(f"a probe distinguishes classes, and the labels hold {classes}")
    if not all(np.isfinite(z).all() for z in (x, queries)):
        raise DiaboloError("a probe was given numbers that are NaN or infinite")
    if unit_length:
        x, queries = (z / np.maximum(np.linalg.norm(z, axis=1, keepdims=True), TINY) for z in (x, queries))
    found: Labels = SVC(C=cost).fit(x, y).predict(queries)
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


NUMBERS = 2**25  # logits held at once


def few_label_accuracy(
    x: NDArray[Any],
    y: NDArray[np.int64],
    draws: Sequence[NDArray[np.int64]],
    test_x: NDArray[Any],
    test_y: NDArray[np.int64],
    l2: float | None = None,
) -> NDArray[np.float64]:
    """The share (draws,) of test examples whose class logistic regression gets right, fitted to a few labelled examples.

    All draws are fitted at once. Logistic regression with ‖W‖² does not change when x is rotated, so n examples of D > n
    numbers are n numbers each (see `logistic`): pixels cost no more than codes.

    Args:
        x: (N, D), in the scale in which the penalty is to bear on it.
        y: (N,), labels.
        draws: of each draw the indices (n,) of the labelled examples, equally many.
        test_x, test_y: (M, D), (M,).
        l2: λ of λ/2 ‖W‖² beside the mean cross entropy; 1/n when left out (scikit-learn's C = 1).

    Example:
        >>> x, test_x = model.encode(train.images).numpy(), model.encode(test.images).numpy()
        >>> draws = [np.arange(50), np.arange(50, 100)]
        >>> accuracy = diabolo.metrics.few_label_accuracy(x, train.labels, draws, test_x, test.labels)
        >>> accuracy.shape, bool((accuracy > 0.3).all())
        ((2,), True)
    """
    chosen = np.stack(list(draws))
    classes, which = np.unique(y[chosen], return_inverse=True)
    index = torch.from_numpy(which.reshape(chosen.shape))
    w, b = softmax_regression(wide(x[chosen]), index, len(classes), l2)
    truth = torch.from_numpy(np.searchsorted(classes, test_y))
    truth[~torch.from_numpy(np.isin(test_y, classes))] = -1  # a class of which no label was seen is never right
    right = torch.zeros(len(chosen), dtype=torch.int64)
    rows = at_once(NUMBERS, b.numel())
    for few, wanted in zip(wide(test_x).to(w.dtype).split(rows), truth.split(rows), strict=True):
        logits = torch.addmm(b.view(-1, 1), w.flatten(0, 1), few.T).view(*b.shape, -1)
        right += (logits.argmax(1) == wanted).sum(1)
    return right.double().numpy() / len(test_y)


def attribute_probe(
    x: NDArray[Any], attributes: ArrayLike, l2: float | None = None, scale: float | None = None
) -> nn.Linear:
    """One `nn.Linear` with an output for each attribute, trained to convergence with binary cross entropy: logits above 0 say
    yes. No attribute knows of the others.

    Args:
        x: representations (N, D).
        attributes: (N, A), True and False, or 1 and 0.
        l2, scale: as in `linear_probe`.

    Raises:
        DiaboloError: for an attribute that is the same for all, and for values that are neither 0 nor 1.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
        >>> attributes = np.stack([x[:, 0] > 0, x[:, 2] > 1], axis=1)
        >>> found = diabolo.metrics.attribute_probe(x, attributes)
        >>> bool(((found(torch.from_numpy(x)).detach().numpy() > 0) == attributes).mean() > 0.95)
        True
    """
    yes = _columns(attributes, len(x))
    share = yes.mean(0)
    constant = (share == 0) | (share == 1)
    if constant.any():
        raise DiaboloError(
            f"{int(constant.sum())} of {len(constant)} attributes are the same for all images to learn from"
        )
    one = common_scale(x) if scale is None else scale
    weight, bias = sigmoid_regression(wide(x) / one, torch.from_numpy(yes), l2)
    layer = nn.Linear(x.shape[1], yes.shape[1])
    with torch.no_grad():
        layer.weight.copy_(weight / one)
        layer.bias.copy_(bias)
    return layer


def read_attributes(layer: nn.Linear, x: NDArray[Any]) -> NDArray[np.bool_]:
    """What `layer` says of `x` (N, D): (N, A)."""
    with torch.no_grad():
        said: NDArray[np.bool_] = (layer(torch.from_numpy(x).to(layer.weight.dtype)) > 0).numpy()
    return said


@dataclass(frozen=True)
class Agreement:
    """How well attributes were read, one entry for each, (A,).

    Attributes:
        accuracy: share of images.
        low, high: its 95 % interval (Wilson).
        balanced: the mean of the share of "yes" images and that of "no" images that were read right; ½ for a guess, however
            rare the attribute is. NaN where all images to test on have it, or none.
    """

    accuracy: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    balanced: NDArray[np.float64]


def agreement(said: ArrayLike, truth: ArrayLike) -> Agreement:
    """Of `said` with `truth`, (N, A) each, True and False, or 1 and 0."""
    truth = _columns(truth)
    right = _columns(said, len(truth)) == truth
    intervals = np.array([wilson(int(count), len(truth)) for count in right.sum(0)])
    with np.errstate(invalid="ignore"):  # 0 / 0: an attribute that nobody or everybody has
        yes, no = ((right & kind).sum(0) / kind.sum(0) for kind in (truth, ~truth))
    return Agreement(right.mean(0), intervals[:, 0], intervals[:, 1], (yes + no) / 2)


def _columns(attributes: ArrayLike, n: int | None = None) -> NDArray[np.bool_]:
    """(N, A) of yes and no."""
    found = as_mask(attributes, "attributes")
    if found.ndim != 2 or not found.shape[1] or (n is not None and len(found) != n):
        raise DiaboloError(f"attributes must be of the shape ({'N' if n is None else n}, A), not {found.shape}")
    return found
