"""The examples in docstrings: every public class, function, part and recipe has one, and what it says comes out.

An example finds there: `diabolo`, `np`, `torch`; `train` and `test`, a few digits; `model`, a small VAE that has seen them, and
`run`, its run folder. Its random numbers are those after `torch.manual_seed(0)`, and it works in an empty folder.
"""

import copy
import doctest
import importlib
import importlib.util
import inspect
import pkgutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import diabolo

MODULES = sorted(
    info.name
    for info in pkgutil.walk_packages(diabolo.__path__, "diabolo.")
    if not info.name.startswith(("diabolo.studies", "diabolo.cli", "diabolo.__main__"))
)
SHOWING = [m for m in MODULES if ">>>" in Path(importlib.util.find_spec(m).origin).read_text(encoding="utf-8")]
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def offered(room):
    """The names of a room: those of `__all__`, or all that it makes itself."""
    own = [name for name, thing in vars(room).items() if getattr(thing, "__module__", "") == room.__name__]
    return getattr(room, "__all__", [name for name in own if not name.startswith("_")])


def public():
    """room.name → what `import diabolo` offers by name: of its rooms, and all parts and recipes."""
    for module in MODULES:
        importlib.import_module(module)
    rooms = {name: value for name in diabolo.__all__ if inspect.ismodule(value := getattr(diabolo, name))}
    named = [(room, name, getattr(value, name)) for room, value in rooms.items() for name in offered(value)]
    named += [("diabolo", name, getattr(diabolo, name)) for name in diabolo.__all__ if name not in rooms]
    named += [(*name.rsplit(".", 1), part) for name, part in diabolo.parts.PARTS.items()]
    named += [("zoo", name, recipe) for name, recipe in diabolo.zoo.RECIPES.items()]
    own = [(r, n, o) for r, n, o in named if getattr(o, "__module__", "").startswith("diabolo.")]
    kinds = [(f"{r}.{n}", o) for r, n, o in own if inspect.isclass(o) or inspect.isroutine(o)]
    return dict({id(thing): (name, thing) for name, thing in reversed(kinds)}.values())  # by the first of its names


def test_everything_public_has_an_example():
    assert [name for name, thing in public().items() if ">>>" not in (thing.__doc__ or "")] == []


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """The names that examples find there."""
    train, test = diabolo.data.load("digits")
    train, test = train.take(range(400)), test.take(range(100))
    torch.manual_seed(0)
    model = diabolo.zoo.vae(train.shape, 4, hidden=(32,))
    how = {"epochs": 60, "batch_size": 50, "lr": 5e-3, "precision": "float32", "threads": 1, "quiet": True}
    run = diabolo.fit(model, train, validation=test, out=tmp_path_factory.mktemp("examples"), **how)
    return {"diabolo": diabolo, "np": np, "torch": torch, "train": train, "test": test, "model": run.model, "run": run}


@pytest.fixture
def nothing_stays(monkeypatch):
    """What an example makes known (a part, a measure, a symptom, code of its own) is forgotten after it."""
    for module in MODULES:
        importlib.import_module(module)
    measure, symptom = (sys.modules[f"diabolo.{name}"] for name in ("evaluation.measure", "doctor.symptom"))
    books = [diabolo.parts.PARTS, measure.MEASURES, measure.HELP, symptom.SYMPTOMS]
    before = [set(book) for book in books]
    monkeypatch.setattr(diabolo.parts, "_given", set(diabolo.parts._given))
    yield
    for book, known in zip(books, before, strict=True):
        for name in set(book) - known:
            del book[name]


@pytest.mark.parametrize("module", SHOWING)
@pytest.mark.usefixtures("nothing_stays")
def test_what_an_example_says_comes_out(module, shelf, tmp_path, monkeypatch):
    found = doctest.DocTestFinder().find(importlib.import_module(module), module)
    for number, example in enumerate(e for e in found if e.examples):
        (tmp_path / str(number)).mkdir()
        monkeypatch.chdir(tmp_path / str(number))
        torch.manual_seed(0)
        example.globs = shelf | {"model": copy.deepcopy(shelf["model"])}
        said: list[str] = []
        doctest.DocTestRunner(verbose=False, optionflags=FLAGS).run(example, out=said.append)
        assert not said, "".join(said)
