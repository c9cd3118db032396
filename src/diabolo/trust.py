"""Whose code a run folder may name: Diabolo's own, and that of packages which the caller trusts by name.

    diabolo.load("runs/0001-mine", trust="my_pkg")      diabolo info runs/0001-mine --trust my_pkg

config.json says which classes a model is made of. A class outside `diabolo` is code of someone else, and importing its module
runs that code, so a folder from elsewhere could run anything. Such a class is used only when this program has made it known
itself (its module was imported here, or its path was given here), or when its package is trusted.
"""

import importlib
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import ModuleType

from diabolo.errors import DiaboloError, NotTrustedError

Trust = str | Iterable[str]

# Where `python -m diabolo` was started, which Python had put on its path: looked at last, and only for code named by the user
STARTED_IN: list[str] = []

_trusted: ContextVar[tuple[str, ...]] = ContextVar("trusted", default=())


@contextmanager
def trusting(packages: Trust) -> Iterator[None]:
    """Inside the block, run folders may name code of these packages (and of their sub-modules).

    Raises:
        DiaboloError: for something else than names of packages.
    """
    names = (packages,) if isinstance(packages, str) else tuple(packages)
    for name in names:
        if isinstance(name, str) and name.partition(".")[0] == "diabolo":
            raise DiaboloError("diabolo's own parts need no trust: trust takes the name of another package")
        if not is_module_name(name):
            raise DiaboloError(f"trust takes the name of a package, such as my_pkg, not {name!r}")
    before = _trusted.set(_trusted.get() + names)
    try:
        yield
    finally:
        _trusted.reset(before)


def is_trusted(module: str) -> bool:
    """Whether `module` is a trusted package or lies in one: my_pkg.nets does in my_pkg, my_pkg_2 does not."""
    return any(module == name or module.startswith(f"{name}.") for name in _trusted.get())


def trusted() -> tuple[str, ...]:
    """The packages that are trusted here."""
    return tuple(dict.fromkeys(_trusted.get()))


def is_module_name(name: object) -> bool:
    """Whether it is one word, or several with dots between them."""
    return isinstance(name, str) and all(word.isidentifier() for word in name.split("."))


def packages(modules: Iterable[str]) -> list[str]:
    """The packages that these modules are in, each once; of what runs already, or is no name of a module, nothing."""
    named = [module for module in modules if module != "__main__" and is_module_name(module)]
    return list(dict.fromkeys(module.partition(".")[0] for module in named))


def check(modules: Iterable[str], folder: Path | None = None) -> None:
    """Refuse modules that are not trusted, which the run folder `folder` names.

    Raises:
        NotTrustedError: with the first of them, and how to allow it.
    """
    refused = [module for module in dict.fromkeys(modules) if not is_trusted(module)]
    if not refused:
        return
    packages = list(dict.fromkeys(module.partition(".")[0] for module in refused))
    words = " ".join(f"--trust {name}" for name in packages)
    python = repr(packages[0] if len(packages) == 1 else tuple(packages))
    several = "modules" if len(refused) > 1 else "module"
    raise NotTrustedError(
        f"{'it' if folder is None else folder} names code that is not part of diabolo, the {several} "
        f"{', '.join(map(repr, refused))}, and opening it would run that code; if you trust whoever wrote it, say so by "
        f"{words} (in Python by trust={python})"
    )


def import_trusted(module: str, folder: Path | None = None) -> ModuleType:
    """Import a trusted module; what lies in the run folder `folder` itself is never imported."""
    kept = list(sys.path)
    sys.path[:] = [place for place in kept if folder is None or not is_within(place, folder)]
    try:
        return import_named(module, folder)
    finally:
        sys.path[:] = kept + [place for place in sys.path if place not in kept]


def import_named(module: str, folder: Path | None = None) -> ModuleType:
    """Import a module that the user has named; it may also lie where `python -m diabolo` was started."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        places = [p for p in STARTED_IN if p not in sys.path and not (folder is not None and is_within(p, folder))]
        if not places or error.name != module.partition(".")[0]:
            raise
        sys.path.extend(places)
        importlib.invalidate_caches()
        return importlib.import_module(module)


def import_home(path: str, what: str, kind: str, folder: Path | None = None) -> tuple[ModuleType, str]:
    """The module and the name of a `what` of the user's own, which is named as package.module:`kind`; what lies in the run
    `folder` that names it is never imported.

    Raises:
        DiaboloError: for another path, and a module that cannot be imported.
    """
    module, colon, name = path.partition(":") if isinstance(path, str) else ("", "", "")
    if not (module and colon and name):
        raise DiaboloError(f"a {what} of your own is named as package.module:{kind}, not {path!r}")
    try:
        return import_trusted(module, folder), name
    except Exception as error:  # whatever goes wrong in a module of someone else
        raise DiaboloError(
            f"the module {module!r} of the {what} {path!r} cannot be imported ({type(error).__name__}: {error}); "
            f"install it, or put its folder on PYTHONPATH"
        ) from error


def is_within(place: str, folder: Path) -> bool:
    """Whether a place of Python's path is the folder, or lies in it."""
    return Path(os.path.realpath(place)).is_relative_to(os.path.realpath(folder))
