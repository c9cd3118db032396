"""Images in and out, for the verbs that need them."""

import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from diabolo.data import Images, as_images, names, read_images
from diabolo.data.columns import column
from diabolo.data.files import extensions
from diabolo.data.finding import CONVERT, check_root, find, home_of, not_read
from diabolo.data.loading import load_parts
from diabolo.data.npy import map_npy
from diabolo.errors import DiaboloError
from diabolo.paths import as_path
from diabolo.runs import files
from diabolo.runs.config import Config
from diabolo.scaling import UNIT, Scaling

PIECE = 1024  # images that are floats at a time
MOST = 65535  # in a PNG file of 16 bits


@dataclass(frozen=True)
class Given:
    """The images that a verb was given, as the model wants them.

    Attributes:
        images: the data sets, one after the other: uint8 (N, C, H, W) or vectors (N, D); memory maps stay on disk.
        names: what each image is called, as a path that can be written to below a folder.
        files: whether the names are those of image files.
    """

    images: tuple[Images, ...]
    names: tuple[str, ...]
    files: bool = False

    def __len__(self) -> int:
        return len(self.names)

    def pieces(self) -> Iterator[np.ndarray]:
        """The pixels, at most `PIECE` images at a time."""
        for images in self.images:
            for start in range(0, len(images), PIECE):
                yield images.images[start : start + PIECE]

    def known(self, reads: str | None) -> Tensor | None:
        """What the data sets tell of each image besides its pixels, (N, …); None where they do not."""
        if reads is None or any(getattr(images, reads) is None for images in self.images):
            return None
        found = [column(images, reads) for images in self.images]
        return torch.cat([known for known in found if known is not None])


def read_for(
    run: Path, model: Any, sources: Sequence[str | Path], skip_bad: bool = False, root: Path | None = None
) -> Given:
    """The images that `sources` name, as the model of `run` wants them: image files, one folder, a .zip, .npy or .npz file, or
    a data set by name in the folder `root` (never in one that the run folder names, which may be a stranger's). They are cut,
    resized and scaled as its training images were.

    Those of a folder are sorted by name, those of a .npy file in its order; of what has parts, training images come first, then
    those to validate and to test with.

    Raises:
        DiaboloError: when they cannot be read, or have another shape.
    """
    texts = [str(source) for source in sources]
    paths = [as_path(text) for text in texts]
    about = Config.read(run).train
    trained = about.load
    span = (about.origin or {}).get("span") or "auto"  # the numbers of the files that were black and white in training
    shape = tuple(model.input_shape)
    kinds = {path.suffix.lower() for path in paths} & {".npy", ".npz", ".zip"}
    named = (texts[0] in names() or home_of(texts[0]) is not None) and not paths[0].exists()
    if not named:
        check_root(paths[0], root)
    if gone := [path for path in paths if not named and not os.path.lexists(path)]:
        raise DiaboloError(f"there is no file or folder {gone[0]}")
    if other := [path for path in paths if not named and path.suffix.lower() in CONVERT and not path.is_dir()]:
        raise not_read(other[0])
    if len(paths) > 1 and (kinds or any(path.is_dir() for path in paths)):
        raise DiaboloError("give image files, or one folder, data set or array; not several, nor both")
    if kinds == {".npy"}:
        how = {option: trained[option] for option in ("image_channels", "axes") if option in trained}
        images = as_images(map_npy(paths[0]), name=paths[0].stem, range=span, **how)
        found = Given((images,), tuple(f"{paths[0].stem}-{i:06d}" for i in range(len(images))))
    elif kinds or named:
        found = _of_parts(texts[0], trained, shape, skip_bad, root)
    elif len(shape) != 3:
        what = f"vectors of {shape[0]} numbers" if len(shape) == 1 else f"arrays of shape {shape}"
        raise DiaboloError(f"{run} holds a model of {what}; give a .npy or .npz file of them")
    else:
        size = shape[1] if shape[1] == shape[2] else None  # a size makes squares; others are taken as they are
        given = paths[0] if _is_folder(paths) else paths
        pixels, called = read_images(given, size, shape[0], trained.get("crop"), skip_bad, range=span)
        found = Given((Images(pixels),), tuple(called), files=True)
    for images in found.images:
        if images.shape != shape:
            raise DiaboloError(
                f"{run} takes images of the shape {_joined(shape)}, and {', '.join(texts[:3])} gives {_joined(images.shape)}"
            )
    return found


def _of_parts(
    name: str, trained: Mapping[str, Any], shape: tuple[int, ...], skip_bad: bool, root: Path | None
) -> Given:
    """All parts of a data set, prepared as that of the run was."""
    takes = find(name).takes
    wanted = {option: trained.get(option) for option in ("crop", "range", "split", "image_channels", "axes")}
    if len(shape) == 3 and "size" in takes:  # of an array nothing is converted
        wanted |= {"image_channels": shape[0], "size": shape[1] if shape[1] == shape[2] else None}
    wanted["skip_bad"] = skip_bad or None
    chosen = {option: value for option, value in wanted.items() if option in takes and value is not None}
    train, test, validation = load_parts(name, root, **chosen)
    parts = tuple(part for part in (train, validation, test) if part is not None)
    return Given(parts, tuple(f"{part.split}/{i:06d}" for part in parts for i in range(len(part))))


def in_pieces(
    function: Callable[[np.ndarray, Tensor | None], Tensor], given: Given, y: Tensor | None = None
) -> Iterator[np.ndarray]:
    """`function` of the images and what is known of each, `y`, some at a time, so that never all are in memory.

    Raises:
        DiaboloError: when what it gives holds NaN or infinity.
    """
    start = 0
    for piece in given.pieces():
        yield finite(function(piece, None if y is None else y[start : start + len(piece)]).numpy())
        start += len(piece)


def finite(found: np.ndarray) -> np.ndarray:
    """What a model gave for images (N, …); refused when it holds NaN or infinity."""
    if bad := int((~np.isfinite(found)).reshape(len(found), -1).any(1).sum()):
        raise DiaboloError(f"the model is broken: it gave NaN or infinity for {bad:,} of {len(found):,} images")
    return found


def names_within(out: Path, paths: Sequence[Path], given: Given) -> list[str]:
    """What the PNG file of each image is called in the folder `out`: the path below the folder that holds them all.

    Raises:
        DiaboloError: when two would have one name, or one would overwrite an image that was given.
    """
    if not given.files:
        return [f"{name}.png" for name in given.names]
    names = given.names
    sources = [os.path.abspath(paths[0] / name if _is_folder(paths) else name) for name in names]
    top = os.path.abspath(paths[0]) if _is_folder(paths) else os.path.commonpath([os.path.dirname(s) for s in sources])
    taken: dict[str, str] = {}
    for source in sources:
        path = os.path.relpath(source, top)
        file, page, number = path.rpartition("#")  # "stack.tif#2" is a page of several
        plain = PurePosixPath(file if number.isdecimal() else path).with_suffix("")
        target = f"{plain}{page + number if number.isdecimal() else ''}.png"
        if target in taken:
            raise DiaboloError(
                f"{taken[target]} and {source} would both be written to {out / target}; use --out FILE.npy"
            )
        taken[target] = source
    for target in taken:
        if os.path.abspath(out / target) in sources:
            raise DiaboloError(f"{out / target} is one of the images given and would be overwritten; use another --out")
    return list(taken)


def check_out(out: Path, shape: tuple[int, ...], scaling: Scaling) -> None:
    """Refuse an `out` that images of `shape` and of that `scaling` cannot be written to, before any work is done."""
    if out.suffix.lower() == ".npy":
        return
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise DiaboloError(f"this model gives arrays of shape {shape}, which are no images; use --out FILE.npy")
    if out.suffix.lower() in extensions() | {".npz", ".csv", ".svg", ".pdf"}:
        raise DiaboloError(f"images are written into a folder, or as one .npy file, not to {out.name}")
    low, high = scaling.shown
    if scaling.reach != UNIT and (shape[0] != 1 or low < 0 or not 1 < high <= MOST):
        raise DiaboloError(
            f"this model gives numbers from about {low:.4g} to {high:.4g}, which no PNG file holds; use --out FILE.npy"
        )


def write_images(out: Path, n: int, images: Iterable[np.ndarray], names: Sequence[str], scaling: Scaling) -> None:
    """Write `n` images, pieces (k, C, H, W), as PNG files of those names in the folder `out`: of 8 bits where they are in
    [0, 1], else grey ones of 16 bits with the numbers as they are. Or as one .npy file."""
    if out.suffix.lower() == ".npy":
        write_array(out, n, images)
        return
    files.make_folder(out)
    left = iter(names)
    for piece in images:
        whole = (piece.clip(0, 1) * 255).round().astype(np.uint8)
        if scaling.reach != UNIT:
            whole = piece.clip(0, MOST).round().astype(np.uint16)
        for image in whole:
            png = io.BytesIO()
            Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0)).save(png, "png")
            write(out / next(left), png.getvalue())


def write_array(path: Path, n: int, pieces: Iterable[np.ndarray]) -> None:
    """Write one .npy file of `n` rows, of which `pieces` (k, …) come one after the other."""

    def content() -> Iterator[bytes]:
        for i, piece in enumerate(pieces):
            if not i:
                header = io.BytesIO()
                about = {"descr": np.lib.format.dtype_to_descr(piece.dtype), "fortran_order": False}
                np.lib.format.write_array_header_1_0(header, about | {"shape": (n, *piece.shape[1:])})
                yield header.getvalue()
            yield np.ascontiguousarray(piece).tobytes()

    files.make_folder(path.parent)
    files.write_pieces(path, content())


def write(path: Path, content: bytes) -> None:
    """Write one file, whole or not at all; its folder is made."""
    if not path.parent.is_dir():
        files.make_folder(path.parent)
    files.write(path, content)


def _joined(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def _is_folder(paths: Sequence[Path]) -> bool:
    return len(paths) == 1 and paths[0].is_dir()
