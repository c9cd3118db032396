"""Numbers and schedules as Python."""

import math

from diabolo.errors import DiaboloError
from diabolo.schedules import Constant, Cosine, Cyclical, Linear, OneCycle
from diabolo.unfold.kinds import ByKind


def number(value: float) -> str:
    """A finite number, as short as it can be read back."""
    if not math.isfinite(value):
        raise DiaboloError(f"unfold cannot write the number {value}")
    return repr(int(value)) if isinstance(value, int) else f"{value:g}" if float(f"{value:g}") == value else repr(value)


schedule = ByKind[str]("schedule")
"""What a schedule is at `progress`, the share of training that is done: an expression."""


@schedule.of(Constant)
def _constant(value: Constant) -> str:
    return number(value.value)


def _way(start: float, end: float, share: str) -> str:
    if not start:
        return share if end == 1 else f"{number(end)} * {share}"
    sign, far = ("-", start - end) if end < start else ("+", end - start)
    return f"{number(start)} {sign} {number(far)} * {share}"


@schedule.of(Linear)
def _linear(value: Linear) -> str:
    return _way(value.start, value.end, f"min(progress / {number(value.over)}, 1.0)")


@schedule.of(Cyclical)
def _cyclical(value: Cyclical) -> str:
    return _way(value.start, value.end, f"min(2 * ((min(progress, 1 - 1e-6) * {value.cycles}) % 1.0), 1.0)")


@schedule.of(Cosine)
def _cosine(value: Cosine) -> str:
    half = number(0.5 * (value.start - value.end))
    falling = f"{half} * (1 + math.cos(math.pi * progress))"
    return f"{number(value.end)} + {falling}" if value.end else falling


@schedule.of(OneCycle)
def _one_cycle(value: OneCycle) -> str:
    return f"one_cycle(progress, peak={number(value.peak)}, rise={number(value.rise)})"


ONE_CYCLE = '''def one_cycle(progress, peak, rise):
    """Up from peak / 25 by half a cosine, then down to peak / 1e5 (Smith 2018)."""
    up, down = min(progress / rise, 1.0), max((progress - rise) / (1 - rise), 0.0)
    risen = peak / 25 + 0.5 * (peak - peak / 25) * (1 - math.cos(math.pi * up))
    return risen - 0.5 * (peak - peak / 1e5) * (1 - math.cos(math.pi * down))'''
