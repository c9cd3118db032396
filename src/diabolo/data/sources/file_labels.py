"""The labels of image files from a table of text that names each: a column of files, and a column of labels."""

import os
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.data.classes import in_order
from diabolo.data.files import portable
from diabolo.data.sources.csv import rows_of_texts
from diabolo.data.table import LABELS
from diabolo.errors import DiaboloError, UnknownNameError, listed
from diabolo.paths import as_path
from diabolo.plain import count

UNKNOWN = frozenset(("", "-1"))  # labels that say that none is known


@dataclass(frozen=True)
class FileLabels:
    """What a table says of image files.

    Attributes:
        labels: (N,), a number for each file, -1 where its label is not known.
        names: what each number is called.
        said: what should be told.
    """

    labels: NDArray[np.int64]
    names: tuple[str, ...]
    said: str


@dataclass(frozen=True)
class LabelTable:
    """A table of text that names image files, and gives each a label.

    Attributes:
        path: the .csv or .tsv file.
        column: that of the labels, by name; None where it is one called label, target, class or y, or the only one besides
            that of the files.

    Example:
        >>> from pathlib import Path
        >>> table = Path("labels.csv")
        >>> _ = table.write_text("file,label\\na.png,cat\\nb.png,dog\\n")
        >>> found = diabolo.data.sources.file_labels.LabelTable(table).of(["a.png", "b.png", "c.png"])
        >>> found.labels, found.names
        (array([ 0,  1, -1]), ('cat', 'dog'))
    """

    path: Path
    column: str | None = None

    @classmethod
    def given(cls, labels: Any, label_column: str | None) -> "LabelTable | None":
        """The table at `labels`, None where there is none.

        Raises:
            DiaboloError: for a column of no table, and for labels that are no path.
        """
        if labels is not None and not isinstance(labels, str | os.PathLike):
            raise DiaboloError(
                f"labels of image files are the path of a table (.csv, .tsv) that names each, not {type(labels).__name__}"
            )
        if labels is not None:
            return cls(as_path(labels), label_column)
        if label_column is not None:
            raise DiaboloError(
                f"the column {label_column!r} is one of a table that names image files, and none is given: name it by labels "
                "(--labels)"
            )
        return None

    def of(self, files: Sequence[str]) -> FileLabels:
        """The label of each of the `files`, relative paths with "/" between folders.

        A row is about the file whose path, path without ending, name or stem it holds, whichever of these names most files in
        one column. A file without a row, or whose label is empty or -1, has the label -1. A file may be given several times.

        Raises:
            DiaboloError: for a table that cannot be read, names none of the files or several by one row, or gives a file two
                labels; where it is not clear which column holds the labels.
        """
        each = list(dict.fromkeys(files))  # pages are of one file, and a file may be given twice
        found, places = _read(self.path, each, self.column), {file: place for place, file in enumerate(each)}
        return replace(found, labels=found.labels[[places[file] for file in files]])


def _read(path: Path, files: Sequence[str], label_column: str | None) -> FileLabels:
    rows = rows_of_texts(path)
    width = max(map(len, rows))
    for number, row in enumerate(rows, 1):
        if len(row) != width:
            raise DiaboloError(
                f"row {number:,} of {path} has {count(len(row), 'field')} and others {width}: mend that row, or put a field "
                "that holds a separator in quotes"
            )
    place, form, called = _column_of_files(rows, files, path)
    named = not any(form(field) in called for field in rows[0])
    heads = [field.strip() for field in rows[0]] if named else [str(i + 1) for i in range(width)]
    column = _column_of_labels(heads, place, label_column, path)
    told: dict[int, str] = {}
    of_others = 0
    for row in rows[named:]:
        found = called.get(form(row[place]))
        if found is None:
            of_others += 1
            continue
        if len(found) > 1:
            several = " or ".join(files[i] for i in found[:2])
            raise DiaboloError(f"{row[place]!r} in {path} may be {several}: give their paths in the table")
        label = unicodedata.normalize("NFC", row[column].strip())
        if told.setdefault(found[0], label) != label:
            raise DiaboloError(f"{path} gives {files[found[0]]} two labels, {told[found[0]]!r} and {label!r}")
    known = {i: label for i, label in told.items() if label not in UNKNOWN}
    if not known:
        raise DiaboloError(f"the column {heads[column]!r} of {path} gives none of {count(len(files), 'file')} a label")
    names = in_order(known.values())
    numbers = {name: number for number, name in enumerate(names)}
    labels = np.array([numbers[known[i]] if i in known else -1 for i in range(len(files))], np.int64)
    return FileLabels(labels, names, _said(path, len(files) - len(known), of_others))


def _said(path: Path, lacking: int, of_others: int) -> str:
    said = f"the labels are those of {path.name}"
    if lacking:
        said += f"; {count(lacking, 'file')} {'has' if lacking == 1 else 'have'} none there"
    if of_others:
        said += f"; {count(of_others, 'row')} of it {'is' if of_others == 1 else 'are'} of other files"
    return said


def _path(text: str) -> str:
    return unicodedata.normalize("NFC", portable(text.strip()))


def _without_ending(text: str) -> str:
    folder, slash, name = _path(text).rpartition("/")
    stem, dot, _ = name.rpartition(".")
    return folder + slash + (stem if dot else name)


def _name(text: str) -> str:
    return _path(text).rpartition("/")[2]


def _stem(text: str) -> str:
    return _name(_without_ending(text))


Form = Callable[[str], str]
FORMS: tuple[Form, ...] = (_path, _without_ending, _name, _stem)  # what a table may call a file, the strictest first


def _column_of_files(
    rows: Sequence[Sequence[str]], files: Sequence[str], path: Path
) -> tuple[int, Form, dict[str, list[int]]]:
    """The column that names files, how it does, and the files that are called so."""
    best, found = 0, None
    for form in FORMS:
        called: dict[str, list[int]] = {}
        for i, file in enumerate(files):
            called.setdefault(form(file), []).append(i)
        for place in range(len(rows[0])):
            hits = len(
                {form(row[place]) for row in rows} & called.keys()
            )  # not rows: a label may be called as a file is
            if hits > best:
                best, found = hits, (place, form, called)
    if found is None:
        some = listed(list(rows[min(1, len(rows) - 1)]))
        raise DiaboloError(
            f"no column of {path} names one of {count(len(files), 'file')} such as {files[0]}; a row of it holds {some}"
        )
    return found


def _column_of_labels(heads: Sequence[str], files: int, wanted: str | None, path: Path) -> int:
    others = [i for i in range(len(heads)) if i != files]
    if wanted is not None:
        called = [i for i in others if heads[i] == wanted]
        if len(called) > 1:
            raise DiaboloError(f"two columns of {path} are called {wanted!r}: rename one")
        if not called:
            raise UnknownNameError("column", wanted, [heads[i] for i in others], f" of {path}")
        return called[0]
    usual = [i for i in others if heads[i].casefold() in LABELS]
    if len(usual) == 1 or len(others) == 1:
        return (usual or others)[0]
    if not others:
        raise DiaboloError(f"{path} has one column, which names files, and none of labels")
    raise DiaboloError(
        f"which column of {path} holds the labels? Name one by label_column (--label-column): "
        f"{listed([heads[i] for i in others])}"
    )
