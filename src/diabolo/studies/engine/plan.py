"""How a study is run: with which parameters, each of the kind of its default, which of its rows, and where everything lies."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from types import GenericAlias
from typing import Annotated, Any

from diabolo.ranges import Above, At, NonEmpty, check

_MOST = 2**32 - 1  # of whole numbers: what any generator takes for a seed


def hint(default: Any) -> Any:
    """The type of a parameter by its default.

    That of 15 is a whole number of at least 1, of 0 one of at least 0, of 0.1 a number above 0, and of 0.0 one of at least 0;
    what has a negative number among its defaults may be any. Text is not empty, and tuples hold something.
    """
    if isinstance(default, tuple | list) and default:
        return Annotated[GenericAlias(tuple, (_single(default), ...)), NonEmpty()]
    return _single((default,)) if not isinstance(default, tuple | list) else tuple[str, ...]


def checked(parameters: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """The parameters as plain values.

    Raises:
        DiaboloError: for one that is not of the kind of its default.
    """
    return {name: check(name, value, hint(defaults.get(name, value))) for name, value in parameters.items()}


def _single(values: tuple[Any, ...] | list[Any]) -> Any:
    """The type of each of them."""
    kind: Any = type(values[0])
    if kind is type(None):
        return str | None
    if kind not in (int, float):
        return kind
    kind, least = float if float in map(type, values) else int, min(values)
    if kind is int:
        return Annotated[int, At(min(1, least) if least >= 0 else -_MOST, _MOST)]
    return Annotated[float, Above(0)] if least > 0 else Annotated[float, At(0)] if least == 0 else float


# For the notebook's own process.
OUT, TRAINED, ROOT = "DIABOLO_STUDY_OUT", "DIABOLO_STUDY_TRAINED", "DIABOLO_STUDY_ROOT"
QUICK, ONLY = "DIABOLO_STUDY_QUICK", "DIABOLO_STUDY_ONLY"


@dataclass(frozen=True)
class Plan:
    """How to run a study.

    Attributes:
        parameters: in place of the script's defaults.
        quick: whether the script's small sizes are taken, beneath `parameters`.
        only: numbers of rows; all when empty.
        out: the study's folder; studies/NAME when left out.
        trained: where finished trainings are kept, for all studies; studies/trained when left out.
        root: where the data sets lie, as in `diabolo.data.load`.
    """

    parameters: Mapping[str, Any] = field(default_factory=dict)
    quick: bool = False
    only: tuple[str, ...] = ()
    out: Path | None = None
    trained: Path | None = None
    root: Path | None = None

    def environment(self, name: str) -> dict[str, str]:
        """What tells another process where everything lies, and which rows are wanted."""
        found = {OUT: str(self.folder(name).absolute()), TRAINED: str(self.shelf.absolute()), ONLY: " ".join(self.only)}
        if self.quick:
            found[QUICK] = "yes"
        return found if self.root is None else found | {ROOT: str(self.root.absolute())}

    def folder(self, name: str) -> Path:
        """Of the study of that name."""
        return self.out or Path("studies") / name

    @property
    def shelf(self) -> Path:
        """Of finished trainings."""
        return self.trained or Path("studies") / "trained"


_PLAN: ContextVar[Plan | None] = ContextVar("plan", default=None)


def current() -> Plan:
    """The plan of the study that is running; in a process of its own, by the environment."""

    def path(variable: str) -> Path | None:
        return Path(os.environ[variable]) if variable in os.environ else None

    only = tuple(os.environ.get(ONLY, "").split())
    return _PLAN.get() or Plan({}, QUICK in os.environ, only, path(OUT), path(TRAINED), path(ROOT))


@contextmanager
def following(plan: Plan) -> Iterator[None]:
    """Inside the block, studies are run by `plan`."""
    token = _PLAN.set(plan)
    try:
        yield
    finally:
        _PLAN.reset(token)
