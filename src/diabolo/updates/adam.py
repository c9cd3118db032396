"""Adam and AdamW.

    m ← β₁ m + (1 − β₁) g        s ← β₂ s + (1 − β₂) g²
    w ← w − lr · m̂ / (√ŝ + ε),   m̂ = m / (1 − β₁ᵗ),  ŝ = s / (1 − β₂ᵗ)

Weight decay λ is part of the gradient in Adam, g + λ w, and apart from it in AdamW, w · (1 − lr λ).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from diabolo.parts import part
from diabolo.ranges import BelowOne, Positive, Weight
from diabolo.schedules import Number
from diabolo.updates.optimizer import Optimizer, named


@named("adam")
@part
class Adam(Optimizer):
    """Kingma & Ba 2015, arXiv 1412.6980.

    Args:
        beta1: β₁, of the average m of the gradient.
        beta2: β₂, of the average s of its square.
        eps: ε, against dividing by zero.
        weight_decay: λ, an L2 penalty.

    Example:
        >>> from diabolo.updates import Adam
        >>> model = diabolo.zoo.undercomplete(train.shape, 4, hidden=(32,))
        >>> run = diabolo.fit(model, train, epochs=2, lr=1e-3, optimizer=Adam(beta1=0.5), quiet=True)
        >>> run.history[1]["train"]["total"] < run.history[0]["train"]["total"]
        True
    """

    slots = ("exp_avg", "exp_avg_sq")
    decoupled = False

    def __init__(
        self, beta1: BelowOne = 0.9, beta2: BelowOne = 0.999, eps: Positive = 1e-8, weight_decay: Weight = 0.0
    ) -> None:
        self.beta1, self.beta2, self.eps, self.weight_decay = beta1, beta2, eps, weight_decay

    def rates(self, lr: Number, t: Number) -> tuple[Number, ...]:
        """lr, lr / (1 − β₁ᵗ), (1 − β₂ᵗ)^½."""
        return lr, lr / (1 - self.beta1**t), (1 - self.beta2**t) ** 0.5

    def update(self, w: Tensor, g: Tensor, slots: Sequence[Tensor], rates: Sequence[Number]) -> Tensor:
        """The weights after a step."""
        mean, square = slots
        if self.weight_decay and self.decoupled:
            w = w * (1 - rates[0] * self.weight_decay)
        elif self.weight_decay:
            g = g + self.weight_decay * w
        mean.lerp_(g, 1 - self.beta1)
        square.mul_(self.beta2).addcmul_(g, g, value=1 - self.beta2)
        return w - rates[1] * mean / (square.sqrt() / rates[2] + self.eps)

    def apply(
        self, ws: Sequence[Tensor], gs: Sequence[Tensor], slots: Sequence[Sequence[Tensor]], lr: Number, t: Tensor
    ) -> None:
        """The same by torch's fused kernel."""
        kernel = torch._fused_adamw_ if self.decoupled else torch._fused_adam_
        counts = [t] * len(ws)
        t.add_(1)
        kernel(
            list(ws), list(gs), list(slots[0]), list(slots[1]), [], counts, amsgrad=False, lr=lr, beta1=self.beta1,
            beta2=self.beta2, weight_decay=self.weight_decay, eps=self.eps, maximize=False, grad_scale=None, found_inf=None,
        )  # fmt: skip


@named("adamw")
@part
class AdamW(Adam):
    """Loshchilov & Hutter 2019, arXiv 1711.05101. Arguments as of `Adam`; λ stands apart from the gradient.

    Example:
        >>> from diabolo.updates import AdamW
        >>> model = diabolo.zoo.undercomplete(train.shape, 4, hidden=(32,))
        >>> run = diabolo.fit(model, train, epochs=2, lr=1e-3, optimizer=AdamW(weight_decay=0.01), quiet=True)
        >>> run.history[1]["train"]["total"] < run.history[0]["train"]["total"]
        True
    """

    decoupled = True
