"""One row of a study: what it shows, what it measures, what it finds."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from diabolo import figures
from diabolo.display import Cell, words
from diabolo.errors import DiaboloError
from diabolo.metrics.score import Score
from diabolo.reports import markdown
from diabolo.reports.document import Block, Document, Heading, Paragraph, Picture, Table, Verdict
from diabolo.statistics import mean, verdict
from diabolo.studies.engine import showing
from diabolo.studies.engine.findings import Measured, joined
from diabolo.studies.engine.shares import factor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from diabolo.studies.engine.trained import Trained

Accounts = dict[str, dict[str, str]]  # label of a model → {"state": "met", "told": "", "may_fail": ""}


def anchor_of(index: str) -> str:
    """What links to the row of that number point at."""
    return f"row-{index.replace('.', '-')}"


class NotMeasured(DiaboloError):  # noqa: N818  # no error: the report says why a row, or a part of one, is left out
    """This cannot be measured here; the message says why."""


class Row:
    """What a row's function is given.

    Every model that it looks at is noticed (`looked_at`), and judged when a finding is drawn (`diabolo.evaluation.learned`): of
    models that have not learned there are no findings.

    Attributes:
        index, title: "3.2", "PCA with two components".
        blocks: what it has shown so far, in order.
        numbers: what it has measured: {"name": {"value": …, "unit": …}}.
        lacks: the parts of it that cannot be measured here, and why.
    """

    def __init__(
        self,
        index: str,
        title: str,
        folder: Path,
        unchecked: str | None,
        lacks: Mapping[str, str] | None = None,
        models_of: Callable[[str], Accounts] = lambda _: {},
    ) -> None:
        self.index, self.title, self._folder, self._unchecked = index, title, folder, unchecked
        self.blocks: list[Block] = []
        self.numbers: dict[str, dict[str, Any]] = {}
        self.own_report: Document | None = None
        self.lacks = dict(lacks or {})
        self._models: dict[int, Trained] = {}
        self._models_of = models_of  # of another row, by its number
        self._others: dict[str, Accounts] = {}
        self._refused: set[tuple[str, ...]] = set()

    @property
    def anchor(self) -> str:
        """What links to this row point at."""
        return anchor_of(self.index)

    def looked_at(self, model: "Trained") -> None:
        """A model was looked at."""
        self._models[id(model)] = model

    def rests_on(self, source: str, models: Accounts) -> None:
        """It uses what `source`, another row or something remembered, found by looking at `models`."""
        self._others[source] = models

    @property
    def models(self) -> Accounts:
        """What is known of the learning of all models that were looked at, here and for what it uses."""
        return _together([accounts_of(self._models.values()), *self._others.values()])

    def unlearned(self, about: Sequence["Trained"] = (), rows: Sequence[str] = ()) -> Accounts:
        """The models for which no finding may be drawn: looked at here, or in the `rows` that it cites or else in all that it
        uses. Those `about` which it is must have learned even where others like them may fail."""
        others = [self._models_of(index) for index in rows] if rows else list(self._others.values())
        mine = accounts_of(one for one in self._models.values() if one not in about)
        must = {label: {**known, "may_fail": ""} for label, known in accounts_of(about).items()}
        return unlearned(_together([must, mine, *others]))

    def can(self, part: str) -> bool:
        """Whether that part of the row can be measured; if not, the report says why."""
        if part in self.lacks:
            self.not_measured(self.lacks[part], part)
        return part not in self.lacks

    def not_measured(self, because: str, part: str = "") -> None:
        """Say that the row, or a part of it, was not measured."""
        sentence = (
            f"{part[:1].upper()}{part[1:]}: not measured, because {because}."
            if part
            else f"Not measured, because {because}."
        )
        self.blocks.append(Paragraph(sentence, (self.anchor,)))
        showing.sentence(sentence)

    def text(self, sentence: str) -> None:
        """Say something that is true whatever was measured."""
        self.blocks.append(Paragraph(sentence))

    def question(self, text: str) -> None:
        """Ask what the findings below it answer; a heading in the report."""
        self.blocks.append(Heading(text, 3))
        showing.sentence(text, "h4")

    def figure(self, name: str, figure: "Figure", caption: str) -> None:
        """Show a figure; it is saved as figures/INDEX-name.png, and .pdf."""
        path = figures.save(figure, self._folder / "figures" / f"{self.index}-{name}.png", pdf=True)
        self.blocks.append(Picture(path, caption, f"{self.anchor}-{name}"))
        showing.figure(path)

    def table(self, caption: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Show a table."""
        self.blocks.append(Table(tuple(columns), [tuple(row) for row in rows], caption))
        showing.table(caption, columns, rows)

    def number(
        self,
        name: str,
        value: float,
        unit: str,
        low: float | None = None,
        high: float | None = None,
        how: str = "",
        df: float | None = None,
        shared: Mapping[str, Any] | None = None,
    ) -> float:
        """Write down a measured number, with its interval where there is one and `how` that was found; returns it. `df` are the
        degrees of freedom of an interval of few values, and `shared` what it owes to the test images (see `Score`)."""
        known = {"low": low, "high": high, "interval": how or None, "df": df, "shared": shared}
        entry = {"value": float(value), "unit": unit, **known}
        self.numbers[name] = {key: item for key, item in entry.items() if item is not None}
        return float(value)

    def score(self, name: str, score: Score) -> float:
        """Write down a score of a measure, with its interval."""
        how = score.interval or ""
        return self.number(name, score.value, score.unit, score.low, score.high, how, score.df, score.shared)

    def over(self, name: str, values: ArrayLike, unit: str, of: str = "seeds") -> float:
        """Write down the mean of `values`, one per seed, draw or image, with Student's interval over them: of shares and
        probabilities cut where these end, of which the interval knows nothing."""
        ends = (0.0, 1.0) if unit.startswith(("share of", "probability")) else (-math.inf, math.inf)
        return self._over(name, values, unit, of, *ends)

    def _over(self, name: str, values: ArrayLike, unit: str, of: str, least: float, most: float) -> float:
        each = np.asarray(values, np.float64)
        if len(each) < 2:
            return self.number(name, each.mean(), unit)
        found, how = mean(each), f"Student's t over {len(each)} {of}"
        low, high = (min(max(end, least), most) for end in found.interval())
        return self.number(name, found.value, unit, low, high, how, df=found.df)

    def pair(self, name: str, a: ArrayLike, b: ArrayLike, unit: str, of: str) -> float:
        """Write down the mean of a − b over the same seeds, draws or images. The findings compare two numbers by it where it is
        called after them, "a less b"."""
        differences = np.asarray(a, np.float64) - np.asarray(b, np.float64)
        return self._over(name, differences, unit, f"{of}, paired", -math.inf, math.inf)

    @property
    def found(self) -> dict[str, Measured]:
        """What it has measured, for the sentences of `findings`."""
        return {name: Measured.of(**entry) for name, entry in self.numbers.items()}

    def check(
        self,
        claim: str,
        value: float,
        relation: str,
        bar: float,
        unit: str = "",
        always: bool = False,
        number: str | None = None,
    ) -> None:
        """Hold a number against a bar: `check("training loss", 0.031, "≤", 0.04)`. What is held is the number itself, not as it
        is printed; where it was written down with an interval, that is shown beside it and must lie on the right side as a
        whole: a bar within it is "not decided". A number that was written down as a share is shown in per cent.

        On stand-in data or in a quick run a bar says nothing and is shown as not checked, unless it holds `always`: of the
        number of parameters, say.

        Args:
            claim, value, relation, bar, unit: what is claimed.
            always: whatever the data.
            number: as what it was written down; when left out, the one number of that value. Of two alike nobody knows which is
                meant, and the number itself decides.
        """
        entries = [self.numbers[number]] if number else [n for n in self.numbers.values() if n["value"] == value]
        ends = [(n["low"], n["high"]) for n in entries if "low" in n and len(entries) == 1]
        times = factor(entries[0]["unit"]) if len(entries) == 1 else 1.0
        unit = unit or "%" * (times != 1)
        shown = [f" ({words(times * low)} … {words(times * high)})" for low, high in ends]
        measured = f"{_exactly(times * value, relation, times * bar)} {unit}".strip() + "".join(shown)
        text = f"{claim} {relation} {times * bar:,.12g} {unit}".strip()
        if self._unchecked is not None and not always:
            self.blocks.append(Verdict(text, measured, "not checked", self._unchecked))
            return
        low, high = ends[0] if ends else (None, None)
        state = verdict(value, relation, bar, low, high)
        self.blocks.append(
            Verdict(text, measured, state, "the interval contains the threshold" if state == "not decided" else "")
        )

    def finding(
        self,
        sentence: str | Callable[[], str],
        *figures: str,
        rows: Sequence[str] = (),
        about: Sequence["Trained"] = (),
    ) -> None:
        """Say what was found: a sentence made from numbers (see `findings`), or what makes it. It cites this row, or those of
        the numbers `rows` that it rests on, and `figures` of this row by name.

        It is not said, and the reason is in its place, where a model that this row looked at has not learned. Models that may
        fail do not count, but for those that the finding is `about`."""
        cited = [anchor_of(index) for index in rows] or [self.anchor]
        if missing := self.unlearned(about, rows):
            if (key := (*sorted(missing), *cited)) not in self._refused:  # said once
                self._refused.add(key)
                self._say(no_finding(missing), (*cited,))
            return
        sentence = sentence if isinstance(sentence, str) else sentence()
        self._say(sentence, (*cited, *(f"{self.anchor}-{name}" for name in figures)))

    def _say(self, sentence: str, cites: tuple[str, ...]) -> None:
        self.blocks.append(Paragraph(sentence, cites))
        showing.sentence(sentence)

    def report(self, document: Document) -> str:
        """Make this the report.md of the study, in place of that of all rows, which is then called after the study; returns
        the text."""
        self.own_report = document
        return markdown.render(document, self._folder)


def _exactly(value: float, relation: str, bar: float) -> str:
    """`value` with as many digits as it takes to stand on the side of `bar` where it is: 0.88096 is not "0.881" where 0.881 is
    asked for."""
    short = words(value)
    for digits in range(4, 17):
        if verdict(float(f"{value:.{digits}g}"), relation, bar) == verdict(value, relation, bar):
            return short if digits == 4 else f"{value:.{digits}g}".replace("-", "−")
    return repr(value)


def unlearned(models: Accounts) -> Accounts:
    """Those that have not learned, or of which it is not decided; without those that may fail."""
    return {label: known for label, known in models.items() if known["state"] != "met" and not known["may_fail"]}


def no_finding(missing: Accounts) -> str:
    """What is said in place of a finding: which models have not learned, and what was measured of the first."""
    (first, known), *others = missing.items()
    undecided = known["state"] == "not decided"
    because = f"it is not decided whether {first} has learned" if undecided else f"{first} has not learned"
    more = f"; nor is it sure of {joined([name for name, _ in others])}" if others else ""
    return f"No finding is drawn here, because {because}: {known['told']}{more}."


def accounts_of(models: Iterable["Trained"]) -> Accounts:
    """What is known of the learning of `models`, by their labels."""
    return _together(
        {one.label: {"state": one.learned.state, "told": one.learned.told, "may_fail": one.may_fail}} for one in models
    )


def _together(several: Iterable[Accounts]) -> Accounts:
    """All of them; of two models of one label, such as that of other images, the one that has learned less."""
    found: Accounts = {}
    for label, known in (item for accounts in several for item in accounts.items()):
        if label not in found or _gravity(known) > _gravity(found[label]):
            found[label] = known
    return found


def _gravity(known: Mapping[str, str]) -> int:
    return 0 if known["state"] == "met" else 1 if known["may_fail"] else 2
