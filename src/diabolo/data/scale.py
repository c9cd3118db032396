"""Which numbers of a source are black and white: by what it says of itself, and by the range it really uses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from diabolo.data.account import between
from diabolo.errors import DiaboloError
from diabolo.ranges import ItsOwn

AUTO, DTYPE, OWN = "auto", "dtype", "own"
BITS = (8, 10, 12, 14, 16)  # cameras and scanners store 10, 12 and 14 bits in numbers of 16
STEPS = 255  # of 8 bits
WIDEST = float(2**32)  # a wider type says nothing about black and white
HAIR = 1e-3  # so far outside [0, 1] rounding may carry a float

Span = tuple[float, float]
Range = Annotated[str | Span, ItsOwn()]  # "auto", "dtype", "own", or what is black and white


@dataclass(frozen=True)
class Numbers:
    """The numbers of a source.

    low, high  the least and the greatest that occur
    nominal    what their type, or the file, calls black and white; None where it says nothing
    floats     whether they are floats; else whole numbers
    stated     whether the file itself says so, rather than the type that holds them
    steps      whether all are floats that are steps of 8 bits from black to white
    """

    low: float
    high: float
    nominal: Span | None
    floats: bool = False
    stated: bool = False
    steps: bool = False


def is_wide(span: Span) -> bool:
    """Whether whole numbers may have more values in `span` than bytes."""
    return span[1] - span[0] > STEPS


def check_range(asked: Any) -> Range:
    """`asked` as "auto", "dtype", "own" or two floats; DiaboloError for anything else. Numbers may be strings."""
    if isinstance(asked, str):
        asked = asked.split()
    if isinstance(asked, Sequence) and len(asked) == 1 and asked[0] in (AUTO, DTYPE, OWN):
        return str(asked[0])
    try:
        low, high = (float(value) for value in asked)
        if not -float("inf") < low < high < float("inf"):
            raise ValueError
        return low, high
    except (TypeError, ValueError):
        shown = " ".join(map(str, asked)) if isinstance(asked, list | tuple) else asked
        raise DiaboloError(
            f"range is auto, dtype, own, or the two numbers that are black and white, such as 0 4095, got {shown!r}"
        ) from None


def settle(numbers: Numbers, asked: Range, what: str) -> tuple[Span, list[str]]:
    """What is black and white, and what should be said of it.

    "dtype" takes what the type says. "auto" takes that too, but for whole numbers that use only 0 and 1, or 10, 12 or 14 bits
    of more, and it refuses floats that do not lie in [0, 1], but for a rounding.

    Raises:
        DiaboloError: when the numbers do not say it; the message has the range found and a remedy that fits it.
    """
    low, high = numbers.low, numbers.high
    if isinstance(asked, tuple):
        outside = low < asked[0] or high > asked[1]
        return asked, [
            f"values run from {low:.10g} to {high:.10g} and are clipped to {between(asked)}"
        ] if outside else []
    if asked == DTYPE:
        if numbers.nominal is None or numbers.nominal[1] > WIDEST:
            raise DiaboloError(f"{what} have a type that says nothing about black and white; {_by_hand(low, high)}")
        return settle(numbers, numbers.nominal, what)
    if numbers.floats:
        if low >= -HAIR and high <= 1 + HAIR:
            clipped = low < 0 or high > 1
            return (0.0, 1.0), [
                f"values {low:.9g} to {high:.9g} are a rounding outside 0 to 1 and are clipped"
            ] if clipped else []
        words, (black, white) = remedy(low, high)
        raise DiaboloError(
            f"{what} must lie in [0, 1], but run from {low:.10g} to {high:.10g}; {words}, or say what is black and "
            f"white by range=({black:.10g}, {white:.10g}) (--range {black:.10g} {white:.10g})"
        )
    if low < 0:
        raise DiaboloError(
            f"{what} run from {low:.10g} to {high:.10g}, and nothing says what is black; {_by_hand(low, high)}"
        )
    if (low, high) == (0, 1):
        return (0.0, 1.0), ["only 0 and 1 occur, which are read as black and white"]
    if numbers.stated and numbers.nominal is not None:
        return numbers.nominal, []
    if high >= 2 ** BITS[-1]:
        raise DiaboloError(
            f"{what} run from {low:.10g} to {high:.10g}, more than 16 bits, and nothing says what is white; "
            f"{_by_hand(low, high)}"
        )
    bits = next(bits for bits in BITS if high < 2**bits)
    top = float(2**bits - 1 if numbers.nominal is None else min(2**bits - 1, numbers.nominal[1]))
    notes = []
    if numbers.nominal is not None and top != numbers.nominal[1] and high > 0:
        notes.append(
            f"values reach only {high:,.0f} and are read as {bits} bits (--range dtype for the whole of the type)"
        )
    elif 0 < high < top / 4:
        notes.append(
            f"values reach only {high:,.0f} of {top:,.0f}, so that images are dark (--range 0 {high:.0f} for the range used)"
        )
    return (0.0, top), notes


def remedy(low: float, high: float) -> tuple[str, Span]:
    """How floats of that range may be brought into [0, 1], and what is black and white in them then."""
    if low >= -0.25 and high <= 1.25:
        return "clip them with x.clip(0, 1)", (0.0, 1.0)
    if low >= 0:
        tops = (2.0**bits - 1 for bits in BITS)
        top = next((top for top in tops if top / 2 < high <= top), high)
        return f"divide by {top:.10g}", (0.0, top)
    if low >= -1 - HAIR and high <= 1 + HAIR:
        return "use (x + 1) / 2", (-1.0, 1.0)
    rescale = "with (x - min) / (max - min)"
    if low > -10 and high < 10:
        words = f"they look standardised: undo that with x * std + mean, or scale them to [0, 1] {rescale}"
        return words, (low, high)
    return f"scale them to [0, 1] {rescale}", (low, high)


def _by_hand(low: float, high: float) -> str:
    return (
        f"say which numbers are black and white: range=({low:.10g}, {high:.10g}) (--range {low:.10g} {high:.10g}) is "
        "the range used"
    )
