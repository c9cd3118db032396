"""Paths as users write them: one place where `~` becomes the home folder; and a folder for a user who has no home."""

import os
import stat
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from diabolo.errors import DiaboloError


def as_path(path: str | os.PathLike[str]) -> Path:
    """`path` with `~` and `~user` at its start expanded, wherever it comes from: command line, YAML, Python or environment.

    Raises:
        DiaboloError: for an empty one, one that holds a null character, or `~` where there is no home folder.
    """
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str) or not text:
        raise DiaboloError(f"a path is wanted, not {path!r}")
    if "\0" in text:
        raise DiaboloError(f"a path holds no null character, and {text!r} does")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise DiaboloError(
            f"~ in {text!r} cannot be expanded, as there is no such home folder; write it in full"
        ) from error


@cache
def own_temporary(name: str) -> Path:
    """A folder `name-UID` in the folder for temporary files that this user alone can write to; made if it is not there.

    Others of the machine can write beside it and know its name: one that is theirs, a link or open to others is not taken, but
    a new one with a name that nobody can know.
    """
    if not hasattr(os, "getuid"):  # on Windows the folder for temporary files is the user's own
        return Path(tempfile.gettempdir()) / name
    path = Path(tempfile.gettempdir()) / f"{name}-{os.getuid()}"
    with suppress(OSError):
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022:
            return path
    return Path(tempfile.mkdtemp(prefix=f"{name}-"))
