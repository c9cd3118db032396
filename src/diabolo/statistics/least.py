"""The least difference that matters, by the unit of what is compared: a smaller one is no effect, however sure it is."""

from collections.abc import Iterable

from diabolo.plain import percent

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
