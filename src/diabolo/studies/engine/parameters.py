"""What a parameter of a study may be: of the kind of its default."""

from types import GenericAlias
from typing import Annotated, Any

from diabolo.ranges import Above, At, NonEmpty, check

_MOST = 2**32 - 1  # of whole numbers: what any generator takes for a seed


def hint(default: Any) -> Any:
    """The type of a parameter by its default.

    That of 15 is a whole number of at least 1, of 0 one of at least 0, of 0.1 a number above 0, and of 0.0 one of at least 0;
    what has a negative number among its defaults may be any. Text is not empty, and tuples hold something.
    """
    if isinstance(default, tuple | list) and default:
        return Annotated[GenericAlias(tuple, (_single(default), ...)), NonEmpty()]
    return _single((default,)) if not isinstance(default, tuple | list) else tuple[str, ...]


def checked(parameters: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """The parameters as plain values.

    Raises:
        DiaboloError: for one that is not of the kind of its default.
    """
    return {name: check(name, value, hint(defaults.get(name, value))) for name, value in parameters.items()}


def _single(values: tuple[Any, ...] | list[Any]) -> Any:
    """The type of each of them."""
    kind: Any = type(values[0])
    if kind is type(None):
        return str | None
    if kind not in (int, float):
        return kind
    kind, least = float if float in map(type, values) else int, min(values)
    if kind is int:
        return Annotated[int, At(min(1, least) if least >= 0 else -_MOST, _MOST)]
    return Annotated[float, Above(0)] if least > 0 else Annotated[float, At(0)] if least == 0 else float
