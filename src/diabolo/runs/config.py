"""config.json: everything that defines a run, fully resolved; read and written here alone."""

import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from diabolo import parts, regular, vocabulary
from diabolo.data.images import Images
from diabolo.data.origin import Record
from diabolo.errors import DiaboloError
from diabolo.runs import files, tied
from diabolo.version import __version__
from diabolo.vocabulary import Words

FILE = "config.json"
NOT_AGAIN = ("weights", "epochs")  # it began with weights that its seed did not draw; it was given further epochs
FORMAT = 1  # of a run folder; raised when an older Diabolo could not make sense of it


@dataclass(frozen=True)
class Config:
    """What defines a run.

    Attributes:
        name: of the model.
        model: how it is made (`parts.describe`).
        options: of the training (`TrainOptions`).
        units: what each column of metrics.jsonl is measured in.
        train: which images it was trained on.
        validation: which were watched; None for none.
        versions: of what it was trained with, by package.
        resolved: what "auto" came to on that machine: device, threads, precision, processes, compile.
        recipe: the options of the zoo's recipe; None for a model made by hand.
        tied: the weights that have several names (`tied.groups`).
        then: what was to follow the training, such as "figures".
        stage: of which longer training it is which part (`greedy`); None for one that stands alone.
        not_again: why these options alone do not train it again, one of `NOT_AGAIN`; None where they do.
        more: what else stands there, which a later Diabolo may have written.
    """

    name: str
    model: dict[str, Any]
    options: dict[str, Any]
    units: dict[str, str]
    train: Record
    validation: Record | None
    versions: dict[str, str]
    resolved: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] | None = None
    tied: list[list[str]] = field(default_factory=list)
    then: tuple[str, ...] = ()
    stage: dict[str, Any] | None = None
    not_again: str | None = None
    more: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        model: Any,
        options: dict[str, Any],
        resolved: dict[str, Any],
        train: Images,
        validation: Images | None,
        then: tuple[str, ...] = (),
        stage: Mapping[str, Any] | None = None,
        not_again: str | None = None,
    ) -> "Config":
        """That of a training that is to begin."""
        versions = {
            "diabolo": __version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        }
        watched = None if validation is None else Record.of(validation)
        return cls(
            model.name,
            parts.describe(model),
            options,
            units_of(model),
            Record.of(train),
            watched,
            versions,
            resolved,
            getattr(model, "recipe", None),
            tied.groups(model),
            then,
            None if stage is None else dict(stage),
            not_again,
        )

    @classmethod
    def read(cls, path: Path) -> "Config":
        """That of the run folder `path`.

        Raises:
            DiaboloError: when `path` is no run folder, its config was damaged, or it is of a newer Diabolo.
        """
        if not path.is_dir():
            raise DiaboloError(f"there is no folder {path}")
        regular.check_folder(path)
        if not (path / FILE).is_file():
            raise DiaboloError(f"{path} is not a run folder: it holds no {FILE}")
        told = files.read_json(path / FILE)
        form = told.get("format", 0) if isinstance(told, dict) else 0
        if isinstance(form, int) and form > FORMAT:
            raise _senseless(path, told, f"its format is {form}, and {FORMAT} is known here")
        try:
            return cls.parse(told)
        except ValueError as error:
            raise _senseless(path, told, str(error)) from error

    @classmethod
    def parse(cls, told: Any) -> "Config":
        """What `as_dict` gave, read from JSON.

        Raises:
            ValueError: which says what is wrong.
        """
        if not isinstance(told, dict):
            raise ValueError("it is no object")
        data = told.get("data")
        wanted: dict[str, tuple[Any, type]] = {
            "name": (told.get("name"), str),
            "model": (told.get("model"), dict),
            "options": (told.get("options"), dict),
            "units": (told.get("units"), dict),
            "versions": (told.get("versions"), dict),
            "data": (data, dict),
        }
        for place, (value, kind) in wanted.items():
            if not isinstance(value, kind):
                raise ValueError(f"{place!r} is missing or not a {kind.__name__}")
        assert isinstance(data, dict)  # as was looked at just now
        watched = data.get("validation")
        return cls(
            train=Record.parse(data.get("train"), "data.train"),
            validation=None if watched is None else Record.parse(watched, "data.validation"),
            resolved=_dict(told.get("resolved")) or {},
            recipe=_dict(told.get("recipe")),
            tied=told.get("tied", []),
            then=tuple(word for word in _list(told.get("then")) if isinstance(word, str)),
            stage=_dict(told.get("stage")),
            not_again=told["not_again"] if told.get("not_again") in NOT_AGAIN else None,
            more={name: value for name, value in told.items() if name not in KEYS},
            **{name: value for name, (value, _) in wanted.items() if name != "data"},
        )

    def as_dict(self) -> dict[str, Any]:
        """All of it as it stands in config.json."""
        told = {
            "format": FORMAT,
            "name": self.name,
            "model": self.model,
            "tied": self.tied,
            "recipe": self.recipe,
            "units": self.units,
            "options": self.options,
            "resolved": self.resolved,
            "data": {
                "train": self.train.as_dict(),
                "validation": None if self.validation is None else self.validation.as_dict(),
            },
            "versions": self.versions,
        }
        told |= {"then": list(self.then)} if self.then else {}
        told |= {"stage": self.stage} if self.stage else {}
        told |= {"not_again": self.not_again} if self.not_again else {}
        return told | self.more

    def write(self, path: Path) -> None:
        """Write it into the run folder `path`."""
        files.write_json(path / FILE, self.as_dict())

    def but(self, **changes: Any) -> "Config":
        """The same with these attributes."""
        return replace(self, **changes)

    @property
    def words(self) -> Words:
        """What says a text in the words of its data (`diabolo.vocabulary`)."""
        train, columns = self.train, (self.train.origin or {}).get("features")
        names = [*(train.label_names or ()), *(columns if isinstance(columns, list) else ())]
        return vocabulary.of(train.shape, self.name, train.name, *map(str, names))

    def images(self, part: str) -> Record | None:
        """Which images those of that part are, "train" or "validation"."""
        return self.train if part == "train" else self.validation

    @property
    def compiled(self) -> bool:
        """Whether the step of the training is compiled: what was resolved when it began."""
        return bool(self.resolved.get("compile", self.options.get("compile") is True))

    def damaged(self, path: Path, why: str, words: str = "was edited or damaged") -> DiaboloError:
        """What to raise when something in it makes no sense: it was written by a newer Diabolo, or it `words`."""
        return _damaged(path, self.versions.get("diabolo"), False, why, words)


KEYS = {
    "format",
    "name",
    "model",
    "tied",
    "recipe",
    "units",
    "options",
    "resolved",
    "data",
    "versions",
    "then",
    "stage",
    "not_again",
}


def units_of(model: Any) -> dict[str, str]:
    """What each column of metrics.jsonl is measured in."""
    weighed = {"kl": "β × KL"}
    terms = [
        u if name == "reconstruction" else weighed.get(name, f"weight × {name}") for name, u in model.units.items()
    ]
    units = set(model.units.values())
    return {"total": units.pop() if len(units) == 1 else " + ".join(terms), **model.units}


def _senseless(path: Path, told: Any, why: str) -> DiaboloError:
    """As `Config.damaged`, of what cannot even be read."""
    found = told if isinstance(told, dict) else {}
    form, versions = found.get("format"), _dict(found.get("versions")) or {}
    newer = isinstance(form, int) and form > FORMAT
    return _damaged(path, versions.get("diabolo"), newer, why, "was edited or damaged")


def _damaged(path: Path, its: Any, newer: bool, why: str, words: str) -> DiaboloError:
    if newer or _number(its) > _number(__version__):
        who = f"Diabolo {its}" if _number(its) > _number(__version__) else "a newer Diabolo"
        remedy = "upgrade it with pip install --upgrade diabolo"
        return DiaboloError(f"{path} was written by {who}, and this is {__version__}: {remedy} ({why})")
    return DiaboloError(f"{path / FILE} {words}: {why}; {files.BACK}")


def _number(version: Any) -> list[int]:
    """The leading numbers of a version, to compare; of what is none, nothing."""
    found = re.match(r"\d+(\.\d+)*", version) if isinstance(version, str) else None
    return [int(part) for part in found[0].split(".")] if found else []


def _dict(value: Any) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
