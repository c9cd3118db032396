"""Where Optuna keeps a sweep: a journal in a file, or a database by its address."""

import json
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from diabolo import disk
from diabolo.errors import DiaboloError
from diabolo.runs import lock

Direction = Literal["minimize", "maximize"]
JOURNAL = "journal.log"
PATIENCE = 120.0  # seconds; the lock of a sweep is held for milliseconds


class FolderLock(JournalFileSymlinkLock):
    """The lock of the folder of a journal, which dies with the process that holds it (`diabolo.runs.lock`): Optuna's own lies
    there for half a minute after a kill. Who gets it takes away the half of a line that a dead process has left."""

    def __init__(self, journal: Path) -> None:
        super().__init__(str(journal))
        self.journal, self.stacks = journal, list[ExitStack]()

    def acquire(self) -> bool:
        """Wait for it."""
        stack = ExitStack()
        stack.enter_context(lock.held(self.journal.parent, "sweep", PATIENCE))
        self.stacks.append(stack)
        mend(self.journal)
        return True

    def release(self) -> None:
        """Let it go."""
        self.stacks.pop().close()


def mend(journal: Path) -> None:
    """Cut off what follows the last whole line of a journal whose lock is held."""
    with open(journal, "rb+") as file:
        size = file.seek(0, os.SEEK_END)
        if not size:
            return
        file.seek(size - 1)
        if file.read(1) == b"\n":
            return
        file.seek(0)
        content = file.read()
        file.truncate(content.rfind(b"\n") + 1)


def journal_of(out: Path, address: str | None) -> Path | None:
    """The journal that `address` names, that of the folder `out` when it is None; None for the address of a database."""
    if address is None:
        return out / JOURNAL
    return None if "://" in address else Path(os.path.abspath(os.path.expanduser(address)))


def shown(out: Path, address: str | None) -> str:
    """The address without a password, as it may be written down and said."""
    journal = journal_of(out, address)
    if journal is not None:
        return JOURNAL if address is None else str(journal)
    assert address is not None  # a database has one
    with suppress(SQLAlchemyError, ValueError):
        return make_url(address).render_as_string(hide_password=True)
    return address.partition("@")[2] or "the storage"


@contextmanager
def opened(out: Path, address: str | None) -> Iterator[BaseStorage]:
    """The storage at that address. What goes wrong with it within the block is one sentence.

    Raises:
        DiaboloError: for an address that is none, a database that does not answer, or a journal that is none.
    """
    name, journal = shown(out, address), journal_of(out, address)
    storage: BaseStorage | None = None
    if journal is not None and journal.exists() and not journal.is_file():
        raise DiaboloError(f"{journal} is no file: a journal (--storage) is a file, or name the address of a database")
    try:
        if journal is not None:
            disk.make_folder(journal.parent)
            storage = JournalStorage(JournalFileBackend(str(journal), FolderLock(journal)))
        else:
            storage = RDBStorage(address)  # type: ignore[arg-type]  # it is text where there is no journal
        yield storage
    except ImportError as error:  # Optuna wraps that of the database's driver
        module = getattr(error.__cause__ or error, "name", None)
        if storage is not None or not module:
            raise
        raise DiaboloError(f"the storage {name} needs {module}: pip install {module}") from error
    except (json.JSONDecodeError, UnicodeDecodeError, optuna.exceptions.StorageInternalError, SQLAlchemyError) as error:
        raise DiaboloError(f"the storage {name} cannot be used: {_reason(error)}") from error
    except (KeyError, TypeError, AttributeError, AssertionError) as error:
        if storage is None and journal is not None:
            raise DiaboloError(f"{journal} is no journal of a sweep: name another file") from error
        raise
    except ValueError as error:
        if storage is None and not isinstance(error, DiaboloError):
            raise DiaboloError(f"the storage {name} cannot be used: {_reason(error)}") from error
        raise
    finally:
        if isinstance(storage, RDBStorage):
            storage.engine.dispose()


def _reason(error: BaseException) -> str:
    """What the database itself said, in one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    inner = getattr(error, "orig", None) or error
    return " ".join(str(inner).split())[:300] or type(inner).__name__


@contextmanager
def quiet() -> Iterator[None]:
    """Inside the block Optuna says nothing below a warning, and nothing of what it calls experimental."""
    import warnings

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


def study_of(storage: BaseStorage, name: str, directions: list[Direction], begun: bool, told: str) -> optuna.Study:
    """The study of that `name`, made where it is not there yet.

    Args:
        storage: where.
        name: of the study, which `sweep.json` holds.
        directions: of its aims.
        begun: whether trials of it have been made before.
        told: the storage in words.

    Raises:
        DiaboloError: where the storage holds trials of another sweep, and none of this.
    """
    names = optuna.study.get_all_study_names(storage)
    if name not in names and begun:
        other = "holds another sweep" if names else "is empty"
        raise DiaboloError(
            f"the storage {told} {other}, not the one whose trials lie in the folder: name that with --storage"
        )
    return optuna.create_study(storage=storage, study_name=name, directions=directions, load_if_exists=True)


def frozen(study: optuna.Study, number: int) -> Any:
    """The trial of that number as it stands in the storage now."""
    return next(trial for trial in study.get_trials(deepcopy=False) if trial.number == number)


def going_on(study: optuna.Study, trial: Any) -> optuna.Trial:
    """A trial that another process has begun, to go on with: Optuna makes one of its number in the storage."""
    return optuna.Trial(study, trial._trial_id)
