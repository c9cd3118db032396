"""`evaluate`: every measure that applies, in one record."""

import math
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from diabolo import disk, display, distributed, figures, ranges, vocabulary
from diabolo.codec import Codec, at_once
from diabolo.data import Images, as_images
from diabolo.data.origin import check_columns
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.evaluation.measure import MEASURES, NotApplicable, Panel, Section, options_of, standing_alone
from diabolo.evaluation.subject import Subject
from diabolo.foreign.named import as_codec, is_named
from diabolo.metrics.score import Score
from diabolo.paths import as_path
from diabolo.plain import count
from diabolo.ranges import Count, Seed, checked
from diabolo.runs import files
from diabolo.runs.folder import rewritten
from diabolo.runs.loading import Run, load_run
from diabolo.surroundings import undisturbed
from diabolo.trust import Trust
from diabolo.version import __version__
from diabolo.vocabulary import Words

FOLDER = "evaluation"  # of a run folder
PAGE = "evaluation"  # the figure of all figures
Pair = tuple[Images, Images]


@dataclass(frozen=True)
class Evaluation:
    """What was found.

    Attributes:
        about: the model, the images, the seed, the versions and when.
        sections: by the name of the measure.
        skipped: why something was left out: by the name of a measure, "measure: score", or "figure: name".
        seconds: what each took.
        drawn: the figures by file name without suffix.

    Example:
        >>> found = diabolo.evaluate(model, (train, test), measures=["reconstruction"])
        >>> list(found.sections), sorted(found["reconstruction"].scores)[:3]
        (['reconstruction'], ['FVU', 'MAE', 'MSE'])
    """

    about: Mapping[str, Any]
    sections: Mapping[str, Section]
    skipped: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    drawn: Sequence[str] = ()

    def __getitem__(self, name: str) -> Section:
        return self.sections[name]

    def __repr__(self) -> str:
        return f"Evaluation({self.about['model']} on {self.about['test']['name']}: {', '.join(self.sections)})"

    def _repr_html_(self) -> str:
        """All scores in a notebook, by measure; below them what could not be measured, and why."""
        test, rows = self.about["test"], list[tuple[display.Cell, ...]]()
        for name, section in self.sections.items():
            rows.append((name.replace("_", " "),))
            for key, score in section.scores.items():
                ends = [display.words(end) for end in (score.low, score.high) if end is not None]
                told = self.words(key), self.words(score.unit)
                rows.append((told[0], score.value, " to ".join(ends) if len(ends) == 2 else "", told[1]))
        about = f"on {count(test['images'], 'image')} of {test['name']} ({test['split']})"
        skipped = "; ".join(f"{name}: {why}" for name, why in self.skipped.items())
        columns = ("score", "value", "95 % interval", "unit")
        said = self.words(skipped and f"Not measured: {skipped}.")
        return display.table(self.about["model"], self.words(about), columns, rows, said)

    @property
    def words(self) -> Words:
        """What says a text in the words of its data (`diabolo.vocabulary`)."""
        test = self.about["test"]
        return vocabulary.of(test.get("shape") or (), self.about["model"], test["name"])

    @property
    def tested(self) -> str:
        """What was measured on: "360 test images of digits"."""
        test = self.about["test"]
        image = f"{test.get('split', 'test')} image"
        return self.words(f"{count(test['images'], image)} of {test['name']}")

    def record(self) -> dict[str, Any]:
        """All of it but the figures, JSON-able."""
        return {
            "about": dict(self.about),
            "scores": {
                name: {key: score.record() for key, score in section.scores.items()}
                for name, section in self.sections.items()
            },
            "skipped": dict(self.skipped),
            "seconds": dict(self.seconds),
            "figures": list(self.drawn),
        }

    @classmethod
    def read(cls, folder: str | Path) -> "Evaluation":
        """What `write` left in `folder`, without the figures.

        Raises:
            DiaboloError: when it is not there, or damaged.
        """
        path = as_path(folder) / "scores.json"
        run = path.parent.parent
        again = rewritten(run) if (run / "config.json").is_file() else "evaluate the run again, which writes it anew"
        record = files.read_json(path, again)
        try:
            sections = {
                name: Section({key: Score(**score) for key, score in scores.items()})
                for name, scores in record["scores"].items()
            }
            found = cls(record["about"], sections, record["skipped"], record["seconds"], record.get("figures", ()))
        except (KeyError, TypeError, AttributeError) as error:
            raise DiaboloError(f"{path} was edited or damaged: it is no record of an evaluation; {again}") from error
        if wrong := _wrong(found):
            raise DiaboloError(f"{path} was edited or damaged: {wrong}; {again}")
        return found

    def write(self, folder: str | Path) -> list[Path]:
        """Write `scores.json`, one figure per panel as PNG and PDF, and `evaluation.pdf`/`.png`, the page of all of them,
        into `folder`, in place of an earlier evaluation there; returns the files.

        All of it is made beside the earlier evaluation first, which stays as it is when that fails. A figure that cannot be
        drawn is named in `skipped` of what is written, with its reason. While the files take their places there are no scores
        in the folder, so that figures never stand beside the scores of another evaluation."""
        folder = as_path(folder)
        files.make_folder(folder)
        earlier = _drawn(folder)
        made = disk.temporary(folder / PAGE)
        with disk.refusing(f"the evaluation could not be written into {folder}"):
            try:
                made.mkdir()
                whole = self._drawn_into(made)
                files.write_json(made / "scores.json", whole.record())
                written = sorted(made.iterdir(), key=lambda path: path.name == "scores.json")
                if folders := [path.name for path in written if (folder / path.name).is_dir()]:
                    raise DiaboloError(f"{folder / folders[0]} could not be written: it is a folder")
                (folder / "scores.json").unlink(missing_ok=True)
                for path in written:
                    disk.move(path, folder / path.name)
                names = {path.name for path in written}
                for old in (f"{name}.{kind}" for name in (*earlier, PAGE) for kind in ("png", "pdf")):
                    if old not in names:
                        (folder / old).unlink(missing_ok=True)
            finally:
                shutil.rmtree(made, ignore_errors=True)
        disk.settle(folder)
        return [folder / "scores.json", *(folder / path.name for path in written if path.suffix == ".png")]

    def _drawn_into(self, folder: Path) -> "Evaluation":
        """This evaluation with the figures that could be drawn, which lie in `folder` then, and why others could not."""
        skipped, panels = dict(self.skipped), dict[str, Panel]()
        for name, panel in ((n, p) for section in self.sections.values() for n, p in section.panels.items()):
            with standing_alone(f"figure: {name}", skipped):
                figures.save(panel(), folder / f"{name}.png", pdf=True, words=self.words)
                panels[name] = panel
        if panels:
            with standing_alone(f"figure: {PAGE}", skipped):
                page = figures.page(list(panels.values()), f"{self.about['model']} on {self.about['test']['name']}")
                figures.save(page, folder / f"{PAGE}.png", pdf=True, words=self.words)
        return replace(self, skipped=skipped, drawn=list(panels))


def _wrong(found: Evaluation) -> str:
    """What of an evaluation read from disk is not of its kind, in words; "" where all is. Figures are named without a path:
    they are read, and taken away, in the folder of the evaluation alone."""
    about: dict[str, Any] = found.about if isinstance(found.about, dict) else {}
    told = about.get("test")
    test: dict[str, Any] = told if isinstance(told, dict) else {}
    words = [about.get("model"), about.get("at"), *(test.get(name) for name in ("name", "split", "fingerprint"))]
    if not all(isinstance(word, str) for word in words) or not isinstance(test.get("images"), int):
        return "it does not say what was measured on what"
    if not isinstance(found.skipped, dict) or not all(isinstance(reason, str) for reason in found.skipped.values()):
        return "'skipped' has no reasons"
    names = found.drawn if isinstance(found.drawn, list | tuple) else [None]
    for name in names:
        if not isinstance(name, str) or not re.fullmatch(r"\w[\w .+-]*", name):
            return f"{name!r} is no name of a figure"
    for section in found.sections.values():
        for name, score in section.scores.items():
            numbers = [score.value, *(number for number in (score.low, score.high) if number is not None)]
            if not all(isinstance(number, int | float) for number in numbers) or type(score.n) is not int:
                return f"the score {name!r} is no number"
            if not (isinstance(score.unit, str) and isinstance(score.split, str) and isinstance(score.setting, dict)):
                return f"the score {name!r} does not say what it is of"
    return ""


@checked
@undisturbed()
def evaluate(
    model: Codec | Run | str | Path | None = None,
    data: Pair | Images | None = None,
    measures: Sequence[str] = (),
    seed: Seed = 0,
    say: Callable[[str], None] = lambda _: None,
    trust: Trust = (),
    *,
    encode: Callable[..., Any] | None = None,
    decode: Callable[..., Any] | None = None,
    range: tuple[float, float] | None = None,
    batch: Count | None = None,
    **options: Any,
) -> Evaluation:
    """Measure a model: reconstruction, likelihood, what its codes are good for, how well it generates, and what it costs.

    Of several processes, any may call it: each measures all of the images, alone, and finds what a single process would.

    Args:
        model: a trained model, a run or its folder, or the name of a model from elsewhere, such as "diffusers:FOLDER"
            (`diabolo.foreign`).
        data: (training images, test images); the codec is measured on the latter, and probes, densities and classifiers are
            fitted to the former. When left out, those that the run was trained on.
        measures: names of what to measure (`diabolo.evaluation.MEASURES`); when left out, all that apply.
        seed: of all that is drawn.
        say: is given the name of each measure when it begins.
        trust: packages whose code a run folder may name, as in `diabolo.load`.
        encode, decode: in place of a model, two functions of anybody's, or modules: images to codes, and back. More can be said
            of them with `diabolo.foreign.Foreign`.
        range: the numbers that they have for black and white, such as (-1, 1); when left out [0, 1], or the units of the data.
        batch: images that go through the model at once, and no more through what takes features of them; when left out the
            usual number. It changes numbers by rounding alone.
        **options: those of the measures; see `diabolo evaluate --help`.

    Raises:
        UnknownNameError: for a measure or an option that does not exist.
        DiaboloError: when there are no images, or nothing of all that was to be measured can be. Otherwise what cannot is in
            `skipped`, with its reason.

    Example:
        >>> found = diabolo.evaluate(run, (train, test), measures=["reconstruction"])
        >>> score = found["reconstruction"].scores["MSE"]
        >>> score.unit, score.low < score.value < score.high
        ('squared error per pixel', True)
        >>> left = lambda x: x[..., :4]
        >>> found = diabolo.evaluate(
        ...     encode=left, decode=lambda z: torch.cat([z, z], -1), data=(train, test), measures=["reconstruction"]
        ... )
        >>> 0 < found["reconstruction"].scores["MSE"].value < 1
        True
    """
    asked = tuple(measures) or tuple(MEASURES)
    check_asked(asked, options)
    if isinstance(model, str | Path) and not is_named(model):
        model = load_run(model, trust=trust)
    run = model if isinstance(model, Run) else None
    train, test = images_of(run, data, trust)
    with at_once(batch):
        codec = as_codec(model if run is None else run.model, encode, decode, range, train)
    for images in (train, test):
        if images.shape != tuple(codec.input_shape):
            raise DiaboloError(
                f"the model is for images {tuple(codec.input_shape)}, and {images.name} ({images.split}) has {images.shape}: "
                "give images of the model's shape"
            )
    subject = Subject(codec, train, test, seed, run)
    sections, skipped, seconds = dict[str, Section](), dict[str, str](), dict[str, float]()
    if unknown := len(test) - len(subject.test):
        skipped[count(unknown, f"{test.split} image")] = "nothing is known of them: all their numbers are missing"
    for name in asked:
        own = {option: options[option] for option in options_of(name) if option in options}
        started = time.perf_counter()
        say(name)
        with standing_alone(name, skipped), distributed.alone(), at_once(batch):
            section = _finite(MEASURES[name](subject, **own))
            if section.scores:
                sections[name] = section
                skipped |= {f"{name}: {score}": why for score, why in section.skipped.items()}
            else:
                skipped[name] = "; ".join(dict.fromkeys(section.skipped.values())) or "it found nothing to measure"
        seconds[name] = round(time.perf_counter() - started, 2)
    if not sections:
        told = "; ".join(f"{name}, {why}" for name, why in skipped.items())
        raise NotApplicable(f"nothing could be measured: {told}")
    drawn = [panel for section in sections.values() for panel in section.panels]
    return Evaluation(_about(subject, measures, options), sections, skipped, seconds, drawn)


def check_asked(measures: Sequence[str], options: Mapping[str, Any]) -> None:
    """Refuse measures and options that do not exist, and options out of their range, before minutes of measuring.

    Raises:
        UnknownNameError, DiaboloError: for the first of them.
    """
    for name in measures:
        if name not in MEASURES:
            raise UnknownNameError("measure", name, MEASURES, see="diabolo evaluate --help")
    known = {option for name in MEASURES for option in options_of(name)}
    for option in options:
        if option not in known:
            raise UnknownNameError("option", option, known, " of evaluate", "diabolo evaluate --help")
    for name in MEASURES:
        ranges.arguments(MEASURES[name], {option: options[option] for option in options_of(name) if option in options})


def _finite(section: Section) -> Section:
    """`section` without scores that are no number; and without intervals that are none."""
    scores, skipped = dict[str, Score](), dict(section.skipped)
    for name, score in section.scores.items():
        if not math.isfinite(score.value):
            skipped[name] = f"it came out as {score.value}"
            continue
        ends = [end for end in (score.low, score.high) if end is not None]
        whole = all(math.isfinite(end) for end in ends)
        scores[name] = score if whole else replace(score, low=None, high=None, interval=None, df=None)
    return Section(scores, section.panels, skipped)


def _drawn(folder: Path) -> Sequence[str]:
    """The figures of the evaluation that lies in `folder`, if one does."""
    try:
        return Evaluation.read(folder).drawn
    except (DiaboloError, OSError):
        return ()


def images_of(run: Run | None, data: Pair | Images | None, trust: Trust = ()) -> Pair:
    """(training, test) images: `data`, or those that the run was trained on, which must be the same as then; `trust` as in
    `RunFolder.pair`."""
    if data is None:
        if run is None or run.config.train.origin is None:
            raise DiaboloError("it is not known what images this model was trained on: give (train, test) as `data`")
        return run.folder.pair(trust=trust)
    if isinstance(data, Images) or not isinstance(data, tuple):
        raise DiaboloError(
            "`data` is a pair (train, test): probes and densities are fitted to the first, not to the second"
        )
    pair = as_images(data[0]), as_images(data[1])
    if run is not None:
        check_columns(run.config.train, *pair)
    return pair


def _about(subject: Subject, measures: Sequence[str], options: Mapping[str, Any]) -> dict[str, Any]:
    def told(images: Images) -> dict[str, Any]:
        return {
            "name": images.name,
            "split": images.split,
            "images": len(images),
            "shape": list(images.shape),
            "fingerprint": images.fingerprint,
        }

    return {
        "model": subject.codec.name,
        "from elsewhere": dict(getattr(subject.codec, "about", {})),
        "run": None if subject.run is None else str(subject.run.path),
        "train": told(subject.train),
        "test": told(subject.test),
        "weights": None if subject.run is None else subject.run.folder.fingerprint(),
        "seed": subject.seed,
        "asked": list(measures),
        "options": dict(options),
        "versions": {"diabolo": __version__, "torch": torch.__version__},
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
