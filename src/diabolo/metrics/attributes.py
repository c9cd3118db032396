"""All yes-or-no attributes of images at once: how well one linear layer reads each off a representation."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from diabolo.errors import DiaboloError
from diabolo.masks import as_mask
from diabolo.metrics.logistic import sigmoid_regression, wide
from diabolo.metrics.probes import common_scale
from diabolo.statistics import wilson


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
