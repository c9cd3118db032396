"""`Study`: the one object that a study's script talks to. Parameters, trainings that are found again, rows, results."""

import hashlib
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import diabolo
from diabolo.data import Images, load
from diabolo.data.sources.missing import INSTEAD
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.studies.findings import Measured
from diabolo.studies.plan import current
from diabolo.studies.record import as_record, plain
from diabolo.studies.row import Row
from diabolo.studies.script import scripts
from diabolo.studies.trained import Trained, remembered
from diabolo.training import files

STAND_INS = {"mnist": "digits", "fashion_mnist": "digits", "celeba": "faces", "cifar10": "patches"}
SEED = 42  # of subsets


class Study:
    """A study that is running.

    Args:
        name: what it is called.
        quick: what `--quick` makes of the parameters.
        unchecked: why no bar is checked, in the notebook of a study whose bars were not.
        **parameters: its parameters and their defaults, plain words and numbers. They are attributes of the study.
    """

    def __init__(
        self, name: str, quick: Mapping[str, Any] | None = None, unchecked: str | None = None, **parameters: Any
    ) -> None:
        self.plan, self.name = current(), name
        for given in self.plan.parameters:
            if given not in parameters:
                raise UnknownNameError(f"parameter of the study {name!r}", given, parameters)
        chosen = parameters | dict(quick or {}) if self.plan.quick else parameters
        self.parameters: dict[str, Any] = {**chosen, **self.plan.parameters}
        # A notebook holds the parameters that were run where its script has the defaults, and must tell the two apart.
        self._defaults = scripts()[name].parameters if name in scripts() else parameters
        swapped = [n for n, v in self._defaults.items() if v in list(STAND_INS) and self.parameters.get(n) != v]
        self.unchecked: str | None = unchecked or (
            f"the bar is for {self._defaults[swapped[0]]}, and this is {self.parameters[swapped[0]]}"
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
        try:
            train, test = load(name, self.plan.root, **options)
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
        prefix = parameter.removesuffix("data")
        sizes = {key: self.parameters.get(prefix + key) for key in ("n_train", "n_test")}
        exact = {
            key: min(n, len(images))
            for (key, n), images in zip(sizes.items(), (train, test), strict=True)
            if n is not None
        }
        if needs is not None and (getattr(train, needs) is None or getattr(test, needs) is None):
            raise DiaboloError(f"the study {self.name!r} needs {needs} of its images, and {name} has none")
        if exact:
            train, test = load(name, self.plan.root, seed=SEED, **exact, **options)
        parts = {
            part: (len(images), sizes[key], images.fingerprint)
            for part, key, images in (("training", "n_train", train), ("test", "n_test", test))
        }
        self.images[parameter] = {"name": train.name, "parts": parts, "unchecked": self.unchecked}
        return train, test

    def require(self, parameter: str, holds: bool, what: str) -> None:
        """Refuse, before anything is trained, the value of a parameter that makes no sense."""
        if not holds:
            value = self.parameters[parameter]
            told = " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
            raise DiaboloError(f"--{parameter.replace('_', '-')} {told}: {what}")

    def wants(self, *rows: str) -> bool:
        """Whether one of these rows is to be run."""
        return not self.plan.only or not set(rows).isdisjoint(self.plan.only)

    def train(self, recipe: Callable[..., Any], train: Images, test: Images, /, **options: Any) -> Trained:
        """A model by a recipe of the zoo, trained on `train` and watched on `test`, when it is first looked at; or found again.
        `options` are those of the recipe and those of `diabolo.fit`."""
        self.trainings.append(Trained(recipe, train, test, self.plan.shelf, self.say, **options))
        return self.trainings[-1]

    def remember(self, what: str, depends: Any, compute: Callable[[], Any]) -> Any:
        """`compute()`, which gives plain words and numbers; or what it gave before for the same `depends`."""
        return remembered(self.plan.shelf, what, depends, compute)

    def row(self, number: str, title: str) -> Callable[[Callable[[Row], None]], Callable[[Row], None]]:
        """Make the function below one row of the study, and run it now if that row is wanted."""

        def run(function: Callable[[Row], None]) -> Callable[[Row], None]:
            self._functions[number] = (title, function)
            if self.wants(number):
                self._run(number)
            return function

        return run

    def _run(self, number: str) -> None:
        title, function = self._functions[number]
        self.say(f"{number} {title}")
        started = time.perf_counter()
        files.make_folder(self.folder)  # not before the images were found
        row = Row(number, title, self.folder, self.unchecked)
        function(row)
        self.rows[number] = {
            "title": title,
            "seconds": round(time.perf_counter() - started, 1),
            "numbers": row.numbers,
            "blocks": [as_record(block, self.folder) for block in row.blocks],
        }
        if row.own_report is not None:
            told = row.own_report
            blocks = [as_record(block, self.folder) for block in told.blocks]
            self.rows[number]["report"] = {"title": told.title, "about": told.about, "blocks": blocks}
        self.save()

    def found(self, index: str) -> dict[str, Measured]:
        """What the row of that number has measured, now or in an earlier run with the same parameters. A row above that was
        run in neither is run now, so that `--only` brings what a row needs; of a row below there is nothing."""
        return {name: Measured.of(**entry) for name, entry in self._record(index).get("numbers", {}).items()}

    def said(self, index: str) -> list[str]:
        """The findings of the row of that number, each a sentence or more; of which row, as for `found`."""
        blocks = self._record(index).get("blocks", [])
        return [block["text"] for block in blocks if block["block"] == "Paragraph" and block["cites"]]

    def _record(self, index: str) -> dict[str, Any]:
        rows = {**self._earlier(), **self.rows}
        if index not in rows and index in self._functions:
            self._run(index)
            rows = self.rows
        return dict(rows.get(index, {}))

    def save(self) -> None:
        """Write results.json: the rows run so far, and those of an earlier run with the same parameters."""
        before, rows = self._before(), {**self._earlier(), **self.rows}
        if lost := [number for number in before.get("rows", {}) if number not in rows]:
            files.write_json(self.folder / "results.before.json", before)
            told = "are of other parameters, images or code; they are kept in results.before.json alone"
            self.say(f"rows {', '.join(lost)} in {self.folder} {told}")
        images = {**(before["images"] if self._earlier() else {}), **self.images}
        about = {"versions": {"diabolo": diabolo.__version__}, "at": datetime.now(UTC).isoformat(timespec="seconds")}
        files.write_json(self.folder / "results.json", {**self._head, **about, "images": images, "rows": rows})

    @property
    def _head(self) -> dict[str, Any]:
        """What another run must share with this one, for its rows to stand beside those of this one."""
        return {
            "study": self.name,
            "parameters": {k: plain(v) for k, v in self.parameters.items()},
            "quick": self.plan.quick,
            "code": _code(),
        }

    def _before(self) -> dict[str, Any]:
        """What an earlier run left."""
        path = self.folder / "results.json"
        found = files.read_json(path) if path.exists() else {}
        return found if isinstance(found, dict) else {}

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
        print(f"[{self.name}] {text}", flush=True)


@cache
def _code() -> str:
    """A digest of the studies' own code: their rows are of today's only while it is the same."""
    folder = Path(__file__).parent
    texts = [path.read_bytes() for path in sorted(folder.rglob("*.py"))]
    return hashlib.blake2b(b"".join(texts), digest_size=8).hexdigest()
