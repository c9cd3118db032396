"""A folder or a .zip of images: flat, or with one sub-folder for each class, or with train/ and test/ above those."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from diabolo.data.cache import decoded
from diabolo.data.files import Files, disk_files
from diabolo.data.images import Images
from diabolo.data.pixels import Shaping
from diabolo.data.splits import Draw, draw_from, random_split
from diabolo.errors import DiaboloError

PARTS = ("train", "test")


def load(
    path: Path,
    draw: Draw,
    *,
    size: int | None = None,
    channels: int | None = None,
    crop: int | None = None,
    skip_bad: bool = False,
    test_fraction: float = 0.1,
) -> tuple[Images, Images]:
    """Train and test `Images` `(C, H, W)` of a folder.

    size, crop, channels  see `Shaping`. Without `size` or `crop` all images must be equal in size; without `channels`
                          they are grey if all files are
    skip_bad              leave damaged files out, with a warning that names them
    test_fraction         of the seeded split, where the folder has no train/ and test/ of its own
    """
    return from_files(disk_files(path), path, draw, Shaping(size, crop, channels), skip_bad, test_fraction)


def from_files(
    files: Files, path: Path, draw: Draw, shaping: Shaping, skip_bad: bool, test_fraction: float
) -> tuple[Images, Images]:
    """The same for files from anywhere; `path` gives the name, and the place of the decoded copy."""
    pixels, skipped = decoded(files, shaping, path, skip_bad)
    gone = set(skipped)
    parts, classes = _places([name for index, name in enumerate(files.names) if index not in gone], path)
    names = tuple(sorted(set(classes)))
    labelled = names != ("",)
    numbers = {name: number for number, name in enumerate(names)}
    images = Images(
        pixels,
        labels=np.array([numbers[name] for name in classes], np.int64) if labelled else None,
        label_names=names if labelled else None,
        name=path.stem or "folder",
    )
    if parts is None:
        return random_split(images, draw, test_fraction)
    where = np.array(parts)
    train, test = (replace(images.take(where == part), split=part) for part in PARTS)
    return draw_from(train, test, draw)


def _places(names: list[str], path: Path) -> tuple[list[str] | None, list[str]]:
    """The part of each image ("train" or "test"; None where there are no such folders) and its class ("": none)."""
    folders = [name.split("/")[:-1] for name in names]
    while all(folders) and len({folder[0] for folder in folders}) == 1:
        folders = [folder[1:] for folder in folders]  # one folder around everything, as archives often have
    tops = {folder[0] if folder else "" for folder in folders}
    parts = None
    if tops == set(PARTS):
        parts = [folder[0] for folder in folders]
        folders = [folder[1:] for folder in folders]
    loose = sum(not folder for folder in folders)
    if 0 < loose < len(folders):
        raise DiaboloError(
            f"{path} holds {loose:,} images beside folders with {len(folders) - loose:,} more; "
            "put every image into a class folder, or none."
        )
    return parts, ["/".join(folder) for folder in folders]
