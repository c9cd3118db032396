"""The weights of one player as views of one flat tensor, with half-precision copies of those that matrix products read.

    flat   [ w₁ | b₁ | w₂ | … | norm scales … ]   float32: what the optimizer updates, in one call
    half   [ w₁ | b₁ | w₂ | … ]                   bf16: what linear and convolution layers see; refreshed by one copy

Under plain autocast every layer casts its weights in each forward pass and its gradients in each backward pass; here both
happen once for all layers, with the same bits. It also makes gradient clipping, the moving average and the sum over processes
one operation each.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from diabolo import distributed
from diabolo.hardware import Precision

PRODUCTS = (
    nn.Linear,
    nn.Conv1d, nn.Conv2d, nn.Conv3d,
    nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d,
)  # fmt: skip  # layers whose every parameter autocast would cast


class Weights:
    """Those of `chosen`, weights of `model`, that need a gradient, while they are trained; `release` gives the model its own
    float32 weights back.

    Attributes:
        names: as in the model, the first name of each.
        flat: all of them, one float32 tensor.
        gradient: a tensor like it, filled by `gather`.
        half: a half-precision copy of the first ones, those that matrix products read; refreshed by `refresh`.
        low: the views of `half`, in the shapes and memory layouts of the parameters.
    """

    def __init__(self, model: nn.Module, chosen: Iterable[nn.Parameter], precision: Precision) -> None:
        cast = {
            p for module in model.modules() if isinstance(module, PRODUCTS) for p in module.parameters(recurse=False)
        }
        own = set(chosen)
        named = [(name, p) for name, p in model.named_parameters() if p.requires_grad and p in own]
        if precision.autocast:
            named.sort(key=lambda pair: pair[1] not in cast)  # stable: those to be cast come first
        self.names = [name for name, _ in named]
        self._every = list(model.named_parameters(remove_duplicate=False))
        self.parameters = [p for _, p in named]
        sizes = [p.numel() for p in self.parameters]
        self.flat = torch.empty(sum(sizes), device=self.parameters[0].device)
        self.gradient = torch.zeros_like(self.flat)
        self.gradients = self.views(self.gradient)
        self.masters = self.views(self.flat)
        for master, p in zip(self.masters, self.parameters, strict=True):
            master.copy_(p.detach())
        low = [p for p in self.parameters if precision.autocast and p in cast]
        self._full = self.flat[: sum(p.numel() for p in low)]
        self.half = self._full.to(precision.dtype)
        self.low = _views(self.half, low)
        self._seen = self.low + self.masters[len(low) :]
        self._show(self._seen)

    def _show(self, tensors: list[Tensor]) -> None:
        """Let the model's parameters be these tensors."""
        for p, tensor in zip(self.parameters, tensors, strict=True):
            p.grad, p.data = None, tensor

    def gather(self, found: Sequence[Tensor | None]) -> None:
        """The gradients `found` of the parameters, averaged over the processes, into `gradient`; None is zero."""
        pairs = list(zip(self.gradients, found, strict=True))
        if any(grad is None for grad in found):
            torch._foreach_zero_([g for g, grad in pairs if grad is None])
        there = [(g, grad) for g, grad in pairs if grad is not None]
        if there:
            torch._foreach_copy_([g for g, _ in there], [grad for _, grad in there])
        distributed.average(self.gradient)

    def refresh(self) -> None:
        """Let the half-precision copies follow `flat`."""
        self.half.copy_(self._full)

    def views(self, flat: Tensor) -> list[Tensor]:
        """Pieces of `flat`, a tensor like `self.flat`, in the shapes and memory layouts of the parameters."""
        return _views(flat, self.parameters)

    def named(self, flat: Tensor) -> dict[str, Tensor]:
        """`flat`, or a tensor like it, by the names of the parameters; all names of one that is shared."""
        pieces = dict(zip(self.parameters, self.views(flat), strict=True))
        return {name: pieces[p] for name, p in self._every if p in pieces}

    @contextmanager
    def shown(self, flat: Tensor) -> Iterator[None]:
        """Inside the block the model has the float32 weights `flat`, a tensor like `self.flat`."""
        self._show(self.views(flat))
        try:
            yield
        finally:
            self._show(self._seen)

    def release(self) -> None:
        """Give the model float32 weights of its own."""
        self._show([master.clone(memory_format=torch.preserve_format) for master in self.masters])


def _views(flat: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """Pieces of `flat`, one after the other, in the shapes and memory layouts of `like`."""
    pieces = flat.split([p.numel() for p in like]) if like else ()
    return [
        piece.as_strided(p.shape, p.stride(), piece.storage_offset()) for piece, p in zip(pieces, like, strict=True)
    ]
