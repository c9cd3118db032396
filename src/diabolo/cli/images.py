"""Images in and out, for the verbs that need them."""

import io
import os
import re
import struct
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path, PurePosixPath
from typing import Any, overload

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from diabolo.data import Images, as_images, names, read_images, scale
from diabolo.data.arrays import Kept, made
from diabolo.data.columns import column
from diabolo.data.decode import read_numbers
from diabolo.data.files import extensions
from diabolo.data.finding import CONVERT, READERS, check_root, find, home_of, not_read
from diabolo.data.gather import release, stacked
from diabolo.data.loading import load_parts, load_whole
from diabolo.data.npy import map_npy
from diabolo.data.sources.file_labels import LabelTable
from diabolo.errors import DiaboloError, listed
from diabolo.paths import as_path
from diabolo.runs import files
from diabolo.runs.config import Config
from diabolo.scaling import UNIT, Scaling

PACKED_IMAGES = (".zip", ".tar")
PAGE = re.compile(r"#\d+$")  # which a name ends in where it is one of several of a file
PIECE = 1024  # images that are floats at a time
MOST = 65535  # in a PNG file of 16 bits
AS_TRAINED = (
    "crop",
    "range",
    "split",
    "image_channels",
    "axes",
    "missing",
    "label_column",
    "without_column",
    "columns_types",
    "header",
    "key",
)


@dataclass(frozen=True)
class Given:
    """The images that a verb was given, as the model wants them.

    Attributes:
        images: the data sets, one after the other; memory maps stay on disk.
        names: what each image is called, as a path that can be written to below a folder.
        files: whether the names are those of image files.
    """

    images: tuple[Images, ...]
    names: Sequence[str]
    files: bool = False

    def __len__(self) -> int:
        return len(self.names)

    def pieces(self) -> Iterator[np.ndarray]:
        """The pixels, at most `PIECE` images at a time."""
        for images in self.images:
            for start in range(0, len(images), PIECE):
                yield images.images[start : start + PIECE]
                release(images.images)

    def labels(self) -> list[str] | None:
        """What the class of each image is called, "" where that is not known; None where none has a label."""
        if all(images.labels is None for images in self.images):
            return None
        found: list[str] = []
        for images in self.images:
            names, labels = images.label_names, images.labels
            told = [-1] * len(images) if labels is None else labels.tolist()
            found += ["" if k < 0 else str(k) if names is None else names[k] for k in told]
        return found

    def as_trained(self, reads: str | None, called: Sequence[str] | None) -> list[Images]:
        """The data sets for a model that `reads` such a column: classes are numbered as they were in training, where they were
        `called` so."""
        return [numbered(one, called) if reads == "labels" and called is not None else one for one in self.images]

    def whole(self, reads: str | None, called: Sequence[str] | None) -> Images:
        """`as_trained` as one data set, with that column alone."""
        first, *others = several = self.as_trained(reads, called)
        if not others:
            return first
        pixels = stacked((one.images for one in several), len(self), "images")
        whole = Images(pixels, name=first.name, span=first.span, missing=any(one.missing for one in several))
        if reads is None or any(getattr(one, reads) is None for one in several):
            return whole
        told: dict[str, Any] = {reads: np.concatenate([getattr(one, reads) for one in several])}
        return replace(whole, **told)

    def known(self, reads: str | None, called: Sequence[str] | None = None) -> Tensor | None:
        """What the data sets tell of each image besides its pixels, (N, …); None where they do not. Classes are numbered as
        they were in training, where they were `called` so."""
        if reads is None or any(getattr(images, reads) is None for images in self.images):
            return None
        found = [column(images, reads) for images in self.as_trained(reads, called)]
        return torch.cat([known for known in found if known is not None])


class _Numbered(Sequence[str]):
    """Names of images that have none, x-000000, x-000001, …, made when they are asked for: of each part what stands before the
    number, and how many there are."""

    def __init__(self, parts: Sequence[tuple[str, int]]) -> None:
        self.parts, self.ends = parts, list(accumulate(n for _, n in parts))

    def __len__(self) -> int:
        return self.ends[-1]

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(f"there is no name {index} among {len(self):,}")
        part = bisect_right(self.ends, index)
        before, n = self.parts[part]
        return f"{before}{index - self.ends[part] + n:06d}"


def numbered(images: Images, called: Sequence[str]) -> Images:
    """The images with their classes, by name, numbered as those that are `called` so.

    Raises:
        DiaboloError: for a class that is none of them.
    """
    names = images.label_names
    if images.labels is None or names is None or names == tuple(called):
        return images
    there = {names[label] for label in np.unique(images.labels[images.labels >= 0])}
    if other := sorted(there - {*called}):
        raise DiaboloError(
            f"the class {other[0]!r} of {images.name} is none of the model, which knows {listed(called)}"
        )
    places = np.array([called.index(name) if name in there else -1 for name in names])
    return replace(images, labels=np.where(images.labels < 0, -1, places[images.labels]), label_names=tuple(called))


def read_for(
    run: Path,
    model: Any,
    sources: Sequence[str | Path],
    skip_bad: bool = False,
    root: Path | None = None,
    table: LabelTable | None = None,
) -> Given:
    """The images that `sources` name, as the model of `run` wants them: image files, one folder, one file of images, arrays or
    a table, or a data set by name in the folder `root` (never in one that the run folder names, which may be a stranger's).
    They are cut, resized and scaled as its training images were; where these had units of their own, they are in those,
    whatever their type. The columns of a table are found by their names. What image files show is in the `table`, if anywhere.

    Those of a folder or an archive are sorted by name, those of any other file in its order; of what has parts, training images
    come first, then those to validate and to test with.

    Raises:
        DiaboloError: when they cannot be read, or have another shape.
    """
    texts = [str(source) for source in sources]
    paths = [as_path(text) for text in texts]
    config = Config.read(run)
    about, span = config.train, trained_span(config)
    trained = about.load
    own = speaks_own_units(model, span)
    shape = tuple(model.input_shape)
    kinds = {path.suffix.lower() for path in paths if not path.is_dir()} & {*READERS}
    named = (texts[0] in names() or home_of(texts[0]) is not None) and not paths[0].exists()
    if not named:
        check_root(paths[0], root)
    if gone := [path for path in paths if not named and not os.path.lexists(path)]:
        raise DiaboloError(f"there is no file or folder {gone[0]}")
    if other := [path for path in paths if not named and path.suffix.lower() in CONVERT and not path.is_dir()]:
        raise not_read(other[0])
    if len(paths) > 1 and (kinds or any(path.is_dir() for path in paths)):
        raise DiaboloError("give image files, or one folder, data set or array; not several, nor both")
    if table is not None and (named or kinds - {*PACKED_IMAGES}):
        raise DiaboloError(f"labels (--labels) are of image files, and {texts[0]} is none: it has its own labels")
    if kinds == {".npy"}:
        how = {option: trained[option] for option in ("image_channels", "axes") if option in trained}
        images = as_images(map_npy(paths[0]), name=paths[0].stem, range=scale.OWN if own else span, **how)
        images = _in_own_units(images, span) if own else images
        found = Given((images,), _Numbered([(f"{paths[0].stem}-", len(images))]))
    elif kinds or named:
        columns = (about.origin or {}).get("features")
        prepared = trained | ({"range": scale.OWN} if own else {})
        found = _of_parts(
            texts[0], prepared, shape, skip_bad, root, columns if isinstance(columns, list) else None, named, table
        )
        found = replace(found, images=tuple(_in_own_units(images, span) for images in found.images)) if own else found
    elif len(shape) != 3:
        what = f"vectors of {shape[0]} numbers" if len(shape) == 1 else f"arrays of shape {shape}"
        raise DiaboloError(f"{run} holds a model of {what}; give a table, or a .npy, .npz or .h5 file of them")
    else:
        size = shape[1] if shape[1] == shape[2] else None  # a size makes squares; others are taken as they are
        given = paths[0] if _is_folder(paths) else paths
        pixels, called = pixels_for(model, given, size, trained.get("crop"), skip_bad, span)
        told = None if table is None else table.of([PAGE.sub("", name) for name in called])
        labels, classes = (None, None) if told is None else (told.labels, told.names)
        found = Given(
            (Images(pixels, labels=labels, label_names=classes, name=paths[0].name),), tuple(called), files=True
        )
    for images in found.images:
        if images.shape != shape:
            raise DiaboloError(
                f"{run} takes images of the shape {_joined(shape)}, and {', '.join(texts[:3])} gives {_joined(images.shape)}"
            )
    return found


def pixels_for(
    model: Any, paths: Path | Sequence[Path], size: int | None, crop: int | None, skip_bad: bool, span: scale.Range
) -> tuple[np.ndarray, list[str]]:
    """The pixels of image files (N, C, H, W) and their names, in the units of a model that was trained with `span`."""
    channels = model.input_shape[0]
    if speaks_own_units(model, span):
        return read_numbers(paths, size, channels, crop, skip_bad, span)
    return read_images(paths, size, channels, crop, skip_bad, span, span in (UNIT, scale.OWN))


def trained_span(config: Config) -> scale.Range:
    """The numbers of the files that were black and white in training."""
    return scale.check_range((config.train.origin or {}).get("span") or scale.AUTO)


def speaks_own_units(model: Any, span: scale.Range) -> bool:
    """Whether a model that was trained with that `span` is given numbers in the units of its files or arrays, not in [0, 1]."""
    low, high = model.scaling.shown
    return model.scaling.reach != UNIT and (span == scale.OWN or (span == (low, high) and span != UNIT))


def _in_own_units(images: Images, span: scale.Range) -> Images:
    """Images that were read by the range "own" as a model in such units wants them: bytes are numbers of 0 … 255, and what lies
    outside of black and white is clipped.

    Raises:
        DiaboloError: when they are of different depths, so that bytes may stand for any numbers.
    """
    x = images.images
    if x.dtype == np.uint8 and images.account is not None and len(images.account.depths) > 1:
        depths = ", ".join(images.account.depths)
        raise DiaboloError(
            f"{images.name} holds images of different depths ({depths}), and the model has units of its own; save all in "
            "one depth"
        )
    kept = made(x, Kept("own", span if isinstance(span, tuple) else None, missing=images.missing), None, images.name)
    return replace(images, images=kept.images, span=kept.span)


def _of_parts(
    name: str,
    trained: Mapping[str, Any],
    shape: tuple[int, ...],
    skip_bad: bool,
    root: Path | None,
    columns: Sequence[Any] | None,
    named: bool,
    table: LabelTable | None,
) -> Given:
    """All parts of a data set, prepared as that of the run was, and with the same `columns`; what is not `named` but a file and
    has no parts of its own comes whole."""
    takes = find(name).takes
    wanted = {option: trained.get(option) for option in AS_TRAINED}
    if len(shape) == 3 and "size" in takes:  # of an array nothing is converted
        wanted |= {"image_channels": shape[0], "size": shape[1] if shape[1] == shape[2] else None}
    wanted["skip_bad"] = skip_bad or None
    if "labels" in takes:  # image files, whose table is not that of the training images
        wanted |= {"labels": table and table.path, "label_column": table and table.column}
    chosen = {option: value for option, value in wanted.items() if option in takes and value is not None}
    if named:
        train, test, validation = load_parts(name, root, **chosen)
        parts = tuple(part for part in (train, validation, test) if part is not None)
    else:
        parts = load_whole(name, root, features=None if columns is None else [*map(str, columns)], **chosen)
    called = [str(name) for part in parts for name in part.names or ()]
    if len(called) == sum(map(len, parts)):
        return Given(parts, tuple(called))
    before = [f"{parts[0].name}-"] if len(parts) == 1 else [f"{part.split}/" for part in parts]
    return Given(parts, _Numbered(list(zip(before, map(len, parts), strict=True))))


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


def check_spared(out: Path, given: Iterable[str | Path | None]) -> None:
    """Refuse an `out` that is one of the files which were `given`, before any work is done."""
    for path in (as_path(one) for one in given if one):
        if os.path.exists(path) and os.path.exists(out) and os.path.samefile(path, out):
            raise DiaboloError(f"{out} is one of the files given and would be overwritten; use another --out")


def check_out(out: Path, shape: tuple[int, ...], scaling: Scaling) -> None:
    """Refuse an `out` that images of `shape` and of that `scaling` cannot be written to, before any work is done."""
    if out.suffix.lower() == ".npy":
        return
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise DiaboloError(f"this model gives arrays of shape {shape}, which are no images; use --out FILE.npy")
    if out.suffix.lower() in extensions() | {".npz", ".csv", ".svg", ".pdf"}:
        raise DiaboloError(f"images are written into a folder, or as one .npy file, not to {out.name}")
    low, high = scaling.shown
    if scaling.reach != UNIT and (low < 0 or not 1 < high <= MOST):
        raise DiaboloError(
            f"this model gives numbers from about {low:.4g} to {high:.4g}, which no PNG file holds; use --out FILE.npy"
        )


def write_images(out: Path, n: int, images: Iterable[np.ndarray], names: Sequence[str], scaling: Scaling) -> None:
    """Write `n` images, pieces (k, C, H, W), as PNG files of those names in the folder `out`: of 8 bits where they are in
    [0, 1], else of 16 bits with the numbers as they are. Or as one .npy file."""
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
            write(out / next(left), _png(image))


def _png(image: np.ndarray) -> bytes:
    """The PNG file of a picture (C, H, W), C 1 or 3, uint8 or uint16."""
    if len(image) == 3 and image.dtype == np.uint16:
        return _png_of_deep_colours(image.transpose(1, 2, 0))
    png = io.BytesIO()
    Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0)).save(png, "png")
    return png.getvalue()


def _png_of_deep_colours(image: np.ndarray) -> bytes:
    """The same of (H, W, 3) in 16 bits, which Pillow does not write."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height, width = image.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in image)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


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


class _Drain(io.RawIOBase):
    """A file that keeps what is written to it until that is taken away."""

    def __init__(self) -> None:
        self.kept, self.length = bytearray(), 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.length

    def write(self, content: Any) -> int:
        added = memoryview(content).nbytes
        self.kept += content
        self.length += added
        return added

    def take(self) -> bytes:
        taken = bytes(self.kept)
        self.kept.clear()
        return taken


def write_table(path: Path, words: Mapping[str, Sequence[str]], pieces: Iterable[np.ndarray]) -> None:
    """Write one Parquet file of columns of `words`, and of z1, z2, … for the numbers of the `pieces` (k, width)."""
    import pyarrow
    from pyarrow import parquet

    def content() -> Iterator[bytes]:
        sink, writer, start = _Drain(), None, 0
        for piece in pieces:
            columns: dict[str, Any] = {
                name: pyarrow.array(
                    [word.encode("utf-8", "backslashreplace").decode() for word in column[start : start + len(piece)]]
                )
                for name, column in words.items()
            }
            table = pyarrow.table(
                columns | {f"z{i + 1}": np.ascontiguousarray(piece[:, i]) for i in range(piece.shape[1])}
            )
            writer = writer or parquet.ParquetWriter(sink, table.schema)
            writer.write_table(table)
            start += len(piece)
            yield sink.take()
        if writer is not None:
            writer.close()
        yield sink.take()

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
