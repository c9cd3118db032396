"""Figures to disk, whole or not at all."""

import os
import uuid
from pathlib import Path

from matplotlib.figure import Figure

from diabolo.errors import DiaboloError

from .style import DPI, style

# No dates and no versions: the same figure gives the same bytes.
_METADATA: dict[str, dict[str, None]] = {".png": {"Software": None}, ".pdf": {"CreationDate": None, "Producer": None}}


def save(figure: Figure, path: str | os.PathLike[str], pdf: bool = False) -> Path:
    """Write `figure` to `path` (`.png` at 150 dpi, or `.pdf` as vectors), and return that path.

    With `pdf=True` the vector PDF is written beside the PNG. Missing folders are made. A reader sees the old file or
    the new one, never half of one.
    """
    path = Path(path)
    if path.suffix.lower() not in _METADATA:
        raise DiaboloError(f"a figure is saved as .png or .pdf, and {path.name!r} ends in neither.")
    path.parent.mkdir(parents=True, exist_ok=True)
    for target in [path, path.with_suffix(".pdf")] if pdf and path.suffix.lower() == ".png" else [path]:
        _write(figure, target)
    return path


@style()
def _write(figure: Figure, path: Path) -> None:
    kind = path.suffix.lower()
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with open(temporary, "xb") as file:
            # In a PDF the resolution only touches what is rasterised (the cloud of points), so it can be finer.
            dpi = DPI if kind == ".png" else 2 * DPI
            figure.savefig(file, format=kind[1:], dpi=dpi, metadata=_METADATA[kind])
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise DiaboloError(f"{path} could not be written: {error.strerror}.") from error
    finally:
        temporary.unlink(missing_ok=True)
