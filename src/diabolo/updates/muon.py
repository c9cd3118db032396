"""Muon: momentum whose matrix is made orthogonal before the step; AdamW for what is no matrix.

    b ← μ b + (1 − μ) g          u = (1 − μ) g + μ b
    w ← w · (1 − lr λ) − lr · 0.2 √max(rows, columns) · O(u)

O(u) is near U Vᵀ of u = U S Vᵀ: all directions of the update become about equally long. It is found without a decomposition by
five steps of X ← a X + b (X Xᵀ) X + c (X Xᵀ)² X from X = u / ‖u‖, an odd polynomial of the singular values that drives
them to between 0.7 and 1.2. The factor makes a step as long as AdamW's would be, so that both share one learning rate.
"""

import math
from collections.abc import Sequence

from torch import Tensor

from diabolo.errors import DiaboloError
from diabolo.parts import part
from diabolo.ranges import BelowOne, Weight
from diabolo.schedules import Number
from diabolo.updates.adam import AdamW
from diabolo.updates.optimizer import Optimizer, named

A, B, C = 3.4445, -4.7750, 2.0315  # of the polynomial, by Jordan
STEPS = 5
LENGTH = 0.2  # root mean square of an update of AdamW (Liu et al. 2025)


def orthogonal(u: Tensor) -> Tensor:
    """The matrix `u` (rows, columns) with singular values near 1; in the type of `u`."""
    x: Tensor = u.T if len(u) > u.shape[1] else u  # the smaller product
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(STEPS):
        gram = x @ x.T
        x = A * x + (B * gram + C * gram @ gram) @ x
    return x.T if len(u) > u.shape[1] else x


@named("muon")
@part
class Muon(Optimizer):
    """Jordan et al. 2024, kellerjordan.github.io/posts/muon; the length of its step as in Liu et al. 2025, arXiv 2502.16982.

    The kernels of convolutions are matrices of as many rows as they have in their first dimension.

    Args:
        momentum: μ.
        weight_decay: λ, apart from the gradient.
        beta1, beta2: of the AdamW that moves biases and scales.

    Example:
        >>> from diabolo.updates import Muon
        >>> model = diabolo.zoo.undercomplete(train.shape, 4, hidden=(32,))
        >>> run = diabolo.fit(model, train, epochs=2, lr=1e-3, optimizer=Muon(momentum=0.95), quiet=True)
        >>> run.history[1]["train"]["total"] < run.history[0]["train"]["total"]
        True
    """

    slots = AdamW.slots  # the first is the momentum of a matrix
    by_weight = True

    def __init__(
        self,
        momentum: BelowOne = 0.95,
        weight_decay: Weight = 0.0,
        beta1: BelowOne = 0.9,
        beta2: BelowOne = 0.999,
    ) -> None:
        self.momentum, self.weight_decay = momentum, weight_decay
        self.rest = AdamW(beta1, beta2, weight_decay=weight_decay)

    def check(self, weights: Sequence[Tensor]) -> None:
        """Refuse weights of which none is a matrix."""
        if all(w.ndim < 2 for w in weights):
            raise DiaboloError("muon moves matrices, and these weights have none: use adamw")

    def rates(self, lr: Number, t: Number) -> tuple[Number, ...]:
        """Those of AdamW, of which the first is lr."""
        return self.rest.rates(lr, t)

    def update(self, w: Tensor, g: Tensor, slots: Sequence[Tensor], rates: Sequence[Number]) -> Tensor:
        """The weights after a step."""
        if w.ndim < 2:
            return self.rest.update(w, g, slots, rates)
        buffer = slots[0]
        buffer.lerp_(g, 1 - self.momentum)
        u = g.lerp(buffer, self.momentum).flatten(1)
        length = LENGTH * math.sqrt(max(u.shape))
        return w * (1 - rates[0] * self.weight_decay) - rates[0] * length * orthogonal(u).reshape(w.shape)
