"""What an option may be, said once beside it and checked alike for the command line, YAML files and Python.

    @checked
    def draw(n: Count, share: Share = 0.5, out: Path = Path("images")) -> None: ...

    draw(0)     # DiaboloError: n must be a whole number of at least 1, not 0
    draw(3, 2)  # DiaboloError: share must be a number from 0 to 1, not 2

The types say what is wanted, and `Annotated` which values: `Annotated[int, At(1)]`. Numbers of numpy and torch become plain
ones; truth values are no numbers; NaN and infinity are none either; an empty text is no value; paths have their `~` expanded.
What is left out, and so has its default, is not looked at.
"""

import functools
import inspect
import math
import operator
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from types import EllipsisType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, Unpack, get_args, get_origin, get_type_hints

from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.paths import as_path

F = TypeVar("F", bound=Callable[..., Any])

LARGEST = 3e38  # of any number: what float32 holds


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`; the ends belong to it unless `above` or `below` says that they do not."""

    low: float = -math.inf
    high: float = math.inf
    above: bool = False
    below: bool = False

    def __contains__(self, value: float) -> bool:
        low = value > self.low if self.above else value >= self.low
        high = value < self.high if self.below else value <= self.high
        return low and high

    def __str__(self) -> str:
        if math.isfinite(self.low) and math.isfinite(self.high) and not self.above and not self.below:
            return f"from {self.low:,} to {self.high:,}"
        low = f"{'above' if self.above else 'of at least'} {self.low:,}" if math.isfinite(self.low) else ""
        high = f"{'below' if self.below else 'at most'} {self.high:,}" if math.isfinite(self.high) else ""
        return " and ".join(filter(None, (low, high)))


def At(least: float, most: float = math.inf) -> Range:  # noqa: N802  # reads as a type beside the others
    """`least` or more, and `most` at most."""
    return Range(least, most)


def Above(low: float, most: float = math.inf, *, below: float | None = None) -> Range:  # noqa: N802
    """More than `low`, and `most` at most, or less than `below`."""
    return Range(low, most if below is None else below, above=True, below=below is not None)


class NonEmpty:
    """A tuple that holds something."""


class PathText:
    """Text that is a path: `~` is expanded, and a `Path` will do."""


class ItsOwn:
    """What it takes is more than a type can say: it is checked by what reads it."""


@dataclass(frozen=True, eq=False)
class OneOf:
    """Text that is one of these names, to which others may come."""

    names: Collection[str]


Count = Annotated[int, At(1)]
Natural = Annotated[int, At(0)]
Seed = Annotated[int, At(0, 2**32 - 1)]  # what numpy, scikit-learn and torch all take: of what a user says
AnySeed = Annotated[int, At(0, 2**64 - 1)]  # one that was derived from such a seed too
Port = Annotated[int, At(0, 65_535)]  # of a server; 0 for any
Positive = Annotated[float, Above(0)]
Weight = Annotated[float, At(0)]
Share = Annotated[float, At(0, 1)]
PartOf = Annotated[float, Above(0, below=1)]
BelowOne = Annotated[float, Range(0, 1, below=True)]
Plural = Annotated[int, At(2)]
Counts = Annotated[tuple[Count, ...], NonEmpty()]
Levels = Annotated[tuple[Annotated[int, At(3)], ...], NonEmpty()]
Folder = Annotated[str, PathText()]
AnyPath = Annotated[str | os.PathLike[str], PathText()]
Side = Annotated[int, At(1, 8192)]  # of an image, in pixels


def checked(function: F) -> F:
    """`function` whose arguments are checked by their types, and are plain numbers, texts and paths when it sees them."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def checking(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.arguments.update(arguments(function, bound.arguments))
        return function(*bound.args, **bound.kwargs)

    return checking  # type: ignore[return-value]  # of the same signature


def arguments(function: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments `given` to `function`, by name, as it is to see them; those of `*args` and `**kwargs` one by one.

    Raises:
        DiaboloError: for one that is not what its type says.
    """
    found: dict[str, Any] = {}
    hints, parameters = _hints(function), _parameters(function)
    for name, value in given.items():
        parameter, hint = parameters[name], hints.get(name, Any)
        if parameter.kind is parameter.VAR_POSITIONAL:
            found[name] = tuple(check(name, each, hint) for each in value)
        elif parameter.kind is parameter.VAR_KEYWORD:
            found[name] = {key: check(key, each, _of_dict(hint, key)) for key, each in value.items()}
        else:
            found[name] = value if _same(value, parameter.default) else check(name, value, hint)
    return found


def check_fields(options: Any) -> None:
    """Check the fields of a dataclass, frozen or not, and put plain values in; for its `__post_init__`."""
    kind: Any = type(options)
    hints = _hints(kind)
    for field in fields(options):
        value = getattr(options, field.name)
        if not _same(value, field.default):
            object.__setattr__(options, field.name, check(field.name, value, hints[field.name]))


def check(name: str, value: Any, hint: Any) -> Any:
    """`value` as `hint` wants it.

    Raises:
        DiaboloError: when it is something else; `name` says which option it is.
    """
    kinds, rules = _kinds(hint)
    if any(isinstance(rule, ItsOwn) for rule in rules) or (value is None and type(None) in kinds):
        return value
    for kind in kinds:
        found = _as(name, value, kind, rules)
        if found is not _NO:
            return found
    numbers = [kind for kind in kinds if kind in (int, float)] if isinstance(_scalar(value), int | float) else []
    words = [word for kind in numbers or kinds if (word := _words(kind, rules))]
    raise DiaboloError(f"{name} must be {' or '.join(dict.fromkeys(words)) or 'something else'}, not {_shown(value)}")


_NO = object()  # the value is not of that kind


def _as(name: str, value: Any, kind: Any, rules: Sequence[Any]) -> Any:
    """`value` as a `kind`; `_NO` where it is none or lies outside the rules."""
    origin = get_origin(kind)
    if kind is Any:
        return value
    if origin is Literal:
        return _literal(name, value, get_args(kind))
    if kind is bool:
        return _scalar(value) if isinstance(_scalar(value), bool) else _NO
    if kind in (int, float):
        return _number(value, kind, rules)
    if kind is str:
        return _text(name, value, rules)
    if isinstance(kind, type) and issubclass(kind, os.PathLike):
        return as_path(value) if isinstance(value, str | os.PathLike) else _NO
    if origin in (tuple, list) or (isinstance(origin, type) and issubclass(origin, Sequence)):
        return _several(name, value, get_args(kind), rules)
    if kind is type(None) or kind in (tuple, list):
        return value if isinstance(value, kind) else _NO
    plain = value is None or isinstance(value, bool | int | float | str)
    listed = isinstance(value, tuple | list) and isinstance(kind, type) and not getattr(kind, "_is_protocol", False)
    return _NO if plain or listed else value  # an object, whose own methods know more than a type


def _literal(name: str, value: Any, valid: tuple[Any, ...]) -> Any:
    if any(type(value) is type(choice) and value == choice for choice in valid):
        return value
    if isinstance(value, str) and all(isinstance(choice, str) for choice in valid):
        raise UnknownNameError(name, value, valid)
    return _NO


def _number(value: Any, kind: type, rules: Sequence[Any]) -> Any:
    """A plain number; nothing that is not finite, or too large for float32 where fractions are wanted."""
    value = _scalar(value)
    if isinstance(value, bool | str | bytes | None):
        return _NO
    try:
        number: int | float = operator.index(value) if kind is int else float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return _NO
    if kind is float and not abs(number) <= LARGEST:
        return _NO
    return number if all(number in rule for rule in rules if isinstance(rule, Range)) else _NO


def _scalar(value: Any) -> Any:
    """Python's number for one of numpy or torch, none of which needs to be imported for that."""
    return value.item() if getattr(value, "ndim", None) == 0 and hasattr(value, "item") else value


def _text(name: str, value: Any, rules: Sequence[Any]) -> Any:
    if any(isinstance(rule, PathText) for rule in rules) and isinstance(value, str | os.PathLike):
        return str(as_path(value)) if os.fspath(value) else _NO
    if not isinstance(value, str) or not value.strip():
        return _NO
    for rule in rules:
        if isinstance(rule, OneOf) and value not in rule.names:
            raise UnknownNameError(name, value, rule.names)
    return str(value)


def _several(name: str, value: Any, kinds: tuple[Any, ...], rules: Sequence[Any]) -> Any:
    """A tuple of what `kinds` says."""
    if getattr(value, "ndim", None) == 1 and hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, str | bytes | dict) or not isinstance(value, Sequence):
        return _NO
    if not len(value) and any(isinstance(rule, NonEmpty) for rule in rules):
        return _NO
    if len(kinds) > 1 and not isinstance(kinds[1], EllipsisType):
        if len(kinds) != len(value):
            return _NO
        return tuple(check(name, each, _with(kind, rules)) for each, kind in zip(value, kinds, strict=True))
    return tuple(check(name, each, _with(kinds[0] if kinds else Any, rules)) for each in value)


def _with(kind: Any, rules: Sequence[Any]) -> Any:
    """A kind to which the rules of the whole tuple apply too."""
    for rule in rules:
        kind = Annotated[kind, rule] if isinstance(rule, Range | OneOf | PathText) else kind
    return kind


def _kinds(hint: Any) -> tuple[list[Any], tuple[Any, ...]]:
    """The plain types of a type, and the rules that are annotated to it, at any depth of its unions."""
    origin = get_origin(hint)
    if origin is Annotated:
        inner, *rules = get_args(hint)
        kinds, deeper = _kinds(inner)
        return kinds, (*deeper, *rules)
    if origin in (Union, UnionType):
        kinds, rules = [], []
        for member in get_args(hint):
            found, of_member = _kinds(member)
            kinds += found
            rules += of_member
        return kinds, tuple(rules)
    return [hint], ()


def _words(kind: Any, rules: Sequence[Any]) -> str:
    """What is wanted, in words."""
    ranges = " ".join(str(rule) for rule in rules if isinstance(rule, Range))
    origin = get_origin(kind)
    if any(isinstance(rule, PathText) for rule in rules) and kind is not type(None):
        return "a path"
    if kind in (int, float):
        return f"{'a whole number' if kind is int else 'a number'}{' ' + ranges if ranges else ''}"
    if kind is bool:
        return "true or false"
    if kind is str:
        return "text that is not empty"
    if isinstance(kind, type) and issubclass(kind, os.PathLike):
        return "a path"
    if origin is Literal:
        return " or ".join(str(choice) for choice in get_args(kind))
    if kind is type(None):
        return ""
    if origin is tuple or (isinstance(origin, type) and issubclass(origin, Sequence)):
        kinds = get_args(kind)
        one = _kinds(kinds[0])[0][0] if kinds else Any
        each = {int: "whole numbers", float: "numbers", str: "names"}.get(one, "values")
        least = "one or more " if any(isinstance(rule, NonEmpty) for rule in rules) else ""
        number = f"{len(kinds)} " if len(kinds) > 1 and not isinstance(kinds[1], EllipsisType) else least
        return f"{number}{each}{' ' + ranges + ' each' if ranges else ''}"
    return f"a {getattr(kind, '__name__', kind)}"


def _shown(value: Any) -> str:
    text = repr(_scalar(value))
    return text if len(text) <= 80 else f"{text[:77]}…"


def _same(value: Any, default: Any) -> bool:
    """Whether it is the default: left out, or as good as that."""
    return value is default or (type(value) is type(default) and isinstance(value, str | tuple) and value == default)


def _of_dict(hint: Any, key: str) -> Any:
    """The type of one of `**kwargs`: what `Unpack` says of it."""
    return _hints(get_args(hint)[0]).get(key, Any) if get_origin(hint) is Unpack else hint


@functools.cache
def _hints(subject: Any) -> dict[str, Any]:
    return get_type_hints(subject, include_extras=True)


@functools.cache
def _parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(function).parameters
