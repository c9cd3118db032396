"""Tables in Apache Parquet files: columns of numbers, or a column of pictures as Hugging Face keeps them."""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from diabolo.data import scale
from diabolo.data.column_types import Types
from diabolo.data.depth import BadImageError
from diabolo.data.files import MAX_BYTES, Listing, check_regular
from diabolo.data.frames import classes_in, of_arrow
from diabolo.data.options import Cache, Draw
from diabolo.data.pixels import Shaping
from diabolo.data.room import check_room
from diabolo.data.sources.folder import of_labelled
from diabolo.data.sources.tables import of_table
from diabolo.data.splits import Parts
from diabolo.data.table import Missing, Table, TableOptions, label_of, labels_of
from diabolo.errors import DiaboloError, UnknownNameError, listed
from diabolo.ranges import PartOf, Side

IMAGES = ("image", "img", "images", "picture", "jpg", "png")  # columns of bytes that are taken for pictures
AT_ONCE = 3  # groups of rows that are held
NUMBER = 8  # bytes
SAFE = 14  # the version of pyarrow from which no file runs code


def load(
    path: Path,
    draw: Draw,
    *,
    label_column: str | None,
    without_column: tuple[str, ...],
    columns_types: Types,
    missing: Missing,
    size: Side | None,
    image_channels: Literal[1, 3] | None,
    crop: Side | None,
    skip_bad: bool,
    cache: Cache,
    test_fraction: PartOf,
    range: scale.Range,
    features: tuple[str, ...] | None = None,
) -> Parts:
    """A seeded split of the rows of a table: pictures `(C, H, W)` where a column holds such, else vectors of its numbers."""
    file = opened(path)
    options = TableOptions(label_column, without_column, columns_types, missing)
    with damage(path):
        image = image_column(file, options)
    asked = {"size": size, "crop": crop, "image_channels": image_channels}
    if image is None and any(asked.values()):
        given = next(name for name, value in asked.items() if value)
        raise DiaboloError(
            f"{path} has no column of pictures (bytes, or bytes and path), but {listed(file.schema_arrow.names)}: leave "
            f"{given} (--{given.replace('_', '-')}) out, or give a file that has one"
        )
    if image is None:
        return of_table(read(path, file, without_column), options, draw, path, range, test_fraction, features)
    files, labels, names, said = pictures(path, file, image, options)
    return of_labelled(
        files,
        labels,
        names,
        path,
        draw,
        Shaping(size, crop, image_channels, keep="deep"),
        skip_bad,
        cache,
        test_fraction,
        range,
        said,
    )


def pictures(
    path: Path, file: Any, image: str, options: TableOptions
) -> "tuple[ParquetFiles, NDArray[np.int64] | None, tuple[str, ...] | None, list[str]]":
    """The pictures in the column `image`, their labels and the names of the classes, None where no column holds labels; and
    what to say of it."""
    files = ParquetFiles.of(path, file, image)
    others = [name for name in file.schema_arrow.names if name != image]
    if options.label_column is not None and options.label_column not in others:
        raise UnknownNameError("column", options.label_column, others, f" of {path}")
    known = _columns(file, path, _plain(file, [name for name in others if name not in options.without_column]))
    label, said = (None, []) if known is None else label_of(known, options)
    if known is None or label is None:
        return files, None, None, []
    return files, *labels_of(known, label), said


def opened(path: Path) -> Any:
    """The Parquet file, of which nothing but its description is read.

    Raises:
        DiaboloError: without pyarrow, or when it is no such file.
    """
    check_regular(path)
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise DiaboloError(f"{path} is a Parquet file, which needs pyarrow: pip install 'diabolo[parquet]'") from error
    if int(pyarrow.__version__.split(".")[0]) < SAFE:
        raise DiaboloError(f"pyarrow {pyarrow.__version__} may run code that a file holds: install {SAFE} or newer")
    try:
        return pyarrow.parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise DiaboloError(f"cannot read {path} as a Parquet file: {_words(error)}") from error


@contextmanager
def damage(path: Path) -> Iterator[None]:
    """Whatever pyarrow makes of a damaged file, met inside the block, becomes one sentence."""
    import pyarrow

    try:
        yield
    except DiaboloError:
        raise
    except (pyarrow.ArrowException, OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise DiaboloError(f"{path} is damaged: {_words(error)}") from error


def read(path: Path, file: Any, without: Sequence[str] = ()) -> Table:
    """The columns of a Parquet file but those `without`, which are named nonetheless."""
    found = _columns(file, path, [name for name in file.schema_arrow.names if name not in without])
    if found is None:
        raise DiaboloError(f"{path} has no columns")
    left = {name: np.zeros(len(found), np.int8) for name in file.schema_arrow.names if name in without}
    return replace(found, columns={**found.columns, **left})


def image_column(file: Any, options: TableOptions) -> str | None:
    """The column of pictures: a struct with bytes in it, or bytes in a column called image or so; None where there is none."""
    from pyarrow import types

    def is_bytes(kind: Any) -> bool:
        return bool(types.is_binary(kind) or types.is_large_binary(kind))

    schema = file.schema_arrow
    found = []
    for name, kind in zip(schema.names, schema.types, strict=True):
        if name in (*options.without_column, options.label_column):
            continue
        inner = (
            {kind.field(i).name: kind.field(i).type for i in range(kind.num_fields)} if types.is_struct(kind) else {}
        )
        if ("bytes" in inner and is_bytes(inner["bytes"])) or (is_bytes(kind) and name.lower() in IMAGES):
            found.append(name)
    return next((name for name in IMAGES if name in found), found[0] if found else None)


def _plain(file: Any, names: Sequence[str]) -> list[str]:
    """Those columns that may hold labels: not lists, structs and bytes."""
    from pyarrow import types

    kinds = dict(zip(file.schema_arrow.names, file.schema_arrow.types, strict=True))
    simple = (
        types.is_integer,
        types.is_floating,
        types.is_string,
        types.is_large_string,
        types.is_boolean,
        types.is_dictionary,
    )
    return [name for name in names if any(test(kinds[name]) for test in simple)]


def _columns(file: Any, path: Path, names: Sequence[str]) -> Table | None:
    """Those columns; None where there are none."""
    if not names:
        return None
    with damage(path):
        check_room(_claimed(file, names), str(path))
        return of_arrow(file.read(columns=list(names)), str(path), classes_in(file.schema_arrow.metadata))


def _claimed(file: Any, names: Sequence[str]) -> int:
    """Bytes of those columns once read, by what the file says: packed numbers may be few bytes for very many rows."""
    about = file.metadata
    packed = 0
    wanted = set(names)
    for group in range(about.num_row_groups):
        row = about.row_group(group)
        packed += sum(
            row.column(i).total_uncompressed_size
            for i in range(row.num_columns)
            if row.column(i).path_in_schema.split(".")[0] in wanted
        )
    return int(max(packed, about.num_rows * len(names) * NUMBER))


@dataclass(frozen=True)
class ParquetFiles:
    """The pictures in a column of a Parquet file, a few groups of rows at a time."""

    path: Path
    names: Sequence[str]
    stamps: Sequence[tuple[int, int]]
    listing: Listing
    file: Any
    column: str
    rows: Sequence[tuple[int, int]]  # group of rows, and place in it, of each
    held: "OrderedDict[int, Any]" = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, path: Path, file: Any, column: str) -> "ParquetFiles":
        """All pictures of a column, in the order of the rows."""
        about, info = file.metadata, path.stat()
        rows = [(group, row) for group in range(about.num_row_groups) for row in range(about.row_group(group).num_rows)]
        if not rows:
            raise DiaboloError(f"{path} has no rows")
        names = [f"{path.stem}-{i:06d}" for i in range(len(rows))]
        stamps = [(info.st_size, info.st_mtime_ns)] * len(rows)
        return cls(path, names, stamps, Listing(list(names)), file, column, rows)

    def read(self, index: int) -> bytes:
        """The bytes of one picture."""
        group, row = self.rows[index]
        with self.lock:
            if group not in self.held:
                self.held[group] = self._group(group)
                while len(self.held) > AT_ONCE:
                    self.held.popitem(last=False)
            value = self.held[group][row].as_py()
        if isinstance(value, dict):
            value = value.get("bytes")
        if not isinstance(value, bytes):
            raise BadImageError(f"{self.where(index)} holds no picture, only the name of one, or nothing")
        if len(value) > MAX_BYTES:
            raise BadImageError(f"{self.where(index)} is refused: more than {MAX_BYTES:,} bytes")
        return value

    def _group(self, group: int) -> Any:
        try:
            with damage(self.path):
                about = self.file.metadata.row_group(group)
                size = sum(
                    about.column(i).total_uncompressed_size
                    for i in range(about.num_columns)
                    if about.column(i).path_in_schema.split(".")[0] == self.column
                )
                check_room(size, f"{self.column!r} of group {group} of the rows of {self.path}")
                return self.file.read_row_group(group, columns=[self.column]).column(0)
        except DiaboloError as error:
            raise BadImageError(str(error)) from error

    def where(self, index: int) -> str:
        """How to name one picture in a message."""
        return f"row {index + 1:,} of {self.path}"

    def only(self, indices: Sequence[int]) -> "ParquetFiles":
        """Those pictures of them."""
        return replace(
            self,
            names=[self.names[i] for i in indices],
            stamps=[self.stamps[i] for i in indices],
            rows=[self.rows[i] for i in indices],
        )


def _words(error: BaseException) -> str:
    return " ".join(str(error).split())[:200].rstrip(".")
