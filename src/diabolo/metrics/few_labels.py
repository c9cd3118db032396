"""How much a few labels tell, on one representation and on another."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from diabolo.memory import at_once
from diabolo.metrics.logistic import softmax_regression, wide

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
