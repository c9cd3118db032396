"""A table: named columns of one length, and how they become the numbers, the labels and the names of `Images`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from diabolo.data.account import between
from diabolo.data.classes import named_labels
from diabolo.data.column_types import ColumnType, Types
from diabolo.data.room import check_room
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.plain import count

LABELS = ("label", "labels", "target", "class", "y")  # columns that are taken for the labels, where they can be
FEW = 10  # different whole numbers of a column that is one-hot encoded, where each occurs twice on average
MANY = 100  # different texts of a column that is still one-hot encoded
ROWS_A_CLASS = 10  # rows that each class of a column has on average, at least, if nobody says that it is one of classes
ANYWAY = 20  # classes for which that is not asked

TYPES = {
    "M": "dates",
    "m": "durations",
    "c": "complex numbers",
    "V": "records",
    "S": "bytes",
}  # numpy's kinds that are refused

Missing = Literal["refuse", "mask"]


@dataclass(frozen=True)
class TableOptions:
    """Which columns of a table are read, and as what; see `DataOptions`, which has these.

    Example:
        >>> diabolo.data.table.TableOptions(label_column="species").columns_types
        'numbers'
    """

    label_column: str | None = None
    without_column: tuple[str, ...] = ()
    columns_types: Types = "numbers"
    missing: Missing = "refuse"

    @property
    def auto(self) -> bool:
        """Whether the values of a column say what it is."""
        return "numbers" not in self.words

    @property
    def kinds(self) -> dict[str, str]:
        """Of the columns that are named, what each is."""
        return {name: kind for name, _, kind in (word.rpartition("=") for word in self.words) if name}

    @property
    def words(self) -> tuple[str, ...]:
        """Of `columns_types`."""
        return (self.columns_types,) if isinstance(self.columns_types, str) else self.columns_types


@dataclass(frozen=True)
class Table:
    """Columns by name, each `(N,)`: numbers, of which NaN are missing; bool; or objects, texts or None where one is missing.

    where    what to call it in messages
    classes  what the numbers 0, 1, … of a column stand for, where the table says so
    notes    what its owner should be told

    Raises DiaboloError for a table without rows or columns.
    """

    columns: Mapping[str, NDArray[Any]]
    where: str
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.columns:
            raise DiaboloError(f"{self.where} has no columns")
        if not len(self):
            raise DiaboloError(f"{self.where} has no rows, only the names of {count(len(self.columns), 'column')}")

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


@dataclass(frozen=True)
class Rows:
    """What a table became: numbers `(N, D)`, a name for each of the D, and what is known of each row.

    types  of the columns, in the order of their numbers; None where all are numbers as they stand
    facts  every column of the table → what it holds, in words
    said   what should be told
    """

    numbers: NDArray[Any]
    names: tuple[str, ...]
    labels: NDArray[np.int64] | None = None
    label_names: tuple[str, ...] | None = None
    types: tuple[ColumnType, ...] | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    said: tuple[str, ...] = ()


class _Made(NamedTuple):
    """A column as it is to become numbers: of one category the `values`, else None."""

    name: str
    values: tuple[str, ...] | None
    kind: Literal["number", "binary", "count"] = "number"

    @property
    def type(self) -> ColumnType:
        """What the column is."""
        return ColumnType(self.name, self.kind if self.values is None else "category", len(self.features))

    @property
    def features(self) -> list[str]:
        return [self.name] if self.values is None else [f"{self.name}={value}" for value in self.values]


def rows_of(
    table: Table,
    options: TableOptions | None = None,
    features: Sequence[str] | None = None,
    labelled: bool = False,
) -> Rows:
    """The numbers of a table.

    table     its columns; whole numbers, fractions and truth values are numbers
    options   which of them, and whether texts and few whole numbers become one-hot columns
    features  the names of the numbers of a table read before, which these are to be: columns are found by name, whatever
              their order, others are left out, and a category has the values that it had
    labelled  whether labels are known already, so that none are looked for

    Raises:
        DiaboloError: for a column that is not there, or holds no numbers; values that are missing or infinite; a column of
            which a category is wanted and has too many values.

    Example:
        >>> table = diabolo.data.table.Table({"a": np.array([1.0, 2.5]), "y": np.array([0, 1])}, "t")
        >>> rows = diabolo.data.table.rows_of(table)
        >>> rows.numbers.tolist(), rows.names, rows.labels.tolist()
        ([[1.0], [2.5]], ('a',), [0, 1])
    """
    options = options or TableOptions()
    if features is None:
        for name in (*options.without_column, *filter(None, [options.label_column]), *options.kinds):
            if name not in table.columns:
                raise UnknownNameError("column", name, table.columns, f" of {table.where}", "diabolo data inspect")
    label, said = (None, []) if labelled else label_of(table, options, features or ())
    used = [name for name in table.columns if name != label and name not in options.without_column]
    if features is not None:
        plan, left = _as_before(table, used, features, options.kinds)
        said += [f"{count(len(left), 'column')} that the model does not read: {', '.join(left[:3])}"] if left else []
    else:
        plan = [_made(table, name, options) for name in used]
    if not plan:
        raise DiaboloError(f"{table.where} has no column of numbers left beside {label or 'those left out'}")
    masked = options.missing == "mask"
    if not masked:
        _check_whole(table, plan, "missing values", missing_in, "fill them in")
    _check_whole(table, plan, "infinite values", _infinite, "replace them")
    labels, names = (None, None) if label is None else labels_of(table, label)
    typed = options.columns_types != "numbers" or any(made.values is not None for made in plan)
    return Rows(
        _numbers(table, plan),
        tuple(name for made in plan for name in made.features),
        labels,
        names,
        tuple(made.type for made in plan) if typed else None,
        facts_of(table),
        (*table.notes, *said),
    )


def facts_of(table: Table) -> dict[str, str]:
    """What each column of a table holds, in words."""
    found = {}
    for name, values in table.columns.items():
        kind, gone = kind_of(values), missing_in(values)
        known = values[~gone]
        told = kind
        if kind == "numbers" and len(known):
            told = f"{values.dtype}, {between((float(known.min()), float(known.max())))}"
        elif kind in ("text", "truth values"):
            told = f"{kind}, {count(len(set(known.tolist())), 'different value')}"
        found[name] = told + (f", {gone.sum():,} missing" if gone.any() else "")
    return found


def kind_of(values: NDArray[Any]) -> str:
    """What a column holds, in a word: "numbers", "truth values", "text", or something that is refused."""
    if values.dtype.kind in "iuf":
        return "numbers"
    if values.dtype.kind == "b":
        return "truth values"
    if values.dtype.kind in "OU":
        odd = next((v for v in values.tolist() if v is not None and not isinstance(v, str)), None)
        return "text" if odd is None else f"Python objects ({type(odd).__name__})"
    return TYPES.get(values.dtype.kind, str(values.dtype))


def label_of(table: Table, options: TableOptions, features: Sequence[str] = ()) -> tuple[str | None, list[str]]:
    """The column of the labels, the one asked for or one that is called so and can be, and that gives none of the `features`;
    and what to say of it."""
    if options.label_column is not None:
        return (options.label_column if options.label_column in table.columns else None), []
    others = {name for name in table.columns if not any(one == name or one.startswith(f"{name}=") for one in features)}
    plain = {name.casefold(): name for name in table.columns if name in others - {*options.without_column}}
    for name in LABELS:
        column = plain.get(name)
        if column is None or (name == "y" and "x" in plain):  # places, it seems
            continue
        different = len(set(table.columns[column].tolist()))
        if different <= max(ANYWAY, len(table) // ROWS_A_CLASS) and _may_be_classes(table.columns[column]):
            return column, [f"the labels are its column {column!r}"]
        return None, [
            f"its column {column!r} holds no classes and is read as the others are (--without-column {column} leaves it out, "
            f"--label-column {column} takes it all the same)"
        ]
    return None, []


def labels_of(table: Table, name: str) -> tuple[NDArray[np.int64], tuple[str, ...] | None]:
    """The labels `(N,)` in a column, -1 where one is missing, and the names of the classes."""
    values = table.columns[name]
    classes = table.classes.get(name)
    if values.dtype.kind == "b":
        values = values.astype(str).astype(object)
    missing = missing_in(values)
    labels = np.full(len(values), -1, np.int64)
    try:
        if missing.all():
            raise DiaboloError("every value is missing")
        known, names = named_labels(values[~missing].astype(str) if values.dtype.kind in "OU" else values[~missing])
    except DiaboloError as error:
        raise DiaboloError(f"column {name!r} of {table.where} cannot be the labels: {error}") from error
    assert known[0] is not None
    labels[~missing] = known[0]
    if classes is not None and values.dtype.kind in "iuf":
        kept = np.where(missing, -1, values).astype(np.int64)
        if kept.min() >= -1 and kept.max() < len(classes):
            return kept, classes
    return labels, names


def missing_in(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Which values `(N,)` of a column are missing."""
    if values.dtype.kind == "f":
        missing: NDArray[np.bool_] = np.isnan(values)
        return missing
    if values.dtype.kind == "O":
        return np.fromiter((v is None for v in values.tolist()), np.bool_, len(values))
    return np.zeros(len(values), np.bool_)


def _may_be_classes(values: NDArray[Any]) -> bool:
    if values.dtype.kind in "fiu":
        known = values[~missing_in(values)]
        return bool(len(known)) and bool((known == np.rint(known)).all()) and bool(known.min() >= -1)
    return kind_of(values) in ("text", "truth values")


def _made(table: Table, name: str, options: TableOptions) -> _Made:
    """How a column becomes numbers."""
    values, kind = table.columns[name], kind_of(table.columns[name])
    auto, wanted = options.auto, options.kinds.get(name)
    if kind not in ("numbers", "truth values", "text"):
        raise DiaboloError(
            f"column {name!r} of {table.where} holds {kind}, not numbers: leave it out by --without-column {name}"
        )
    if kind == "text" and (wanted not in (None, "category") or not (auto or wanted)):
        raise _text(table, name)
    if wanted is not None and wanted != "category":
        return _as_wanted(table, name, wanted)
    known = values[~missing_in(values)]
    whole = values.dtype.kind in "iu" or (values.dtype.kind == "f" and bool((known == np.rint(known)).all()))
    if wanted is None and (not auto or (kind == "numbers" and not whole)):
        return _Made(name, None)
    different = _categories(values)
    if kind == "numbers" and wanted is None:
        return _Made(name, different if 0 < len(different) <= min(FEW, len(values) // 2) else None)
    if not different:
        raise DiaboloError(f"column {name!r} of {table.where} is empty: leave it out by --without-column {name}")
    if len(different) > MANY:
        of = "texts" if kind == "text" else "numbers"
        raise DiaboloError(
            f"column {name!r} of {table.where} holds {len(different):,} different {of}, and a category has {MANY} at most: "
            f"leave it out by --without-column {name}"
        )
    return _Made(name, different)


def _as_wanted(table: Table, name: str, kind: Any) -> _Made:
    """A column of numbers that is said to be of that kind: number, binary or count."""
    values = table.columns[name].astype(np.float64)
    known = values[~np.isnan(values)]
    wrong = {"number": known[:0], "binary": known[(known != 0) & (known != 1)]}.get(kind)
    wrong = known[(known < 0) | (known != np.rint(known))] if wrong is None else wrong
    if len(wrong):
        what = "0 and 1" if kind == "binary" else "whole numbers of 0 or more"
        raise DiaboloError(
            f"column {name!r} of {table.where} is said to be {kind}, of {what}, and holds {wrong[0]:g}: give it another type"
        )
    return _Made(name, None, kind)


def _text(table: Table, name: str) -> DiaboloError:
    """What to raise for a column of texts, of which some may be numbers."""
    values = table.columns[name].tolist()
    words = [(row, value) for row, value in enumerate(values, 1) if value is not None and not _is_number(value)]
    numbers = sum(value is not None for value in values) - len(words)
    row, word = words[0] if words else (1, values[0])
    shown = word if len(word) <= 30 else f"{word[:29]}…"
    if numbers:
        return DiaboloError(
            f"column {name!r} of {table.where} holds text in {count(len(words), 'row')}, {shown!r} in row {row:,} first, "
            f"beside {count(numbers, 'number')}: mend it there, or leave it out by --without-column {name}"
        )
    return DiaboloError(
        f"column {name!r} of {table.where} holds text, such as {shown!r}: leave it out by --without-column {name}, take it for "
        f"the labels by --label-column {name}, or one-hot encode all such columns by --columns-types auto"
    )


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return "_" not in value  # Python reads 1_000, and nobody else does


def _categories(values: NDArray[Any]) -> tuple[str, ...]:
    """The different values of a column as texts, numbers by their size."""
    known = values[~missing_in(values)]
    if known.dtype.kind in "OU":
        return tuple(sorted(set(known.tolist())))
    return tuple(map(_word, np.unique(known).tolist()))


def _word(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _as_before(
    table: Table, used: Sequence[str], features: Sequence[str], kinds: Mapping[str, str]
) -> tuple[list[_Made], list[str]]:
    """How the columns become numbers of those names again; and those of which none does."""
    plan, at = list[_Made](), 0
    while at < len(features):
        name = features[at]
        if name in used:
            if kind_of(table.columns[name]) not in ("numbers", "truth values"):
                raise _text(table, name)
            plan.append(_as_wanted(table, name, kinds.get(name, "number")))
            at += 1
            continue
        owner = next((one for one in sorted(used, key=len, reverse=True) if name.startswith(f"{one}=")), None)
        if owner is None:
            missing = [one for one in features if one not in used and not any(one.startswith(f"{u}=") for u in used)]
            columns = list(dict.fromkeys(one.partition("=")[0] or one for one in missing))
            shown = ", ".join(map(repr, columns[:3]))
            raise DiaboloError(
                f"{table.where} lacks {count(len(columns), 'column')} that the model was trained with: "
                f"{shown}{', …' if len(columns) > 3 else ''}"
            )
        end = at
        while end < len(features) and features[end].startswith(f"{owner}="):
            end += 1
        plan.append(_Made(owner, tuple(one[len(owner) + 1 :] for one in features[at:end])))
        at = end
    taken = {made.name for made in plan}
    return plan, [name for name in used if name not in taken]


def _check_whole(
    table: Table, plan: Sequence["_Made"], what: str, found_in: Callable[[NDArray[Any]], NDArray[Any]], remedy: str
) -> None:
    """Refuse numbers that are missing, or infinite, as `found_in` says, with how many there are and the first place."""
    total, first, where = 0, len(table), ""
    for made in plan:
        if (bad := found_in(table.columns[made.name])).any():
            total += int(np.count_nonzero(bad))
            row = int(bad.argmax())
            if row < first:
                first, where = row, made.name
    if total:
        one = what.removesuffix("s") if total == 1 else what
        raise DiaboloError(
            f"{table.where} holds {total:,} {one}, the first in row {first + 1:,} of column {where!r}: {remedy}, or leave "
            "out those rows, or the column by --without-column"
        )


def _infinite(values: NDArray[Any]) -> NDArray[np.bool_]:
    return np.isinf(values) if values.dtype.kind == "f" else np.zeros(len(values), np.bool_)


def _numbers(table: Table, plan: Sequence[_Made]) -> NDArray[Any]:
    """The numbers `(N, D)`, of one type that holds all of them; bytes and truth values as wider numbers, as they are no
    grey levels."""
    kinds = {table.columns[made.name].dtype if made.values is None else np.dtype(np.int16) for made in plan}
    if any(made.values is not None and missing_in(table.columns[made.name]).any() for made in plan):
        kinds.add(np.dtype(np.float32))  # in which a category may be unknown
    dtype = np.result_type(*(np.int16 if kind.itemsize == 1 else kind for kind in kinds))
    if dtype.kind == "u":  # which few programs take beyond 16 bits
        dtype = np.dtype(np.int32 if dtype.itemsize == 2 else np.float64)
    dtype = dtype.newbyteorder("=")
    width = sum(len(made.features) for made in plan)
    check_room(len(table) * width * dtype.itemsize, table.where)
    numbers = np.zeros((len(table), width), dtype)
    at = 0
    for made in plan:
        values = table.columns[made.name]
        if made.values is None:
            numbers[:, at] = values
        else:
            places, gone = _places(table, made), missing_in(values)
            numbers[~gone, at + places[~gone]] = 1
            if gone.any():  # whole numbers have no NaN
                numbers[gone, at : at + len(made.values)] = np.nan
        at += len(made.features)
    return numbers


def _places(table: Table, made: _Made) -> NDArray[np.int64]:
    """Which of the values of its category each row has; -1 where that is missing."""
    assert made.values is not None
    values = table.columns[made.name]
    place = {value: i for i, value in enumerate(made.values)}
    found = np.fromiter((place.get(_word(value), -1) for value in values.tolist()), np.int64, len(values))
    if (new := (found < 0) & ~missing_in(values)).any():
        row = int(new.argmax())
        raise DiaboloError(
            f"column {made.name!r} of {table.where} holds {_word(values[row])!r} in row {row + 1:,}, which the training data "
            "did not: leave out those rows"
        )
    return found
