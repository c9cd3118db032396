"""Sentences from numbers: which of them is said depends on what was measured, and on how sure that is."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from diabolo.statistics import mean_interval

SURE = 1.96  # standard errors from which on a difference is one


@dataclass(frozen=True)
class Measured:
    """A number and its standard error; 0 for one without noise, None where nothing is known of it. Of a mean over few seeds or
    draws it is so much larger that 1.96 of it are Student's interval."""

    value: float
    error: float | None = None

    @classmethod
    def over(cls, values: Sequence[float]) -> "Measured":
        """The mean of `values`, one per seed or draw."""
        return cls.within(fmean(values), *mean_interval(values)) if len(values) > 1 else cls(fmean(values))

    @classmethod
    def of(cls, value: float, low: float | None = None, high: float | None = None, **_: object) -> "Measured":
        """A number as a row writes it down, with or without its 95% interval."""
        return cls(value) if low is None or high is None else cls.within(value, low, high)

    @classmethod
    def within(cls, value: float, low: float, high: float) -> "Measured":
        """Of a 95% interval."""
        return cls(value, (high - low) / (2 * SURE))


@dataclass(frozen=True)
class Difference:
    """a − b, and whether it is more than noise; `paired` is that difference measured image by image or draw by draw, where both
    were measured on the same ones."""

    a: Measured
    b: Measured
    paired: Measured | None = None

    @property
    def value(self) -> float:
        """a − b."""
        return self.a.value - self.b.value

    @property
    def error(self) -> float | None:
        """Its standard error; None where one of the two is not known."""
        if self.paired is not None:
            return self.paired.error
        if self.a.error is None or self.b.error is None:
            return None
        return math.hypot(self.a.error, self.b.error)

    @property
    def sure(self) -> bool:
        """Whether its 95% interval leaves out 0; a difference of unknown error is not sure."""
        return self.error is not None and abs(self.value) > SURE * self.error

    @property
    def size(self) -> str:
        """How large it is, without its sign, as "2.1 ± 0.6"."""
        return with_error(abs(self.value), SURE * (self.error or 0))

    def say(self, more: str, less: str, same: str) -> str:
        """One of three sentences: a is `more` than b, or `less`, or the `same` within the noise. In each, {difference} is put
        in as "2.1 ± 0.6", {a} and {b} as the two numbers."""
        sentence = same if not self.sure else more if self.value > 0 else less
        return sentence.format(difference=self.size, a=f"{self.a.value:.4g}", b=f"{self.b.value:.4g}")


def difference(a: Measured | Sequence[float], b: Measured | Sequence[float]) -> Difference:
    """a − b; lists are values over seeds or draws."""
    return Difference(*(m if isinstance(m, Measured) else Measured.over(m) for m in (a, b)))


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
