"""Logistic regression, many of them at once: W, b that minimise  mean loss(W x + b) + λ/2 ‖W‖²  to convergence, by L-BFGS.

L-BFGS runs in coordinates in which the curvature of the loss is at most 1 in every direction. The Hessian of both losses by W
is at most c·C, C being the covariance of x (Böhning 1992, Annals of the Institute of Statistical Mathematics 44), so with
C = V Λ Vᵀ these are W' = W V (c Λ + λ)^½: what takes thousands of steps in pixels takes some dozens there. And with fewer
examples than numbers in each, N < D, W is sought among the combinations of the examples, where the best one lies.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from diabolo.errors import DiaboloError
from diabolo.memory import at_once

STEPS = 500  # of L-BFGS at most
SMALL = 2**22  # numbers up to which the end is sought in float64: weights are then right to three decimals and more
EXACT, GRADIENT = (
    1e-6,
    1e-4,
)  # largest entry of the gradient at the end, in the coordinates above, of small problems and large
TOGETHER = 2**20  # numbers of examples seen at once: still in the cache when the gradient needs them again
Loss = Callable[
    [Tensor, slice], tuple[Tensor, Tensor]
]  # logits (B, K, n) of some of the N examples → sum over them (B,), and its gradient; n last is several times as fast


def softmax_regression(x: Tensor, y: Tensor, classes: int, l2: float | None = None) -> tuple[Tensor, Tensor]:
    """The W and b of least mean cross entropy  −log softmax(W x + b)_y + λ/2 ‖W‖², b being free.

    Two classes are one question, whose one row of weights is W₁ − W₀: there the penalty is λ/2 ‖W₁ − W₀‖², with W₀ = −W₁.

    Args:
        x: (N, D), or (B, N, D) for B fits at once.
        y: (N,) or (B, N), int64 in 0 … classes − 1.
        classes: K.
        l2: λ; 1/N when left out, which is scikit-learn's C = 1 for two classes as for more.

    Returns:
        W (K, D) and b (K,), or (B, K, D) and (B, K), in the precision of `x`, see `wide`.
    """

    def loss(logits: Tensor, rows: slice) -> tuple[Tensor, Tensor]:
        log_p, wanted = logits.log_softmax(1), labels[..., rows]
        right = log_p.gather(1, wanted)
        gradient = log_p.exp_().scatter_add_(1, wanted, -torch.ones_like(right))
        return -right.double().sum((1, 2)), gradient

    labels = torch.as_tensor(y).reshape(-1, 1, y.shape[-1])
    penalty = 1 / y.shape[-1] if l2 is None else l2
    return _fit(wide(x), loss, classes, 0.5, 2 * penalty if classes == 2 else penalty)  # ‖W₁ − W₀‖² = 2 ‖W‖²


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
    x = wide(x)
    yes = torch.as_tensor(targets).T.to(x.dtype)

    def loss(logits: Tensor, rows: slice) -> tuple[Tensor, Tensor]:
        value = (F.softplus(logits) - logits * yes[:, rows]).double().sum((1, 2))
        return value, logits.sigmoid() - yes[:, rows]

    return _fit(x, loss, len(yes), 0.25, 1 / len(x) if l2 is None else l2)


def wide(x: Any) -> Tensor:
    """Numbers as they are computed with: float32 and float64 as they are, float16 and whole numbers in float64, before they are
    centred or divided."""
    numbers = torch.as_tensor(x)
    return numbers if numbers.dtype in (torch.float32, torch.float64) else numbers.double()


def _fit(x: Tensor, loss: Loss, outputs: int, curvature: float, penalty: float) -> tuple[Tensor, Tensor]:
    examples = x if x.ndim == 3 else x[None]
    fits, n, d = examples.shape
    small = examples.numel() <= SMALL
    examples = examples.double() if small else examples
    mean = examples.mean(1, keepdim=True)
    if not mean.isfinite().all():
        raise DiaboloError("a probe was given numbers that are NaN or infinite")
    seen = examples - mean
    directions, variance = _directions(seen)
    scale = (curvature * variance + penalty).rsqrt()[:, None]  # W = W' scale directions
    few = n < d
    if few:
        seen = seen @ directions.mT.to(seen.dtype)
    size = at_once(TOGETHER, fits * seen.shape[2])

    parameters = torch.zeros(fits, outputs, directions.shape[1] + 1, dtype=torch.float64)

    def objective() -> Tensor:
        w, b = parameters[..., :-1] * scale, parameters[..., -1]
        w = w if few else w @ directions
        total, by_w, by_b = penalty / 2 * w.square().sum(), penalty * w, torch.zeros_like(b)
        for first in range(0, n, size):
            rows = slice(first, first + size)
            value, by_logits = loss(
                torch.baddbmm(b[..., None].to(seen.dtype), w.to(seen.dtype), seen[:, rows].mT), rows
            )
            total += value.sum() / n
            by_w += (by_logits @ seen[:, rows]).double() / n
            by_b += by_logits.sum(2).double() / n
        by_w = by_w if few else by_w @ directions.mT
        parameters.grad = torch.cat([by_w * scale, by_b[..., None]], -1)
        return total

    torch.optim.LBFGS(
        [parameters],
        max_iter=STEPS,
        tolerance_grad=EXACT if small else GRADIENT,
        tolerance_change=1e-12,
        history_size=20,
        line_search_fn="strong_wolfe",
    ).step(objective)
    weight = (parameters[..., :-1] * scale) @ directions
    bias = parameters[..., -1] - (weight @ mean.double().mT)[..., 0]
    both = weight.to(x.dtype), bias.to(x.dtype)
    return both if x.ndim == 3 else (both[0][0], both[1][0])


def _directions(x: Tensor) -> tuple[Tensor, Tensor]:
    """The r = min(N, D) principal directions (B, r, D) of the centred `x` (B, N, D), and the variance along each, (B, r)."""
    n, d = x.shape[1:]
    few = n < d
    values, vectors = torch.linalg.eigh((x @ x.mT if few else x.mT @ x).double())
    values = values.clamp(min=0)
    if not few:
        return vectors.mT, values / n
    there = values > 1e-10 * values[:, -1:]  # of the rest float32 knows nothing
    u = torch.where(there[:, None], vectors, 0)  # x = u · length · directions
    length = torch.where(there, values, 1).sqrt()[:, None]
    return ((u / length).mT.to(x.dtype) @ x).double(), values / n
