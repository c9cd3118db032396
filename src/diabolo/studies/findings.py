"""Sentences from numbers: which of them is said depends on what was measured, and on how sure that is."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any, TypeVar

from diabolo.statistics import Decision, Estimate, Shared, against_best, apart, decide, holm, mean, usual_least

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Measured:
    """A number and how sure it is.

    Attributes:
        value: the number.
        error: its standard error; 0 for one without noise, None where nothing is known of it.
        df: degrees of freedom of the error: few where it is of few seeds or draws.
        shared: what blocks of test images add to it, where another number may be measured on the same ones.
    """

    value: float
    error: float | None = None
    df: float = math.inf
    shared: Shared | None = None

    @classmethod
    def over(cls, values: Sequence[float]) -> "Measured":
        """The mean of `values`, one per seed or draw."""
        if len(values) < 2:
            return cls(fmean(values))
        found = mean(values)
        return cls(found.value, found.error, found.df)

    @classmethod
    def of(
        cls,
        value: float,
        low: float | None = None,
        high: float | None = None,
        df: float | None = None,
        shared: Mapping[str, Any] | None = None,
        **_: object,
    ) -> "Measured":
        """A number as a row or a score writes it down, with or without its 95% interval."""
        if low is None or high is None:
            return cls(value)
        return replace(cls.within(value, low, high, df), shared=Shared.read(shared))

    @classmethod
    def within(cls, value: float, low: float, high: float, df: float | None = None) -> "Measured":
        """Of a 95% interval, by Student's t of `df` degrees of freedom where it is of few values."""
        found = Estimate.within(value, low, high, df)
        return cls(found.value, found.error, found.df)

    def times(self, factor: float) -> "Measured":
        """In another unit, such as percentage points in place of shares."""
        error = None if self.error is None else abs(factor) * self.error
        return Measured(factor * self.value, error, self.df, self.shared and self.shared.times(factor))

    @property
    def estimate(self) -> Estimate | None:
        """It, if its error is known."""
        return None if self.error is None else Estimate(self.value, self.error, self.df)

    @property
    def half(self) -> float | None:
        """Half the width of its 95% interval."""
        return None if self.error is None else Estimate(0.0, self.error, self.df).interval()[1]


@dataclass(frozen=True)
class Difference:
    """a − b, and what may be said of it.

    Attributes:
        a, b: the numbers.
        paired: that difference measured image by image or draw by draw, where both were measured on the same ones.
        least: the smallest difference that is worth a sentence, in the unit of the numbers; when left out, 0.5 % of the larger.
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
        by Welch's degrees of freedom; None where nothing is known of one of the two."""
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

    def decision(self, margin: float | None = None) -> Decision:
        """Whether a is "more" than b, "less", the "same" within ± `margin`, or none of these ("not decided")."""
        if self.estimate is None:
            return "not decided"
        least = usual_least(self.a.value, self.b.value) if self.least is None else self.least
        return decide(self.estimate, least=least, margin=margin, p=self.p)

    @property
    def sure(self) -> bool:
        """Whether one is more than the other: the difference is significant at 5 % and not smaller than `least`. One of unknown
        error is not sure."""
        return self.decision() in ("more", "less")

    @property
    def size(self) -> str:
        """How large it is, without its sign, as "2.1 ± 0.6": with half of its 95% interval."""
        found = self.estimate
        return with_error(abs(self.value), 0.0 if found is None else found.interval()[1] - found.value)

    def say(self, more: str, less: str, same: str, *, alike: str | None = None, margin: float | None = None) -> str:
        """One of these sentences: a is `more` than b, or `less`, or the two are not significantly different (`same`, which must
        not claim that they are equal). In each, {difference} is put in as "2.1 ± 0.6", {a} and {b} as the two numbers.

        Args:
            more, less, same: the sentences.
            alike: that they are equal for all that matters; it needs a `margin`.
            margin: the largest difference that does not matter, in the unit of the numbers: `alike` is said where the true
                difference is shown to be smaller.
        """
        if (alike is None) != (margin is None):
            raise ValueError("that two numbers are alike is said within a margin, and a margin is for saying that")
        found = self.decision(margin)
        sentence = {"more": more, "less": less, "same": alike}.get(found) or same
        return sentence.format(difference=self.size, a=f"{self.a.value:.4g}", b=f"{self.b.value:.4g}")


def difference(
    a: Measured | Sequence[float], b: Measured | Sequence[float], *, least: float | None = None
) -> Difference:
    """a − b; lists are values over seeds or draws, which are independent."""
    one, other = (m if isinstance(m, Measured) else Measured.over(m) for m in (a, b))
    return Difference(one, other, least=least)


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
    """As "5.0 ± 1.9": to as many places as the error has, which has two digits up to 3.5 and then one; `value` alone for an
    error of 0."""
    if not 1e-7 < error < math.inf:
        return f"{value:.3g}"
    leading = math.floor(math.log10(error))
    places = max(0, (1 if error / 10**leading <= 3.5 else 0) - leading)
    return f"{value:.{places}f} ± {error:.{places}f}"


def joined(words: Sequence[str]) -> str:
    """a, b and c."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
