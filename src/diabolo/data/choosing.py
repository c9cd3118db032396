"""How the images of files are kept: decoded, or as the bytes of their files. It follows from their sizes."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np

from diabolo.data.depth import BadImageError
from diabolo.data.files import Files
from diabolo.data.pixels import Shaping, read_pages
from diabolo.data.room import host_memory

How = Literal["decoded", "encoded"]
HOWS: tuple[How, ...] = ("decoded", "encoded")  # where both are there, the first is taken: it is faster
LOOKED_AT = 16  # files that the sizes of all are estimated from


def chosen(files: Files, shaping: Shaping, homes: Iterable[Path]) -> tuple[How, str]:
    """How the images of `files` are to be kept in one of the folders `homes`, and why: decoded where that fits into free memory
    and on the disk, or where their files are no smaller; else encoded."""
    encoded, decoded = sizes(files, shaping)
    memory, disk = host_memory(), max(map(_free, homes))
    if decoded <= memory and decoded <= disk:
        return "decoded", f"which fit into the {words(memory)} of free memory"
    lacks = f"{words(memory)} of free memory" if decoded > memory else f"{words(disk)} of free disk"
    if encoded >= decoded:
        return "decoded", f"since their files are no smaller, though there are {lacks}"
    return "encoded", f"since about {words(decoded)} of decoded images do not fit into the {lacks}"


def sizes(files: Files, shaping: Shaping) -> tuple[int, int]:
    """About how many bytes all the files take, and their images once decoded, by a few files of them."""
    encoded, decoded, good = 0, 0, 0
    for index in np.unique(np.linspace(0, len(files.names) - 1, LOOKED_AT).astype(int)).tolist():
        try:
            data = files.read(index)
            pages = read_pages(data, files.where(index), shaping)[0]
        except BadImageError:  # which is for whoever reads all of them to tell
            continue
        encoded, decoded, good = encoded + len(data), decoded + sum(page.nbytes for page in pages), good + 1
    return (len(files.names) * encoded // max(1, good), len(files.names) * decoded // max(1, good))


def words(size: int) -> str:
    """Bytes as they are read: "12.3 MB", "1.2 GB"."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"


def _free(home: Path) -> int:
    """Bytes that are free where `home` is, or will be."""
    there = next((folder for folder in (home, *home.parents) if folder.is_dir()), None)
    try:
        return 0 if there is None else shutil.disk_usage(there).free
    except OSError:
        return 0
