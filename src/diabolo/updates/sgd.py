"""Stochastic gradient descent with momentum.

b ← μ b + g
w ← w − lr · b,   or under Nesterov's momentum   w ← w − lr · (g + μ b)
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from diabolo.errors import DiaboloError
from diabolo.parts import part
from diabolo.ranges import BelowOne, Weight
from diabolo.schedules import Number
from diabolo.updates.optimizer import Optimizer, named


@named("sgd")
@part
class SGD(Optimizer):
    """Robbins & Monro 1951; momentum as in Sutskever et al. 2013, ICML.

    Args:
        momentum: μ; 0 keeps nothing of earlier gradients.
        nesterov: whether the gradient counts once more, as if taken where the momentum leads.
        weight_decay: λ, an L2 penalty: g + λ w.

    Example:
        >>> from diabolo.updates import SGD
        >>> model = diabolo.zoo.undercomplete(train.shape, 4, hidden=(32,))
        >>> run = diabolo.fit(model, train, epochs=2, lr=1e-3, optimizer=SGD(momentum=0.9, nesterov=True), quiet=True)
        >>> run.history[1]["train"]["total"] < run.history[0]["train"]["total"]
        True
    """

    def __init__(self, momentum: BelowOne = 0.0, nesterov: bool = False, weight_decay: Weight = 0.0) -> None:
        if nesterov and not momentum:
            raise DiaboloError("nesterov needs a momentum above 0, such as 0.9")
        self.momentum, self.nesterov, self.weight_decay = momentum, nesterov, weight_decay
        self.slots = ("momentum",) if momentum else ()

    def update(self, w: Tensor, g: Tensor, slots: Sequence[Tensor], rates: Sequence[Number]) -> Tensor:
        """The weights after a step."""
        if self.weight_decay:
            g = g + self.weight_decay * w
        if self.momentum:
            slots[0].mul_(self.momentum).add_(g)
            g = g + self.momentum * slots[0] if self.nesterov else slots[0]
        return w - rates[0] * g

    def apply(
        self, ws: Sequence[Tensor], gs: Sequence[Tensor], slots: Sequence[Sequence[Tensor]], lr: Number, t: Tensor
    ) -> None:
        """The same by torch's fused kernel."""
        t.add_(1)
        torch._fused_sgd_(
            list(ws), list(gs), list(slots[0]) if slots else [], weight_decay=self.weight_decay, momentum=self.momentum, lr=lr,
            dampening=0.0, nesterov=self.nesterov, maximize=False, is_first_step=False, grad_scale=None, found_inf=None,
        )  # fmt: skip
