"""A document to disk, in every format."""

from collections.abc import Callable
from pathlib import Path

from diabolo import disk
from diabolo.errors import DiaboloError
from diabolo.paths import as_path
from diabolo.reports import html, markdown, pdf
from diabolo.reports.document import Document, Picture

FORMATS: dict[str, Callable[[Document, Path], str | bytes]] = {
    "md": markdown.render,
    "html": html.render,
    "pdf": pdf.render,
}


def write(document: Document, folder: str | Path, name: str = "report") -> list[Path]:
    """Write NAME.md, NAME.html and NAME.pdf into `folder`, each of them whole or not at all; returns their paths.

    Raises:
        DiaboloError: when a picture is missing, typst is not installed, or the folder cannot be written to.
    """
    folder, written = as_path(folder), []
    for block in document.blocks:
        if isinstance(block, Picture) and not block.path.is_file():
            raise DiaboloError(
                f"the picture {block.path} is missing, deleted or moved after it was drawn: draw it again"
            )
    disk.make_folder(folder)
    for ending, render in FORMATS.items():
        content = render(document, folder)
        path = folder / f"{name}.{ending}"
        disk.write(path, content if isinstance(content, bytes) else content.encode())
        written.append(path)
    return written
