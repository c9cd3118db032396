"""Numbers of several trainings of two models, compared in every pair of trainings: what holds in all of them is said, and where
they disagree, that they do.

The interval of a number covers the draw of images. What another seed of the training would change shows in the numbers of the
other trainings alone, which are too few for an interval of their own.
"""

from collections.abc import Mapping, Sequence
from itertools import product

from diabolo.display import words as written
from diabolo.statistics import Decision
from diabolo.studies.engine.findings import Measured, difference

Found = Mapping[str, Measured]
HOLE = (
    2.0  # times the Fréchet distance of as many draws of N(0, I), from which on codes are said to differ from N(0, I)
)


def each(f: Found, name: str) -> list[Measured]:
    """The number `name` of every training, by seed; the one number of what is not trained."""
    return [f[name]] if name in f else [one for key, one in f.items() if key.startswith(f"{name}, seed ")]


def span(values: Sequence[Measured], factor: float = 1, places: int | None = None) -> str:
    """The values, times `factor`, as they are read: "121", or "119 to 124"; to three digits, or to so many `places`."""
    ends = [factor * pick(one.value for one in values) for pick in (min, max)]
    low, high = (three(x) if places is None else f"{x:.{places}f}" for x in ends)
    return low if low == high else f"{low} to {high}"


def three(value: float) -> str:
    """To three digits, zeros at the end among them: "42.0"."""
    return f"{value:#.3g}".rstrip(".") if 1e-4 <= abs(value) < 999.5 else written(float(f"{value:.3g}"))


def decisions(a: Sequence[Measured], b: Sequence[Measured], same: bool = False) -> list[Decision]:
    """Which is more in every pair of a training of `a` and one of `b`; or, where both are of the `same`, in each of these."""
    pairs = zip(a, b, strict=True) if same else product(a, b)
    return [difference(one, other).decision for one, other in pairs]


def compared(
    a: Sequence[Measured], b: Sequence[Measured], *, more: str, less: str, neither: str, same: bool = False
) -> str:
    """One of these sentences: a is `more` than b in every pair of trainings, significantly and by as much as matters, or
    `less`, or `neither` of these. In each, {a} and {b} are the numbers of all trainings, and in `neither` {how} they differ."""
    found = decisions(a, b, same)
    said = more if set(found) == {"more"} else less if set(found) == {"less"} else neither
    return said.format(a=span(a), b=span(b), how=_how(found))


def _how(found: Sequence[Decision]) -> str:
    up, down, n = found.count("more"), found.count("less"), len(found)
    if up and down:
        return "and which is larger depends on the training"
    if up or down:
        return f"but the difference is significant and large enough to matter in only {up + down} of {n} pairs of trainings"
    if set(found) <= {"small", "same"}:
        return "a difference too small to matter"
    return f"without a significant difference{f' in any of {n} pairs of trainings' if n > 1 else ''}"
