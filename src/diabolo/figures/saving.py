"""Figures to disk, whole or not at all."""

import io
import os
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.text import Text

from diabolo import disk
from diabolo.errors import DiaboloError
from diabolo.paths import as_path

from .glyphs import FONT, legible
from .style import DPI, style

# No dates and no versions: the same figure gives the same bytes.
_METADATA: dict[str, dict[str, None]] = {".png": {"Software": None}, ".pdf": {"CreationDate": None, "Producer": None}}


def save(figure: Figure, path: str | os.PathLike[str], pdf: bool = False) -> Path:
    """Write `figure` to `path` (`.png` at 150 dpi, or `.pdf` as vectors), and return that path.

    With `pdf=True` the vector PDF is written beside the PNG. Missing folders are made. A reader sees the old file or
    the new one, never half of one.

    Example:
        >>> figure = diabolo.figures.loss_curves(run.history)
        >>> diabolo.figures.save(figure, "curves.png").exists()
        True
    """
    path = as_path(path)
    if path.suffix.lower() not in _METADATA:
        raise DiaboloError(f"a figure is saved as .png or .pdf, and {path.name!r} ends in neither")
    disk.make_folder(path.parent)
    for target in [path, path.with_suffix(".pdf")] if pdf and path.suffix.lower() == ".png" else [path]:
        _write(figure, target)
    return path


def _write(figure: Figure, path: Path) -> None:
    kind, content = path.suffix.lower(), io.BytesIO()
    # In a PDF the resolution only touches what is rasterised (the cloud of points), so it can be finer.
    dpi = DPI if kind == ".png" else 2 * DPI
    fonts = dict.fromkeys([FONT])
    for words in figure.findobj(Text):
        assert isinstance(words, Text)
        if (shown := legible(words.get_text())) != words.get_text():
            words.set_text(shown)
        fonts.update(dict.fromkeys(words.get_fontfamily()))
    with style(list(fonts)):
        figure.savefig(content, format=kind[1:], dpi=dpi, metadata=_METADATA[kind])
    disk.write(path, content.getvalue())
