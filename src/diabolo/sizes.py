"""Models that no memory could hold are refused before a byte of them is asked for."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from diabolo.errors import DiaboloError

MOST = 20_000  # tensors of one model
SIZED = (torch.empty, torch.zeros, torch.ones, torch.rand, torch.randn, torch.full)  # by (2, 3), or 2, 3
COUNTED = (torch.eye, torch.arange, torch.linspace, torch.randperm)  # by numbers
UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


class Bounded(TorchFunctionMode):
    """Inside the block, new tensors are counted before they are made.

    Args:
        free: bytes that they may take together; the free memory of this machine when left out.

    Raises:
        DiaboloError: when they would take more, or are more than any model has.
    """

    def __init__(self, free: int | None = None) -> None:
        super().__init__()
        if free is None:
            from diabolo.data.stores import free_memory  # a room that is built on parts

            free = free_memory(torch.device("cpu"))
        self.free, self.bytes, self.tensors = free, 0, 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Count what `func` makes, and call it."""
        told = kwargs or {}
        if func in SIZED or func in COUNTED:
            self.tensors += 1
            self.bytes += 4 * _numbers(func, args, told)
            if self.bytes > self.free:
                raise DiaboloError(
                    f"the model would take at least {words(self.bytes)}, and {words(self.free)} of memory are free: ask for "
                    "fewer or narrower layers, or a smaller code"
                )
            if self.tensors > MOST:
                raise DiaboloError(f"the model would have more than {MOST:,} tensors: ask for fewer layers")
        return func(*args, **told)


def _numbers(func: Callable[..., Any], args: tuple[Any, ...], told: dict[str, Any]) -> int:
    """How many numbers the tensor would hold that `func` is called for."""
    if func is torch.linspace:
        size: Any = told.get("steps", args[2:3])
    else:
        size = told.get("size", args[0] if args and isinstance(args[0], tuple | list) else args)
        size = args[:1] if func is torch.full and not isinstance(size, tuple | list) else size
    sides = [side for side in (size if isinstance(size, tuple | list) else [size]) if isinstance(side, int | float)]
    if func is torch.arange:
        start, end = (0, *sides[:1]) if len(sides) == 1 else sides[:2] if len(sides) > 1 else (0, told.get("end", 0))
        return max(0, math.ceil((end - start) / (sides[2] if len(sides) > 2 else told.get("step", 1))))
    if func is torch.eye and len(sides) == 1:
        sides = sides * 2
    return math.prod(max(0, math.ceil(side)) for side in sides)


def words(size: int) -> str:
    """A number of bytes as people write it."""
    if size < 1024:
        return f"{size} bytes"
    exponent = min(len(UNITS) - 1, (size.bit_length() - 1) // 10)
    return f"{size / 1024**exponent:,.3g} {UNITS[exponent]}"
