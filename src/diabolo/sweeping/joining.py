"""Check what is searched, join the sweep in the folder or begin it, and work."""

import json
import os
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import optuna

from diabolo import distributed, parts, zoo
from diabolo.data import Images
from diabolo.data.arrays import as_images
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.hardware import choose_device
from diabolo.paths import as_path
from diabolo.ranges import Count, check
from diabolo.runs import files, lock
from diabolo.schedules import Schedule
from diabolo.surroundings import undisturbed
from diabolo.sweeping import storage as storages
from diabolo.sweeping.aims import Aim, aims_of
from diabolo.sweeping.record import FILE, FORMAT, TRIALS, Definition, Sweep, is_sweep
from diabolo.sweeping.space import BESIDE, Space, hints_of, kinds, recorded, spaces
from diabolo.sweeping.storage import PATIENCE
from diabolo.sweeping.worker import PRUNERS, SAMPLERS, Worker
from diabolo.terminal import say as aloud
from diabolo.training.naming import built
from diabolo.training.options import TrainOptions
from diabolo.training.preflight import check as ready
from diabolo.version import __version__
from diabolo.zoo.recipe import called


@undisturbed()
def run(
    recipe: str,
    train: Any,
    validation: Any,
    *,
    search: Iterable[str] | Mapping[str, Any],
    minimise: str | Sequence[str],
    maximise: str | Sequence[str],
    trials: Count,
    seeds: Count,
    prune: str | None,
    sampler: str,
    storage: str | None,
    out: str | os.PathLike[str],
    quiet: bool,
    **options: Any,
) -> Sweep:
    """`diabolo.sweep`, which says what it takes."""
    trials, seeds = check("trials", trials, Count), check("seeds", seeds, Count)
    for what, name, valid in (("sampler", sampler, SAMPLERS), ("prune", prune, PRUNERS)):
        if name is not None and name not in valid:
            raise UnknownNameError(what, name, valid)
    images, held = as_images(train), None if validation is None else as_images(validation)
    aims, name = aims_of(_several(minimise), _several(maximise)), called(recipe)
    path = zoo.path_of(name)
    if refused := [option for option in ("out", "name", "quiet") if option in options]:
        raise DiaboloError(f"{refused[0]} is not an option of the trials of a sweep: leave it out")
    searched = spaces(path, search, options)
    chosen = _tried(path, images, held, searched, aims, options)
    say: Callable[[str], None] = (lambda text: None) if quiet else aloud
    definition = _plain(
        Definition(
            path,
            {option: recorded(space) for option, space in searched.items()},
            [(aim.name, "minimise" if aim.lower else "maximise") for aim in aims],
            {
                option: parts.describe(_word(value))
                for option, value in options.items()
                if option not in (*BESIDE, "seed")
            },
            chosen.seed,
            seeds,
            sampler,
            _pruner(prune, aims),
            {"train": images.fingerprint, "validation": None if held is None else held.fingerprint},
            distributed.launched(),
        )
    )
    folder = as_path(out)
    with ExitStack() as stack:
        stack.enter_context(storages.quiet())
        stack.enter_context(distributed.joined(choose_device(chosen.device)))
        said = say if distributed.rank() == 0 else lambda text: None
        for warning in _misleading(path, searched, aims):
            said(f"warning: {warning}")
        found: list[optuna.Study] = []
        distributed.of_first(lambda: found.append(_joined(folder, definition, storage, stack)))
        study = found[0] if found else None
        Worker(folder, definition, searched, aims, study, trials, images, held, options, said).run()
        distributed.wait()
    return Sweep.read(folder)


def _several(names: str | Sequence[str]) -> Sequence[str]:
    return (names,) if isinstance(names, str) else names


def _word(value: Any) -> Any:
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _plain(definition: Definition) -> Definition:
    """As it is read again from JSON."""
    return Definition(**json.loads(json.dumps(asdict(definition))))


def _pruner(asked: str | None, aims: Sequence[Aim]) -> str:
    """How trials are pruned: by the median when left out, where that can be."""
    able = len(aims) == 1 and aims[0].of_loss
    if asked not in (None, "none") and not able:
        why = "there are several aims" if len(aims) > 1 else f"{aims[0].name} is measured when a training has ended"
        raise DiaboloError(f"trials cannot be pruned by {asked}, since {why}: take --prune none")
    return asked or ("median" if able else "none")


def _tried(
    recipe: str,
    train: Images,
    validation: Images | None,
    searched: Mapping[str, Space],
    aims: Sequence[Aim],
    options: Mapping[str, Any],
) -> TrainOptions:
    """Refuse now what a trial would be refused for: each end of a range and each value is tried with the model and its
    training, the other options at the first of theirs. Returns the training options of the first."""
    first = {name: space.ends[0] for name, space in searched.items()}
    model, chosen = built(recipe, train, {**options, **first})
    for aim in aims:
        aim.check(["total", *model.units, *getattr(model, "logged", ())], validation)
    ready(model, train, validation, chosen)
    for name, space in searched.items():
        for value in space.ends[1:]:
            try:
                other, its = built(recipe, train, {**options, **first, name: value})
                ready(other, train, validation, its)
            except DiaboloError as error:
                raise DiaboloError(f"{name}={space} cannot be searched: {error}") from error
    return chosen


def _misleading(recipe: str, searched: Mapping[str, Space], aims: Sequence[Aim]) -> list[str]:
    """Aims that a searched weight changes by itself."""
    hints = hints_of(recipe)
    weights = [name for name in searched if Schedule in set(kinds(hints[name]))]
    if not weights or not any(aim.of_loss and aim.term == "total" for aim in aims):
        return []
    return [
        f"{weights[0]} weighs a term of the loss, so the total of one trial is not that of another, and a small weight wins by "
        "itself; aim at terms, such as --minimise rate distortion"
    ]


def _joined(folder: Path, definition: Definition, address: str | None, stack: ExitStack) -> optuna.Study:
    """The study of the sweep in `folder`, which is begun where there is none.

    Raises:
        DiaboloError: where another sweep lies there, or in the storage.
    """
    files.make_folder(folder)
    told = storages.shown(folder, address)
    with lock.held(folder, "sweep", PATIENCE):
        if is_sweep(folder):
            found = Sweep.read(folder)
            if differs := found.definition.differs(definition):
                raise DiaboloError(
                    f"{folder} holds another sweep: {differs}; go on with that one's line, or name another --out"
                )
            if found.about.get("storage") != told:
                raise DiaboloError(
                    f"the sweep in {folder} is kept in {found.about.get('storage')}, not in {told}: name that by --storage"
                )
            name = str(found.about.get("study"))
        else:
            _check_free(folder, address)
            name = f"{definition.recipe}-{secrets.token_hex(6)}"
            versions = {"diabolo": __version__, "optuna": optuna.__version__}
            about = {
                "format": FORMAT,
                "study": name,
                "storage": told,
                "definition": asdict(definition),
                "versions": versions,
            }
        opened = stack.enter_context(storages.opened(folder, address))
        if not is_sweep(folder):  # only now: a storage that cannot be used is not the one that it is kept in
            files.write_json(folder / FILE, about)
        begun = any((folder / TRIALS).glob("*/*"))
        directions: list[storages.Direction] = [
            "minimize" if way == "minimise" else "maximize" for _, way in definition.aims
        ]
        study = storages.study_of(opened, name, directions, begun, told)
    study.pruner = PRUNERS[definition.prune]()
    return study


def _check_free(folder: Path, address: str | None) -> None:
    """Refuse a folder in which something else lies, and a journal that is in use."""
    if (folder / "config.json").is_file():
        raise DiaboloError(f"{folder} is a run folder: name another --out for the sweep")
    journal = storages.journal_of(folder, address)
    if journal is not None and journal.is_file() and journal.stat().st_size:
        raise DiaboloError(
            f"{journal} is there already, and is not of this sweep: name another --out, or another journal by --storage"
        )
