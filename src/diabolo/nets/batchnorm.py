"""Batch norm that sees the whole batch when several processes share it, on any device."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from diabolo import distributed
from diabolo.nets.checkpointing import second_pass


class BatchNorm2d(nn.BatchNorm2d):
    """`nn.BatchNorm2d`; under torchrun the mean and variance are those of the joint batch (equal rows per process), so
    that two processes compute what one would with twice the batch. (`nn.SyncBatchNorm` does this on GPUs alone.)"""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise `x` (N, C, H, W) per channel."""
        if not self.training or (distributed.world() == 1 and not second_pass()):
            return super().forward(x)
        if distributed.world() == 1:  # the first pass has counted this batch
            copies = (self._statistics(0).clone(), self._statistics(1).clone())  # updated, and thrown away
            return functional.batch_norm(x, *copies, self.weight, self.bias, True, 0.0, self.eps)
        h = x.float()
        mean = distributed.mean(h.mean((0, 2, 3)))
        variance = distributed.mean((h - mean[:, None, None]).square().mean((0, 2, 3)))
        if not second_pass():
            self._count(mean, variance, h.numel() / h.shape[1])
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return ((h - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]).to(x.dtype)

    @torch.no_grad()
    def _count(self, mean: Tensor, variance: Tensor, rows: float) -> None:
        """Let the running statistics follow; `rows` numbers per channel went into those of this process."""
        count, momentum = distributed.world() * rows, self.momentum or 0.1
        self._statistics(0).lerp_(mean, momentum)
        self._statistics(1).lerp_(variance * count / (count - 1), momentum)
        self._statistics(2).add_(1)

    def _statistics(self, which: int) -> Tensor:
        """Running mean, running variance or number of batches: present, since track_running_stats is on."""
        held = (self.running_mean, self.running_var, self.num_batches_tracked)[which]
        assert held is not None
        return held
