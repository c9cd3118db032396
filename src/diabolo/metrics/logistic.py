"""Logistic regression, many of them at once: W, b that minimise  mean loss(W x + b) + λ/2 ‖W‖²  to convergence, by L-BFGS.

L-BFGS runs in coordinates in which the curvature of the loss is at most 1 in every direction. The Hessian of both losses by W
is at most c·C, C being the covariance of x (Böhning 1992, Annals of the Institute of Statistical Mathematics 44), so with
C = V Λ Vᵀ these are W' = W V (c Λ + λ)^½: what takes thousands of steps in pixels takes some dozens there. And with fewer
examples than numbers in each, N < D, W is sought among the combinations of the examples, where the best one lies.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from diabolo.errors import DiaboloError

STEPS = 500  # of L-BFGS at most
GRADIENT = 5e-4  # largest entry at which it has converged, in the coordinates above: accuracies no longer move
Loss = Callable[
    [Tensor], tuple[Tensor, Tensor]
]  # logits (B, K, N) → mean over N (B,), and its gradient; N last is several times as fast


def softmax_regression(x: Tensor, y: Tensor, classes: int, l2: float | None = None) -> tuple[Tensor, Tensor]:
    """The W and b of least mean cross entropy  −log softmax(W x + b)_y + λ/2 ‖W‖², b being free.

    Args:
        x: (N, D), or (B, N, D) for B fits at once.
        y: (N,) or (B, N), int64 in 0 … classes − 1.
        classes: K.
        l2: λ; 1/N when left out, which is scikit-learn's C = 1.

    Returns:
        W (K, D) and b (K,), or (B, K, D) and (B, K), in the precision of `x`.
    """

    def loss(logits: Tensor) -> tuple[Tensor, Tensor]:
        log_p = logits.log_softmax(1)
        right = log_p.gather(1, labels)
        gradient = log_p.exp_().scatter_add_(1, labels, -torch.ones_like(right))
        return -right.double().mean((1, 2)), gradient / labels.shape[2]

    labels = torch.as_tensor(y).reshape(-1, 1, y.shape[-1])
    return _fit(torch.as_tensor(x), loss, classes, 0.5, l2)


def sigmoid_regression(x: Tensor, targets: Tensor, l2: float | None = None) -> tuple[Tensor, Tensor]:
    """The W and b of A yes-or-no questions at once: of least mean binary cross entropy of sigmoid(W x + b), summed over them,
    + λ/2 ‖W‖². No question knows of the others.

    Args:
        x: (N, D).
        targets: (N, A), bool.
        l2: λ; 1/N when left out.

    Returns:
        W (A, D) and b (A,).
    """
    yes = torch.as_tensor(targets).T.to(x.dtype)

    def loss(logits: Tensor) -> tuple[Tensor, Tensor]:
        value = (F.softplus(logits) - logits * yes).double().sum(1).mean(1)
        return value, (logits.sigmoid() - yes) / yes.shape[1]

    return _fit(torch.as_tensor(x), loss, len(yes), 0.25, l2)


def _fit(x: Tensor, loss: Loss, outputs: int, curvature: float, l2: float | None) -> tuple[Tensor, Tensor]:
    from scipy.optimize import minimize  # slow to import

    examples = x if x.ndim == 3 else x[None]
    fits, n, _ = examples.shape
    penalty = 1 / n if l2 is None else l2
    mean = examples.mean(1, keepdim=True)
    if not mean.isfinite().all():
        raise DiaboloError("a probe was given numbers that are NaN or infinite")
    seen, back, variance = _coordinates(examples - mean)
    scale = (curvature * variance + penalty).rsqrt()[:, None]  # W = W' scale

    def objective(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        parameters = torch.from_numpy(flat).view(fits, outputs, -1)
        w, b = parameters[..., :-1] * scale, parameters[..., -1]
        value, by_logits = loss(torch.baddbmm(b[..., None].to(x.dtype), w.to(x.dtype), seen.mT))
        by_w = (by_logits @ seen).double() + penalty * w
        gradient = torch.cat([by_w * scale, by_logits.sum(2).double()[..., None]], -1)
        total = value.sum() + penalty / 2 * w.square().sum()
        return float(total), gradient.flatten().numpy()

    start = np.zeros(fits * outputs * (seen.shape[2] + 1))
    options: dict[str, Any] = {"maxiter": STEPS, "maxfun": 2 * STEPS, "gtol": GRADIENT, "ftol": 1e-12, "maxcor": 20}
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options=options)
    parameters = torch.from_numpy(found.x).view(fits, outputs, -1)
    weight = (parameters[..., :-1] * scale) @ back.double()
    bias = parameters[..., -1] - (weight @ mean.double().mT)[..., 0]
    both = weight.to(x.dtype), bias.to(x.dtype)
    return both if x.ndim == 3 else (both[0][0], both[1][0])


def _coordinates(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Coordinates (B, N, r) of the centred `x` (B, N, D) along its r = min(N, D) principal directions, these (B, r, D), and the
    variance along each, (B, r)."""
    n, d = x.shape[1:]
    few = n < d
    values, vectors = torch.linalg.eigh((x @ x.mT if few else x.mT @ x).double())
    values = values.clamp(min=0)
    if not few:
        return x @ vectors.to(x.dtype), vectors.mT, values / n
    there = values > 1e-10 * values[:, -1:]  # of the rest float32 knows nothing
    length = torch.where(there, values, 1).sqrt()[:, None]
    u = torch.where(there[:, None], vectors, 0)  # x = u · length · directions
    return (u * length).to(x.dtype), ((u / length).mT.to(x.dtype) @ x).double(), values / n
