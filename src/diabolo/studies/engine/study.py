"""`Study`: the one object that a study's script talks to. Parameters, trainings that are found again, rows, results."""

import hashlib
import os
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from diabolo.data import Images, load
from diabolo.data.finding import check_root, takes_root
from diabolo.data.portable_random import permutation
from diabolo.data.sources.missing import INSTEAD
from diabolo.disk import has_failed
from diabolo.display import in_notebook
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.runs import files
from diabolo.studies.engine import progress, showing
from diabolo.studies.engine.findings import Measured, joined
from diabolo.studies.engine.plan import checked, current
from diabolo.studies.engine.record import as_record, plain, read
from diabolo.studies.engine.row import Accounts, NotMeasured, Row, accounts_of, unlearned
from diabolo.studies.engine.scripts import scripts
from diabolo.studies.engine.trained import Trained, remembered
from diabolo.terminal import say
from diabolo.training.usual import settled
from diabolo.version import __version__

STAND_INS = {"mnist": "digits", "fashion_mnist": "digits", "celeba": "faces", "cifar10": "patches"}
SEED = 42  # of subsets


class Study:
    """A study that is running.

    Args:
        name: what it is called.
        quick: what `--quick` makes of the parameters.
        unchecked: why no bar is checked, in the notebook of a study whose bars were not.
        **parameters: its parameters and their defaults, plain words and numbers. They are attributes of the study. What is
            given in place of a default must be of its kind, as `plan.hint` says.

    Raises:
        DiaboloError: for a parameter that is not.
    """

    def __init__(
        self, name: str, quick: Mapping[str, Any] | None = None, unchecked: str | None = None, **parameters: Any
    ) -> None:
        self.plan, self.name = current(), name
        for given in self.plan.parameters:
            if given not in parameters:
                raise UnknownNameError(
                    "parameter", given, parameters, f" of the study {name!r}", f"diabolo study {name} --help"
                )
        chosen = parameters | dict(quick or {}) if self.plan.quick else parameters
        # A notebook holds the parameters that were run where its script has the defaults, and must tell the two apart.
        self._defaults = scripts()[name].parameters if name in scripts() else parameters
        self.parameters = checked({**chosen, **self.plan.parameters}, self._defaults)
        sets = [value for name, value in self.parameters.items() if name.endswith("data")]
        if not any(map(takes_root, sets)):
            check_root(next(iter(sets), None), self.plan.root)
        swapped = [n for n, v in self._defaults.items() if v in list(STAND_INS) and self.parameters.get(n) != v]
        stands_for, stands_in = (joined([str(of[n]) for n in swapped]) for of in (self._defaults, self.parameters))
        self.unchecked: str | None = unchecked or (
            f"the bars are for {stands_for}, not for {stands_in}"
            if swapped
            else "a quick run"
            if self.plan.quick
            else None
        )
        self.folder = self.plan.folder(name)
        self.images: dict[str, dict[str, Any]] = {}
        self.trainings: list[Trained] = []
        self.rows: dict[str, dict[str, Any]] = {}
        self._functions: dict[str, tuple[str, Callable[[Row], None]]] = {}
        self._lacks: dict[str, dict[str, str]] = {}  # number of a row → part of it, or "" for all of it → why
        self._row: Row | None = None  # that which is running
        self._watchers: list[dict[int, Trained]] = []
        self._watch = progress.current()
        self._before()  # a folder that holds something else is refused before anything is trained

    def __getattr__(self, name: str) -> Any:
        parameters = self.__dict__.get("parameters", {})
        if name not in parameters:
            raise AttributeError(f"the study has no parameter {name!r}")
        return parameters[name]

    def data(self, parameter: str = "data", needs: str | None = None, **options: Any) -> tuple[Images, Images]:
        """The training and test images of the data set that the parameter names; `n_train` and `n_test` of them where the study
        has such parameters (for `colour_data` they are `colour_n_train` and `colour_n_test`), or all when there are fewer,
        which the report says. They must have what the study `needs`, "labels" or "attributes". `options` are the source's own,
        such as size=64; another data set than the script's has none."""
        name = self.parameters[parameter]
        options = options if name == self._defaults.get(parameter) else {}
        root = self.plan.root if takes_root(name) else None  # one of several sets may be drawn
        prefix = parameter.removesuffix("data")
        sizes = {key: self.parameters.get(prefix + key) for key in ("n_train", "n_test")}
        asked = {key: n for key, n in sizes.items() if n is not None}
        found = _drawn(name, asked | options) if name in STAND_INS.values() else None
        try:
            train, test = found or load(name, root, **options)
        except DiaboloError as error:
            if name not in STAND_INS:
                raise
            instead, said = f"--{parameter.replace('_', '-')} {STAND_INS[name]}", str(error)
            hint = f" (without it: {instead})" if INSTEAD not in said else ""
            raise DiaboloError(said.replace(INSTEAD, instead) + hint) from error
        if len(train.shape) != 3:
            raise DiaboloError(
                f"the study {self.name!r} looks at images, but {name} holds vectors of {train.shape[0]} numbers"
            )
        if needs is not None and (getattr(train, needs) is None or getattr(test, needs) is None):
            raise DiaboloError(f"the study {self.name!r} needs {needs} of its images, and {name} has none")
        if asked and found is None:
            there = {"n_train": len(train), "n_test": len(test)}
            exact = {key: min(n, there[key]) for key, n in asked.items()}
            train, test = load(name, root, data_seed=SEED, **exact, **options)
        parts = {
            part: (len(images), sizes[key], images.fingerprint)
            for part, key, images in (("training", "n_train", train), ("test", "n_test", test))
        }
        self.images[parameter] = {"name": train.name, "parts": parts, "unchecked": self.unchecked}
        return train, test

    def hold_out(self, images: Images, n: int) -> tuple[Images, Images]:
        """Training images without `n` of them, and these, to choose between models by: the test images are there to report
        what was chosen, and choose nothing."""
        order = permutation(len(images), SEED)
        return images.take(np.sort(order[n:])), images.take(np.sort(order[:n])).called(split="validation")

    def require(self, parameter: str, holds: bool, what: str) -> None:
        """Refuse, before anything is trained, the value of a parameter that makes no sense."""
        if not holds:
            value = self.parameters[parameter]
            told = " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
            raise DiaboloError(f"--{parameter.replace('_', '-')} {told}: {what}")

    def needs(self, number: str, holds: bool, because: str, part: str = "") -> None:
        """Say, before anything is trained, what the row of that number needs of data and parameters. Where it does not hold,
        the row, or that `part` of it (`row.can(part)`), is shown as not measured, `because`."""
        if holds:
            return
        self._lacks.setdefault(number, {})[part] = because
        if self.wants(number):
            self.say(f"{number}{f', {part},' if part else ''} will not be measured, because {because}")

    def wants(self, *rows: str) -> bool:
        """Whether one of these rows is to be run."""
        return not self.plan.only or not set(rows).isdisjoint(self.plan.only)

    def train(self, recipe: Callable[..., Any], train: Images, test: Images, /, **options: Any) -> Trained:
        """A model by a recipe of the zoo, trained on `train` and watched on `test`, when it is first looked at; or found again.
        `options` are those of the recipe and those of `diabolo.fit`; and `may_fail`, why findings may be drawn from it although
        it has not learned."""
        self.trainings.append(
            Trained(recipe, train, test, self.plan.shelf, self.say, self._notice, self._watch, **options)
        )
        return self.trainings[-1]

    def in_pytorch(self, *models: Trained) -> None:
        """In a notebook, show the networks and the loss of each of the models in plain PyTorch, and the loop of the first, as
        `diabolo unfold` writes them. Elsewhere nothing: nothing is trained for it."""
        if not in_notebook():
            return
        from diabolo import unfold

        for i, model in enumerate(models):
            parts = unfold.unfolded(model.made())
            more = [unfold.loop(settled(len(model.train), model.options), parts)] if i == 0 else []
            showing.code("\n\n\n".join([parts.networks, parts.loss, *more]))

    def _notice(self, model: Trained) -> None:
        if self._row is not None:
            self._row.looked_at(model)
        for watcher in self._watchers:
            watcher[id(model)] = model

    def remember(self, what: str, depends: Any, compute: Callable[[], Any]) -> Any:
        """`compute()`, which gives plain words and numbers; or what it gave before for the same `depends`, and for the same
        models looked at."""
        seen: dict[int, Trained] = {}

        def whole() -> dict[str, Any]:
            self._watchers.append(seen)
            try:
                value = compute()
            finally:
                self._watchers.remove(seen)
            return {"value": value, "models": accounts_of(seen.values())}

        found = remembered(self.plan.shelf, what, ["and the models", depends], whole)
        if self._row is not None:
            self._row.rests_on(what, found["models"])
        return found["value"]

    def row(
        self, number: str, title: str, to_try: str = ""
    ) -> Callable[[Callable[[Row], None]], Callable[[Row], None]]:
        """Make the function below one row of the study, and run it now if that row is wanted. In a notebook its numbers follow
        as a table, and something `to_try`: a question, or a change and what to look at."""

        def run(function: Callable[[Row], None]) -> Callable[[Row], None]:
            self._functions[number] = (title, function)
            if self.wants(number):
                self._run(number)
                showing.numbers(f"row {number}", self.rows[number]["numbers"])
                showing.to_try(to_try)
            return function

        return run

    def _run(self, number: str) -> None:
        """Run the row. Whatever it dies of but a full disk is said in its place, and costs no other row."""
        title, function = self._functions[number]
        self.say(f"{number} {title}")
        started = time.perf_counter()
        files.make_folder(self.folder)  # not before the images were found
        lacks = self._lacks.get(number, {})
        row = Row(number, title, self.folder, self.unchecked, lacks, self.models_of)
        before, self._row = self._row, row
        failed = lacks.get("", "")
        try:
            if failed:
                raise NotMeasured(failed)
            function(row)
            models = row.models
        except Exception as error:
            failed, models = _reason(error), {}
            row.not_measured(failed)
        finally:
            self._row = before
        self.rows[number] = {
            "title": title,
            "seconds": round(time.perf_counter() - started, 1),
            "numbers": row.numbers,
            "blocks": [as_record(block, self.folder) for block in row.blocks],
            "models": models,
        }
        if failed:
            self.rows[number]["not measured"] = failed
        if row.own_report is not None:
            told = row.own_report
            blocks = [as_record(block, self.folder) for block in told.blocks]
            self.rows[number]["report"] = {"title": told.title, "about": told.about, "blocks": blocks}
        self.save()
        self._watch.row()

    def found(self, index: str) -> dict[str, Measured]:
        """What the row of that number has measured, now or in an earlier run with the same parameters. A row above that was
        run in neither is run now, so that `--only` brings what a row needs; of a row below there is nothing.

        Raises:
            NotMeasured: when that row could not be measured.
        """
        if why := self._record(index).get("not measured"):
            raise NotMeasured(f"it rests on row {index}, which was not measured, because {why}")
        return {name: Measured.of(**entry) for name, entry in self._record(index).get("numbers", {}).items()}

    def said(self, index: str) -> list[str]:
        """The findings of the row of that number, each a sentence or more; of which row, as for `found`."""
        blocks = self._record(index).get("blocks", [])
        return [block["text"] for block in blocks if block["block"] == "Paragraph" and block["cites"]]

    def models_of(self, index: str) -> Accounts:
        """What is known of the learning of the models that the row of that number looked at; of which row, as for `found`."""
        return dict(self._record(index).get("models", {}))

    def measured(self, *rows: str) -> bool:
        """Whether each of these rows could be measured, and all models that it looked at have learned."""
        records = [self._record(index) for index in rows]
        return not any("not measured" in record or unlearned(record.get("models", {})) for record in records)

    def _record(self, index: str) -> dict[str, Any]:
        whole = {number: row for number, row in self._earlier().items() if "not measured" not in row}
        rows = {**whole, **self.rows}
        if index not in rows and index in self._functions:
            self._run(index)
            rows = self.rows
        found = dict(rows.get(index, {}))
        if self._row is not None and self._row.index != index:
            self._row.rests_on(index, found.get("models", {}))
        return found

    def save(self) -> None:
        """Write results.json: the rows run so far, and those of an earlier run with the same parameters."""
        before, rows = self._before(), {**self._earlier(), **self.rows}
        if lost := [number for number in before.get("rows", {}) if number not in rows]:
            files.write_json(self.folder / "results.before.json", before)
            told = "are of other parameters, images or code; they are kept in results.before.json alone"
            self.say(f"rows {', '.join(lost)} in {self.folder} {told}")
        images = {**(before["images"] if self._earlier() else {}), **self.images}
        about = {"versions": {"diabolo": __version__}, "at": datetime.now(UTC).isoformat(timespec="seconds")}
        files.write_json(self.folder / "results.json", {**self._head, **about, "images": images, "rows": rows})

    @property
    def _head(self) -> dict[str, Any]:
        """What another run must share with this one, for its rows to stand beside those of this one."""
        return {
            "study": self.name,
            "parameters": {k: plain(v) for k, v in self.parameters.items()},
            "quick": self.plan.quick,
            "code": _code(self.name),
        }

    def _before(self) -> dict[str, Any]:
        """What an earlier run left.

        Raises:
            DiaboloError: when that is damaged, or nothing of a study.
        """
        if not os.path.lexists(self.folder / "results.json"):
            return {}
        try:
            return read(self.folder)
        except DiaboloError as error:
            raise DiaboloError(f"{error}: move it away, or write elsewhere with --out") from error

    def _earlier(self) -> dict[str, Any]:
        """The rows of an earlier run with the same parameters, images and code."""
        before = self._before()
        seen = before.get("images", {})
        same = all(before.get(key) == value for key, value in self._head.items()) and all(
            parameter not in seen or seen[parameter] == plain(images) for parameter, images in self.images.items()
        )
        return dict(before["rows"]) if same else {}

    def say(self, text: str) -> None:
        """One line of progress."""
        say(f"[{self.name}] {text}")


def _drawn(name: str, wanted: dict[str, Any]) -> tuple[Images, Images] | None:
    """The images of a set that can be drawn in any number, as many as are `wanted`; None where there are fewer."""
    with suppress(DiaboloError):
        train, test = load(name, data_seed=SEED, **wanted)
        return train, test
    return None


def _reason(error: Exception) -> str:
    """Why a row was not measured, in words that follow "because"; what nobody foresaw is printed in full beside.

    Raises:
        The error: when the disk is full or cannot be written to, which concerns the whole study.
    """
    if has_failed(error):
        raise error
    if isinstance(error, DiaboloError):
        told = str(error)
        return (
            told if isinstance(error, NotMeasured) else f"{told[:1].lower()}{told[1:]}" if told[1:2].islower() else told
        )
    traceback.print_exception(error)
    return f"the program failed ({type(error).__name__}: {' '.join(str(error).split())})"


@cache
def _code(name: str) -> str:
    """A digest of the code of that study and of the engine: rows are of today's only while it is the same. Of a study of one's
    own, of the engine's."""
    engine = Path(__file__).parent
    texts = [path.read_bytes() for folder in (engine, engine.parent / name) for path in sorted(folder.glob("*.py"))]
    return hashlib.blake2b(b"".join(texts), digest_size=8).hexdigest()
