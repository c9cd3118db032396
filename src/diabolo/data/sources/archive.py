"""A .zip of images, laid out as a folder would be. Its members are read in memory; nothing is extracted."""

from pathlib import Path
from typing import Any, Literal

from diabolo.data import scale
from diabolo.data.files import zip_files
from diabolo.data.pixels import Shaping
from diabolo.data.sources.folder import from_files
from diabolo.data.splits import Draw, Parts
from diabolo.ranges import PartOf, Side


def load(
    path: Path,
    draw: Draw,
    *,
    size: Side | None = None,
    channels: Literal[1, 3] | None = None,
    crop: Side | None = None,
    skip_bad: bool = False,
    test_fraction: PartOf = 0.1,
    value_range: Any = scale.AUTO,
) -> Parts:
    """The parts of an archive as `Images` `(C, H, W)`; options as for a folder."""
    files = zip_files(path, skip_bad)
    with files.archive:
        return from_files(files, path, draw, Shaping(size, crop, channels), skip_bad, test_fraction, value_range)
