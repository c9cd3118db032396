"""What reads a data set: one of `sources/` by its name or by the kind of a path, or a function of the user's own."""

import inspect
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from diabolo import trust
from diabolo.data.catalogue import SOURCES, registered
from diabolo.data.files import extensions
from diabolo.data.images import Images
from diabolo.data.options import FORMERLY, NAMES, OF_ALL, DataOptions
from diabolo.data.roots import find_root
from diabolo.data.splits import Parts
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.paths import as_path
from diabolo.ranges import arguments

# What is no image and no array, by its ending: how Python opens it
OPENED_BY = {
    ".txt": "numpy.loadtxt('x.txt')", ".xlsx": "pandas.read_excel('x.xlsx').to_numpy()",
    ".mat": "scipy.io.loadmat('x.mat')['x']",
}  # fmt: skip
PACKED = (".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar")
CONVERT = dict.fromkeys(PACKED, "unpack it first") | {
    ending: f"make it one by numpy.save('x.npy', {opened}), with a row for each image"
    for ending, opened in OPENED_BY.items()
}

# What reads a path, by its ending; a folder is ""
READERS = {
    "": ("folder", "load"), ".zip": ("folder", "load"), ".tar": ("tar", "load"),
    ".npy": ("arrays", "npy"), ".npz": ("arrays", "npz"), ".h5": ("h5", "load"), ".hdf5": ("h5", "load"),
    ".csv": ("csv", "load"), ".tsv": ("csv", "load"), ".parquet": ("parquet", "load"),
}  # fmt: skip
FEATURES = "features"  # what a source of tables may be given besides the options


@dataclass(frozen=True)
class Source:
    """What reads a data set.

    Attributes:
        read: a function of what is to be read and a `Draw`, and of those options that it takes, by keyword.
        what: how to call it in a message.
        subject: what is to be read; None for the root.
    """

    read: Callable[..., Any]
    what: str
    subject: Any = None

    @property
    def takes(self) -> dict[str, inspect.Parameter]:
        """The options that it takes, besides those that every source has, and what else it may be given."""
        named = inspect.signature(self.read).parameters.values()
        return {p.name: p for p in named if p.kind is p.KEYWORD_ONLY and p.name in (*NAMES, FEATURES)}

    def options(self, given: Mapping[str, Any]) -> DataOptions:
        """Those `given` by name.

        Raises:
            DiaboloError: for one that it does not take, or a value that it cannot have.
        """
        valid = [*self.takes, *OF_ALL]
        for name in given:
            if (now := FORMERLY.get(name)) in valid:
                raise DiaboloError(f"unknown option {name!r} of {self.what}: it is called {now!r} now")
            if name not in valid:
                raise UnknownNameError("option", name, valid, f" of {self.what}", "diabolo.data.load")
        arguments(
            self.read, {name: value for name, value in given.items() if name in self.takes}
        )  # as narrow as it has them
        return DataOptions(**{name: value for name, value in given.items() if name in NAMES})

    def parts(self, options: DataOptions, given: Mapping[str, Any], whole: bool = False) -> Parts:
        """What it reads. It sees the `options`, and of those that are not `given` its own default where it has one. What has no
        parts of its own may be wanted `whole`.

        Raises:
            DiaboloError: when it cannot be called as a source is, or gives something else than images.
        """
        asked = {**vars(options), FEATURES: given.get(FEATURES)}
        draw = replace(options.draw, whole=whole)
        chosen = {n: asked[n] for n, p in self.takes.items() if n in given or p.default is p.empty}
        subject = find_root(options.root) if self.subject is None else self.subject
        try:
            inspect.signature(self.read).bind(subject, draw, **chosen)
        except TypeError as error:
            raise DiaboloError(
                f"{self.what} is no data set: it is called with the root, a Draw and options by keyword ({error})"
            ) from error
        found = self.read(subject, draw, **chosen)
        if not isinstance(found, tuple) or not (2 <= len(found) <= 3):
            told = (
                f"{len(found)} things" if isinstance(found, tuple) else f"an object of the type {type(found).__name__}"
            )
        else:
            odd = [part for part in found[:2] if not isinstance(part, Images)]
            odd += [part for part in found[2:] if not isinstance(part, Images | None)]
            told = f"an object of the type {type(odd[0]).__name__} among them" if odd else ""
        if told:
            raise DiaboloError(
                f"{self.what} gave {told}; it must give train and test images, and may give validation images, each as "
                "diabolo.data.as_images makes them of an array"
            )
        return Parts(*found)


def find(name: Any, folder: Path | None = None) -> Source:
    """What reads the data set of that name, at that path, or that array. A function of the user's own is never taken from the
    run `folder` that names it.

    Raises:
        DiaboloError: when there is none, or one of the user's own cannot be imported.
    """
    if isinstance(name, str) and name in SOURCES:
        info = SOURCES[name]
        return Source(_function(info.module, info.function), name)
    if not isinstance(name, str | os.PathLike):
        return Source(_function("arrays", "array"), "an array", name)
    if (own := home_of(name)) is not None:
        return Source(_of_ones_own(own, folder), str(name))
    path = as_path(name)
    if path.name in ("", ".."):  # "." and its like have no name of their own
        path = Path(os.path.abspath(path))
    if _exists(path):
        kind = "" if path.is_dir() else path.suffix.lower()
        if kind not in READERS or (not path.is_dir() and not kind):
            raise not_read(path)
        return Source(_function(*READERS[kind]), f"a {kind} file" if kind else "a folder", path)
    if "://" in str(name):
        raise DiaboloError(
            f"{name} is an address, and nothing is read from there; download it, and give the file or folder"
        )
    if isinstance(name, os.PathLike) or (path.suffix.lower() in READERS and path.suffix) or {"/", "\\"} & {*str(name)}:
        raise DiaboloError(f"there is no file or folder {path}")
    known = [*SOURCES, *registered()]
    raise UnknownNameError("data set", name, known, ", and there is no file or folder of that name", "diabolo data")


def home_of(name: Any) -> str | None:
    """Where the data set of the user's own that has this name comes from, as package.module:function; None where it is no such
    name. Nothing is imported.

    Raises:
        DiaboloError: when several packages have registered the name, or it leads into diabolo itself.
    """
    if not isinstance(name, str) or name in SOURCES or {"/", "\\"} & {*name} or os.path.splitdrive(name)[0]:
        return None
    if re.match(r"diabolo[.:]", name):
        raise DiaboloError(f"diabolo's own data sets are named by one word, not as {name!r}: {', '.join(SOURCES)}")
    if ":" in name:
        return None if _exists(Path(name)) else name
    if not re.fullmatch(r"[\w-]+", name):
        return None
    homes = registered().get(name, ())
    if len(homes) > 1:
        raise DiaboloError(f"the data set {name!r} is registered by several packages; name one as {' or '.join(homes)}")
    return homes[0] if homes else None


def takes_root(name: Any) -> bool:
    """Whether it is a data set by name that is looked for in the folder of the data sets: some are bundled, or drawn."""
    return SOURCES[name].download if isinstance(name, str) and name in SOURCES else home_of(name) is not None


def check_root(name: Any, root: Any) -> None:
    """Refuse a `root` that would do nothing.

    Raises:
        DiaboloError: when one is given for what does not lie there.
    """
    if root is not None and not takes_root(name):
        what = name if isinstance(name, str | os.PathLike) else "an array"
        those = ", ".join(known for known in SOURCES if takes_root(known))
        raise DiaboloError(f"root (--root) is where {those} lie, and {what} does not: leave it out")


def _of_ones_own(path: str, folder: Path | None) -> Callable[..., Any]:
    """The function at package.module:function."""
    module, name = trust.import_home(path, "data set", "function", folder)
    found = getattr(module, name, None)
    if not inspect.isroutine(found):
        there = [
            n
            for n, thing in vars(module).items()
            if getattr(thing, "__module__", "") == module.__name__ and n[0] != "_"
        ]
        raise UnknownNameError(f"data set in {module.__name__!r}", name, there, see=module.__name__)
    return found


def not_read(path: Path) -> DiaboloError:
    """What to raise for a file of a kind that is not read, with how to make it one that is."""
    kind = path.suffix.lower()
    remedy = CONVERT.get(kind, "give the folder in which it lies" if kind in extensions() else "")
    kinds = [kind for kind in READERS if kind]
    told = f"cannot read {path}: expected a folder of images, or a {', '.join(kinds[:-1])} or {kinds[-1]} file"
    return DiaboloError(f"{told}; {remedy}" if remedy else told)


def _exists(path: Path) -> bool:
    try:
        return os.path.lexists(path)
    except ValueError as error:  # a name that no file can have
        raise DiaboloError(f"there is no file or folder {str(path)!r}: {error}") from error


def _function(module: str, function: str) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(import_module(f"diabolo.data.sources.{module}"), function)
    return found
