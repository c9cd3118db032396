"""Pixels as bits, and what becomes of that for grey pixels."""

from typing import Any

import torch
from torch import Tensor

from diabolo.likelihoods.likelihood import Likelihood
from diabolo.parts import part


class _CrossEntropy(torch.autograd.Function):
    """log(1 + e^l) − x l per pixel, with its derivative σ(l) − x.

    What `binary_cross_entropy_with_logits` computes, about seven times faster on a CPU: torch's log1p and softplus are not
    vectorised there, log and sigmoid are: log(1 + e^l) = max(l, 0) − log σ(|l|).
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, x: Tensor) -> Tensor:
        ctx.save_for_backward(logits, x)
        return logits.clamp(min=0).addcmul_(x, logits, value=-1).sub_(logits.abs().sigmoid_().log_())

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor | None]:
        logits, x = ctx.saved_tensors
        return grads[0] * (torch.sigmoid(logits) - x), -grads[0] * logits if ctx.needs_input_grad[1] else None


@part
class Bernoulli(Likelihood):
    """−log p = −Σ x log x_hat + (1 − x) log(1 − x_hat), from logits, in nats per image.

    A likelihood of the data only when pixels are 0 or 1; on grey pixels it is the usual cross entropy, no more.

    Example:
        >>> x, raw = torch.ones(1, 1, 1, 1), torch.zeros(1, 1, 1, 1)  # sigmoid(0) = ½
        >>> diabolo.likelihoods.Bernoulli().loss(raw, x)  # log 2 nats
        tensor([0.6931])
    """

    unit = "nats per image"

    def mean(self, raw: Tensor) -> Tensor:
        """x_hat = sigmoid(raw)."""
        return torch.sigmoid(raw.float())

    def loss(self, raw: Tensor, x: Tensor) -> Tensor:
        """Cross entropy of each image (N,), in nats, summed over its pixels."""
        return _CrossEntropy.apply(raw.float(), x).flatten(1).sum(1)  # type: ignore[no-any-return]  # apply is untyped
