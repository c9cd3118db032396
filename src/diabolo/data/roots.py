"""Where data sets lie: the given root, else `DIABOLO_DATA`, else `~/.cache/diabolo`."""

import os
from pathlib import Path

VARIABLE = "DIABOLO_DATA"


def default_cache() -> Path:
    """`~/.cache/diabolo`."""
    return Path.home() / ".cache" / "diabolo"


def find_root(root: str | os.PathLike[str] | None = None) -> Path:
    """The folder that holds the data sets; it need not exist yet."""
    given = root if root is not None else os.environ.get(VARIABLE) or default_cache()
    return Path(given).expanduser()
