"""The shape of a code, a vector or a map, and how a condition joins it."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from diabolo.errors import DiaboloError


@dataclass(frozen=True)
class Maps:
    """A code that is a map of `channels`, as high and wide as the encoder's last map; left out: with as many channels as it.

    Example:
        >>> encoder, decoder = diabolo.nets.build("conv", (1, 8, 8), diabolo.nets.Maps(4), channels=(8, 16))
        >>> tuple(decoder(torch.zeros(5, 4, 2, 2)).shape)
        (5, 1, 8, 8)
    """

    channels: int | None = None


def code_shape(code: int | Maps, encoder: Any) -> tuple[int, ...]:
    """The shape of one code: (D,), or (D, h, w) for `Maps(D)`, where the encoder's `map_shape` is (C, h, w), and
    that for `Maps()`.

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
    """`x` (N, D) or (N, C, H, W) with the features `c` (N, F) beside it: (N, D + F), or (N, C + F, H, W) with each feature as
    a constant map. Without `c`, `x` itself."""
    if c is None:
        return x
    if x.ndim == 4:
        c = c[:, :, None, None].expand(-1, -1, *x.shape[2:])
    return torch.cat([x, c.to(x.dtype)], 1)


def to_map(
    code_shape: int | tuple[int, ...], map_shape: tuple[int, ...], condition: int = 0, kernel: int = 1
) -> nn.Module:
    """The layer from a code, joined by a condition, to the decoder's first map: a linear one for a vector, a convolution of
    that kernel for a map."""
    code = (code_shape,) if isinstance(code_shape, int) else tuple(code_shape)
    if len(code) == 3:
        return nn.Conv2d(code[0] + condition, map_shape[0], kernel, padding=kernel // 2)
    widen = nn.Linear(math.prod(code) + condition, math.prod(map_shape))
    return nn.Sequential(widen, nn.Unflatten(1, map_shape))
