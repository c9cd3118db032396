"""`compare`: several runs side by side, and how much of a difference is but the seed."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from diabolo import figures
from diabolo.data.origin import of_run
from diabolo.errors import DiaboloError
from diabolo.evaluation.differences import Behind, behind
from diabolo.evaluation.measure import Panel
from diabolo.evaluation.record import FOLDER, Evaluation, evaluate
from diabolo.metrics.score import Score
from diabolo.paths import as_path
from diabolo.surroundings import undisturbed
from diabolo.training import files
from diabolo.training.options import defining
from diabolo.training.runs import fingerprint, read_config
from diabolo.trust import Trust


@dataclass(frozen=True)
class Spread:
    """A score over the seeds of one model: the mean, the standard deviation over seeds (None for one seed), all values."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return fmean(self.values)

    @property
    def deviation(self) -> float | None:
        """Over the seeds, with n − 1; None for a single one."""
        return stdev(self.values) if len(self.values) > 1 else None


@dataclass(frozen=True)
class Row:
    """One score of several models.

    Attributes:
        measure, name: which.
        like: the score of one of the runs, for its unit, split and setting.
        spreads: by model; a model that has no such score is left out.
        scores: the scores themselves by model, one per seed.
    """

    measure: str
    name: str
    like: Score
    spreads: Mapping[str, Spread]
    scores: Mapping[str, Sequence[Score]] = field(default_factory=dict)

    @cached_property
    def best(self) -> tuple[str | None, Mapping[str, Behind]]:
        """The best of several models, and how far each other one is behind it; None where neither more nor less is better."""
        if self.like.better is None or len(self.scores) < 2:
            return None, {}
        return behind(self.scores)

    @property
    def leading(self) -> set[str]:
        """The best model, and those that were compared with it and are not significantly worse."""
        best, others = self.best
        close = {label for label, one in others.items() if one.difference is not None and not one.worse}
        return close if best is None else {best, *close}


@dataclass(frozen=True)
class Comparison:
    """Runs side by side.

    Attributes:
        groups: the evaluations of each model, one per seed, by the model's label.
    """

    groups: Mapping[str, Sequence[Evaluation]]

    def rows(self) -> Iterator[Row]:
        """One for each score that any of them has."""
        every = [evaluation for group in self.groups.values() for evaluation in group]
        names = dict.fromkeys((m, n) for e in every for m, section in e.sections.items() for n in section.scores)
        for measure, name in names:
            found = {
                label: [e.sections[measure].scores[name] for e in group if name in _scores(e, measure)]
                for label, group in self.groups.items()
            }
            like = next(scores[0] for scores in found.values() if scores)
            spreads = {label: Spread(tuple(s.value for s in scores)) for label, scores in found.items() if scores}
            yield Row(measure, name, like, spreads, {label: scores for label, scores in found.items() if scores})

    def record(self) -> dict[str, Any]:
        """All of it, JSON-able."""
        return {
            "models": {label: [e.about["run"] for e in group] for label, group in self.groups.items()},
            "scores": [
                {
                    "measure": row.measure,
                    "name": row.name,
                    "unit": row.like.unit,
                    "split": row.like.split,
                    "of": row.like.of,
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

    def panels(self) -> list[Panel]:
        """One figure for each score of which more or less is better; whiskers are one standard deviation over seeds. Of the
        seeds of a single model there is one bar each. Models with a KL term are also drawn as rate against distortion."""
        drawn: list[Panel] = []
        rows = list(self.rows())
        for row in rows:
            if row.like.better is None or len(row.spreads) < min(2, len(self.groups)):
                continue
            means = {label: s.mean for label, s in row.spreads.items()}
            whiskers = {
                label: (s.mean - s.deviation, s.mean + s.deviation)
                for label, s in row.spreads.items()
                if s.deviation is not None
            }
            if len(self.groups) == 1:
                means, whiskers = self._by_run(row), {}
            title = f"{row.measure}: {row.name} ({row.like.better} is better)"
            drawn.append(partial(figures.bars, means, row.like.unit, whiskers or None, title=title))
        return [*drawn, *_rate_and_distortion(rows)]

    def _by_run(self, row: Row) -> dict[str, float]:
        """The values of a score in each run that has it."""
        every = [e for group in self.groups.values() for e in group if row.name in _scores(e, row.measure)]
        return {Path(e.about["run"]).name: e.sections[row.measure].scores[row.name].value for e in every}

    def write(self, folder: str | Path) -> list[Path]:
        """Write `comparison.json` and, as PNG and PDF, the page of all panels into `folder`; returns the files."""
        folder = as_path(folder)
        files.make_folder(folder)
        files.write_json(folder / "comparison.json", self.record())
        written = [folder / "comparison.json"]
        if panels := self.panels():
            page = figures.page(panels, " against ".join(self.groups))
            written.append(figures.save(page, folder / "comparison.png", pdf=True))
        return written


@undisturbed()
def compare(
    runs: Sequence[str | Path],
    measures: Sequence[str] = (),
    seed: int = 0,
    say: Callable[[str], None] = lambda _: None,
    trust: Trust = (),
    **options: Any,
) -> Comparison:
    """Several runs side by side. Those of one description, images and training (`diabolo.training.options.defining`) that
    differ in the seed are one model, with a mean and a spread; where they ran and what they logged does not matter.

    A run that was evaluated before with these options, and not trained since, is not evaluated again. What is measured here is
    left in the folder of a run that has no evaluation of its weights yet; another that lies there stays.

    Args:
        runs: run folders, two or more, trained on images of the same kind.
        measures: as in `evaluate`; so are `seed`, `say`, `trust` and `options`.

    Raises:
        DiaboloError: for a single run, or runs that are measured on different test images.
    """
    paths = list(dict.fromkeys(as_path(run) for run in runs))
    if len(paths) < 2:
        raise DiaboloError("a comparison needs two runs or more")
    configs = {path: read_config(path) for path in paths}
    kinds = {path: json.dumps(_kind(config), sort_keys=True) for path, config in configs.items()}
    tested = {json.dumps(_tested_on(config)) for config in configs.values()}
    if len(tested) > 1:
        raise DiaboloError("these runs were trained on different data sets: a comparison needs the same test images")
    labels = _labels({kinds[path]: configs[path] for path in paths})
    there = {path: _known(path, measures, seed, options) for path in paths}
    seen: dict[str, str] = {}
    _check_tested([_tested(path, configs[path], there[path], seen) for path in paths])
    groups: dict[str, list[Evaluation]] = {}
    for path in paths:
        evaluation = there[path]
        if evaluation is None:
            say(f"{path}: evaluating")
            evaluation = evaluate(path, None, measures, seed, say, trust, **options)
            if not _current(path):
                evaluation.write(path / FOLDER)
        groups.setdefault(labels[kinds[path]], []).append(evaluation)
    _check_tested([e.about["test"]["fingerprint"] for group in groups.values() for e in group])
    return Comparison(groups)


def _written(one: Behind) -> dict[str, Any]:
    """How far a model is behind, JSON-able."""
    low, high = (None, None) if one.difference is None else one.difference.interval()
    value = None if one.difference is None else one.difference.value
    state = {"worse": one.worse, "p": one.p if one.difference is not None else None, "by": one.how}
    return {"difference": value, "low": low, "high": high, **state}


def _tested(path: Path, config: Mapping[str, Any], there: Evaluation | None, seen: dict[str, str]) -> str:
    """The fingerprint of the test images of a run: of its evaluation, or else of those that it will be evaluated on; `seen` are
    those that were looked up before."""
    if there is not None:
        return str(there.about["test"]["fingerprint"])
    about = config["data"]["train"]
    if about.get("origin") is None:
        raise DiaboloError(
            "the images of a run that is to be compared were given as arrays: evaluate it from Python first, and keep that"
        )
    key = json.dumps([about.get("origin"), about["fingerprint"]], sort_keys=True)
    if key not in seen:
        seen[key] = of_run(path, about)[1].fingerprint
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
    return there and bool(Evaluation.read(path / FOLDER).about.get("weights") == fingerprint(path))


def _known(path: Path, measures: Sequence[str], seed: int, options: Mapping[str, Any]) -> Evaluation | None:
    """The evaluation in the run folder `path`, if it is of these weights and was made as asked."""
    if not (path / FOLDER / "scores.json").exists():
        return None
    found = Evaluation.read(path / FOLDER)
    about = found.about
    asked = json.loads(json.dumps({"seed": seed, "options": dict(options), "weights": fingerprint(path)}))
    same = all(about.get(key) == value for key, value in asked.items())
    whole = about["asked"] == [] or (measures and set(measures) <= set(found.sections))
    return found if same and whole else None


def _kind(config: Mapping[str, Any], start: bool = True) -> dict[str, Any]:
    """What runs of one model share: all that changes what is learned, but the seed. With `start` the kind of the run whose
    weights it started from is a part of it."""
    options, data = _options(config), config["data"]
    options["init"] = _start(options["init"]) if start else options["init"] is not None
    decides = options["early_stopping"] is not None or options["keep"] == "best"
    watched = data["validation"] if decides else None
    return {
        "name": config["name"],
        "model": config["model"],
        "options": options,
        "images": data["train"].get("fingerprint"),
        "watched": None if watched is None else watched.get("fingerprint"),
    }


def _start(init: str | None) -> Any:
    """The kind of the run whose weights a training started from; its path where that run is gone."""
    if init is None:
        return None
    try:
        return _kind(read_config(as_path(init)), start=False)
    except DiaboloError:
        return init


def _options(config: Mapping[str, Any]) -> dict[str, Any]:
    """The options that change what is learned, but the seed; with the precision that "auto" meant."""
    options, resolved = defining(config["options"]), config.get("resolved")
    del options["seed"]
    if isinstance(resolved, dict):
        options["precision"] = resolved.get("precision", options["precision"])
    return options


def _tested_on(config: Mapping[str, Any]) -> Any:
    return config["data"]["train"]["name"], config["data"]["train"]["shape"]


def _labels(configs: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """A name for each of several configs, which says in what it differs from those of the same name."""
    labels = {}
    flat = {key: _flat(_told(config)) for key, config in configs.items()}
    for key, config in configs.items():
        others = [flat[k] for k, other in configs.items() if k != key and other["name"] == config["name"]]
        differs = {n: v for n, v in flat[key].items() if any(other.get(n) != v for other in others)}
        said = ", ".join(f"{name.rpartition('.')[2]} {value}" for name, value in differs.items())
        labels[key] = f"{config['name']} ({said})" if said else config["name"]
    if len(set(labels.values())) < len(labels):
        raise DiaboloError(
            "two of these models have the same options and other images or parts: give their runs other names"
        )
    return labels


def _told(config: Mapping[str, Any]) -> Any:
    """What to tell models of one name apart by: how they were asked for, or where that is not known what they are made of."""
    made = config["model"] if config.get("recipe") is None else config["recipe"]
    train = config["data"]["train"]
    return {"made": made, "options": _options(config), "images": train.get("images"), "of": train.get("name")}


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
