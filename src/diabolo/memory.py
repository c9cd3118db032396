"""Sizes that no memory holds, refused before a byte of them is asked for, with the number that would fit."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from diabolo.errors import DiaboloError

TRIED = 2**24  # bytes that are always tried: what is free is never known exactly
MOST = 20_000  # tensors of one model
SIZED = (torch.empty, torch.zeros, torch.ones, torch.rand, torch.randn, torch.full)  # by (2, 3), or 2, 3
COUNTED = (torch.eye, torch.arange, torch.linspace, torch.randperm)  # by numbers
UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


class TooLargeError(DiaboloError):
    """What was asked for does not fit into memory."""


class Count(TorchFunctionMode):
    """Of the tensors made while it is on: how many they are, and their bytes, added up before each is made.

    Attributes:
        options: by name, what the tensors are made from: the error names the one that is too large.
    """

    def __init__(self, options: Mapping[str, Any], free: int | None) -> None:
        super().__init__()
        self.options, self.bytes, self.tensors = options, 0, 0
        self._free = free

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Count what `func` makes, and call it."""
        told = kwargs or {}
        if func in SIZED or func in COUNTED:
            self._add(_sides(func, args, told))
        return func(*args, **told)

    def _add(self, sides: list[int]) -> None:
        before, need = self.bytes, 4 * math.prod(sides)
        self.tensors += 1
        self.bytes += need
        if self.tensors > MOST:
            raise TooLargeError(f"the model would have more than {MOST:,} tensors: ask for fewer layers")
        if self._free is None:
            if self.bytes <= TRIED:
                return
            self._free = max(TRIED, _available())
        if self.bytes <= self._free:
            return
        takes = f"the model would take at least {words(self.bytes)}, and {words(self._free)} of memory are free"
        for name, value in sorted(_numbers(self.options), key=lambda one: -one[1]):
            # half as wide, joined by a condition, two in one
            powers = sum(value / 4 <= side <= 4 * value for side in sides)
            if powers and value >= 2**10 and need > before:
                room = max(1, self._free - before)
                fits = math.exp(math.log(value) + (math.log(room) - math.log(need)) / powers)
                raise TooLargeError(
                    f"{name} of {value:,} is too large: {takes}; at most {max(1, int(fits)):,} would fit"
                )
        raise TooLargeError(f"{takes}: ask for fewer or narrower layers, or a smaller code")


_ON: ContextVar[Count | None] = ContextVar("tensors are counted", default=None)


@contextmanager
def bounded(options: Mapping[str, Any] | None = None, free: int | None = None) -> Iterator[Count]:
    """Inside the block new tensors are counted before they are made. A block within another is counted with it, and its options
    are named where that has none.

    Args:
        options: by name, what the tensors are made from.
        free: bytes that they may take together; the free memory of this machine when left out.

    Raises:
        TooLargeError: when they would take more, or are more than any model has.
    """
    count = _ON.get()
    if count is None:
        with Count(options or {}, free) as count:
            token = _ON.set(count)
            try:
                yield count
            finally:
                _ON.reset(token)
        return
    outer = count.options
    count.options = outer or options or {}
    try:
        yield count
    finally:
        count.options = outer


def check_room(name: str, number: int, each: int) -> None:
    """Refuse `number` things of `each` bytes, which the option `name` asks for, where they do not fit.

    Raises:
        TooLargeError: with the number that would.
    """
    if number * each <= TRIED:
        return
    room = max(TRIED, _available())
    if number * each > room:
        raise TooLargeError(
            f"{name} of {number:,} needs {words(number * each)} of memory, and {words(room)} are free: at most "
            f"{room // each:,} fit"
        )


def _available() -> int:
    """Bytes that this process may still take; more than there can be where the system does not say."""
    from diabolo.data.stores import free_memory  # a room that is built on parts

    try:
        return free_memory(torch.device("cpu"))
    except (AttributeError, ValueError, OSError):
        return 2**63


def _sides(func: Callable[..., Any], args: tuple[Any, ...], told: dict[str, Any]) -> list[int]:
    """The shape of the tensor that `func` is called for."""
    if func is torch.linspace:
        size: Any = told.get("steps", args[2:3])
    else:
        size = told.get("size", args[0] if args and isinstance(args[0], tuple | list) else args)
        size = args[:1] if func is torch.full and not isinstance(size, tuple | list) else size
    sides = [side for side in (size if isinstance(size, tuple | list) else [size]) if isinstance(side, int | float)]
    if func is torch.arange:
        start, end = (0, *sides[:1]) if len(sides) == 1 else sides[:2] if len(sides) > 1 else (0, told.get("end", 0))
        return [max(0, math.ceil((end - start) / (sides[2] if len(sides) > 2 else told.get("step", 1))))]
    if func is torch.eye and len(sides) == 1:
        sides = sides * 2
    return [max(0, math.ceil(side)) for side in sides]


def _numbers(options: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The whole numbers above 1 among the options, those within tuples too."""
    for name, value in options.items():
        if isinstance(value, dict):
            yield from _numbers(value)
        for one in value if isinstance(value, tuple | list) else (value,):
            if isinstance(one, int) and not isinstance(one, bool) and one > 1:
                yield name, one


def words(size: int) -> str:
    """A number of bytes as people write it."""
    if size < 1024:
        return f"{size} bytes"
    exponent = min(len(UNITS) - 1, (size.bit_length() - 1) // 10)
    return f"{size / 1024**exponent:,.3g} {UNITS[exponent]}"


def at_once(most: int, each: int) -> int:
    """How many rows of `each` numbers are held at once where `most` numbers may be: one at least."""
    return max(1, most // max(1, each))
