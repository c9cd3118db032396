"""`compare`: several runs side by side, and how much of a difference is but the seed."""

import json
import math
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import groupby
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from diabolo import display, figures, vocabulary
from diabolo.data.origin import elsewhere
from diabolo.errors import DiaboloError
from diabolo.evaluation.differences import Behind, behind
from diabolo.evaluation.learned import Learned
from diabolo.evaluation.measure import Panel, rank, standing_alone
from diabolo.evaluation.measuring import FOLDER, Evaluation, Pair, check_asked, evaluate
from diabolo.foreign.named import is_named, opened
from diabolo.metrics.score import Score
from diabolo.paths import as_path
from diabolo.plain import count
from diabolo.runs import files, lock
from diabolo.runs.config import Config
from diabolo.runs.folder import RunFolder
from diabolo.runs.loading import load
from diabolo.surroundings import undisturbed
from diabolo.training.options import defining
from diabolo.trust import Trust
from diabolo.vocabulary import Words

FIRST = 8  # scores that head a comparison


@dataclass(frozen=True)
class Spread:
    """A score over the seeds of one model: the mean, the standard deviation over seeds (None for one seed), all values; and of
    a single seed its own 95 % interval, where it has one."""

    values: tuple[float, ...]
    interval: tuple[float, float] | None = None

    @classmethod
    def of(cls, scores: Sequence[Score]) -> "Spread":
        """That of one score per seed."""
        low, high = (scores[0].low, scores[0].high) if len(scores) == 1 else (None, None)
        return cls(tuple(s.value for s in scores), None if low is None or high is None else (low, high))

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return fmean(self.values)

    @property
    def deviation(self) -> float | None:
        """Over the seeds, with n − 1; None for a single one."""
        return stdev(self.values) if len(self.values) > 1 else None

    @property
    def whisker(self) -> tuple[float, float] | None:
        """Mean ± deviation of several seeds; of a single one its interval."""
        return self.interval if self.deviation is None else (self.mean - self.deviation, self.mean + self.deviation)


def _in_words(spread: Spread | None, leading: bool) -> display.Cell:
    """Mean ± deviation, with a star where that is `leading`."""
    if spread is None or (spread.deviation is None and not leading):
        return None if spread is None else spread.mean
    deviation = "" if spread.deviation is None else f" ± {display.words(spread.deviation)}"
    return f"{display.words(spread.mean)}{deviation}{' *' if leading else ''}"


@dataclass(frozen=True)
class Row:
    """One score of several models.

    Attributes:
        measure, name: which.
        like: the score of one of the runs, for its unit, split and setting.
        spreads: by model; a model that has no such score is left out.
        scores: the scores themselves by model, one per seed; only of models that have learned, of which one may be the best.
        every: the same of all models.
    """

    measure: str
    name: str
    like: Score
    spreads: Mapping[str, Spread]
    scores: Mapping[str, Sequence[Score]] = field(default_factory=dict)
    every: Mapping[str, Sequence[Score]] = field(default_factory=dict)

    @cached_property
    def best(self) -> tuple[str | None, Mapping[str, Behind]]:
        """The best of several models, and how far each other one is behind it; None where neither more nor less is better."""
        if self.like.better is None or len(self.scores) < 2:
            return None, {}
        return behind(self.scores)

    @property
    def leading(self) -> set[str]:
        """The best model, and those shown to differ from it by less than matters, where every other model is shown to be
        worse; none where that is not decided for one of them, or no model is worse by as much as matters."""
        best, others = self.best
        if best is None or self.undecided or not self.differs:
            return set()
        return {best, *(label for label, one in others.items() if one.decision == "same")}

    @property
    def undecided(self) -> list[str]:
        """The models of which it is not decided whether they are worse than the best."""
        return [label for label, one in self.best[1].items() if one.decision == "not decided"]

    @property
    def differs(self) -> bool:
        """Whether a model is significantly worse than the best, by as much as matters."""
        return any(one.worse for one in self.best[1].values())

    @property
    def rank(self) -> int | None:
        """Its place among the scores that a reader wants first (`diabolo.evaluation.measure.rank`)."""
        return rank(self.measure, self.name)


@dataclass(frozen=True)
class Comparison:
    """Runs side by side.

    Attributes:
        groups: the evaluations of each model, one per seed, by the model's label.
        left_out: why a run is not among them, by its folder.

    Example:
        >>> seeds = [diabolo.evaluate(model, (train, test), measures=["learned"], seed=seed) for seed in (0, 1)]
        >>> {name: len(runs) for name, runs in diabolo.evaluation.Comparison({"vae": seeds}).groups.items()}
        {'vae': 2}
    """

    groups: Mapping[str, Sequence[Evaluation]]
    left_out: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def unlearned(self) -> Mapping[str, str]:
        """The models that have not learned by the measure `learned`, or of which it is not decided for one of their seeds; and
        why. None of them is called better or worse than another."""
        found = {}
        for label, group in self.groups.items():
            judged = [Learned.of(e.sections["learned"].scores) for e in group if "learned" in e.sections]
            if missing := [one for one in judged if not one]:
                found[label] = missing[0].told
        return found

    def rows(self) -> Iterator[Row]:
        """One for each score that any of them has."""
        every = [evaluation for group in self.groups.values() for evaluation in group]
        measures = dict.fromkeys(
            m for e in every for m in e.sections
        )  # of one measure together, whichever model has it
        names = dict.fromkeys((m, n) for m in measures for e in every for n in _scores(e, m))
        for measure, name in names:
            found = {
                label: [e.sections[measure].scores[name] for e in group if name in _scores(e, measure)]
                for label, group in self.groups.items()
            }
            like = next(scores[0] for scores in found.values() if scores)
            spreads = {label: Spread.of(scores) for label, scores in found.items() if scores}
            judged = {label: scores for label, scores in found.items() if scores and label not in self.unlearned}
            yield Row(measure, name, like, spreads, judged, {label: found[label] for label in spreads})

    def by_measure(self) -> dict[str, list[Row]]:
        """All scores by the name of their measure, as it is read."""
        found: dict[str, list[Row]] = {}
        for row in self.rows():
            found.setdefault(row.measure.replace("_", " "), []).append(row)
        return found

    def heading(self) -> list[Row]:
        """The scores that a reader wants first, the most wanted first, a few of them; all where none of these was measured."""
        rows = list(self.rows())
        return sorted((row for row in rows if row.rank is not None), key=lambda row: row.rank or 0)[:FIRST] or rows

    def shown(self) -> list[Row]:
        """Those, and the scores in which models differ."""
        first = {(row.measure, row.name) for row in self.heading()}
        return [row for row in self.rows() if row.differs or (row.measure, row.name) in first]

    @property
    def counted(self) -> str:
        """How many models, of how many seeds: "3 models, 2 seeds each"."""
        several = sorted({len(group) for group in self.groups.values()})
        seeds = count(several[0], "seed") if len(several) == 1 else f"{several[0]} to {several[-1]} seeds"
        return f"{count(len(self.groups), 'model')}, {seeds}{' each' if len(self.groups) > 1 else ''}"

    @property
    def words(self) -> Words:
        """What says a text in the words of its data (`diabolo.vocabulary`)."""
        about = next(iter(self.groups.values()))[0].about
        return vocabulary.of(about["test"].get("shape") or (), about["test"]["name"], *self.groups)

    @property
    def tested(self) -> str:
        """What they were measured on: "360 test images of digits"."""
        return next(iter(self.groups.values()))[0].tested

    def __repr__(self) -> str:
        told = (f"{label} ({count(len(group), 'seed')})" for label, group in self.groups.items())
        return f"Comparison({', '.join(told)})"

    def _repr_html_(self) -> str:
        """All scores in a notebook, a column for each model; a star marks what is `Row.leading`."""
        rows = list[tuple[display.Cell, ...]]()
        for measure, several in groupby(self.rows(), key=lambda row: row.measure):
            rows.append((measure.replace("_", " "),))
            for row in several:
                cells = [_in_words(row.spreads.get(label), label in row.leading) for label in self.groups]
                rows.append((self.words(row.name), *cells, self.words(row.like.unit)))
        columns = ("score", *(f"{label}, {count(len(group), 'seed')}" for label, group in self.groups.items()), "unit")
        starred = "; * is the best, where the differences are decided" if len(self.groups) > 1 else ""
        told = [f"{label} is not shown to have learned: {why}" for label, why in self.unlearned.items()]
        told += [f"{path} is left out: {why}" for path, why in self.left_out.items()]
        about = f"mean ± standard deviation over seeds{starred}"
        return display.table("Comparison", about, columns, rows, self.words("; ".join(told) + "." * bool(told)))

    def record(self) -> dict[str, Any]:
        """All of it, JSON-able."""
        return {
            "models": {label: [_origin(e.about) for e in group] for label, group in self.groups.items()},
            "left out": dict(self.left_out),
            "not learned": dict(self.unlearned),
            "scores": [
                {
                    "measure": row.measure,
                    "name": row.name,
                    "unit": row.like.unit,
                    "split": row.like.split,
                    "of": row.like.of,
                    "interval over": row.like.over,
                    "values": {
                        label: {"mean": s.mean, "deviation_over_seeds": s.deviation, "values": s.values}
                        for label, s in row.spreads.items()
                    },
                    "best": row.best[0],
                    "behind the best": {label: _written(one) for label, one in row.best[1].items()},
                }
                for row in self.rows()
            ],
        }

    def panels(self) -> dict[str, list[Panel]]:
        """By measure, a figure for each score of the `heading` of which more or less is better; whiskers are one standard
        deviation over seeds, or the interval of a single seed, as the axis says. Of the seeds of a single model there is one
        bar each. Models with a KL term are also drawn as rate against distortion."""
        drawn: dict[str, list[Panel]] = {}
        for row in self.heading():
            if row.like.better is None or len(row.spreads) < min(2, len(self.groups)):
                continue
            shown = self._by_run(row) if len(self.groups) == 1 else row.spreads
            means = {label: s.mean for label, s in shown.items()}
            whiskers = {label: s.whisker for label, s in shown.items() if s.whisker is not None}
            title = f"{row.measure}: {row.name} ({row.like.better} is better)"
            axis = f"{row.like.unit} ({_whiskers(row.like, shown.values())})"
            drawn.setdefault(row.measure, []).append(partial(figures.bars, means, axis, whiskers or None, title=title))
        for panel in _rate_and_distortion(list(self.rows())):
            drawn.setdefault("likelihood", []).append(panel)
        return drawn

    def _by_run(self, row: Row) -> dict[str, Spread]:
        """A score in each run that has it."""
        every = [e for group in self.groups.values() for e in group if row.name in _scores(e, row.measure)]
        return {Path(e.about["run"]).name: Spread.of([e.sections[row.measure].scores[row.name]]) for e in every}

    def write(self, folder: str | Path) -> list[Path]:
        """Write `comparison.json` and, as PNG and PDF, the panels of each measure on one page by its name into `folder`;
        returns the files."""
        folder = as_path(folder)
        files.make_folder(folder)
        files.write_json(folder / "comparison.json", self.record())
        written = [folder / "comparison.json"]
        for measure, panels in self.panels().items():
            page = figures.page(panels, measure.replace("_", " ").capitalize())
            written.append(figures.save(page, folder / f"{measure}.png", pdf=True, words=self.words))
        return written


@dataclass(frozen=True)
class _Subject:
    """A run, or a model from elsewhere, that is to be compared.

    Attributes:
        place: its folder, or the name that it was given by.
        name: of its model.
        kind: what runs of one model share.
        told: what to tell models of one name apart by.
        there: its evaluation, if that was made before as asked.
        tested: the fingerprint of its test images.
        on: the data set that it was trained on, and the shape of its images; "" where it was trained elsewhere.
        measured: evaluates it now.
    """

    place: str
    name: str
    kind: str
    told: Mapping[str, Any]
    there: Evaluation | None
    tested: str
    on: str
    measured: Callable[[], Evaluation]


@undisturbed()
def compare(
    runs: Sequence[str | os.PathLike[str]],
    measures: Sequence[str] = (),
    seed: int = 0,
    say: Callable[[str], None] = lambda _: None,
    trust: Trust = (),
    moved: Mapping[str, str] | None = None,
    data: Pair | None = None,
    **options: Any,
) -> Comparison:
    """Several runs side by side. Those of one description, images and training (`diabolo.training.options.defining`) that
    differ in the seed are one model, with a mean and a spread; where they ran and what they logged does not matter.

    A run that was evaluated before with these options, and not trained since, is not evaluated again. What is measured here is
    left in the folder of a run that has no evaluation of its weights yet; another that lies there stays. A run that cannot be
    compared, since its files are damaged, it names code that is not trusted, or another process is writing into it, costs no
    other: it is in `left_out`.

    A model from elsewhere (`diabolo.foreign`), such as "diffusers:FOLDER" or "pca", is measured on the images of the runs. It
    is a model of its own, and evaluated each time. "pca" has as many components as the code of the first run has numbers.

    Args:
        runs: run folders, `Run`s, or names of models from elsewhere, two or more; runs trained on images of the same kind.
        measures: as in `evaluate`; so are `seed`, `say`, `trust` and `options`. Where `learned` is
            among them, as by default, models that have not learned are called better or worse than none.
        moved: where the images lie now, as in `diabolo.data.origin.of_run`.
        data: (training images, test images), where all models are from elsewhere.

    Raises:
        UnknownNameError: for a measure or an option that does not exist.
        DiaboloError: for a single run, a folder that is none, or runs that are measured on different test images; and when all
            runs but one have to be left out, with the first reason.

    Example:
        >>> train, test = diabolo.data.load("digits", n_test=60)
        >>> runs = [diabolo.fit(diabolo.zoo.pca(train.shape, k), train, out="runs", quiet=True).path for k in (2, 8)]
        >>> found = diabolo.compare(runs, measures=["reconstruction"])
        >>> len(found.groups)
        2
    """
    places = list(
        dict.fromkeys(str(run) if isinstance(run, str | Path) and is_named(run) else as_path(run) for run in runs)
    )
    if len(places) < 2:
        raise DiaboloError("a comparison needs two runs or more: name another")
    paths = [place for place in places if isinstance(place, Path)]
    for path in paths:
        if not (path / "config.json").is_file():
            Config.read(path)  # which says what lies there instead
    check_asked(measures, options)
    asked = _Asked(measures, seed, options, say, trust, moved or {})
    left_out, failed = dict[str, str](), list[Exception]()
    subjects: list[_Subject] = []
    seen: dict[str, str] = {}
    for place in places:
        with standing_alone(str(place), left_out, failed):
            subjects.append(
                _subject(place, asked, seen) if isinstance(place, Path) else _named(place, asked, paths, data)
            )
    _check_enough(places, left_out, failed)
    if len({subject.on for subject in subjects} - {""}) > 1:
        raise DiaboloError("these runs were trained on different data sets: compare runs with the same test images")
    _check_tested([subject.tested for subject in subjects])
    labels, groups = _labels(subjects), dict[str, list[Evaluation]]()
    for subject in subjects:
        with standing_alone(subject.place, left_out, failed):
            groups.setdefault(labels[subject.kind], []).append(subject.there or subject.measured())
    _check_enough(places, left_out, failed)
    _check_tested([e.about["test"]["fingerprint"] for group in groups.values() for e in group])
    return Comparison(groups, left_out)


@dataclass(frozen=True)
class _Asked:
    """What is to be measured, as `compare` was asked."""

    measures: Sequence[str]
    seed: int
    options: Mapping[str, Any]
    say: Callable[[str], None]
    trust: Trust
    moved: Mapping[str, str]


def _subject(path: Path, asked: _Asked, seen: dict[str, str]) -> _Subject:
    """The run in the folder `path`; `seen` as in `_tested`. What must be evaluated is opened now: that its weights are damaged,
    or its code not trusted, is known before minutes are spent on the others."""
    config = Config.read(path)
    elsewhere(config.train.origin, asked.moved)  # refused also where nothing need be loaded
    lock.tidy(path)  # an evaluation that is there is only read, and a killed comparison may have left something
    try:
        kind, told = json.dumps(_kind(config), sort_keys=True), _flat(_told(config))
    except (AttributeError, KeyError, RecursionError, TypeError) as error:
        raise config.damaged(path, f"it does not say how the model was trained ({error!r})") from error
    there = _known(path, asked.measures, asked.seed, asked.options)
    if there is None:
        load(path, trust=asked.trust)
    tested = _tested(path, config, there, seen, asked.moved, asked.trust)
    on = json.dumps(_tested_on(config))
    return _Subject(str(path), config.name, kind, told, there, tested, on, partial(_evaluated, path, asked))


def _named(name: str, asked: _Asked, paths: Sequence[Path], data: Pair | None) -> _Subject:
    """The model from elsewhere that is called `name`, on the images of the first of the runs `paths`, or on `data`."""
    if data is None and not paths:
        raise DiaboloError(
            "it is not known on which images: compare with a run, or give (train, test) as data (--data NAME)"
        )
    pair = data if data is not None else RunFolder(paths[0]).pair(asked.moved, asked.trust)
    width = math.prod(load(paths[0], trust=asked.trust).latent_shape) if paths else None
    codec = opened(name, pair[0], width)

    def measured() -> Evaluation:
        asked.say(f"{name}: evaluating")
        return evaluate(codec, pair, asked.measures, asked.seed, asked.say, asked.trust, **asked.options)

    told = {"from": name}
    return _Subject(name, codec.name, json.dumps(told), told, None, pair[1].fingerprint, "", measured)


def _evaluated(path: Path, asked: _Asked) -> Evaluation:
    """An evaluation of a run, made now; left in its folder unless one of these weights lies there."""
    asked.say(f"{path}: evaluating")
    with lock.held(path, "compare"):
        pair = RunFolder(path).pair(asked.moved, asked.trust)
        evaluation = evaluate(path, pair, asked.measures, asked.seed, asked.say, asked.trust, **asked.options)
        if not _current(path):
            evaluation.write(path / FOLDER)
    return evaluation


def _whiskers(like: Score, shown: Collection[Spread]) -> str:
    """What the whiskers of one figure are."""
    said = {
        "standard deviation over seeds": any(s.deviation is not None for s in shown),
        f"95 % interval over {like.over or 'images'} of a single seed": any(s.interval is not None for s in shown),
    }
    there = " or ".join(words for words, is_there in said.items() if is_there)
    return f"whiskers: {there}" if there else "of single seeds, without an interval"


def _check_enough(paths: Sequence[str | Path], left_out: Mapping[str, str], failed: Sequence[Exception]) -> None:
    if len(paths) - len(left_out) < 2:
        name, why = next(iter(left_out.items()))
        told = why if name in why else f"{name}: {why}"
        refused = DiaboloError(f"fewer than two runs can be compared: {told}")
        refused.exit_code = getattr(failed[0], "exit_code", 1)  # as of any verb that this run is given to
        raise refused


def _origin(about: Mapping[str, Any]) -> str | None:
    """The folder of a run, or where a model from elsewhere lies; None where that is not known."""
    told: dict[str, Any] = about.get("from elsewhere", {})
    return about["run"] or told.get("from")


def _written(one: Behind) -> dict[str, Any]:
    """How far a model is behind, JSON-able."""
    low, high = (None, None) if one.difference is None else one.difference.interval()
    value = None if one.difference is None else one.difference.value
    state = {
        "worse": one.worse,
        "decision": one.decision,
        "p": one.p if one.difference is not None else None,
        "by": one.how,
    }
    return {"difference": value, "low": low, "high": high, **state}


def _tested(
    path: Path,
    config: Config,
    there: Evaluation | None,
    seen: dict[str, str],
    moved: Mapping[str, str],
    trust: Trust = (),
) -> str:
    """The fingerprint of the test images of a run: of its evaluation, or else of those that it will be evaluated on; `seen` are
    those that were looked up before."""
    if there is not None:
        return str(there.about["test"]["fingerprint"])
    about = config.train
    if about.origin is None:
        raise DiaboloError(
            f"the images of {path} were given as arrays: evaluate it from Python first, and write that into {path / FOLDER}"
        )
    key = json.dumps([about.origin, about.fingerprint])
    if key not in seen:
        seen[key] = RunFolder(path).images("test", moved, trust).fingerprint
    return seen[key]


def _check_tested(prints: Sequence[str]) -> None:
    if len(set(prints)) > 1:
        raise DiaboloError("these runs were measured on different test images: evaluate them on the same")


def _rate_and_distortion(rows: Sequence[Row]) -> Iterator[Panel]:
    """−ELBO is their sum: nats of the code against nats of the reconstruction, by rising rate (Alemi et al. 2018, arXiv
    1711.00464)."""
    found = {row.name: row.spreads for row in rows if row.measure == "likelihood"}
    rate, distortion = found.get("KL term", {}), found.get("reconstruction term", {})
    both = sorted((rate[label].mean, distortion[label].mean, label) for label in rate if label in distortion)
    if len(both) > 1:
        points = {label: (x, y) for x, y, label in both}
        names = "rate: KL, nats per image", "distortion: reconstruction, nats per image"
        yield partial(figures.trade_off, points, *names, title="Rate and distortion")


def _scores(evaluation: Evaluation, measure: str) -> Mapping[str, Score]:
    section = evaluation.sections.get(measure)
    return {} if section is None else section.scores


def _current(path: Path) -> bool:
    """Whether an evaluation of the weights that the run now holds lies in its folder."""
    there = (path / FOLDER / "scores.json").exists()
    return there and bool(Evaluation.read(path / FOLDER).about.get("weights") == RunFolder(path).fingerprint())


def _known(path: Path, measures: Sequence[str], seed: int, options: Mapping[str, Any]) -> Evaluation | None:
    """The evaluation in the run folder `path`, if it is of these weights and was made as asked."""
    if not (path / FOLDER / "scores.json").exists():
        return None
    found = Evaluation.read(path / FOLDER)
    about = found.about
    asked = json.loads(json.dumps({"seed": seed, "options": dict(options), "weights": RunFolder(path).fingerprint()}))
    same = all(about.get(key) == value for key, value in asked.items())
    whole = about["asked"] == [] or (measures and set(measures) <= set(found.sections))
    return found if same and whole else None


def _kind(config: Config, start: bool = True) -> dict[str, Any]:
    """What runs of one model share: all that changes what is learned, but the seed. With `start` the kind of the run whose
    weights it started from is a part of it."""
    options = _options(config)
    options["init"] = _start(options["init"]) if start else options["init"] is not None
    decides = options["early_stopping"] is not None or options["keep"] == "best"
    watched = config.validation if decides else None
    return {
        "name": config.name,
        "model": config.model,
        "options": options,
        "images": config.train.fingerprint,
        "watched": None if watched is None else watched.fingerprint,
    }


def _start(init: Any) -> Any:
    """The kind of the run whose weights a training started from; its path where that run is gone."""
    if init is None:
        return None
    if not isinstance(init, str):
        raise TypeError(f"its init is {init!r}")
    try:
        return _kind(Config.read(as_path(init)), start=False)
    except DiaboloError:
        return init


def _options(config: Config) -> dict[str, Any]:
    """The options that change what is learned, but the seed; with the precision that "auto" meant."""
    options = defining(config.options)
    del options["seed"]
    options["precision"] = config.resolved.get("precision", options["precision"])
    return options


def _tested_on(config: Config) -> Any:
    return config.train.name, config.train.shape


def _labels(subjects: Sequence[_Subject]) -> dict[str, str]:
    """A name for each kind of several runs, which says in what it differs from those of the same name."""
    labels = {}
    every = {subject.kind: subject for subject in subjects}
    for key, one in every.items():
        name = one.name
        others = [other.told for k, other in every.items() if k != key and other.name == name]
        differs = {n: v for n, v in one.told.items() if any(other.get(n) != v for other in others)}
        said = ", ".join(f"{what.rpartition('.')[2]} {value}" for what, value in differs.items())
        labels[key] = f"{name} ({said})" if said else name
    if len(set(labels.values())) < len(labels):
        raise DiaboloError(
            "two of these models have the same options and other images or parts: give their runs other names"
        )
    return labels


def _told(config: Config) -> Any:
    """What to tell models of one name apart by: how they were asked for, or where that is not known what they are made of."""
    made = config.model if config.recipe is None else config.recipe
    return {"made": made, "options": _options(config), "images": config.train.images, "of": config.train.name}


def _flat(tree: Any, prefix: str = "") -> dict[str, Any]:
    """Nested mappings and lists as one mapping with dotted names."""
    if isinstance(tree, Mapping):
        pairs = tree.items()
    elif isinstance(tree, list) and any(isinstance(item, Mapping | list) for item in tree):
        pairs = {str(i): item for i, item in enumerate(tree)}.items()
    else:
        return {prefix: tree}
    return {
        name: value
        for key, item in pairs
        for name, value in _flat(item, f"{prefix}.{key}" if prefix else str(key)).items()
    }
