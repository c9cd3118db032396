"""How well each kind of column of a table is reconstructed: categories by the share that is right, numbers by squared error."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.data.images import Images
from diabolo.evaluation.subject import Subject
from diabolo.metrics.score import Score
from diabolo.statistics import wilson

RIGHT = ("category", "binary")
NAMES = {
    "category": "accuracy of categories",
    "binary": "accuracy of 0/1 columns",
    "count": "MSE of counts",
    "number": "MSE of real numbers",
}


def by_kind(subject: Subject) -> dict[str, Score]:
    """A score for each kind of column that the test images have, over what is known of them, with those of each column in its
    detail; none where nobody says what their columns are."""
    test, types = subject.test, subject.test.column_types or ()
    found: dict[str, dict[str, NDArray[Any]]] = {kind: {} for kind in NAMES}
    at = 0
    for column in types:
        part = slice(at, at + column.size)
        x = np.ma.masked_invalid(test.images[:, part].astype(np.float64))
        x_hat = subject.reconstructions[:, part]
        found[column.kind][column.name] = _errors(column.kind, x, x_hat)
        at += column.size
    scores = {}
    for kind, columns in found.items():
        if not columns:
            continue
        each = np.ma.stack(list(columns.values()), 1)  # (N, columns)
        known = ~np.ma.getmaskarray(each).all(1)
        if not known.any():
            continue
        values = np.asarray(each.mean(1)[known])
        right = kind in RIGHT
        setting: dict[str, Any] = {"columns": len(columns)}
        if right:
            setting["always the most frequent value"] = _majority(subject.train, test, kind)
        detail = {name: float(one.mean()) for name, one in columns.items() if one.count()}  # type: ignore[attr-defined]
        beside: dict[str, Any] = {"setting": setting, "detail": {"per column": detail}}
        beside["shared"] = subject.shared(values, known)
        if right:
            scores[NAMES[kind]] = _share(values, test.split, beside)
        else:
            unit = "squared error per number, in the units of the data"
            scores[NAMES[kind]] = Score.mean(values, unit, test.split, better="lower", **beside)
    return scores


def _share(values: NDArray[np.float64], split: str, beside: dict[str, Any]) -> Score:
    """The mean of shares (n,), one per row, with Wilson's interval for n rows: of one column it is that; of several it is too
    wide if anything, since no numbers between 0 and 1 of that mean vary more than those that are all 0 or 1."""
    n, mean = len(values), float(values.mean())
    how = "Wilson, over rows"
    return Score(mean, "share of values", n, split, *wilson(round(n * mean), n), how, "higher", **beside)


def _errors(kind: str, x: Any, x_hat: NDArray[Any]) -> Any:
    """Of each row (N,) whether it is right, or its squared error; masked where it is not known."""
    if kind == "category":
        return np.ma.masked_array(x.filled(0).argmax(1) == x_hat.argmax(1), np.ma.getmaskarray(x).any(1)).astype(float)
    one, one_hat = x[:, 0], x_hat[:, 0]
    if kind == "binary":
        return ((one_hat >= 0.5) == (one >= 0.5)).astype(float)
    return np.square(one_hat - one)


def _majority(train: Images, test: Images, kind: str) -> float:
    """The share of the known values that are right if each column always has its most frequent value of the training."""
    found, at = [], 0
    for column in test.column_types or ():
        part = slice(at, at + column.size)
        if column.kind == kind:
            mean = np.nan_to_num(np.ma.masked_invalid(train.images[:, part].astype(np.float64)).mean(0).filled(0))
            always = mean[None] if kind == "category" else (mean >= 0.5).astype(float)[None]
            x = np.ma.masked_invalid(test.images[:, part].astype(np.float64))
            found.append(_errors(kind, x, np.broadcast_to(always, x.shape)).mean())
        at += column.size
    return float(np.ma.mean(np.ma.stack(found)))
