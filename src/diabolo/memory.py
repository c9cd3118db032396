"""Sizes that no memory holds, refused before anything is allocated, with the number that would fit."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from diabolo.errors import DiaboloError

TRIED = 2**30  # bytes that are always tried: what is free is never known exactly
_GUARDED: ContextVar[bool] = ContextVar("memory is watched", default=False)


class TooLargeError(DiaboloError):
    """What was asked for does not fit into memory."""


@contextmanager
def guarded(options: Mapping[str, Any]) -> Iterator[None]:
    """Inside the block no tensor is made on the CPU that does not fit into what memory is left.

    Args:
        options: by name, what the tensors are made from: the error names the one that is too large.

    Raises:
        TooLargeError: before the tensor is allocated.
    """
    if _GUARDED.get():  # what is within is named by what is around it
        yield
        return
    import torch
    from torch.overrides import TorchFunctionMode

    factories = {torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn}

    class Guard(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func in factories:
                _check(func, args, kwargs or {}, options)
            return func(*args, **(kwargs or {}))

    token = _GUARDED.set(True)
    try:
        with Guard():
            yield
    finally:
        _GUARDED.reset(token)


def check_room(name: str, number: int, each: int) -> None:
    """Refuse `number` things of `each` bytes, which the option `name` asks for, where they do not fit.

    Raises:
        TooLargeError: with the number that would.
    """
    room = available()
    if room is not None and number * each > max(room, TRIED):
        raise TooLargeError(
            f"{name} of {number:,} needs {_bytes(number * each)} of memory, and {_bytes(room)} are free: at most "
            f"{room // each:,} fit"
        )


def available() -> int | None:
    """Bytes that this process may still take; None where that cannot be found out."""
    import torch

    from diabolo.data.stores import free_memory

    try:
        return free_memory(torch.device("cpu"))
    except (AttributeError, ValueError, OSError):  # a system that does not say
        return None


def _check(func: Any, args: Any, kwargs: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    size = kwargs.get("size", args[0] if args and not isinstance(args[0], int) else args)
    sides = [int(side) for side in size if isinstance(side, int)] if isinstance(size, tuple | list) else []
    need = 4 * math.prod(sides)
    if need < TRIED:
        return
    room = available()
    if room is None or need <= room:
        return
    for name, value in sorted(_numbers(options), key=lambda one: -one[1]):
        powers = sum(
            value / 4 <= side <= 4 * value for side in sides
        )  # half as wide, joined by a condition, two in one
        if powers and value >= 2**10:
            fits = int(value * (room / need) ** (1 / powers))
            raise TooLargeError(
                f"{name} of {value:,} is too large: an array of {' × '.join(f'{side:,}' for side in sides)} numbers needs "
                f"{_bytes(need)} of memory, and {_bytes(room)} are free; at most {max(fits, 1):,} would fit"
            )
    raise TooLargeError(
        f"an array of {' × '.join(f'{side:,}' for side in sides)} numbers needs {_bytes(need)} of memory, and {_bytes(room)} "
        f"are free: at most {room // 4:,} numbers would fit"
    )


def _numbers(options: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The whole numbers above 1 among the options, those within tuples too."""
    for name, value in options.items():
        if isinstance(value, dict):
            yield from _numbers(value)
        for one in value if isinstance(value, tuple | list) else (value,):
            if isinstance(one, int) and not isinstance(one, bool) and one > 1:
                yield name, one


def _bytes(number: int) -> str:
    return f"{number / 2**30:,.1f} GiB" if number < 2**50 else f"{number / 2**30:.3g} GiB"
