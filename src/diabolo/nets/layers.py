"""What the nets share: activations by name, batch norm over processes, the layers of maps of one, two or three sides, the shape
of a code and how a condition joins it, and the encoder that does not look.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from diabolo import distributed
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.nets.checkpointing import second_pass
from diabolo.parts import part

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "elu": nn.ELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


def activation(name: str) -> nn.Module:
    """A fresh activation layer.

    Raises:
        UnknownNameError: for a name that is not in `ACTIVATIONS`.
    """
    if name not in ACTIVATIONS:
        raise UnknownNameError("activation", name, ACTIVATIONS)
    return ACTIVATIONS[name]()


class _JointBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch norm whose mean and variance, under torchrun, are those of the joint batch (equal rows per process), so that two
    processes compute what one would with twice the batch. (`nn.SyncBatchNorm` does this on GPUs alone.)"""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise `x` (N, C, …) per channel."""
        if not self.training or (distributed.world() == 1 and not second_pass()):
            return super().forward(x)
        if distributed.world() == 1:  # the first pass has counted this batch
            copies = (self._statistics(0).clone(), self._statistics(1).clone())  # updated, and thrown away
            return functional.batch_norm(x, *copies, self.weight, self.bias, True, 0.0, self.eps)
        h = x.float()
        others, each = (0, *range(2, h.ndim)), (-1, *[1] * (h.ndim - 2))
        mean = distributed.mean(h.mean(others))
        variance = distributed.mean((h - mean.view(each)).square().mean(others))
        if not second_pass():
            self._count(mean, variance, h.numel() / h.shape[1])
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return ((h - mean.view(each)) * scale.view(each) + self.bias.view(each)).to(x.dtype)

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


class BatchNorm1d(_JointBatchNorm, nn.BatchNorm1d):
    """`nn.BatchNorm1d` over the joint batch of all processes."""


class BatchNorm2d(_JointBatchNorm, nn.BatchNorm2d):
    """`nn.BatchNorm2d` over the joint batch of all processes."""


class BatchNorm3d(_JointBatchNorm, nn.BatchNorm3d):
    """`nn.BatchNorm3d` over the joint batch of all processes."""


@dataclass(frozen=True)
class Grid:
    """Maps of so many sides: what they are called, the net for them, and their layers."""

    what: str
    net: str
    units: str
    convolution: Any
    transposed: Any
    batch_norm: Any


GRIDS = {
    1: Grid("signals (C, L)", "conv1d", "samples", nn.Conv1d, nn.ConvTranspose1d, BatchNorm1d),
    2: Grid("images (C, H, W)", "conv", "pixels", nn.Conv2d, nn.ConvTranspose2d, BatchNorm2d),
    3: Grid("volumes (C, D, H, W)", "conv3d", "voxels", nn.Conv3d, nn.ConvTranspose3d, BatchNorm3d),
}  # by the number of sides


@dataclass(frozen=True)
class Maps:
    """A code that is a map of `channels`, with the sides of the encoder's last map; left out: with as many channels as it.

    Example:
        >>> encoder, decoder = diabolo.nets.build("conv", (1, 8, 8), diabolo.nets.Maps(4), channels=(8, 16))
        >>> tuple(decoder(torch.zeros(5, 4, 2, 2)).shape)
        (5, 1, 8, 8)
    """

    channels: int | None = None


def code_shape(code: int | Maps, encoder: Any) -> tuple[int, ...]:
    """The shape of one code: (D,), or (D, h, w) for `Maps(D)`, where the encoder's `map_shape` is (C, h, w), and
    that for `Maps()`; so for maps of one side, (C, l), and of three.

    Raises:
        DiaboloError: for a code map and an encoder without a map.
    """
    if not isinstance(code, Maps):
        return (code,)
    shape = getattr(encoder, "map_shape", None)
    if shape is None:
        raise DiaboloError(
            "a code map needs an encoder that ends in a map; use a convolutional net, such as net='conv'"
        )
    return (shape[0] if code.channels is None else code.channels, *shape[1:])


def join(x: Tensor, c: Tensor | None) -> Tensor:
    """`x` (N, D) or (N, C, …) with the features `c` (N, F) beside it: (N, D + F), or (N, C + F, …) with each feature as a
    constant map. Without `c`, `x` itself."""
    if c is None:
        return x
    sides = x.shape[2:]
    c = c.view(*c.shape, *[1] * len(sides)).expand(-1, -1, *sides)
    return torch.cat([x, c.to(x.dtype)], 1)


def to_map(
    code_shape: int | tuple[int, ...], map_shape: tuple[int, ...], condition: int = 0, kernel: int = 1
) -> nn.Module:
    """The layer from a code, joined by a condition, to the decoder's first map: a linear one for a vector, a convolution of
    that kernel for a map."""
    code = (code_shape,) if isinstance(code_shape, int) else tuple(code_shape)
    if sides := len(code) - 1:
        convolution: nn.Module = GRIDS[sides].convolution(
            code[0] + condition, map_shape[0], kernel, padding=kernel // 2
        )
        return convolution
    widen = nn.Linear(math.prod(code) + condition, math.prod(map_shape))
    return nn.Sequential(widen, nn.Unflatten(1, map_shape))


@part
class Blind(nn.Module):
    """x (N, *input_shape) → no features, (N, 0); without weights. For models whose decoder goes by a condition alone.

    Example:
        >>> from diabolo.nets.layers import Blind
        >>> tuple(Blind((1, 8, 8))(torch.zeros(5, 1, 8, 8)).shape)
        (5, 0)
    """

    features = 0

    def __init__(self, input_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.input_shape = tuple(input_shape)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """(N, 0), whatever `x` (N, *input_shape) and `c` are."""
        return x.flatten(1)[:, :0]
