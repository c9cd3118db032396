"""`Score`: one measured number with all that a reader needs to trust it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from diabolo.statistics import mean_interval


@dataclass(frozen=True)
class Score:
    """One measured number.

    Attributes:
        value: the number.
        unit: what it is measured in: "squared error per pixel", "nats per image", "share of images".
        n: how many examples it was measured on.
        split: of which part of the data: "test" or "train"; or what was counted instead: "pairs of test images".
        low, high: a 95 % interval, where there is one; `interval` says how it was found: "Wilson", "bootstrap over images".
        df: degrees of freedom of an interval that is of few values, such as draws of labels.
        shared: what the number owes to the test images, by blocks of them: {"of": which images, "parts": [...]}, so that two
            models that are measured on the same ones can be compared (`diabolo.statistics.Shared`).
        better: "lower" or "higher" where one of the two is better.
        setting: what else decides the number: the extractor, the number of samples, the seed, a draw's size.
        detail: what stands behind it and is too long for a table: one number per class, per unit, the worst examples.
            JSON-able.
    """

    value: float
    unit: str
    n: int
    split: str = "test"
    low: float | None = None
    high: float | None = None
    interval: str | None = None
    better: Literal["lower", "higher"] | None = None
    setting: Mapping[str, Any] = field(default_factory=dict)
    detail: Any = None
    df: float | None = None
    shared: Mapping[str, Any] | None = None

    @classmethod
    def mean(
        cls, values: ArrayLike, unit: str, split: str, interval: str = "Student's t over images", **beside: Any
    ) -> "Score":
        """The mean of `values` (n,), one per example, with its interval by Student's t; without one where there are fewer than
        two of them, or one is infinite. `beside` are other attributes."""
        each = np.asarray(values, np.float64)
        n, value = len(each), float(each.mean())
        if n < 2 or not np.isfinite(each).all():
            return cls(value, unit, n, split, **beside)
        return cls(value, unit, n, split, *mean_interval(each), interval, df=n - 1, **beside)

    @property
    def of(self) -> str:
        """What it was measured on, in the words of a table: "10,000 test", "500 generated, 10,000 test"; where `n` is not of
        images, what is `counted`, as the setting has it: "100 pairs of test images"."""
        made, real, counted = (self.setting.get(name) for name in ("n_generated", "n_real", "counted"))
        return f"{self.n:,} {counted or self.split}" if made is None else f"{made:,} generated, {real:,} {self.split}"

    @property
    def over(self) -> str:
        """What its interval is over, as `interval` says: "draws of labels", and "images" where it names nothing else; "" where
        there is none. Were these drawn anew, the number would fall into it; of all that stayed the same it says nothing."""
        if self.interval is None or self.low is None:
            return ""
        said = re.search(r"\bover ([^,;(]+)", self.interval)
        return said[1].strip() if said else "images"

    def record(self) -> dict[str, Any]:
        """All of it that is there, JSON-able."""
        return {name: value for name, value in vars(self).items() if value is not None and value != {}}
