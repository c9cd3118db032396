"""Trainings that are found again by what defines them, so that no study trains the same model twice."""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from diabolo import parts
from diabolo.data.images import Images
from diabolo.errors import DiaboloError
from diabolo.evaluation import Evaluation, NotApplicable, Section, evaluate
from diabolo.evaluation.learned import Learned
from diabolo.evaluation.subject import Subject
from diabolo.paths import as_path
from diabolo.randomness import derive
from diabolo.runs import checkpoint, files, lock
from diabolo.runs.folder import RunFolder, numbered
from diabolo.runs.loading import Run, load_run
from diabolo.studies.engine.progress import Watch
from diabolo.training.code_priors import fit_prior
from diabolo.training.fit import fit, resume
from diabolo.training.greedy import greedy
from diabolo.training.options import TrainOptions, defining
from diabolo.training.usual import settled

VERSION = 1  # raised when a training of the same description gives other weights
TRAINING = {f.name for f in fields(TrainOptions)}


class Trained:
    """A model that is trained when it is first looked at, or was trained before.

    Attributes:
        train, test: the images.
        options: of the training.
        may_fail: why findings may be drawn although it has not learned: it is there to be seen failing, say; "" for all others.
    """

    def __init__(
        self,
        make: Callable[..., Any],
        train: Images,
        test: Images,
        shelf: Path,
        say: Callable[[str], None],
        notice: Callable[["Trained"], None] = lambda _: None,
        watch: Watch | None = None,
        may_fail: str = "",
        **options: Any,
    ) -> None:
        self.train, self.test, self._shelf, self._say, self._make = train, test, shelf, say, make
        self._notice, self.may_fail = notice, may_fail
        self._greedy = {name: options.pop(name) for name in ("epochs_per_layer",) if name in options}
        self.options = {name: value for name, value in options.items() if name in TRAINING}
        self._model_options = {name: value for name, value in options.items() if name not in TRAINING}
        self._watch = watch or Watch()
        self._work = self._watch.plan(make.__name__, self.options.get("epochs", 1) * len(train))

    def made(self) -> Any:
        """The model as its recipe makes it, not trained."""
        return self._make(self.train.shape, **self._model_options)

    @property
    def run(self) -> Run:
        """The finished run. Whoever keeps count of what is looked at is told: there is no other way to the model."""
        self._notice(self)
        return self._finished

    @cached_property
    def _finished(self) -> Run:
        torch.manual_seed(derive(self.options.get("seed", 0), "weights"))
        model = self.made()
        folder = self._shelf / key_of(model, self.train, self.test, self.options, **self._greedy)
        found = _runs_in(folder)
        if found and checkpoint.has_ended(found[-1]):
            lock.tidy(folder)
            lock.tidy(found[-1])
            self._watch.found(self._work)
            return load_run(found[-1])
        files.make_folder(folder)
        if other := lock.holder(folder):
            self._say(f"waiting for {model.name}, which is trained by {other}")
        with lock.held(folder, "study", math.inf):  # one study trains it, the others find it
            return self._trained_in(folder, model)

    def _trained_in(self, folder: Path, model: Any) -> Run:
        """The finished run in `folder`, where nobody else trains."""
        found = _runs_in(folder)
        if found and checkpoint.has_ended(found[-1]):
            lock.tidy(found[-1])
            self._watch.found(self._work)
            return load_run(found[-1])
        self._watch.start(self._work)
        self._say(f"training {model.name} on {len(self.train):,} images of {self.train.name}{self._watch.told}")
        if found and (found[-1] / checkpoint.FILE).exists():
            run = resume(found[-1], self.train, self.test)
        elif self._greedy:
            run = greedy(model, self.train, self.test, **self._greedy, **self.options, out=str(folder), quiet=True)[-1]
        else:
            run = fit(model, self.train, self.test, **self.options, out=str(folder), quiet=True)
        if run.status == "interrupted":
            raise KeyboardInterrupt
        self._watch.finish(self._work)
        return run

    def fit_prior(self, **options: Any) -> list[dict[str, Any]]:
        """Fit a prior to its discrete codes, if it has none yet, from which the model draws from now on; `options` are those of
        `diabolo.training.code_priors.fit_prior`. Returns the history of the prior's own training, one dict an epoch."""
        fitted = numbered(self.run.path / "prior")
        if not fitted or not checkpoint.has_ended(fitted[-1]):
            self._say(f"fitting a prior to the codes of {self.run.config.name}")
            prior = fit_prior(self.run.path, self.train, self.test, **options, quiet=True)
            if prior.status == "interrupted":
                raise KeyboardInterrupt
            fitted = [prior.path]
        for name in ("_finished", "subject"):  # loaded again, with the prior
            self.__dict__.pop(name, None)
        return RunFolder(fitted[-1]).history

    @property
    def model(self) -> Any:
        """The trained model."""
        return self.run.model

    @property
    def history(self) -> list[dict[str, Any]]:
        """One dict an epoch."""
        return self.run.history

    @property
    def label(self) -> str:
        """What it is called where several models are listed: the recipe, and its options and seed in short."""
        told: dict[str, Any] = dict(self._model_options)
        told |= {name: self.options[name] for name in ("epochs", "seed") if name in self.options}
        short = [f"{name} {value}" for name, value in told.items() if isinstance(value, int | float) or _is_word(value)]
        return f"{self.run.config.name} ({', '.join(short)})" if short else str(self.run.config.name)

    @cached_property
    def learned(self) -> Learned:
        """Whether it has learned."""
        try:
            return Learned.of(self.measure("learned").scores)
        except NotApplicable:
            return Learned(())

    @cached_property
    def subject(self) -> Subject:
        """Its codes and reconstructions, computed once."""
        return Subject(self.model, self.train, self.test, self.options.get("seed", 0), self.run)

    def curve(self, part: str = "train", term: str = "reconstruction") -> list[float]:
        """A term of the loss by epoch."""
        return [line[part][term] for line in self.history if line[part]]

    def measure(self, name: str, **options: Any) -> Section:
        """What the measure `name` of `diabolo.evaluate` finds, with these options; found again when it was measured before."""
        asked = json.dumps(
            {"measure": name, **options, "weights": self.run.folder.fingerprint(), "version": VERSION}, sort_keys=True
        )
        folder = self.run.path / "measured" / f"{name}-{_digest(asked)}"
        if (folder / "scores.json").exists():
            return Evaluation.read(folder)[name]
        self._say(f"measuring {name} of {self.run.config.name}")
        found = evaluate(self.run, (self.train, self.test), [name], **options)
        files.make_folder(folder)
        files.write_json(folder / "scores.json", found.record())
        return found[name]

    def remember(self, what: str, compute: Callable[[], Any]) -> Any:
        """`compute()`, JSON-able, that looks at this model and its images; or what it gave before for the same of both."""
        depends = [self.run.folder.fingerprint(), self.train.fingerprint, self.test.fingerprint]
        return remembered(self._shelf, what, depends, compute)


def _runs_in(folder: Path) -> list[Path]:
    """The run folders in `folder`, the oldest first, but for those of layers that another training begins from."""
    return [path for path in numbered(folder) if not path.match("*-layer-*")]


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and len(value) < 20


def key_of(model: Any, train: Images, test: Images, options: Mapping[str, Any], **greedy: int) -> str:
    """What a training is found by: the model as it is made, the images, the options that matter to the result."""
    chosen = defining(settled(len(train), options).as_dict())
    init = chosen.pop("init")
    told = {
        "version": VERSION,
        "name": model.name,
        "model": parts.describe(model),
        "train": train.fingerprint,
        "test": test.fingerprint,
        "options": chosen,
        "init": None if init is None else RunFolder(as_path(init)).fingerprint(),
    } | greedy
    given = {n: p.detach().cpu().numpy().tobytes() for n, p in model.named_parameters() if not p.requires_grad}
    if given:  # weights that another training gave it, such as those of a feature network
        told["given"] = hashlib.blake2b(b"".join(given[name] for name in sorted(given)), digest_size=8).hexdigest()
    return f"{model.name}-{_digest(json.dumps(told, sort_keys=True))}"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def remembered(folder: Path, what: str, depends: Any, compute: Callable[[], Any]) -> Any:
    """`compute()`, JSON-able, or what it gave before for the same `depends`, JSON-able."""
    try:
        path = folder / "remembered" / f"{what}-{_digest(json.dumps([VERSION, depends], sort_keys=True))}.json"
    except TypeError as error:
        raise DiaboloError(f"{what!r} can be remembered only by plain words and numbers: {error}") from error
    if not path.exists():
        files.make_folder(path.parent)
        files.write_json(path, compute())
    return files.read_json(path, "delete it, and it is computed again")
