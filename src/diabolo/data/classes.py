"""Classes by their names: the order they are numbered in, and which one is meant."""

import difflib
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.errors import DiaboloError, listed


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """The names in the order that their classes are numbered in: by number where all are whole numbers, else by letters."""
    several = set(names)
    if all(_number(name) is not None for name in several):
        return tuple(sorted(several, key=lambda name: (_number(name), name)))
    return tuple(sorted(several))


def named_labels(*parts: Any) -> tuple[list[NDArray[np.int64] | None], tuple[str, ...] | None]:
    """Labels of several parts of one data set, numbered from 0, and the names of the classes; None where that is the number.

    Each of `parts` is labels `(N,)` or None: whole numbers (or floats that are), of which -1 means not known; or strings.
    Classes are those that occur in any part: labels 1 … 26 become 0 … 25 with the names "1" … "26".

    Raises:
        DiaboloError: when they are something else, or negative in another way.
    """
    arrays = [None if part is None else as_labels(part, strings=True) for part in parts]
    known = [array for array in arrays if array is not None]
    if not known:
        return [None for _ in parts], None
    if len({array.dtype.kind == "i" for array in known}) > 1:
        raise DiaboloError("labels are numbers in one part and words in another; give them alike in all parts")
    values = np.unique(np.concatenate(known))
    if values.dtype.kind != "i":
        words = in_order(map(str, values))
        numbers = {name: number for number, name in enumerate(words)}
        found = [None if a is None else np.array([numbers[str(v)] for v in a], np.int64) for a in arrays]
        return found, words
    classes = values[values >= 0]
    if np.array_equal(classes, np.arange(len(classes))):
        return list(arrays), None
    if -1 in values and np.array_equal(classes, [1]):
        raise DiaboloError(
            "labels are -1 and 1 alone, and -1 means that a label is not known; number two classes 0 and 1"
        )
    places = [None if a is None else np.where(a < 0, -1, np.searchsorted(classes, a)).astype(np.int64) for a in arrays]
    return places, tuple(map(str, classes.tolist()))


def as_labels(labels: Any, strings: bool = False) -> NDArray[Any]:
    """Labels as int64 `(N,)`, or, where that is allowed, as strings.

    Raises:
        DiaboloError: unless they are whole numbers from -1 (not known) up, along one axis.
    """
    torch = sys.modules.get("torch")  # whoever holds a tensor has imported torch already
    if torch is not None and isinstance(labels, torch.Tensor):
        labels = labels.detach().cpu().numpy()
    if isinstance(labels, np.ma.MaskedArray) and np.ma.is_masked(labels):
        raise DiaboloError("labels are a masked array; give labels.filled(-1) where -1 means that a label is not known")
    try:
        array = labels if isinstance(labels, np.ndarray) else np.asarray(labels)
    except ValueError as error:  # lists of unequal length
        raise DiaboloError(f"labels cannot become one array: {error}") from error
    if array.ndim == 2 and array.shape[1] == 1:  # a column, as tables have
        array = array[:, 0]
    if strings and array.ndim == 1 and (array.dtype.kind in "US" or _all_strings(array)):
        words = [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in array.tolist()]
        words = [unicodedata.normalize("NFC", word) for word in words]  # as names of folders are
        if "" in words:
            raise DiaboloError("labels hold an empty text, which names no class; call it something, unlabelled say")
        return np.array(words)
    if array.dtype.kind == "f" and array.ndim == 1 and np.isfinite(array).all() and (array == np.rint(array)).all():
        array = array.astype(np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iub":
        raise DiaboloError(
            f"labels must be whole numbers along one axis, got {array.dtype} of shape {array.shape}{_label_hint(array)}"
        )
    if len(array) and ((array.dtype.kind == "i" and array.min() < -1) or array.max() > np.iinfo(np.int64).max):
        raise DiaboloError(
            f"labels run from {array.min()} to {array.max()}; classes are numbered from 0, and -1 means not known"
        )
    return array.astype(np.int64)


def _label_hint(array: NDArray[Any]) -> str:
    """What to do with labels that are no whole numbers (N,)."""
    if array.dtype.kind in "US":
        return "; names of classes are taken by load(x, labels=names)"
    if array.ndim == 2:
        return "; give labels.argmax(1) if each row has a one in the column of its class"
    missing = array.ndim == 1 and array.dtype.kind in "fO" and any(v is None or v != v for v in array.tolist())
    return "; some are missing: put -1 where a label is not known" if missing else ""


def class_number(wanted: Any, names: Sequence[str] | None, present: Iterable[int], where: str) -> int:
    """The label of the class that is called `wanted`.

    wanted   a name; or a number, which is taken for a name where there is such a class, for the label where classes have no
             names, and else for the place in `names` where no name is a number
    present  the labels that occur
    where    what to call the images in a message

    Raises:
        DiaboloError: when there is no such class; the message names those that there are.
    """
    wanted = unicodedata.normalize("NFC", wanted) if isinstance(wanted, str) else wanted
    several = sorted(set(present))
    called = [str(label) if names is None or label >= len(names) else names[label] for label in several]
    number = None if isinstance(wanted, bool) else _number(str(wanted))
    if names is None:
        if number in several:
            return int(number)
    else:
        if str(wanted) in called:
            return several[called.index(str(wanted))]
        values = [_number(name) for name in called]
        if number is not None and values.count(number) == 1:
            return several[values.index(number)]
        if number in several and not any(_number(name) is not None for name in names):
            return int(number)
    near = difflib.get_close_matches(str(wanted), called, n=1, cutoff=0.6) if number is None else []
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    shown = listed(called, "diabolo data inspect", str(wanted))
    raise DiaboloError(f"there is no class {wanted} in {where}{hint}; the classes are {shown or 'not known'}")


def _number(name: str) -> int | None:
    """The whole number that a name is, sign and leading zeros allowed; None where it is none."""
    text = name.strip()
    return int(text) if text.lstrip("+-").isdecimal() and text.isascii() and len(text) < 19 else None


def _all_strings(array: NDArray[Any]) -> bool:
    return array.dtype == object and len(array) > 0 and all(isinstance(value, str) for value in array.tolist())
