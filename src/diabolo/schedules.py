"""Weights that change over training. A schedule maps progress, the share of training done in [0, 1], to a value.

Progress may be a float or a 0-dimensional tensor: inside a captured CUDA graph it must be a tensor.
"""

import math
import re
from collections.abc import Callable
from numbers import Real
from typing import Annotated, Any, Protocol

import torch
from torch import Tensor

from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.parts import part
from diabolo.plain import percent
from diabolo.ranges import Above, Count, PartOf

Number = float | Tensor
GRID = 200  # points of progress at which a schedule is looked at


class Schedule(Protocol):
    """Anything that maps progress in [0, 1] to a value.

    Example:
        >>> def halfway(progress):
        ...     return 0.0 if progress < 0.5 else 1.0
        >>> diabolo.schedules.as_schedule(halfway)(0.7)
        1.0
    """

    def __call__(self, progress: Number) -> Number:
        """The value at `progress`."""
        ...


def _clip(x: Number, low: float, high: float) -> Number:
    return torch.clamp(x, low, high) if isinstance(x, Tensor) else min(max(x, low), high)


def _cos(x: Number) -> Number:
    return torch.cos(x) if isinstance(x, Tensor) else math.cos(x)


@part
class Constant:
    """The same value throughout.

    Example:
        >>> diabolo.schedules.Constant(0.5)(0.7)
        0.5
    """

    def __init__(self, value: float) -> None:
        self.value = value

    def __call__(self, progress: Number) -> Number:
        """`value`, whatever the progress."""
        return self.value


@part
class Linear:
    """From `start` to `end` in a straight line over the first `over` of training, then constant (KL warm-up:
    Bowman et al. 2016, arXiv 1511.06349).

    Example:
        >>> warm_up = diabolo.schedules.Linear(0, 1, over=0.5)
        >>> [warm_up(progress) for progress in (0, 0.25, 0.5, 1)]
        [0.0, 0.5, 1.0, 1.0]
    """

    def __init__(self, start: float, end: float, over: Annotated[float, Above(0, 1)] = 1.0) -> None:
        self.start, self.end, self.over = start, end, over

    def __call__(self, progress: Number) -> Number:
        """The value at `progress`."""
        return self.start + (self.end - self.start) * _clip(progress / self.over, 0.0, 1.0)


@part
class Cyclical:
    """`cycles` times: up from `start` to `end` during the first half of the cycle, then constant (Fu et al. 2019,
    arXiv 1903.10145).

    Example:
        >>> beta = diabolo.schedules.Cyclical(0, 1, cycles=2)
        >>> [beta(progress) for progress in (0, 0.125, 0.25, 0.4, 0.5)]
        [0.0, 0.5, 1.0, 1.0, 0.0]
    """

    def __init__(self, start: float, end: float, cycles: Count = 4) -> None:
        self.start, self.end, self.cycles = start, end, cycles

    def __call__(self, progress: Number) -> Number:
        """The value at `progress`."""
        within = (_clip(progress, 0.0, 1.0 - 1e-6) * self.cycles) % 1.0
        return self.start + (self.end - self.start) * _clip(2.0 * within, 0.0, 1.0)


@part
class Cosine:
    """Half a cosine from `start` down (or up) to `end` (Loshchilov & Hutter 2017, arXiv 1608.03983).

    Example:
        >>> lr = diabolo.schedules.Cosine(1e-3)
        >>> [round(lr(progress), 6) for progress in (0, 0.5, 1)]
        [0.001, 0.0005, 0.0]
    """

    def __init__(self, start: float, end: float = 0.0) -> None:
        self.start, self.end = start, end

    def __call__(self, progress: Number) -> Number:
        """The value at `progress`."""
        return self.end + 0.5 * (self.start - self.end) * (1.0 + _cos(math.pi * _clip(progress, 0.0, 1.0)))


@part
class OneCycle:
    """Cosine up from `peak / 25` to `peak` over the first `rise` of training, cosine down to `peak / 1e5` after it
    (Smith & Topin 2018, arXiv 1708.07120).

    Example:
        >>> lr = diabolo.schedules.OneCycle(1e-2, rise=0.3)
        >>> [round(lr(progress), 7) for progress in (0, 0.3, 1)]
        [0.0004, 0.01, 1e-07]
    """

    def __init__(self, peak: float, rise: PartOf = 0.3) -> None:
        self.peak, self.rise = peak, rise

    def __call__(self, progress: Number) -> Number:
        """The value at `progress`."""
        up = _clip(progress / self.rise, 0.0, 1.0)
        down = _clip((progress - self.rise) / (1.0 - self.rise), 0.0, 1.0)
        low, last = self.peak / 25.0, self.peak / 1e5
        risen = low + 0.5 * (self.peak - low) * (1.0 - _cos(math.pi * up))
        return risen - 0.5 * (self.peak - last) * (1.0 - _cos(math.pi * down))


def warm_up(end: float, over: float = 0.1) -> Linear:
    """From 0 to `end` over the first `over` of training (Sønderby et al. 2016, arXiv 1602.02282).

    Example:
        >>> beta = diabolo.schedules.warm_up(4.0, over=0.2)
        >>> beta(0.1), beta(0.2), beta(1.0)
        (2.0, 4.0, 4.0)
    """
    return Linear(0.0, end, over)


SCHEDULES: dict[str, Callable[..., Any]] = {
    "constant": Constant,
    "linear": Linear,
    "warm-up": warm_up,
    "cyclical": Cyclical,
    "cosine": Cosine,
}


def as_schedule(value: "float | str | Schedule") -> Schedule:
    """A schedule from a number, from text such as `"linear(0, 1, 0.3)"`, or as it is.

    Raises:
        DiaboloError: for text that names no schedule, or names one with arguments it does not take.

    Example:
        >>> beta = diabolo.schedules.as_schedule("linear(0, 1, 0.5)")
        >>> beta(0.25), diabolo.schedules.as_schedule(4.0)(0.25)
        (0.5, 4.0)
    """
    if isinstance(value, str):
        return _read(value)
    if isinstance(value, Real):
        if not math.isfinite(value):
            raise DiaboloError(f"a weight must be a finite number, not {value}")
        return Constant(float(value))
    if not callable(value):
        raise DiaboloError(f"a schedule is a number or text such as 'linear(0, 1, 0.3)', not {value!r}")
    return value


def as_weight(value: "float | str | Schedule", name: str) -> Schedule:
    """`as_schedule` for a weight in a loss, which must not reward what it is to hold down.

    Raises:
        DiaboloError: when it is negative, or no finite number, anywhere on a fine grid over training.

    Example:
        >>> diabolo.schedules.as_weight(0.5, "the weight")(0.0)
        0.5
        >>> diabolo.schedules.as_weight(-1.0, "the weight")
        Traceback (most recent call last):
            ...
        diabolo.errors.DiaboloError: the weight must be 0 or more throughout training, not -1
    """
    schedule = as_schedule(value)
    for i in range(GRID + 1):
        weight = float(schedule(i / GRID))
        if not 0 <= weight < math.inf:
            when = "" if isinstance(schedule, Constant) else f" when {percent(i / GRID)} of training is done"
            raise DiaboloError(f"{name} must be 0 or more throughout training, not {weight:g}{when}")
    return schedule


def _read(value: str) -> Schedule:
    try:
        return as_schedule(float(value))
    except ValueError as error:
        if isinstance(error, DiaboloError):  # a number, but no weight
            raise
    match = re.fullmatch(r"\s*([a-z-]+)\s*\(([^()]*)\)\s*", value)
    if match is None:
        raise DiaboloError(f"a schedule is a number or text such as 'linear(0, 1, 0.3)', not {value!r}")
    name, arguments = match.groups()
    if name not in SCHEDULES:
        raise UnknownNameError("schedule", name, SCHEDULES)
    try:
        numbers = [float(a) if "." in a or "e" in a else int(a) for a in arguments.split(",")]
        schedule: Schedule = SCHEDULES[name](*numbers)
    except (ValueError, TypeError) as error:
        raise DiaboloError(f"the schedule {value!r} cannot be read: {error}") from error
    return schedule
