"""Shares as a report shows them, as percentages. `results.json` keeps them as they are."""

SHARE = "share of "


def factor(unit: str) -> float:
    """By how much a number of that unit is multiplied to be shown: 100 for a share.

    Example:
        >>> factor("share of test images"), factor("nats per image")
        (100.0, 1.0)
    """
    return 100.0 if unit.startswith(SHARE) else 1.0


def shown(unit: str, name: str = "") -> str:
    """The unit in which the number called `name` is shown; that of a difference, "a less b", are percentage points.

    Example:
        >>> shown("share of test images"), shown("share of images", "accuracy, a less accuracy, b"), shown("nats per image")
        ('% of test images', 'percentage points', 'nats per image')
    """
    if not unit.startswith(SHARE):
        return unit
    return "percentage points" if " less " in name else f"% of {unit.removeprefix(SHARE)}"
