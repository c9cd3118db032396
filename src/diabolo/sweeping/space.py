"""What is searched: ranges of numbers and lists of values, as they are typed.

beta=log:1e-4..10      numbers from 1e-4 to 10, evenly on a logarithmic scale
sigma=0.1..1           numbers from 0.1 to 1; whole ones where the option takes no others
net=mlp,conv           one of these; hidden=512,256x128 are two lists of widths
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, get_args, get_origin, get_type_hints

from diabolo import zoo
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.training.options import TrainOptions
from diabolo.zoo.recipe import called

Value = bool | int | float | str | tuple[int, ...]
HOW = "a range such as 1e-4..10 or log:1e-4..10, or values such as 8,16,32"
OF_SEEDS = "seed is not searched: seeds (--seeds 3) says with how many each trial is trained"


@dataclass(frozen=True)
class Span:
    """Numbers from `low` to `high`, both among them; evenly on a logarithmic scale where `log`, whole ones where `whole`."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def __str__(self) -> str:
        return f"{'log:' if self.log else ''}{self.low!r}..{self.high!r}"

    def suggest(self, trial: Any, name: str) -> Value:
        """The value of the option `name` in an Optuna `trial`."""
        if self.whole:
            return int(trial.suggest_int(name, int(self.low), int(self.high), log=self.log))
        return float(trial.suggest_float(name, self.low, self.high, log=self.log))

    @property
    def ends(self) -> tuple[Value, ...]:
        """The values that are tried out before anything is trained."""
        return (int(self.low), int(self.high)) if self.whole else (self.low, self.high)


@dataclass(frozen=True)
class Choice:
    """One of `values`."""

    values: tuple[Value, ...]

    def __str__(self) -> str:
        return ",".join(map(word, self.values))

    def suggest(self, trial: Any, name: str) -> Value:
        """The value of the option `name` in an Optuna `trial`."""
        words = [word(value) for value in self.values]
        return self.values[words.index(str(trial.suggest_categorical(name, words)))]

    @property
    def ends(self) -> tuple[Value, ...]:
        """All of them."""
        return self.values


Space = Span | Choice


def recorded(space: Space) -> dict[str, Any]:
    """A space as JSON."""
    return asdict(space)


def of_record(told: Mapping[str, Any]) -> Space:
    """What `recorded` gave, read from JSON.

    Raises:
        KeyError, TypeError, ValueError: where it is something else.
    """
    if "values" in told:
        return Choice(tuple(tuple(value) if isinstance(value, list) else value for value in told["values"]))
    kind = int if told["whole"] else float
    return Span(kind(told["low"]), kind(told["high"]), bool(told["log"]), bool(told["whole"]))


def word(value: Value) -> str:
    """A value as it is typed: true, 0.001, 512x256."""
    if isinstance(value, bool):
        return str(value).lower()
    return (
        "x".join(map(str, value))
        if isinstance(value, tuple)
        else repr(value)
        if isinstance(value, float)
        else str(value)
    )


def spaces(recipe: str, given: Iterable[str] | Mapping[str, Any], fixed: Iterable[str] = ()) -> dict[str, Space]:
    """What is searched, by option.

    Args:
        recipe: whose options, and those of training, can be searched.
        given: as typed, "beta=log:1e-4..10"; or by option the same words, or a sequence of values.
        fixed: options that are given a value.

    Raises:
        UnknownNameError: for an option that neither the recipe nor its training has.
        DiaboloError: for nothing to search, an empty range, or a logarithm of zero.
    """
    found: dict[str, Space] = {}
    pairs = list(given.items()) if isinstance(given, Mapping) else [_pair(text) for text in given]
    if not pairs:
        raise DiaboloError("a sweep needs an option to search: name one, such as --search lr=log:1e-4..1e-2")
    hints, fixed = hints_of(recipe), set(fixed)
    for name, told in pairs:
        name = name.strip().replace("-", "_")
        if name == "seed":
            raise DiaboloError(OF_SEEDS)
        if name not in hints:
            of = f" of the model {called(recipe)!r} or its training"
            raise UnknownNameError("option", name, hints, of, f"diabolo train {recipe} --help-all")
        if name in BESIDE:
            raise DiaboloError(f"{name} does not change what is learned, so there is nothing to search: give one value")
        if name in found:
            raise DiaboloError(f"{name} is searched twice: give one range or list of values")
        if name in fixed:
            raise DiaboloError(f"{name} is both given and searched: leave one out")
        found[name] = parse(name, told, hints[name])
    return found


BESIDE = {field.name for field in fields(TrainOptions) if field.metadata.get("beside")}


def hints_of(recipe: str) -> dict[str, Any]:
    """The types of all options of that recipe and its training."""
    own = {name: hint for name, (hint, _) in zoo.options_of(called(recipe)).items()}
    return {**own, **get_type_hints(TrainOptions, include_extras=True)}


def parse(name: str, told: Any, hint: Any) -> Space:
    """The space of the option `name` of that type, as it is typed or as a sequence of values."""
    if isinstance(told, Span | Choice):
        return told
    if not isinstance(told, str):
        if not isinstance(told, Sequence) or isinstance(told, bytes):
            raise DiaboloError(f"the search space of {name} is {HOW}, not {told!r}")
        return _choice(name, [tuple(value) if isinstance(value, list) else value for value in told])
    if ".." in told:
        return _span(name, told, set(kinds(hint)))
    return _choice(name, [_value(text.strip(), hint) for text in re.split(r",(?![^(]*\))", told)])


def _pair(text: str) -> tuple[str, str]:
    name, equals, told = text.partition("=")
    if not (name.strip() and equals and told.strip()):
        raise DiaboloError(f"--search takes NAME=VALUES, and VALUES is {HOW}, not {text!r}")
    return name, told


def _span(name: str, text: str, able: set[Any]) -> Span:
    log, ends = text.startswith("log:"), text.removeprefix("log:").split("..")
    if not {int, float} & able:
        raise DiaboloError(f"{name} takes no numbers, so it has no range {text}: list its values, {name}=a,b")
    try:
        low, high = (float(end) for end in ends)
    except ValueError:
        raise DiaboloError(f"the search space of {name} is {HOW}, not {text!r}") from None
    if not (math.isfinite(low) and math.isfinite(high)):
        raise DiaboloError(f"the range of {name} must end in numbers, not {text!r}")
    if not low < high:
        raise DiaboloError(f"the range of {name} is empty: {text} must begin below its end")
    if log and low <= 0:
        raise DiaboloError(f"the range of {name} is logarithmic, and there is no logarithm of {ends[0]}: begin above 0")
    whole = float not in able
    if whole and not (low.is_integer() and high.is_integer()):
        raise DiaboloError(f"{name} takes whole numbers, so its range must begin and end with one, not {text!r}")
    return Span(int(low), int(high), log, True) if whole else Span(low, high, log)


def _choice(name: str, values: Sequence[Any]) -> Choice:
    if len(values) < 2:
        raise DiaboloError(f"{name} is given one value to search: list two or more, or give it as an option")
    plain = all(isinstance(value, bool | int | float | str) or _is_widths(value) for value in values)
    if not plain or "" in values:
        raise DiaboloError(f"the search space of {name} is {HOW}, not {list(values)!r}")
    words = [word(value) for value in values]
    if twice := [text for text in words if words.count(text) > 1]:
        raise DiaboloError(f"the values of {name} to search hold {twice[0]} twice")
    return Choice(tuple(values))


def _is_widths(value: Any) -> bool:
    return isinstance(value, tuple) and all(type(each) is int for each in value)


def _value(text: str, hint: Any) -> Value:
    """A word as the value that it means for an option of that type."""
    able = set(kinds(hint))
    if bool in able and text in ("true", "false"):
        return text == "true"
    if tuple in able and re.fullmatch(r"\d+(x\d+)*", text):
        return tuple(int(each) for each in text.split("x"))
    if int in able and re.fullmatch(r"[+-]?\d+", text):
        return int(text)
    if {int, float} & able:  # 2.5 layers are refused by the option itself
        try:
            return float(text)
        except ValueError:
            return text
    return text


def kinds(hint: Any) -> Iterator[Any]:
    """The plain types within a type: `tuple[int, ...] | None` → tuple, None; of a tuple not what it holds."""
    origin = get_origin(hint)
    if origin is not None and isinstance(origin, type) and issubclass(origin, Sequence):
        yield tuple
        return
    yield hint
    for each in get_args(hint):
        yield from kinds(each)
