"""What a sweep leaves in its folder, which is read without Optuna's storage.

OUT/
    sweep.json           what is searched, what for, on which images
    journal.log          Optuna's journal, unless another storage was named
    trials/0007/         one setting
        trial.json       its options and what came of them, once it has ended
        0001-seed0/      a run folder for each seed
"""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

import numpy as np

from diabolo import display, regular
from diabolo.errors import DiaboloError
from diabolo.paths import as_path
from diabolo.plain import count
from diabolo.runs import files
from diabolo.runs.folder import numbered
from diabolo.statistics import against_best, mean_interval, welch
from diabolo.statistics.verdicts import LEVEL
from diabolo.sweeping.aims import Aim
from diabolo.sweeping.space import Space, of_record, word

FILE, TRIAL, TRIALS = "sweep.json", "trial.json", "trials"
FORMAT = 1
WITHOUT = "delete it, and the sweep goes on without that trial"
States = Literal["complete", "pruned", "failed"]


@dataclass(frozen=True)
class Definition:
    """What makes a sweep: another worker joins it where all of this is the same.

    Attributes:
        recipe: whose model is trained.
        search: what is searched, by option (`space.recorded`).
        aims: (name, "minimise" or "maximise").
        options: the options that all trials share, of the recipe and its training.
        seed, seeds: the first seed of a trial, and how many it is trained with.
        sampler: tpe or random.
        prune: median, hyperband or none.
        images: fingerprints of the images to train on and to validate with.
        processes: by which each trial is trained together (torchrun).
    """

    recipe: str
    search: Mapping[str, Mapping[str, Any]]
    aims: Sequence[Sequence[str]]
    options: Mapping[str, Any]
    seed: int
    seeds: int
    sampler: str
    prune: str
    images: Mapping[str, str | None]
    processes: int = 1

    @classmethod
    def parse(cls, told: Any) -> "Definition":
        """What `asdict` gave, read from JSON.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: where it is something else.
        """
        made = cls(**told)
        for name, kind in KINDS.items():
            if not isinstance(value := getattr(made, name), kind) or isinstance(value, bool):
                raise ValueError(f"{name!r} is not a {kind.__name__}")
        for space in made.search.values():
            of_record(space)
        if not made.aims or any(list(map(type, aim)) != [str, str] for aim in made.aims):
            raise ValueError("'aims' has no pairs of words")
        return made

    def differs(self, other: "Definition") -> str:
        """The first thing in which another definition is not this one, in words; "" where they are the same."""
        mine, theirs = asdict(self), asdict(other)
        for name, value in mine.items():
            if value != theirs[name]:
                if isinstance(value, dict) and isinstance(theirs[name], dict):
                    one = next(k for k in {**value, **theirs[name]} if value.get(k) != theirs[name].get(k))
                    return f"its {name} has {one} {_told(value.get(one))}, and this one {_told(theirs[name].get(one))}"
                return f"its {name} is {_told(value)}, and this one's {_told(theirs[name])}"
        return ""


KINDS = {
    "recipe": str, "search": dict, "aims": list, "options": dict, "seed": int, "seeds": int, "sampler": str, "prune": str,
    "images": dict, "processes": int,
}  # fmt: skip


def _told(value: Any) -> str:
    if isinstance(value, dict):  # of a space
        return str(of_record(value))
    return "left out" if value is None else " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


@dataclass(frozen=True)
class Trial:
    """One setting that was tried.

    Attributes:
        number: from 0 on.
        state: "complete", "pruned" (it was worse than others early on) or "failed".
        options: the values that were chosen, by option.
        values: of each aim, one number per seed; of a trial that was pruned or failed, nothing.
        reason: why it was pruned or failed.
        seconds: that it took.
    """

    number: int
    state: States
    options: Mapping[str, Any]
    values: Mapping[str, Sequence[float]] = field(default_factory=dict)
    reason: str = ""
    seconds: float = 0.0

    def mean(self, aim: str) -> float:
        """Over the seeds."""
        return fmean(self.values[aim])

    def interval(self, aim: str) -> tuple[float, float] | None:
        """The 95 % interval of the mean over seeds, by Student's t; None of a single seed."""
        return mean_interval(self.values[aim]) if len(self.values[aim]) > 1 else None

    @property
    def told(self) -> str:
        """Its options in words: "beta 0.01, latent_dim 16"."""
        return ", ".join(f"{name} {short(value)}" for name, value in self.options.items())

    @classmethod
    def read(cls, folder: Path) -> "Trial | None":
        """That of the folder of a trial; None before it has ended.

        Raises:
            DiaboloError: when trial.json was edited or damaged.
        """
        path = folder / TRIAL
        if not path.is_file():
            return None
        told = files.read_json(path, WITHOUT)
        try:
            values = {str(name): tuple(float(v) for v in each) for name, each in told["values"].items()}
            made = cls(int(told["number"]), told["state"], told["options"], values, told["reason"], told["seconds"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DiaboloError(f"{path} was edited or damaged: {error!r}; {WITHOUT}") from error
        if made.state not in ("complete", "pruned", "failed") or not isinstance(made.options, dict):
            raise DiaboloError(f"{path} was edited or damaged: it has no state or no options; {WITHOUT}")
        if path != folder_of(path.parents[2], made.number) / TRIAL:
            raise DiaboloError(f"{path} was edited or damaged: it is that of trial {made.number}; {WITHOUT}")
        return made

    def check(self, definition: Definition, path: Path) -> None:
        """Refuse a trial of the sweep in `path` that lacks what a trial with that `definition` has.

        Raises:
            DiaboloError: when its file was edited or damaged.
        """
        lacks = [name for name in definition.search if name not in self.options]
        if self.state == "complete":
            values = {name: self.values.get(name, ()) for name, _ in definition.aims}
            lacks += [name for name, each in values.items() if not each or not all(map(math.isfinite, each))]
        if lacks:
            file = folder_of(path, self.number) / TRIAL
            raise DiaboloError(f"{file} was edited or damaged: it has no {lacks[0]}; {WITHOUT}")

    def write(self, folder: Path) -> None:
        """Leave it in the folder of the trial."""
        files.write_json(folder / TRIAL, asdict(self))


def short(value: Any) -> str:
    """A value of an option for people: three significant digits."""
    return f"{value:.3g}" if isinstance(value, float) else word(tuple(value) if isinstance(value, list) else value)


def is_sweep(path: Path) -> bool:
    """Whether `path` is the folder of a sweep."""
    return (path / FILE).is_file()


@dataclass(frozen=True)
class Sweep:
    """A sweep as it stands in its folder.

    Attributes:
        path: the folder.
        definition: what is searched, and what for.
        trials: those that have ended, in their order.
        about: what else sweep.json holds: `study`, its name in the storage; `storage`; the `versions`.

    Example:
        >>> space, aim = {"latent_dim": (2, 8)}, "validation/total"
        >>> found = diabolo.sweep("pca", train, test, search=space, minimise=aim, trials=4, out="tried", quiet=True)
        >>> found.best.options, len(found.trials)
        ({'latent_dim': 8}, 4)
    """

    path: Path
    definition: Definition
    trials: Sequence[Trial]
    about: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> "Sweep":
        """That in the folder `path`.

        Raises:
            DiaboloError: when there is none, or it was damaged.
        """
        path = as_path(path)
        regular.check_folder(path)
        if not is_sweep(path):
            raise DiaboloError(f"{path} holds no sweep: it has no {FILE}")
        about = files.read_json(path / FILE, "a sweep without it cannot go on: begin another one")
        try:
            if about["format"] > FORMAT:
                raise DiaboloError(f"{path} was written by a newer Diabolo: upgrade with pip install --upgrade diabolo")
            definition = Definition.parse(about.pop("definition"))
        except DiaboloError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DiaboloError(f"{path / FILE} was edited or damaged: {error!r}") from error
        trials = trials_in(path)
        for trial in trials:
            trial.check(definition, path)
        return cls(path, definition, trials, about)

    @property
    def aims(self) -> list[Aim]:
        """What it is for."""
        return [Aim(name, way == "minimise") for name, way in self.definition.aims]

    @cached_property
    def spaces(self) -> Mapping[str, Space]:
        """What is searched, by option."""
        return {name: of_record(told) for name, told in self.definition.search.items()}

    @property
    def complete(self) -> list[Trial]:
        """The trials that have a value."""
        return [trial for trial in self.trials if trial.state == "complete"]

    @property
    def ranked(self) -> list[Trial]:
        """Those, the best first by the first aim; of equal ones the earlier first."""
        aim = self.aims[0]
        sign = 1 if aim.lower else -1
        return sorted(self.complete, key=lambda trial: (sign * trial.mean(aim.name), trial.number))

    @property
    def best(self) -> Trial:
        """The best by the first aim.

        Raises:
            DiaboloError: where no trial has ended with a value.
        """
        if not self.complete:
            failed = [trial for trial in self.trials if trial.state == "failed"]
            why = f": {failed[0].reason}" if failed else ""
            raise DiaboloError(f"no trial of {self.path} has ended with a value{why}")
        return self.ranked[0]

    @cached_property
    def rivals(self) -> list[Trial] | None:
        """The trials that are not shown to be worse than the best by the first aim: the difference of their means over seeds
        has p ≥ 0.05 by Welch's test, adjusted for all pairs (`statistics.against_best`). None where each has a single seed."""
        if self.definition.seeds < 2 or not self.complete:
            return None
        aim, by_number = self.aims[0], {trial.number: trial for trial in self.complete}
        values = {number: trial.values[aim.name] for number, trial in by_number.items()}
        means = {number: trial.mean(aim.name) for number, trial in by_number.items()}
        _, others = against_best(means, lambda a, b: welch(values[a], values[b]), largest=not aim.lower)
        return [by_number[number] for number, (_, p) in others.items() if p >= LEVEL]

    @property
    def front(self) -> list[Trial]:
        """The trials that no other beats in all aims (Pareto), the best by the first aim first."""
        signs = np.array([1 if aim.lower else -1 for aim in self.aims])
        ranked = self.ranked
        if not ranked:
            return []
        points = signs * np.array([[trial.mean(aim.name) for aim in self.aims] for trial in ranked])
        at_most = (points[:, None] <= points[None]).all(-1)
        beaten = (at_most & (points[:, None] < points[None]).any(-1)).any(0)
        return [trial for trial, lost in zip(ranked, beaten, strict=True) if not lost]

    def runs(self, trial: Trial) -> list[Path]:
        """The run folders of a trial, one per seed."""
        return numbered(folder_of(self.path, trial.number))

    @property
    def counted(self) -> str:
        """How many trials have ended, and how: "20 trials: 14 complete, 6 pruned"."""
        states = [(state, sum(t.state == state for t in self.trials)) for state in ("complete", "pruned", "failed")]
        return f"{count(len(self.trials), 'trial')}: {', '.join(f'{n} {state}' for state, n in states if n)}"

    def __fspath__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return f"Sweep({str(self.path)!r}: {self.definition.recipe}, {self.counted})"

    def _repr_html_(self) -> str:
        """The best trials in a notebook."""
        columns, rows = self.table(20)
        return display.table(f"Sweep of {self.definition.recipe}", self.counted, columns, rows)

    def table(self, most: int | None = None) -> tuple[list[str], list[list[display.Cell]]]:
        """Columns, and a row for each trial with a value: its options, and each aim with the half width of its 95 % interval
        over seeds. The best first, `most` of them; with several aims first those of the front."""
        front = self.front if len(self.aims) > 1 else []
        shown = [*front, *(trial for trial in self.ranked if trial not in front)][:most]
        columns = ["trial", *self.spaces]
        for aim in self.aims:
            columns += [aim.name] + (["± (95 %)"] if self.definition.seeds > 1 else [])
        columns += ["front"] if front else []
        rows: list[list[display.Cell]] = []
        for trial in shown:
            row: list[display.Cell] = [trial.number, *(_cell(trial.options.get(name)) for name in self.spaces)]
            for aim in self.aims:
                row.append(trial.mean(aim.name))
                if self.definition.seeds > 1:
                    ends = trial.interval(aim.name)
                    row.append(None if ends is None else (ends[1] - ends[0]) / 2)
            rows.append(row + (["yes" if trial in front else ""] if front else []))
        return columns, rows


def _cell(value: Any) -> display.Cell:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else short(value)


def folder_of(path: Path, number: int) -> Path:
    """The folder of the trial of that number, of the sweep in `path`."""
    return path / TRIALS / f"{number:04d}"


def trials_in(path: Path) -> list[Trial]:
    """The trials of the sweep in `path` that have ended, in their order."""
    place = path / TRIALS
    found = [folder for folder in place.iterdir() if folder.name.isdecimal()] if place.is_dir() else []
    read = (Trial.read(folder) for folder in sorted(found, key=lambda folder: int(folder.name)))
    return [trial for trial in read if trial is not None]
