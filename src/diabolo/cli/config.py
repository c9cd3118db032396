"""Options from a YAML file, beneath the flags; numbers that are not quietly rounded, and paths that are not nothing."""

import difflib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

from cyclopts import App, ArgumentCollection, CoercionError, CycloptsError
from cyclopts.config import Dict

Config = Callable[[App, tuple[str, ...], ArgumentCollection], None]


def beneath_flags(path: Path) -> Config:
    """What gives the options of the YAML file `path` to the verb that is called, where no flag does.

    The file is one flat mapping, such as `latent_dim: 16`, `hidden: [512, 256]`, `data: mnist`; null is as left out.

    Raises:
        DiaboloError: when the file is missing, or holds no such mapping.
    """
    from diabolo.cli import config_file

    values = config_file.read(path)

    def config(app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
        flags = {
            name[2:]: argument
            for argument in arguments
            for name in argument.names
            if name not in argument.negatives and name.startswith("--")
        }
        nested: dict[str, Any] = {}
        for key, value in values.items():
            argument = flags.get(key.replace("_", "-"))
            if argument is None:
                near = difflib.get_close_matches(key.replace("_", "-"), flags, n=1, cutoff=0.5)
                hint = f"; did you mean {near[0].replace('-', '_')!r}?" if near else ""
                raise CycloptsError(msg=f"unknown option {key!r} in {path}{hint}")
            exact = {int, float, bool}.isdisjoint(_kinds(argument.hint))  # a text stays as it is written
            words = [word.text if exact else word.number for word in (value if isinstance(value, list) else [value])]
            if isinstance(value, list):
                nested[key] = words
            elif value.kind != "null":
                nested[key] = words[0]
        for command in reversed(commands):
            nested = {command: nested}
        Dict(nested, source=str(path))(app, commands, arguments)

    return config


def whole_numbers(app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Refuse 2.5 and 25e-1 where a whole number is wanted (cyclopts would round them)."""
    for argument in arguments:
        kinds = set(_kinds(argument.hint))
        for token in argument.tokens if int in kinds and float not in kinds else ():
            try:
                whole = float(token.value).is_integer()
            except ValueError:
                continue  # no number at all, which cyclopts refuses
            if not whole:
                raise CoercionError(argument=argument, token=token, target_type=int, verbose=False)


def no_empty_paths(app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Refuse "" where a path is wanted (Python would take it for the working folder)."""
    for argument in arguments:
        is_path = any(isinstance(kind, type) and issubclass(kind, os.PathLike) for kind in _kinds(argument.hint))
        if is_path and any(token.value == "" for token in argument.tokens):
            raise CycloptsError(msg=f"{argument.name} must be a path, not ''")


def _kinds(hint: Any) -> Iterator[Any]:
    """The plain types within a type: `tuple[int, ...] | None` → int, …, None."""
    yield hint
    for part in get_args(hint):
        yield from _kinds(part)
