"""Paths as users write them: one place where `~` becomes the home folder, one where a path gets into a line to be typed."""

import os
import shlex
from pathlib import Path

from diabolo.errors import DiaboloError


def as_path(path: str | os.PathLike[str]) -> Path:
    """`path` with `~` and `~user` at its start expanded, wherever it comes from: command line, YAML, Python or environment.

    Raises:
        DiaboloError: for an empty one, one that holds a null character, or `~` where there is no home folder.
    """
    text = os.fspath(path)
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


def shell_line(verb: str, *words: object) -> str:
    """The line `diabolo VERB WORDS` as a shell takes it: a path with spaces, or with what a shell acts on, is quoted."""
    return shlex.join(["diabolo", verb, *map(str, words)])
