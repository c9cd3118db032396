"""What the model is given besides x: a class, a part of the image, a vector. It joins what the encoder sees and the code."""

from collections.abc import Callable
from functools import partial

from diabolo.conditions.condition import (
    COLUMNS,
    CORNERS,
    UNKNOWN,
    Condition,
    Embedding,
    Given,
    Label,
    Quarter,
    Unconditional,
    Vector,
    check_labels,
)
from diabolo.conditions.prior import WithPrior
from diabolo.errors import DiaboloError, UnknownNameError

__all__ = [
    "COLUMNS",
    "CONDITIONS",
    "UNKNOWN",
    "Condition",
    "Embedding",
    "Given",
    "Label",
    "Quarter",
    "Unconditional",
    "Vector",
    "WithPrior",
    "as_condition",
    "check_labels",
]


def _vector(reads: str, columns: int | None) -> Vector:
    if columns is None:
        raise DiaboloError(f"a condition on {reads} needs to know how many there are: give columns")
    return Vector(reads, columns)


def _quarter(corner: str, shape: tuple[int, ...], classes: int, columns: int | None) -> Quarter:
    return Quarter(shape, corner)


CONDITIONS: dict[str, Callable[[tuple[int, ...], int, int | None], Condition]] = {
    "none": lambda shape, classes, columns: Unconditional(),
    "label": lambda shape, classes, columns: Label(classes),
    "embedding": lambda shape, classes, columns: Embedding(classes),
    "attributes": lambda shape, classes, columns: _vector("attributes", columns),
    "factors": lambda shape, classes, columns: _vector("factors", columns),
    "quarter": lambda shape, classes, columns: Quarter(shape),
    **{f"quarter-{corner}": partial(_quarter, corner) for corner in CORNERS[1:]},
}


def as_condition(
    value: str | Condition | None,
    input_shape: tuple[int, ...],
    classes: int | None = None,
    columns: int | None = None,
) -> Condition:
    """A condition by name, or as it is; none for None.

    Args:
        value: the name (see `CONDITIONS`), or a condition.
        input_shape: of one image.
        classes: of the labels, for "label" and "embedding"; 10 when left out.
        columns: for "attributes" and "factors": how many there are.

    Raises:
        UnknownNameError: for another name.
    """
    if isinstance(value, Condition):
        return value
    value = value or "none"
    if value not in CONDITIONS:
        raise UnknownNameError("condition", value, CONDITIONS)
    return CONDITIONS[value](tuple(input_shape), 10 if classes is None else classes, columns)
