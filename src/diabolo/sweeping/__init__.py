"""Many trainings of one recipe, whose options are searched on one machine or many (Optuna).

space.py, aims.py     what is searched, and what for
storage.py            where Optuna keeps it: a journal on a shared folder, or a database
joining.py, worker.py a sweep begun, joined, gone on with; who trains which trial
record.py             what lies in its folder, read without Optuna
lines.py, importance.py   the line that trains a trial again; which options mattered
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from diabolo.errors import DiaboloError
from diabolo.sweeping.record import Sweep, Trial, is_sweep

__all__ = ["Sweep", "Trial", "is_sweep", "sweep"]


def sweep(
    recipe: str,
    train: Any,
    validation: Any = None,
    *,
    search: Iterable[str] | Mapping[str, Any],
    minimise: str | Sequence[str] = (),
    maximise: str | Sequence[str] = (),
    trials: int = 20,
    seeds: int = 1,
    prune: str | None = None,
    sampler: str = "tpe",
    storage: str | None = None,
    out: str | os.PathLike[str] = "sweep",
    quiet: bool = False,
    **options: Any,
) -> Sweep:
    """Search the options of a recipe and its training. The same call, in any number of processes on any machines that share the
    folder `out`, adds a worker; after a kill it goes on, and takes over the trials of workers that died.

    Args:
        recipe: the name of a recipe, or package.module:recipe.
        train, validation: the images, as for `fit`. What is aimed at is measured on `validation`: never give test images that a
            result will be reported on.
        search: by option a range ("log:1e-4..1e-2", "0.1..1") or its values ((8, 16, 32), or "8,16,32"); or a list of such as
            "lr=log:1e-4..1e-2".
        minimise, maximise: what to aim at: "validation/total", any term of the loss, "probes/linear probe: codes", any score of
            `evaluate`; or rate, distortion, probe, fid. Of several the front is found (Pareto).
        trials: how many settings, of all workers together. Raise it to search on.
        seeds: with how many seeds each is trained, from `seed` on; an aim is their mean.
        prune: median, hyperband or none: end a trial early that is worse than others at the same epoch, by its first seed. By
            the median when left out, where there is one aim that stands in metrics.jsonl.
        sampler: tpe (where earlier trials were good), or random.
        storage: a journal file, or the address of a database, such as sqlite:///sweep.db or postgresql+psycopg://user@host/name;
            OUT/journal.log when left out.
        out: the folder of the sweep, which all workers see.
        quiet: print nothing.
        **options: those that all trials share, of the recipe or its training, as for `fit`.

    Raises:
        UnknownNameError: for an option, an aim, a sampler or a rule that does not exist.
        DiaboloError: for an empty range, the logarithm of zero, values that the recipe refuses, a folder or storage with
            another sweep; and without the extra `sweep`.

    Example:
        >>> space = {"latent_dim": (2, 4), "lr": "log:1e-4..1e-2"}
        >>> found = diabolo.sweep("undercomplete", train, test, search=space, minimise="validation/total", trials=3,
        ...     hidden=(16,), epochs=1, out="tried", quiet=True)
        >>> len(found.trials), sorted(found.best.options)
        (3, ['latent_dim', 'lr'])
    """
    try:
        from diabolo.sweeping.joining import run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("optuna", "sqlalchemy"):
            raise
        raise DiaboloError("a sweep needs Optuna, which is not installed: pip install 'diabolo[sweep]'") from error
    return run(
        recipe,
        train,
        validation,
        search=search,
        minimise=minimise,
        maximise=maximise,
        trials=trials,
        seeds=seeds,
        prune=prune,
        sampler=sampler,
        storage=storage,
        out=out,
        quiet=quiet,
        **options,
    )
