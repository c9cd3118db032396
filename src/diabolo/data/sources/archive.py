"""A .zip of images, laid out as a folder would be. Its members are read in memory; nothing is extracted."""

from pathlib import Path
from typing import Any

from diabolo.data import scale
from diabolo.data.files import zip_files
from diabolo.data.pixels import Shaping
from diabolo.data.sources.folder import from_files
from diabolo.data.splits import Draw, Parts


def load(
    path: Path,
    draw: Draw,
    *,
    size: int | None = None,
    channels: int | None = None,
    crop: int | None = None,
    skip_bad: bool = False,
    test_fraction: float = 0.1,
    value_range: Any = scale.AUTO,
) -> Parts:
    """The parts of an archive as `Images` `(C, H, W)`; options as for a folder."""
    files = zip_files(path, skip_bad)
    with files.archive:
        return from_files(files, path, draw, Shaping(size, crop, channels), skip_bad, test_fraction, value_range)
