"""How well each kind of column of a table is reconstructed: categories by the share that is right, numbers by squared error."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diabolo.data.images import Images
from diabolo.evaluation.subject import Subject
from diabolo.metrics.score import Score

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
        unit = "share of values" if right else "squared error per number, in the units of the data"
        detail = {name: float(one.mean()) for name, one in columns.items() if one.count()}  # type: ignore[attr-defined]
        score = Score.mean(
            values,
            unit,
            test.split,
            better="higher" if right else "lower",
            setting=setting,
            detail={"per column": detail},
            shared=subject.shared(values, known),
        )
        scores[NAMES[kind]] = _within(score) if right else score
    return scores


def _within(score: Score) -> Score:
    """A share whose interval ends where shares do."""
    if score.low is None or score.high is None:
        return score
    return replace(
        score, low=max(0.0, score.low), high=min(1.0, score.high), interval=f"{score.interval}, within 0 … 1"
    )


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
