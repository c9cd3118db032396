"""Features of one's own, found by their import path as a user's are."""

from torch import Tensor
from torch.nn import functional as F


def coarse(x: Tensor) -> Tensor:
    """Images (n, C, H, W) as 2×2 pixels."""
    return F.adaptive_avg_pool2d(x, 2)
