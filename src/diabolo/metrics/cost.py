"""What a computation costs: operations, time, memory."""

import statistics
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from diabolo.errors import DiaboloError
from diabolo.hardware import wait


def flops(compute: Callable[[], object]) -> int:
    """Floating-point operations of `compute()`, a multiplication and an addition counting as two: those of matrix products,
    convolutions and attention, as `torch.utils.flop_counter` counts them; what is done element by element is left out."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        compute()
    return int(counter.get_total_flops())


@dataclass(frozen=True)
class Pace:
    """How long a computation takes.

    Attributes:
        seconds: of each repetition, in their order.
    """

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """In seconds."""
        return statistics.median(self.seconds)


def pace(compute: Callable[[], object], device: torch.device, repeats: int = 5, warm_up: int = 1) -> Pace:
    """Time `compute()` on `device` `repeats` times, after it ran `warm_up` times unmeasured; the device is waited for."""
    if repeats < 1 or warm_up < 0:
        raise DiaboloError(f"time is measured once or more, after 0 unmeasured times or more, not {repeats}, {warm_up}")

    for _ in range(warm_up):
        compute()
    found = []
    for _ in range(repeats):
        wait(device)
        started = time.perf_counter()
        compute()
        wait(device)
        found.append(time.perf_counter() - started)
    return Pace(tuple(found))


class _Alive(TorchDispatchMode):
    """Counts the bytes of the tensors that operations make, from when they are made until they are let go."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's
        self.now: int = 0
        self.peak: int = 0
        self._seen: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = {_key(t) for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)}
        result = func(*args, **(kwargs or {}))
        for made in tree_leaves(result):
            if isinstance(made, Tensor) and _key(made) not in self._seen | given:
                self._note(made)
        return result

    def _note(self, made: Tensor) -> None:
        storage, key = made.untyped_storage(), _key(made)
        size = storage.nbytes()
        self._seen.add(key)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._let_go, key, size)

    def _let_go(self, key: int, size: int) -> None:
        self._seen.discard(key)
        self.now -= size


def _key(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def peak_bytes(compute: Callable[[], object], device: torch.device) -> int:
    """The most bytes that `compute()` holds at once beside what was there before: on a GPU all that torch's allocator gave.

    Elsewhere only the tensors that operations return, each in full from then until nothing holds it, the graph of gradients
    included. It is no measure of the process: what an operation needs within itself (an unfolded convolution's ten times its
    result, say), what it adds to a tensor that it was given, and what the allocator keeps are not seen.
    """
    if device.type == "cuda":
        wait(device)
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        compute()
        wait(device)
        return int(torch.cuda.max_memory_allocated(device) - before)
    alive = _Alive()
    with alive:
        compute()
    return alive.peak
