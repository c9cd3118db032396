"""Figures to disk, whole or not at all."""

import os
from pathlib import Path

from matplotlib.figure import Figure

from diabolo import disk
from diabolo.errors import DiaboloError
from diabolo.paths import as_path
from diabolo.vocabulary import Words

from .layout import in_words
from .style import METADATA, rendered


def save(figure: Figure, path: str | os.PathLike[str], pdf: bool = False, words: Words = str) -> Path:
    """Write `figure` to `path` (`.png` at 150 dpi, or `.pdf` as vectors), and return that path.

    With `pdf=True` the vector PDF is written beside the PNG. Missing folders are made. A reader sees the old file or
    the new one, never half of one. The titles of the figure and of its axes are said in `words` (`diabolo.vocabulary`).

    Example:
        >>> figure = diabolo.figures.loss_curves(run.history)
        >>> diabolo.figures.save(figure, "curves.png").exists()
        True
    """
    path = as_path(path)
    if path.suffix.lower() not in METADATA:
        raise DiaboloError(f"a figure is saved as .png or .pdf, and {path.name!r} ends in neither")
    disk.make_folder(path.parent)
    in_words(figure, words)
    for target in [path, path.with_suffix(".pdf")] if pdf and path.suffix.lower() == ".png" else [path]:
        disk.write(target, rendered(figure, target.suffix.lower()))
    return path
