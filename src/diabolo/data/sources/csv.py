"""Tables as text: .csv and .tsv files, separated by commas, semicolons or tabs, with a line of names or without."""

import csv
import io
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import IO, Literal

import numpy as np
from numpy.typing import NDArray

from diabolo.data import scale
from diabolo.data.column_types import Types
from diabolo.data.files import open_regular
from diabolo.data.frames import objects
from diabolo.data.options import Draw
from diabolo.data.room import check_room
from diabolo.data.sources.tables import of_table
from diabolo.data.splits import Parts
from diabolo.data.table import Missing, Table, TableOptions
from diabolo.errors import DiaboloError
from diabolo.plain import count
from diabolo.ranges import PartOf

SEPARATORS = "\t;,"  # in this order: commas stand in numbers and texts too
MISSING = frozenset(("", "na", "n/a", "nan", "null", "none"))  # what stands for a missing value, in any case
SAMPLE = 1 << 16  # bytes by which separator and names are found
CELLS = 1 << 14  # that are texts at a time: few enough to stay near the processor
ENCODINGS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}  # by the first bytes; else UTF-8
DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+(?:[eE][+-]?\d+)?\s*")

Header = Literal["auto", "yes", "no"]
Cells = NDArray[np.float64] | list[str]  # of one column: numbers, or as they stand


def load(
    path: Path,
    draw: Draw,
    *,
    label_column: str | None,
    without_column: tuple[str, ...],
    columns_types: Types,
    missing: Missing,
    header: Header,
    range: scale.Range,
    test_fraction: PartOf,
    features: tuple[str, ...] | None = None,
) -> Parts:
    """A seeded split of the rows of a table, each the vector of its numbers."""
    options = TableOptions(label_column, without_column, columns_types, missing)
    return of_table(read(path, header), options, draw, path, range, test_fraction, features)


def read(path: Path, header: Header = "auto") -> Table:
    """The columns of a table of text: those that hold numbers alone, or nothing, are numbers; all others texts.

    The separator is found by the first lines, and so is whether the first is of names: it is where none of its fields is a
    number, or some column has a name above numbers. Without names columns are called 1, 2, ….

    Raises:
        DiaboloError: for a file that is no such table, or has decimal commas.
    """
    with _readable(path) as file:
        return _read(file, path, header)


@contextmanager
def _readable(path: Path) -> Iterator[IO[bytes]]:
    """The file opened; what goes wrong within the block becomes one sentence."""
    try:
        with open_regular(path) as file:
            yield file
    except OSError as error:
        raise DiaboloError(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DiaboloError(
            f"{path} is no text in UTF-8 (byte {error.start:,} of a block is none): save it as UTF-8"
        ) from error
    except csv.Error as error:
        raise DiaboloError(f"{path} is damaged, or no table of text: {error}") from error


def rows_of_texts(path: Path) -> list[list[str]]:
    """All rows of a table of text as they stand, that of names too; empty lines are none.

    Raises:
        DiaboloError: for a file that is no such table, or is empty.
    """
    with _readable(path) as file:
        text, _, separator, _ = _opened(file, path)
        return list(_rows(text, separator, False))


def _opened(file: IO[bytes], path: Path) -> tuple[io.TextIOBase, str, str, list[str]]:
    """The text of a file, its start, what stands between fields, and the lines of the start that are whole."""
    start = file.read(SAMPLE)
    file.seek(0)
    if not start.strip():
        raise DiaboloError(f"{path} is empty")
    if b"\0" in start and start[:2] not in ENCODINGS:
        raise DiaboloError(f"{path} is no table of text: it holds bytes that no text has")
    text = io.TextIOWrapper(file, ENCODINGS.get(start[:2], "utf-8-sig"), newline="")
    sample = text.read(SAMPLE)
    lines = sample.splitlines(keepends=True)
    if len(lines) > 1 and len(sample) == SAMPLE:
        lines.pop()  # cut off in its middle, it may be
    return text, sample, _separator(lines), lines


def _read(file: IO[bytes], path: Path, header: Header) -> Table:
    size = file.seek(0, 2)
    file.seek(0)
    text, sample, separator, lines = _opened(file, path)
    first = [row for row in csv.reader(lines, delimiter=separator) if row]
    named = _has_names(first) if header == "auto" else header == "yes"
    names = [name.strip() for name in first[0]] if named else [str(i) for i in range(1, len(first[0]) + 1)]
    bytes_a_row = len(sample) / max(1, len(first))
    check_room(round(size / bytes_a_row * len(names) * 8), str(path))
    numbers = all(map(_number, chain.from_iterable(first[named:])))
    found = _at_once(text, separator, named) if numbers else None
    if found is not None and found.shape[1] == len(names):
        return _named(names, list(found.T), path)
    columns = _columns(_rows(text, separator, named), len(names), path, named)
    return _named(names, columns, path)


def _rows(text: io.TextIOBase, separator: str, named: bool) -> Iterator[list[str]]:
    """The rows below the line of names, read from the start."""
    text.seek(0)
    return islice((row for row in csv.reader(text, delimiter=separator) if row), int(named), None)


def _at_once(text: io.TextIOBase, separator: str, named: bool) -> NDArray[np.float64] | None:
    """The numbers (N, D) of a table that holds nothing else, several times faster than by its fields; None where it does."""
    text.seek(0)
    if named:
        next(row for row in csv.reader(text, delimiter=separator) if row)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that there are no rows, which is said elsewhere
            found = np.loadtxt(text, np.float64, comments=None, delimiter=separator, quotechar='"', ndmin=2)
    except (
        ValueError
    ):  # a text, a missing value, a row of another length, bytes that are no text: said by the slower way
        return None
    return found if len(found) else None


def _separator(lines: Sequence[str]) -> str:
    """What stands between fields: the first of the separators that stands equally often in all lines, else the most regular."""
    best, most = ",", 0.0
    for separator in SEPARATORS:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=separator) if row)
        width, times = widths.most_common(1)[0] if widths else (1, 0)
        share = times / widths.total() if width > 1 else 0.0
        if share > most:
            best, most = separator, share
    return best


def _has_names(rows: Sequence[Sequence[str]]) -> bool:
    first, below = rows[0], rows[1:]
    numbers = [_number(field) for field in first]
    if not any(numbers):
        return True
    return any(
        not number and first[i].strip().casefold() not in MISSING and _all_numbers([r[i] for r in below if i < len(r)])
        for i, number in enumerate(numbers)
    )


def _all_numbers(fields: Sequence[str]) -> bool:
    known = [field for field in fields if field.strip().casefold() not in MISSING]
    return bool(known) and all(map(_number, known))


def _number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return "_" not in field and field.strip().casefold() not in MISSING


def _columns(rows: Iterator[list[str]], width: int, path: Path, named: bool) -> list[Cells]:
    """Each column as numbers, NaN where one is missing, or where that cannot be as its texts."""
    numbers: list[list[NDArray[np.float64]] | None] = [[] for _ in range(width)]
    texts: list[list[str]] = [[] for _ in range(width)]
    n, step = 0, max(1, CELLS // width)
    while piece := list(islice(rows, step)):
        if {*map(len, piece)} != {width}:
            row, fields = next((row, fields) for row, fields in enumerate(piece, n + 1) if len(fields) != width)
            against = "the line of names" if named else "row 1"
            raise DiaboloError(
                f"row {row:,} of {path} has {count(len(fields), 'field')} and {against} {width}: mend that row, or put a field "
                "that holds a separator in quotes"
            )
        n += len(piece)
        for i, cells in enumerate(zip(*piece, strict=True)):
            so_far = numbers[i]
            found = None if so_far is None else _floats(cells)
            if so_far is not None and found is not None:
                so_far.append(found)
                continue
            if so_far is not None:
                texts[i] = [f"{value:.12g}" for part in so_far for value in part.tolist()]
                numbers[i] = None
            texts[i] += cells
    columns: list[Cells] = []
    for some, words in zip(numbers, texts, strict=True):
        columns.append(words if some is None else np.concatenate(some) if some else np.empty(0))
    return columns


def _floats(fields: Sequence[str]) -> NDArray[np.float64] | None:
    """Their numbers, NaN where one is missing; None where some are texts."""
    try:
        found = np.fromiter(map(float, fields), np.float64, len(fields))
    except ValueError:
        try:
            found = np.fromiter(
                (float("nan") if field.strip().casefold() in MISSING else float(field) for field in fields),
                np.float64,
                len(fields),
            )
        except ValueError:
            return None
    return None if "_" in "".join(fields) else found  # Python reads 1_000, and nobody else does


def _named(names: Sequence[str], columns: Sequence[Cells], path: Path) -> Table:
    found: dict[str, NDArray[np.float64] | NDArray[np.object_]] = {}
    notes = []
    for i, (name, column) in enumerate(zip(names, columns, strict=True)):
        if not name and isinstance(column, np.ndarray) and (reason := _not_meant(column, i)):
            notes.append(f"column {i + 1}, which has no name and {reason}, is left out")
            continue
        name = name or str(i + 1)
        if name in found:
            raise DiaboloError(f"two columns of {path} are called {name!r}: rename one")
        if isinstance(column, np.ndarray):
            found[name] = column
            continue
        if (comma := _decimal_comma(column)) is not None:
            raise DiaboloError(
                f"column {name!r} of {path} has numbers with a comma, such as {comma.strip()!r}: save it with decimal points, "
                "and nothing between thousands"
            )
        words = [field.strip() for field in column]
        if {word.casefold() for word in words} <= {"true", "false"}:
            found[name] = np.array([word.casefold() == "true" for word in words])
        else:
            found[name] = objects([None if word.casefold() in MISSING else word for word in words])
    return Table(found, str(path), notes=tuple(notes))


def _not_meant(column: NDArray[np.float64], place: int) -> str:
    """Why a column without a name is none of the data: it is empty, or the first one and the index of the rows; "" else."""
    if np.isnan(column).all():
        return "no values"
    counts = any(np.array_equal(column, np.arange(first, first + len(column))) for first in (0, 1))
    return "counts the rows" if place == 0 and counts else ""


def _decimal_comma(fields: Sequence[str]) -> str | None:
    """The first number with a comma, where all fields are such, numbers, or missing."""
    first = next((field for field in fields if DECIMAL_COMMA.fullmatch(field)), None)
    if first is None:
        return None
    plain = (
        DECIMAL_COMMA.fullmatch(field) or _number(field) or field.strip().casefold() in MISSING for field in fields
    )
    return first if all(plain) else None
