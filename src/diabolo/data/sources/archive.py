"""A .zip of images, laid out as a folder would be. Its members are read in memory; nothing is extracted."""

from pathlib import Path

from diabolo.data.files import zip_files
from diabolo.data.images import Images
from diabolo.data.pixels import Shaping
from diabolo.data.sources.folder import from_files
from diabolo.data.splits import Draw


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
    """Train and test `Images` `(C, H, W)`; options as for a folder."""
    files = zip_files(path)
    with files.archive:
        return from_files(files, path, draw, Shaping(size, crop, channels), skip_bad, test_fraction)
