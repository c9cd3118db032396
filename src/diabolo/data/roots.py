"""Where data sets lie: the given root, else `DIABOLO_DATA`, else `~/.cache/diabolo`."""

import os
from pathlib import Path

from diabolo.paths import as_path, own_temporary

VARIABLE = "DIABOLO_DATA"


def default_cache() -> Path:
    """`~/.cache/diabolo`; for a user who has no home folder, one of theirs in the folder for temporary files."""
    try:
        return Path.home() / ".cache" / "diabolo"
    except RuntimeError:  # a user without an entry and without HOME, as in some containers
        return own_temporary("diabolo")


def find_root(root: str | os.PathLike[str] | None = None) -> Path:
    """The folder that holds the data sets; it need not exist yet."""
    given = root if root is not None else os.environ.get(VARIABLE) or default_cache()
    return as_path(given)
