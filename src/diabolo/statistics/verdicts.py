"""What may be said of a number against a bar, and of a difference: never more than its interval allows.

A difference has a least size: the smallest that matters. It is stated in the unit of the numbers, and is the margin of
equivalence too:
two numbers are the same where they are shown to differ by less.
"""

import operator
from collections.abc import Callable
from typing import Literal

from diabolo.errors import DiaboloError
from diabolo.statistics.checks import positive
from diabolo.statistics.equivalence import equivalent
from diabolo.statistics.estimate import Estimate

State = Literal["met", "missed", "not decided"]
Decision = Literal["more", "less", "small", "same", "not decided"]

RELATIONS: dict[str, Callable[[float, float], bool]] = {
    "≤": operator.le,
    "<": operator.lt,
    "≥": operator.ge,
    ">": operator.gt,
    "=": operator.eq,
}
LEVEL = 0.05


def verdict(value: float, relation: str, bar: float, low: float | None = None, high: float | None = None) -> State:
    """Whether `value` is ≤, <, ≥, > or = `bar`: "not decided" when its interval low … high holds values that would be and
    others that would not. Nothing is rounded: 0.8808 is not ≥ 0.881. Without an interval the number itself decides.

    Raises:
        DiaboloError: for another relation, NaN, or an interval of one end or turned round.

    Example:
        >>> diabolo.statistics.verdict(0.95, "≥", 0.9), diabolo.statistics.verdict(0.95, "≥", 0.9, low=0.89, high=0.97)
        ('met', 'not decided')
    """
    if relation not in RELATIONS:
        raise DiaboloError(f"a bar is held to by one of {' '.join(RELATIONS)}, not by {relation!r}")
    ends = [x for x in (low, high) if x is not None]
    if len(ends) == 1 or any(x != x for x in (value, bar, *ends)):
        raise DiaboloError(
            f"{value} within {low} … {high} cannot be held against {bar}: numbers with both ends are needed"
        )
    if ends and ends[0] > ends[1]:
        raise DiaboloError(f"the interval {low} … {high} is turned round")
    holds = RELATIONS[relation]
    if ends and relation == "=" and ends[0] < ends[1]:
        return "not decided" if ends[0] <= bar <= ends[1] else "missed"
    found = {holds(x, bar) for x in (value, *ends)}
    return "not decided" if len(found) > 1 else "met" if found.pop() else "missed"


def decide(difference: Estimate, *, least: float, p: float | None = None) -> Decision:
    """What a difference a − b allows to say: a is "more" than b, or "less", significantly and by `least` or more; the
    "same", where it is shown that they differ by less than `least`; a "small" difference, which is significant and comes
    out below `least`, but may be larger; or "not decided".

    Args:
        difference: a − b.
        least: the smallest difference that matters, in the unit of the numbers.
        p: of the difference, where it was adjusted as one of several (see `holm`).

    Raises:
        DiaboloError: for a least size that is not above 0.

    Example:
        >>> difference = diabolo.statistics.Estimate(2.0, 0.5)
        >>> diabolo.statistics.decide(difference, least=1.0), diabolo.statistics.decide(difference, least=3.0)
        ('more', 'same')
    """
    positive("least size", least)
    if equivalent(difference, least):
        return "same"
    if not (difference.p if p is None else p) < LEVEL:
        return "not decided"
    if abs(difference.value) < least:
        return "small"
    return "more" if difference.value > 0 else "less"
