"""Batch norm that sees the whole batch when several processes share it, on any device."""

import torch
from torch import Tensor, nn

from diabolo import processes


class BatchNorm2d(nn.BatchNorm2d):
    """`nn.BatchNorm2d`; under torchrun the mean and variance are those of the joint batch (equal rows per process), so
    that two processes compute what one would with twice the batch. (`nn.SyncBatchNorm` does this on GPUs alone.)"""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise `x` (N, C, H, W) per channel."""
        if not self.training or processes.world() == 1:
            return super().forward(x)
        h = x.float()
        mean = processes.mean(h.mean((0, 2, 3)))
        variance = processes.mean((h - mean[:, None, None]).square().mean((0, 2, 3)))
        with torch.no_grad():
            count = processes.world() * h.numel() / h.shape[1]
            momentum = self.momentum or 0.1
            self.running_mean.lerp_(mean, momentum)  # type: ignore[union-attr]  # present: track_running_stats is on
            self.running_var.lerp_(variance * count / (count - 1), momentum)  # type: ignore[union-attr]
            self.num_batches_tracked.add_(1)  # type: ignore[union-attr]
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return ((h - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]).to(x.dtype)
