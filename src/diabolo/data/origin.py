"""How images came to be, as JSON-able data, so that those of a run are found again: the same ones, and no others."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from diabolo.data.finding import check_root, takes_root
from diabolo.data.images import Images
from diabolo.data.loading import load_parts, load_recorded
from diabolo.data.options import FORMERLY
from diabolo.data.portable_random import permutation
from diabolo.data.splits import Parts
from diabolo.errors import DiaboloError


@dataclass(frozen=True)
class Record:
    """What a run folder says of images.

    Attributes:
        name, split: what they are called.
        images: how many.
        shape: of each.
        fingerprint: of all of them, by which they are known again.
        origin: as in `Images`; None where they were given as arrays.
        label_names: as in `Images`; None where they have none.
    """

    name: str
    split: str
    images: int
    shape: tuple[int, ...]
    fingerprint: str
    origin: dict[str, Any] | None = None
    label_names: tuple[str, ...] | None = None

    @classmethod
    def of(cls, images: Images) -> "Record":
        """That of `images`."""
        return cls(
            images.name, images.split, len(images), images.shape, images.fingerprint, images.origin, images.label_names
        )

    @classmethod
    def parse(cls, told: Any, place: str) -> "Record":
        """What `as_dict` gave, read from JSON; what else stands there is left out.

        Raises:
            ValueError: which says what at `place` is wrong.
        """
        words = isinstance(told, dict) and all(
            isinstance(told.get(word), str) for word in ("name", "split", "fingerprint")
        )
        shape = told.get("shape") if words else None
        numbers = isinstance(shape, list) and all(type(side) is int for side in shape)
        if not (words and numbers and type(told.get("images")) is int):
            raise ValueError(f"{place!r} does not say which images they are")
        origin, names = told.get("origin"), told.get("label_names")
        for name, value, kind in (
            ("origin", origin, dict),
            ("origin.load", origin.get("load") if isinstance(origin, dict) else None, dict),
            ("label_names", names, list),
        ):
            if not isinstance(value, kind | None):
                raise ValueError(f"{f'{place}.{name}'!r} is not a {kind.__name__}")
        if origin is not None and "load" in origin:
            load = {FORMERLY.get(option, option): value for option, value in (origin["load"] or {}).items()}
            origin = origin | {"load": {option: value for option, value in load.items() if value is not None}}
        shown = None if names is None else tuple(map(str, names))
        return cls(told["name"], told["split"], told["images"], tuple(shape or ()), told["fingerprint"], origin, shown)

    def as_dict(self) -> dict[str, Any]:
        """All of it, JSON-able."""
        found = asdict(self)
        names = found["label_names"]
        return found | {"shape": list(self.shape), "label_names": None if names is None else list(names)}

    @property
    def load(self) -> dict[str, Any]:
        """The arguments with which `data.load` gave them; none where they were given as arrays."""
        return (self.origin or {}).get("load") or {}


BY = "by --data (from Python: data= or moved=)"
BY_LABELS = "by --labels (from Python: labels= or moved=)"


def hold_out(train: Images, fraction: float, seed: int = 42) -> tuple[Images, Images]:
    """Split training images into those to train on and a seeded share of `fraction` to validate with.

    Raises:
        DiaboloError: when `fraction` is not in (0, 1), or would leave one side empty.
    """
    held = round(fraction * len(train)) if 0 < fraction < 1 else 0
    if not 0 < held < len(train):
        raise DiaboloError(f"cannot hold out a share of {fraction} of {len(train)} training images")
    order = permutation(len(train), seed)
    halves = train.take(np.sort(order[held:])), train.take(np.sort(order[:held]))
    if train.origin is None or "held_out" in train.origin:
        return halves[0], replace(halves[1], split="validation")
    parts = ("kept", "held out")
    origins = [train.origin | {"held_out": {"fraction": fraction, "seed": seed, "part": part}} for part in parts]
    return replace(halves[0], origin=origins[0]), replace(halves[1], split="validation", origin=origins[1])


def of_run(path: Path, about: Record, moved: Mapping[str, str] | None = None) -> tuple[Images, Images]:
    """The training images of the run in the folder `path`, and the test images of the same data set.

    A run folder may be a stranger's: what it says of where its images lie is believed only when the training images found
    there are those it was trained on, so that no other pictures of this machine get into figures and reports.

    Args:
        path: the run folder, for messages.
        about: what it says of its training images; `origin` must not be None.
        moved: where the images lie now, if they were moved: `name` (of a data set, a folder or a file), `root` or `labels`,
            as `diabolo.data.load` takes them.

    Raises:
        DiaboloError: when they are not there any more or are others, or `about` was edited to nonsense.
    """
    origin = elsewhere(about.origin, moved or {})
    try:
        parts = _load(origin, path, moved or {})
        train = _part(parts, origin)
    except (KeyError, TypeError, ValueError) as error:
        raise _nonsense(origin, error) from error
    check_same(path, about, train)
    return train, parts.test


def again(path: Path, about: Record, moved: Mapping[str, str] | None = None) -> Images:
    """The images of which the run in the folder `path` says `about`, loaded again; `moved` as in `of_run`.

    Raises:
        DiaboloError: when they were given as arrays, are not there any more, or are others.
    """
    if about.origin is None:
        raise DiaboloError(f"the images of {path} were given as arrays, which it does not hold: give them from Python")
    images = reload(about.origin, path, moved)
    check_same(path, about, images)
    return images


def check_same(path: Path, about: Record, images: Images) -> None:
    """Refuse images that are not those of which the run in the folder `path` says `about`.

    Raises:
        DiaboloError: when their fingerprint is another.
    """
    if images.fingerprint != about.fingerprint:
        raise DiaboloError(
            f"the images of {images.name} ({images.split}) are not those that {path} was trained with (another fingerprint): "
            f"bring those back, or say where they lie now {BY}"
        )


def check_columns(about: Record, *parts: Images) -> None:
    """Refuse rows of other columns, or of the same in another order, than those of which a run says `about`: a number under
    another name is another number. Images without names of columns pass.

    Raises:
        DiaboloError: which names the first column that differs.
    """
    features = (about.origin or {}).get("features")
    for images in parts:
        names = images.feature_names
        if not isinstance(features, list) or names is None or list(names) == features:
            continue
        pairs = zip_longest(names, features, fillvalue="none")
        place, (name, wanted) = next((i, pair) for i, pair in enumerate(pairs, 1) if pair[0] != pair[1])
        raise DiaboloError(
            f"{images.name} has other columns than the run was trained with, or another order: number {place:,} is {name!r}, "
            f"and was {str(wanted)!r}; give them as they were, as diabolo encode does by itself"
        )


def elsewhere(origin: Any, moved: Mapping[str, str]) -> Any:
    """The `origin` of images that lie elsewhere now: `moved` as for `of_run`.

    Raises:
        DiaboloError: for a `root` in which they do not lie.
    """
    load = origin.get("load") if isinstance(origin, dict) else None
    if not moved or not isinstance(load, dict):
        return origin
    name = moved.get("name", load.get("name"))
    check_root(name, moved.get("root"))
    kept = load if takes_root(name) else {option: value for option, value in load.items() if option != "root"}
    return {**origin, "load": {**kept, **moved}}


def reload(origin: Any, path: Path | None = None, moved: Mapping[str, str] | None = None) -> Images:
    """The images of that `Images.origin`, whatever lies there now, of which the run in the folder `path` (if any) speaks.
    `moved` as for `of_run`.

    Raises:
        DiaboloError: when they are not there any more, or `origin` was edited to nonsense.
    """
    origin = elsewhere(origin, moved or {})
    try:
        return _part(_load(origin, path, moved or {}), origin)
    except (KeyError, TypeError, ValueError) as error:
        raise _nonsense(origin, error) from error


def _load(origin: Any, path: Path | None, moved: Mapping[str, str]) -> Parts:
    """The data set, with a remedy where its folder or file is gone. What was `moved` is named by the user, all else by the run
    in the folder `path`."""
    load = origin["load"]
    try:
        return load_parts(**load) if "name" in moved else load_recorded(load, path)
    except DiaboloError as error:
        table = load.get("labels")
        if isinstance(table, str) and os.path.isabs(table) and not os.path.exists(table):
            raise DiaboloError(f"{error}: say where the table of labels of this run lies now {BY_LABELS}") from error
        if not os.path.isabs(str(load["name"])) or os.path.exists(load["name"]):
            raise
        raise DiaboloError(f"{error}: say where the images of this run lie now {BY}") from error


def _part(parts: Parts, origin: Any) -> Images:
    images: Images | None = parts._asdict()[origin["part"]]
    if images is None:
        raise DiaboloError(f"{origin['load']['name']} has no {origin['part']} part any more")
    if "held_out" not in origin:
        return images
    split = origin["held_out"]
    halves = hold_out(images, split["fraction"], split["seed"])
    return halves[("kept", "held out").index(split["part"])]


def _nonsense(origin: Any, error: Exception) -> DiaboloError:
    """What is raised for an error met on the way; one that tells the user already is left as it is."""
    if isinstance(error, DiaboloError):
        return error
    return DiaboloError(
        f"the run does not say where its images came from: its config.json has {json.dumps(origin)[:200]} there"
    )
