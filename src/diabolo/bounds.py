"""A bound on a parameter from which there is a way back."""

import math
from typing import Any

import torch
from torch import Tensor


class _Held(torch.autograd.Function):
    """`held`, with a derivative of its own; torch.func can look through it."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, low: float, high: float) -> Tensor:
        return x.clamp(low, high)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, float, float], output: Tensor) -> None:
        x, ctx.low, ctx.high = inputs
        ctx.save_for_backward(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (x,), (grad,) = ctx.saved_tensors, grads
        outwards = ((x < ctx.low) & (grad > 0)) | ((x > ctx.high) & (grad < 0))  # a step goes against the gradient
        return grad.masked_fill(outwards, 0.0), None, None


def held(x: Tensor, low: float = -math.inf, high: float = math.inf) -> Tensor:
    """`x` clamped to [low, high]. Within, value and gradient are those of `x`; beyond, the gradient passes where a step against
    it leads back within, and is 0 where it would lead farther away. (That of `clamp` is 0 both ways: what has once left the
    range stays outside for ever.)"""
    found: Tensor = _Held.apply(x, low, high)
    return found
