"""Sentences from numbers: which of them is said depends on what was measured, and on how sure that is.

A study calls one number more than another where the difference is significant at 5 % and not smaller than the least that
matters in its unit (`diabolo.statistics.verdicts`); what it says of all other pairs is decided here, by `Difference.say`.
"""

import math
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any, TypeVar

from diabolo.display import words as written
from diabolo.plain import percent
from diabolo.statistics import (
    Decision,
    Estimate,
    Shared,
    against_best,
    apart,
    decide,
    holm,
    least_difference,
    least_in,
    mean,
)

Key = TypeVar("Key", bound=Hashable)
NEITHER = {  # what is said of two numbers of which neither is shown to be more by as much as matters; the words in braces
    "not decided": ("do not differ significantly", "does not differ significantly", "not significantly different"),
    "small": (
        "differ significantly, but only by {difference}, less than the {least} that would matter",
        "differs significantly, but only by {difference}, less than the {least} that would matter,",
        "significantly different, but only by {difference}, less than the {least} that would matter",
    ),
    "same": (
        "differ by less than {least}, too little to matter",
        "differs by less than {least}, too little to matter,",
        "the same to within {least}, too little to matter",
    ),
}
SLOTS = ("differ", "differs", "different")  # "a and b {differ}", "a {differs} from b", "{different} (a, b)"
SPOKEN = ("percentage points", "nats")  # units that are said after a difference of which neither is more
NO_COMMA = re.compile(r",(?=[.;:]| \(|$)")  # before a bracket, another mark or the end


@dataclass(frozen=True)
class Measured:
    """A number and how sure it is.

    Attributes:
        value: the number.
        error: its standard error; 0 for one without noise, None where nothing is known of it.
        df: degrees of freedom of the error: few where it is of few seeds or draws.
        shared: what blocks of test images add to it, where another number may be measured on the same ones.
        unit: of the number, which decides how large a difference matters.
    """

    value: float
    error: float | None = None
    df: float = math.inf
    shared: Shared | None = None
    unit: str = ""

    @classmethod
    def over(cls, values: Sequence[float], unit: str = "") -> "Measured":
        """The mean of `values`, one per seed or draw."""
        if len(values) < 2:
            return cls(fmean(values), unit=unit)
        found = mean(values)
        return cls(found.value, found.error, found.df, unit=unit)

    @classmethod
    def of(
        cls,
        value: float,
        low: float | None = None,
        high: float | None = None,
        df: float | None = None,
        shared: Mapping[str, Any] | None = None,
        unit: str = "",
        **_: object,
    ) -> "Measured":
        """A number as a row or a score writes it down, with or without its 95 % interval."""
        if low is None or high is None:
            return cls(value, unit=unit)
        found = Estimate.within(value, low, high, df)
        return cls(found.value, found.error, found.df, Shared.read(shared), unit)

    def times(self, factor: float, unit: str) -> "Measured":
        """In another unit, such as percentage points in place of shares."""
        error = None if self.error is None else abs(factor) * self.error
        return Measured(factor * self.value, error, self.df, self.shared and self.shared.times(factor), unit)

    @property
    def estimate(self) -> Estimate | None:
        """It, if its error is known."""
        return None if self.error is None else Estimate(self.value, self.error, self.df)

    @property
    def half(self) -> float | None:
        """Half the width of its 95 % interval."""
        return None if self.error is None else Estimate(0.0, self.error, self.df).interval()[1]


NOTHING = Measured(0.0, 0.0)


@dataclass(frozen=True)
class Difference:
    """a − b, and what may be said of it.

    Attributes:
        a, b: the numbers.
        paired: that difference measured image by image or draw by draw, where both were measured on the same ones.
        least: the smallest difference that matters, in the unit of the numbers; when left out, what matters in their
        unit (`diabolo.statistics.verdicts`).
        p: how probable a difference of this size is by chance, where it was adjusted as one of several (`family`).
    """

    a: Measured
    b: Measured
    paired: Measured | None = None
    least: float | None = None
    p: float | None = None

    @property
    def value(self) -> float:
        """a − b."""
        return self.a.value - self.b.value

    @property
    def estimate(self) -> Estimate | None:
        """a − b with its error: that of pairs, of what both do not share of the same test images, or of two independent numbers
        by the degrees of freedom of Welch 1947 (`diabolo.statistics.differ`); None where nothing is known of one of the two."""
        if self.paired is not None:
            found = self.paired.estimate
            return None if found is None else Estimate(self.value, found.error, found.df)
        a, b = self.a.estimate, self.b.estimate
        if a is None or b is None:
            return None
        return apart(a, b, self.a.shared, self.b.shared)

    @property
    def error(self) -> float | None:
        """Its standard error; None where one of the two is not known."""
        return None if self.estimate is None else self.estimate.error

    @property
    def matters(self) -> float:
        """The smallest difference that matters, in the unit of the numbers.

        Raises:
            ValueError: where that is a share of the larger number, and a difference is compared with nothing.
        """
        if self.least is not None:
            return self.least
        unit = self.a.unit or self.b.unit
        size, relative = least_in(unit)
        if relative and NOTHING in (self.a, self.b):
            raise ValueError(
                f"a least difference of {percent(size)} is one of two numbers, and of nothing there is none"
            )
        return least_difference(unit, self.a.value, self.b.value)

    @property
    def decision(self) -> Decision:
        """Which is more, or that neither is, in the words of `diabolo.statistics.decide`; of unknown errors nothing is
        decided."""
        return "not decided" if self.estimate is None else decide(self.estimate, least=self.matters, p=self.p)

    @property
    def sure(self) -> bool:
        """Whether one is more than the other: the difference is significant at 5 % and as large as matters. One of unknown
        error is not sure."""
        return self.decision in ("more", "less")

    @property
    def size(self) -> str:
        """How large it is, without its sign, as "2.1 ± 0.6": with half of its 95 % interval."""
        found = self.estimate
        return with_error(abs(self.value), 0.0 if found is None else found.interval()[1] - found.value)

    @property
    def signed(self) -> str:
        """The difference with its sign and half of its 95 % interval, as "−0.1 ± 2.3"."""
        found = self.estimate
        return with_error(self.value, 0.0 if found is None else found.interval()[1] - found.value).replace("-", "−")

    @property
    def both(self) -> tuple[str, str]:
        """a and b to three significant digits, "97.0" beside "96.5"; to four where one is more than the other, and three do not
        show it."""
        a, b = (written(float(f"{one.value:.3g}")) for one in (self.a, self.b))
        return (written(self.a.value), written(self.b.value)) if a == b and self.sure else (_as(b, a), _as(a, b))

    def say(self, more: str, less: str, neither: str) -> str:
        """One of these sentences: a is `more` than b, or `less`, or neither is shown to be more by as much as matters.

        In each, {difference} is put in as "2.1 ± 0.6", {a} and {b} as the two numbers (`both`), {least} as what matters. A
        comma that then stands before a bracket, another mark or the end is left out. What is known of two of which `neither`
        is more is not for the caller to say: it has one of {differ}, {differs} or {different}, for which stands "do not differ
        significantly", that they do but by too little, or that they are shown to be the same to within what matters.

        Raises:
            ValueError: for a `neither` without one of these.
        """
        if not any(f"{{{slot}}}" in neither for slot in SLOTS):
            raise ValueError(
                f"{neither!r} leaves nothing to say: it needs one of {{differ}}, {{differs}}, {{different}}"
            )
        known = {"difference": self.size, "least": written(float(f"{self.matters:.2g}"))}
        known |= dict(zip(("a", "b"), self.both, strict=True))
        found = self.decision
        if found in NEITHER:
            words = zip(SLOTS, NEITHER[found], strict=True)
            unit = next((f" {one}" for one in SPOKEN if one in (self.a.unit or self.b.unit)), "")
            sizes = {name: known[name] + unit for name in ("difference", "least")}
            known |= {slot: said.format(**sizes) for slot, said in words}
        said = {"more": more, "less": less}.get(found, neither).format(**known)
        return NO_COMMA.sub("", said)


def difference(
    a: Measured | Sequence[float], b: Measured | Sequence[float], *, least: float | None = None
) -> Difference:
    """a − b; lists are values over seeds or draws, which are independent."""
    one, other = (m if isinstance(m, Measured) else Measured.over(m) for m in (a, b))
    return Difference(one, other, least=least)


def from_nothing(measured: Measured) -> Difference:
    """A number that is a difference itself, such as a gain, against none. How much of it matters must be known of its unit."""
    return Difference(measured, NOTHING)


def family(differences: Mapping[Key, Difference]) -> dict[Key, Difference]:
    """Several differences of which one question asks, such as each of nine models against the best: adjusted by Holm, so that
    the chance that even one of them is called sure without being one stays at 5 %."""
    known = {key: found.p for key, one in differences.items() if (found := one.estimate) is not None}
    adjusted = dict(zip(known, holm(list(known.values())).tolist(), strict=True))
    return {key: replace(one, p=adjusted.get(key)) for key, one in differences.items()}


def from_best(values: Mapping[Key, Measured], most: bool = False) -> tuple[Key, dict[Key, Difference]]:
    """The smallest of several numbers, or the largest where `most` is best, and how each other one differs from it. That the
    best was chosen by the same numbers is counted: all pairs are one family (`diabolo.statistics.against_best`)."""
    numbers = {key: one.value for key, one in values.items()}
    best, found = against_best(numbers, lambda a, b: Difference(values[a], values[b]).estimate, most)
    return best, {key: Difference(values[key], values[best], p=p) for key, (_, p) in found.items()}


def between(n: Mapping[str, Measured], a: str, b: str, paired: str = "") -> Difference:
    """a − b of two numbers of a row, by their names; by the difference called `paired`, or "a less b", where there is one."""
    return Difference(n[a], n[b], n.get(paired or less(a, b)))


def less(a: str, b: str) -> str:
    """What the paired difference of two numbers of these names is called."""
    return f"{a} less {b}"


def with_error(value: float, error: float) -> str:
    """As "5.0 ± 1.9": to as many places as the error has, which has two digits up to 3.5 and then one; to more where value and
    error would look the same, and whether the interval holds 0 could not be seen; `value` alone for an error of 0."""
    if not 1e-7 < error < math.inf:
        return f"{value:.3g}"
    leading = math.floor(math.log10(error))
    places = max(0, (1 if error / 10**leading <= 3.5 else 0) - leading)
    alike = (f"{abs(value):.{more}f}" == f"{error:.{more}f}" for more in range(places, places + 3))
    places += next((i for i, same in enumerate(alike) if not same), 0)
    return f"{value:.{places}f} ± {error:.{places}f}"


def _as(other: str, number: str) -> str:
    """A number of two digits with as many places as the other, if that does not give it more than three: "97.0" for 96.5."""
    missing = len(other.partition(".")[2]) - len(number.partition(".")[2])
    digits = len(number.replace(".", "").replace("−", "").lstrip("0"))
    if digits != 2 or missing < 1 or "e" in number + other:
        return number
    return f"{number}{'' if '.' in number else '.'}0"


def joined(words: Sequence[str]) -> str:
    """a, b and c."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def signed(change: float, decimals: int = 0) -> str:
    """+3 % or −3 %."""
    return f"{100 * change:+.{decimals}f} %".replace("-", "−")
