"""What may be said of a number against a bar, and of a difference: never more than its interval allows.

A difference has a least size: the smallest that matters. It is stated in the unit of the numbers, and is the margin of
equivalence too: two numbers are the same where they are shown to differ by less.
"""

import operator
from collections.abc import Callable, Iterable
from typing import Literal

from diabolo.errors import DiaboloError
from diabolo.plain import percent
from diabolo.statistics.estimate import Estimate, positive


def equivalence_p(difference: Estimate, margin: float) -> float:
    """How probable it is that a difference as large as `margin`, either way, comes out as near to 0 as this: the larger of two
    one-sided p-values (Schuirmann 1987, "A comparison of the two one-sided tests procedure").

    Raises:
        DiaboloError: for a margin that is not above 0.

    Example:
        >>> round(diabolo.statistics.equivalence_p(diabolo.statistics.Estimate(0.1, 0.2), margin=1.0), 6)
        3e-06
    """
    positive("margin", margin)
    return max(difference.beyond(-margin), (-difference).beyond(-margin))


def equivalent(difference: Estimate, margin: float, level: float = 0.05) -> bool:
    """Whether the true difference lies within ± `margin`: whether its interval of confidence 1 − 2 · `level` does.

    Args:
        difference: of two numbers.
        margin: the largest difference that does not matter, in the unit of the numbers.
        level: of how many such statements may be wrong.

    Example:
        >>> difference = diabolo.statistics.Estimate(0.1, 0.2)
        >>> diabolo.statistics.equivalent(difference, margin=1.0), diabolo.statistics.equivalent(difference, margin=0.2)
        (True, False)
    """
    return equivalence_p(difference, margin) < level


SHARE = 0.01  # of the larger number, in a unit that is not listed
LEAST = {  # a part of the unit → so much of it or, if true, such a share of the larger number
    "percentage points": (0.5, False),
    "%": (0.5, False),
    "share of": (0.005, False),
    "probability": (0.01, False),
    "0 to 1": (0.01, False),
    "nats": (0.5, False),
    "squared error": (SHARE, True),
    "squared distance": (0.05, True),  # FID
    "squared MMD": (0.05, True),
}


def least_in(unit: str) -> tuple[float, bool]:
    """The least difference that matters between numbers of that unit: so much of it or, if true, such a share of the larger.

    Example:
        >>> diabolo.statistics.least_in("nats per image")
        (0.5, False)
    """
    return next((least for part, least in LEAST.items() if part in unit), (SHARE, True))


def least_difference(unit: str, a: float, b: float) -> float:
    """The least difference of `a` and `b` that matters, in their unit; above 0.

    Example:
        >>> diabolo.statistics.least_difference("share", 0.90, 0.95)
        0.0095
    """
    size, relative = least_in(unit)
    return max(size * max(abs(a), abs(b)), 1e-300) if relative else size


def what_matters(units: Iterable[str]) -> str:
    """The least differences that matter between numbers of these units, in words.

    Example:
        >>> diabolo.statistics.what_matters(["share", "nats per image"])
        '1 % of the larger number (share); 0.5 (nats per image)'
    """
    found: dict[tuple[float, bool], list[str]] = {}
    for unit in dict.fromkeys(units):
        found.setdefault(least_in(unit), []).append(unit)
    return "; ".join(
        f"{percent(size) + ' of the larger number' if relative else f'{size:g}'} ({', '.join(several)})"
        for (size, relative), several in found.items()
    )


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
