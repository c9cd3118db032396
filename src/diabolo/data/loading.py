"""`load`: from a name, a path, an array or a tensor to train and test `Images`."""

import functools
import inspect
import logging
import os
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, ParamSpec

from diabolo.data.catalogue import SOURCES
from diabolo.data.files import extensions
from diabolo.data.images import Images
from diabolo.data.roots import find_root
from diabolo.data.scale import check_range
from diabolo.data.selection import without_class as leave_out
from diabolo.data.selection import without_leaks
from diabolo.data.splits import Draw, Parts
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.paths import as_path
from diabolo.ranges import AnyPath, Count, Seed, arguments, checked

P = ParamSpec("P")
# What is no image and no array, by its ending: how Python opens it
OPENED_BY = {
    ".csv": "numpy.loadtxt('x.csv', delimiter=',')", ".tsv": "numpy.loadtxt('x.tsv')", ".txt": "numpy.loadtxt('x.txt')",
    ".parquet": "pandas.read_parquet('x.parquet').to_numpy()", ".xlsx": "pandas.read_excel('x.xlsx').to_numpy()",
    ".mat": "scipy.io.loadmat('x.mat')['x']", ".h5": "h5py.File('x.h5')['x'][:]", ".hdf5": "h5py.File('x.hdf5')['x'][:]",
}  # fmt: skip
PACKED = (".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar")
CONVERT = dict.fromkeys(PACKED, "unpack it first") | {
    ending: f"make it one by numpy.save('x.npy', {opened}), with a row for each image"
    for ending, opened in OPENED_BY.items()
}
Source = Callable[..., tuple[Images, ...]]
log = logging.getLogger("diabolo.data")
NOTICE = 25  # between INFO and WARNING: what the command line says of every load

# What reads a path, by its ending; a folder is ""
READERS = {"": ("folder", "load"), ".zip": ("archive", "load"), ".npy": ("arrays", "npy"), ".npz": ("arrays", "npz")}


@checked
def load_parts(
    name: Any,
    root: AnyPath | None = None,
    *,
    n_train: Count | None = None,
    n_test: Count | None = None,
    seed: Seed = 42,
    n_labels: Count | None = None,
    label_seed: Seed = 0,
    drop_leaks: bool = False,
    without_class: int | str | None = None,
    **options: Any,
) -> Parts:
    """Train and test `Images`; `load_parts` gives those to validate with too, where the source has such a part.

    name     a data set of `names()`; the path of a folder of images, a .zip of images, a .npy or .npz file;
             or an array, a tensor or `Images` (see `as_images`)
    root     the folder that holds the data sets; else DIABOLO_DATA, else ~/.cache/diabolo
    n_train  exactly so many images, not the first but drawn at random without replacement: by `seed` alone, so that they are
             the same in every training, those of a smaller n are among those of a larger one, and they stand in their old
             order; None takes all. `n_test` likewise. Drawn sets (faces, patches) give the first n instead, in every size
             the same. What is left out below is left out of these, so that fewer may remain
    n_labels  of exactly so many training images the label is kept, drawn by `label_seed`; the others have -1, see
              `Images.keep_labels`. None keeps all
    drop_leaks  leave out training images that are test images too, or nearly, see `leaks.without_leaks`
    without_class  leave that class, by its name, out of the training images, so that its test images are anomalies; a number
             will do where classes have none, or where no name is a number
    options  of that source, such as `size=64`; those it does not know are refused

    What leaves images out of the training part leaves them out of the validation part too.

    A folder or .zip may have parts, folders called train, val (valid, validation, dev) and test in any case, with classes or
    without; see `layout.read_layout`. What has no test part of its own is split by `seed`, see `random_split`. What was loaded
    is told in one line, and stands in `account` of the images. DiaboloError, in one sentence, when a data
    set is missing and cannot be downloaded, or something is wrong with its files.

    Example:
        >>> train, test = diabolo.data.load("digits", n_train=500, seed=1)
        >>> train.images.shape, train.images.dtype, len(test)
        ((500, 1, 8, 8), dtype('uint8'), 360)
    """
    source, subject, what = _find(name)
    draw = Draw(n_train, n_test, seed)
    valid = options_of(name)
    for option in options:
        if option not in valid:
            raise UnknownNameError(
                "option",
                option,
                [*valid, "root", "n_train", "n_test", "seed", "n_labels", "label_seed", "drop_leaks", "without_class"],
                f" of {what}",
                "diabolo.data.load",
            )
    options = arguments(source, options)
    if "value_range" in options:
        asked = check_range(options["value_range"])
        options["value_range"] = list(asked) if isinstance(asked, tuple) else asked  # as JSON keeps it
    train, test, validation = Parts(*source(find_root(root) if subject is None else subject, draw, **options))
    for part in (test, validation):
        if part is not None and train.shape != part.shape:
            raise DiaboloError(
                f"the parts of {train.name} differ: train holds {train.shape}, {part.split} {part.shape}"
            )
    if train.account is not None:
        level = logging.WARNING if train.account.surprises else NOTICE
        log.log(level, "%s", train.account.line(), extra={"account": True})
    if drop_leaks:
        train = without_leaks(train, test)
        validation = validation and without_leaks(validation, test)
    if without_class is not None:
        train = leave_out(train, without_class)
        validation = validation and leave_out(validation, without_class, missing_ok=True)
    if n_labels is not None:
        train = train.keep_labels(n_labels, label_seed)
    if not isinstance(name, str | os.PathLike):
        return Parts(train, test, validation)
    given = {"name": str(name), "root": None if root is None else os.path.abspath(root), **options}
    if isinstance(subject, Path):
        given["name"] = os.path.abspath(subject)
    given |= {"n_train": n_train, "n_test": n_test, "seed": seed}
    if drop_leaks:
        given["drop_leaks"] = True
    if without_class is not None:
        given["without_class"] = without_class
    if n_labels is not None:
        given |= {"n_labels": n_labels, "label_seed": label_seed}
    origins: dict[str, Any] = {"load": given}
    if train.account is not None and train.account.span not in (None, (0.0, 255.0)):
        origins["span"] = list(train.account.span)
    return Parts(
        replace(train, origin=origins | {"part": "train"}),
        replace(test, origin=origins | {"part": "test"}),
        None if validation is None else replace(validation, origin=origins | {"part": "validation"}),
    )


def _train_and_test(parts_of: Callable[P, Parts]) -> Callable[P, tuple[Images, Images]]:
    @functools.wraps(parts_of)
    def load(*args: P.args, **kwargs: P.kwargs) -> tuple[Images, Images]:
        parts = parts_of(*args, **kwargs)
        return parts.train, parts.test

    load.__name__ = load.__qualname__ = "load"
    load.__annotations__ = {**load.__annotations__, "return": tuple[Images, Images]}
    return load


load = _train_and_test(load_parts)


def options_of(name: Any) -> list[str]:
    """The options that only the source of that name, path or array takes, such as size."""
    source, _, _ = _find(name)
    return [p.name for p in inspect.signature(source).parameters.values() if p.kind is p.KEYWORD_ONLY]


def _find(name: Any) -> tuple[Source, Any, str]:
    """The function that reads it, what to give that function (None: the root), and how to call it in a message."""
    if isinstance(name, str) and name in SOURCES:
        info = SOURCES[name]
        return _source(info.module, info.function), None, name
    if not isinstance(name, str | os.PathLike):
        return _source("arrays", "array"), name, "an array"
    path = as_path(name)
    if path.name in ("", ".."):  # "." and its like have no name of their own
        path = Path(os.path.abspath(path))
    if _exists(path):
        kind = "" if path.is_dir() else path.suffix.lower()
        if kind not in READERS or (not path.is_dir() and not kind):
            raise not_read(path)
        return _source(*READERS[kind]), path, f"a {kind} file" if kind else "a folder"
    if "://" in str(name):
        raise DiaboloError(
            f"{name} is an address, and nothing is read from there; download it, and give the file or folder"
        )
    if isinstance(name, os.PathLike) or (path.suffix.lower() in READERS and path.suffix) or {"/", "\\"} & {*str(name)}:
        raise DiaboloError(f"there is no file or folder {path}")
    raise UnknownNameError("data set", name, SOURCES, ", and there is no file or folder of that name", "diabolo data")


def not_read(path: Path) -> DiaboloError:
    """What to raise for a file of a kind that is not read, with how to make it one that is."""
    kind = path.suffix.lower()
    remedy = CONVERT.get(kind, "give the folder in which it lies" if kind in extensions() else "")
    told = f"cannot read {path}: expected a folder of images, or a .zip, .npy or .npz file"
    return DiaboloError(f"{told}; {remedy}" if remedy else told)


def _exists(path: Path) -> bool:
    try:
        return os.path.lexists(path)
    except ValueError as error:  # a name that no file can have
        raise DiaboloError(f"there is no file or folder {str(path)!r}: {error}") from error


def _source(module: str, function: str) -> Source:
    found: Source = getattr(import_module(f"diabolo.data.sources.{module}"), function)
    return found
