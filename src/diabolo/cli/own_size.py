"""Reconstructions of image files in their own sizes, by a model that takes any size."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from diabolo import sizes
from diabolo.cli.images import Given, finite, names_within, pixels_for, trained_span, write_images
from diabolo.data.files import disk_files, extensions
from diabolo.errors import DiaboloError
from diabolo.plain import count
from diabolo.runs.config import Config
from diabolo.terminal import say


def are_files(paths: Sequence[Path]) -> bool:
    """Whether these are image files, or one folder."""
    return (len(paths) == 1 and paths[0].is_dir()) or all(
        path.is_file() and path.suffix.lower() in extensions() for path in paths
    )


def reconstruct_each(run: Path, model: Any, paths: Sequence[Path], out: Path, skip_bad: bool) -> int:
    """Write the reconstruction of each file into the folder `out`, one after the other; how many there were.

    Raises:
        DiaboloError: for a file that cannot be read, unless `skip_bad`, and for names that would be written twice.
    """
    folder = paths[0] if paths[0].is_dir() else None
    names = [str(path) for path in paths] if folder is None else disk_files(folder, skip_bad=skip_bad).names
    targets = names_within(out, paths, Given((), tuple(names), files=True))
    span, n = trained_span(Config.read(run)), 0
    for name, target in zip(names, targets, strict=True):
        source = Path(name) if folder is None else folder / name
        try:
            pixels, pages = pixels_for(model, [source], None, None, False, span)
        except DiaboloError as error:
            if not skip_bad:
                raise
            say(f"left out: {error}", error=True)
            continue
        numbers = [page.rpartition("#")[2] for page in pages] if len(pages) > 1 else []
        written = [f"{target.removesuffix('.png')}#{number}.png" for number in numbers] or [target]
        images = finite(sizes.reconstruct(model, torch.from_numpy(pixels)).cpu().numpy())
        write_images(out, len(images), [images], written, model.scaling)
        n += len(images)
    if not n:
        raise DiaboloError(f"none of {count(len(names), 'image')} can be read; the first is {names[0]}")
    return n
