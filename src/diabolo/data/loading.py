"""`load`: from a name, a path, an array or a tensor to train and test `Images`."""

import inspect
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from diabolo import trust, vocabulary
from diabolo.data import scale
from diabolo.data.finding import Source, check_root, find, home_of
from diabolo.data.images import Images
from diabolo.data.options import DataOptions
from diabolo.data.selection import without_class as leave_out
from diabolo.data.selection import without_leaks
from diabolo.data.splits import Parts, draw_from
from diabolo.errors import DiaboloError

log = logging.getLogger("diabolo.data")
NOTICE = 25  # between INFO and WARNING: what the command line says of every load

PARTS = ("train", "test", "validation")

_named: set[str] = set()  # data sets of the user's own that this program has named


def load(name: Any, root: str | os.PathLike[str] | None = None, **options: Any) -> tuple[Images, Images]:
    """Train and test `Images`.

    Args:
        name: a data set of `names()`; the path of a folder, a .zip or a .tar of images, of a .npy, .npz, .h5 or .hdf5 file, or
            of a table as .csv, .tsv or .parquet; an array, a tensor, a frame, a sparse matrix, `Images`, or a data set of
            torch or Hugging Face (see `as_images`); or a function of your own as package.module:function, or by the name
            under which a package has registered it as an entry point of the group `diabolo.data`.
        root: the folder that holds the data sets; else DIABOLO_DATA, else ~/.cache/diabolo. Refused for what lies elsewhere.
        options: those of `DataOptions`, as far as the source takes them.

    `n_train` images are not the first but drawn without replacement: by `data_seed` alone, so that they are the same in every
    training, those of a smaller n are among those of a larger one, and they stand in their old order. `n_test` likewise. Drawn
    sets (faces, patches, sheet) give the first n instead, in every size the same. What `drop_leaks` and `without_class` leave
    out is left out of these, so that fewer may remain; it is left out of the validation images too. Where `n_labels` are kept,
    the other training images have the label -1, see `Images.keep_labels`. A class that is left out may be a number where
    classes have no names, or no name is a number.

    A folder or .zip may have parts, folders called train, val (valid, validation, dev) and test in any case, with classes or
    without; see `layout.read_layout`. What has no test part of its own is split by `data_seed`, see `random_split`. What was
    loaded is told in one line, and stands in `account` of the images.

    Raises:
        DiaboloError: when a data set is missing and cannot be downloaded, or something is wrong with its files or an option.

    Example:
        >>> train, test = diabolo.data.load("digits", n_train=500, data_seed=1)
        >>> train.images.shape, train.images.dtype, len(test)
        ((500, 1, 8, 8), dtype('uint8'), 360)
    """
    parts = load_parts(name, root, **options)
    return parts.train, parts.test


_own = inspect.signature(load)
load.__signature__ = _own.replace(  # type: ignore[attr-defined]  # how a signature is set
    parameters=[
        *list(_own.parameters.values())[:2],
        *(
            inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type)
            for field in fields(DataOptions)
            if field.name != "root"
        ),
    ]
)


def load_parts(name: Any, root: str | os.PathLike[str] | None = None, **options: Any) -> Parts:
    """`load`, and the images to validate with, where the source has such a part."""
    check_root(name, root)
    if home_of(name) is not None:
        _named.add(name)
    return _load(find(name), name, {"root": root, **options})


def load_whole(
    name: Any, root: str | os.PathLike[str] | None = None, *, features: Sequence[str] | None = None, **options: Any
) -> tuple[Images, ...]:
    """All that `load_parts` gives, as images that are not divided, in their own order, where the source has no parts.

    Args:
        name, root, options: as for `load`.
        features: of a table, the names of the numbers that it is to give, as one read before had them; None for its own.
    """
    check_root(name, root)
    source = find(name)
    beside = {"features": tuple(features)} if features is not None and "features" in source.takes else {}
    given = {"root": root, **beside, **options}
    parts = source.parts(source.options(given), given, whole=True)
    _say(parts.train)
    if parts.train is parts.test:
        return (parts.train,)
    train, test, validation = (part and part.called(split=split) for part, split in zip(parts, PARTS, strict=True))
    return tuple(part for part in (train, validation, test) if part is not None)


def load_recorded(record: Mapping[str, Any], folder: Path | None) -> Parts:
    """The parts again of which the run `folder` says how they were loaded.

    Raises:
        NotTrustedError: when it names a data set of one's own that neither this program has named nor anyone trusts.
        DiaboloError: when they are not there any more.
    """
    name = record["name"]
    if not is_known(name):
        trust.check([str(home_of(name)).partition(":")[0]], folder)
    return _load(find(name, folder), name, {option: value for option, value in record.items() if option != "name"})


def is_known(name: Any) -> bool:
    """Whether loading the data set of that name runs no code but Diabolo's, that of a package which is trusted, or what this
    program has named itself."""
    home = home_of(name)
    return home is None or name in _named or trust.is_trusted(home.partition(":")[0])


def _load(source: Source, name: Any, given: Mapping[str, Any]) -> Parts:
    options = source.options(given)
    train, test, validation = source.parts(options, given)
    train, test = draw_from(train.called(split="train"), test.called(split="test"), options.draw)
    validation = validation and validation.called(split="validation")
    for part in (test, validation):
        if part is not None and train.shape != part.shape:
            raise DiaboloError(
                f"the parts of {train.name} differ: train holds {train.shape}, {part.split} {part.shape}"
            )
    _say(train)
    if options.drop_leaks:
        train = without_leaks(train, test)
        validation = validation and without_leaks(validation, test)
    if options.without_class is not None:
        train = leave_out(train, options.without_class)
        validation = validation and leave_out(validation, options.without_class, missing_ok=True)
    if options.n_labels is not None:
        train = train.keep_labels(options.n_labels, options.label_seed)
    if not isinstance(name, str | os.PathLike):
        return Parts(train, test, validation)
    origin: dict[str, Any] = {"load": _record(source, name, options)}
    told = train.account and train.account.span
    if told not in (None, (0.0, 255.0)) or train.span is not None:
        origin["span"] = list(train.span or told or ())
    elif told is None and train.black_and_white is None:
        origin["span"] = scale.OWN
    if train.feature_names is not None:
        origin["features"] = list(train.feature_names)
    return Parts(
        replace(train, origin=origin | {"part": "train"}),
        replace(test, origin=origin | {"part": "test"}),
        validation and replace(validation, origin=origin | {"part": "validation"}),
    )


def _say(images: Images) -> None:
    """Tell what was loaded."""
    if images.account is not None:
        level = logging.WARNING if images.account.surprises else NOTICE
        log.log(level, "%s", vocabulary.of(images.shape, images.name)(images.account.line()), extra={"account": True})


def _record(source: Source, name: Any, options: DataOptions) -> dict[str, Any]:
    """How images were loaded, JSON-able, for `load_recorded`: with the seed, what was asked for, and whole paths."""
    told = {"data_seed": options.data_seed} | options.asked()
    for place in ("root", "labels"):
        if place in told:
            told[place] = os.path.abspath(told[place])
    if not isinstance(options.range, str):
        told["range"] = list(options.range)
    for several in ("without_column", "columns_types"):
        if isinstance(words := getattr(options, several), tuple) and words:
            told[several] = list(words)
    return {"name": os.path.abspath(source.subject) if isinstance(source.subject, Path) else str(name), **told}
