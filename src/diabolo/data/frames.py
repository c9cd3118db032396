"""Tables in memory: frames of pandas and polars, tables of Arrow, data sets of Hugging Face; and sparse matrices of scipy.

None of these packages is imported here: whoever holds one of their objects has done so.
"""

import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.data.gather import CHUNK_BYTES
from diabolo.data.room import check_room
from diabolo.data.table import Table
from diabolo.errors import DiaboloError
from diabolo.plain import count

INDEX = "__index_level_"  # what pandas calls the index of its rows in a Parquet file


def _of(x: Any, package: str, *names: str) -> bool:
    """Whether `x` is of one of those classes, of a package that is imported already or cannot be concerned."""
    module = sys.modules.get(package)
    return module is not None and any(isinstance(x, getattr(module, name, ())) for name in names)


def is_frame(x: Any) -> bool:
    """Whether `x` is a frame of pandas or polars, or a table of Arrow."""
    return _of(x, "pandas", "DataFrame") or _of(x, "polars", "DataFrame", "LazyFrame") or _of(x, "pyarrow", "Table")


def is_hugging_face(x: Any) -> bool:
    """Whether `x` is a data set of Hugging Face, or several parts of one."""
    return _of(x, "datasets", "Dataset", "IterableDataset", "DatasetDict", "IterableDatasetDict")


def is_sparse(x: Any) -> bool:
    """Whether `x` is a sparse matrix or array of scipy."""
    sparse = sys.modules.get("scipy.sparse")
    return sparse is not None and bool(sparse.issparse(x))


def table_of(x: Any, where: str) -> Table:
    """The columns of a frame, a table of Arrow, or a data set of Hugging Face without pictures.

    Raises:
        DiaboloError: when two columns have one name, or there are no rows.
    """
    if is_hugging_face(x):
        return of_arrow(x.with_format("arrow")[:], where, names_of_classes(x))
    if _of(x, "pyarrow", "Table"):
        return of_arrow(x, where)
    if _of(x, "polars", "LazyFrame"):
        raise DiaboloError(f"{where} is a query of polars that has not run: give x.collect()")
    names = [str(name) for name in x.columns]
    _refuse_twice(names, where)
    if _of(x, "polars", "DataFrame"):
        columns: dict[str, NDArray[Any]] = {}
        for name, series in zip(names, x.get_columns(), strict=True):
            columns |= _of_polars(name, series, where)
        return Table(columns, where)
    return Table({name: _of_pandas(x.iloc[:, i]) for i, name in enumerate(names)}, where)


def dense(x: Any, where: str) -> NDArray[Any]:
    """A sparse matrix as an array `(N, D)`, some rows at a time, so that no other copy of all is made.

    Raises:
        DiaboloError: when it would not fit into memory.

    Example:
        >>> import scipy.sparse
        >>> diabolo.data.frames.dense(scipy.sparse.eye_array(2), "x").tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    if x.ndim != 2:
        raise DiaboloError(f"{where} is a sparse array of shape {x.shape}; give one of two axes, rows and features")
    n, width = x.shape
    check_room(n * width * x.dtype.itemsize, f"{where}, a sparse matrix of {n:,} × {width:,}, once made dense,")
    rows = x.tocsr()
    out = np.empty((n, width), x.dtype)
    step = max(1, CHUNK_BYTES // max(1, width * x.dtype.itemsize))
    for start in range(0, n, step):
        out[start : start + step] = rows[start : start + step].toarray()
    return out


def of_arrow(table: Any, where: str, classes: Mapping[str, tuple[str, ...]] | None = None) -> Table:
    """The columns of a table of Arrow; a column of lists of one length is that many columns of numbers."""
    names = [str(name) for name in table.column_names]
    _refuse_twice(names, where)
    columns: dict[str, NDArray[Any]] = {}
    notes = []
    for name, column in zip(names, table.columns, strict=True):
        if name.startswith(INDEX):
            notes.append("the index that pandas wrote beside the columns is left out")
        else:
            columns |= _of_arrow(name, column, where)
    known = classes_in(table.schema.metadata) if classes is None else classes
    return Table(columns, where, {name: known[name] for name in known if name in columns}, tuple(notes))


def names_of_classes(x: Any) -> dict[str, tuple[str, ...]]:
    """The names of the classes in the columns of a data set of Hugging Face."""
    known = {name: getattr(feature, "names", None) for name, feature in (x.features or {}).items()}
    return {name: tuple(map(str, words)) for name, words in known.items() if words}


def classes_in(metadata: Mapping[bytes, bytes] | None) -> dict[str, tuple[str, ...]]:
    """The names of classes, and of nothing else, as Hugging Face writes them into the header of a Parquet file."""
    found: dict[str, tuple[str, ...]] = {}
    with suppress(ValueError, TypeError, AttributeError, RecursionError):  # a stranger's file may say anything there
        told = json.loads((metadata or {}).get(b"huggingface", b"{}"))
        for name, feature in told.get("info", {}).get("features", {}).items():
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel":
                words = feature.get("names")
                if isinstance(words, list) and words and all(isinstance(word, str) for word in words):
                    found[str(name)] = tuple(words)
    return found


def _refuse_twice(names: list[str], where: str) -> None:
    twice = (
        next((name for i, name in enumerate(names) if name in names[:i]), None)
        if len(set(names)) < len(names)
        else None
    )
    if twice is not None:
        raise DiaboloError(f"two columns of {where} are called {twice!r}: rename one")


def objects(values: list[Any]) -> NDArray[Any]:
    """Texts `(N,)` as an array of objects, NaN and what else stands for nothing as None."""
    out = np.empty(len(values), object)
    out[:] = [None if value is None or value != value else value for value in values]
    return out


def _of_pandas(series: Any) -> NDArray[Any]:
    pandas = sys.modules["pandas"]
    dtype = series.dtype
    if isinstance(dtype, pandas.CategoricalDtype):
        series, dtype = series.astype(dtype.categories.dtype), dtype.categories.dtype
    if pandas.api.types.is_bool_dtype(dtype) or pandas.api.types.is_numeric_dtype(dtype):
        if isinstance(dtype, np.dtype):
            return np.asarray(series)
        if series.isna().any():
            found: NDArray[Any] = series.to_numpy(dtype=np.float64, na_value=np.nan)
            return found
        kind = np.bool_ if pandas.api.types.is_bool_dtype(dtype) else getattr(dtype, "numpy_dtype", np.float64)
        return np.asarray(series.to_numpy(dtype=kind))
    if pandas.api.types.is_datetime64_any_dtype(dtype):
        return np.zeros(len(series), "M8[s]")
    if pandas.api.types.is_timedelta64_dtype(dtype):
        return np.zeros(len(series), "m8[s]")
    missing = series.isna().tolist()
    return objects([None if gone else value for value, gone in zip(series.tolist(), missing, strict=True)])


def _of_polars(name: str, series: Any, where: str) -> dict[str, NDArray[Any]]:
    polars = sys.modules["polars"]
    kind = series.dtype
    if kind.is_decimal() or (kind == polars.Boolean and series.null_count()):
        series = series.cast(polars.Float64)
        kind = series.dtype
    if kind.is_numeric() or kind == polars.Boolean:
        return {name: series.to_numpy()}
    if kind.is_temporal():
        return {name: np.zeros(len(series), "M8[s]")}
    if kind.is_nested() and kind != polars.Struct:
        return _of_arrow(name, series.to_arrow(), where)
    return {name: objects(series.to_list())}


def _of_arrow(name: str, column: Any, where: str) -> dict[str, NDArray[Any]]:
    """A column of Arrow by its name; one of lists as several, called name[0], name[1], …"""
    import pyarrow
    from pyarrow import types

    array = column.combine_chunks() if isinstance(column, pyarrow.ChunkedArray) else column
    if isinstance(array, pyarrow.ChunkedArray):  # more than one array can hold
        raise DiaboloError(f"column {name!r} of {where} is too large for one array: read fewer rows")
    kind = array.type
    if types.is_decimal(kind):
        array, kind = array.cast(pyarrow.float64()), pyarrow.float64()
    if types.is_integer(kind) or types.is_floating(kind):
        return {name: np.asarray(array.to_numpy(zero_copy_only=False))}
    if types.is_boolean(kind):
        if array.null_count:
            return {name: array.cast(pyarrow.int8()).to_numpy(zero_copy_only=False)}
        return {name: np.asarray(array.to_numpy(zero_copy_only=False))}
    if types.is_temporal(kind):
        return {name: np.zeros(len(array), "m8[s]" if types.is_duration(kind) else "M8[s]")}
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _of_lists(name, array, where)
    if types.is_null(kind):
        return {name: np.full(len(array), np.nan)}
    if types.is_dictionary(kind):
        array = array.cast(kind.value_type)
        return _of_arrow(name, array, where)
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        return {name: np.zeros(len(array), "S1")}
    if types.is_struct(kind) or types.is_map(kind):
        return {name: np.zeros(len(array), "V1")}
    return {name: objects(array.to_pylist())}


def _of_lists(name: str, array: Any, where: str) -> dict[str, NDArray[Any]]:
    import pyarrow.compute
    from pyarrow import types

    kind = array.type.value_type
    if not (types.is_integer(kind) or types.is_floating(kind)):
        raise DiaboloError(
            f"column {name!r} of {where} holds lists of {kind}, not of numbers: leave it out by --without-column {name}"
        )
    if array.null_count:
        row = array.is_null().to_numpy(zero_copy_only=False).argmax() + 1
        raise DiaboloError(
            f"column {name!r} of {where} lacks {count(array.null_count, 'list')}, first in row {row:,}: leave those rows out"
        )
    lengths = pyarrow.compute.list_value_length(array).to_numpy(zero_copy_only=False)
    if len(lengths) and (lengths != lengths[0]).any():
        row = int((lengths != lengths[0]).argmax())
        raise DiaboloError(
            f"column {name!r} of {where} holds lists of different lengths, {lengths[0]:,} in row 1 and {lengths[row]:,} in row "
            f"{row + 1:,}: make them alike, or leave it out by --without-column {name}"
        )
    width = int(lengths[0]) if len(lengths) else 0
    flat = np.asarray(array.flatten().to_numpy(zero_copy_only=False)).reshape(len(array), width)
    return {f"{name}[{i}]": flat[:, i] for i in range(width)}
