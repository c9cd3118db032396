"""The shape of a code, a vector or a map, and how a condition joins it."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from diabolo.errors import DiaboloError


@dataclass(frozen=True)
class Maps:
    """A code that is a map of `channels`, as high and wide as the encoder's last map."""

    channels: int


def code_shape(code: int | Maps, encoder: Any) -> tuple[int, ...]:
    """The shape of one code: (D,), or (D, h, w) for `Maps(D)`, where the encoder's `map_shape` is (C, h, w).

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
    return (code.channels, *shape[1:])


def join(x: Tensor, c: Tensor | None) -> Tensor:
    """`x` (N, D) or (N, C, H, W) with the features `c` (N, F) beside it: (N, D + F), or (N, C + F, H, W) with each feature as
    a constant map. Without `c`, `x` itself."""
    if c is None:
        return x
    if x.ndim == 4:
        c = c[:, :, None, None].expand(-1, -1, *x.shape[2:])
    return torch.cat([x, c.to(x.dtype)], 1)
