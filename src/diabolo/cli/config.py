"""Options from a YAML file, beneath the flags; and numbers that are not quietly rounded."""

import difflib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

from cyclopts import App, ArgumentCollection, CoercionError, CycloptsError
from cyclopts.config import Dict

from diabolo.errors import DiaboloError

Config = Callable[[App, tuple[str, ...], ArgumentCollection], None]


def beneath_flags(path: Path) -> Config:
    """What gives the options of the YAML file `path` to the verb that is called, where no flag does.

    The file is one flat mapping, such as `latent_dim: 16`, `hidden: [512, 256]`, `data: mnist`.

    Raises:
        DiaboloError: when the file is missing, or holds no mapping.
    """
    values = _read(path)

    def config(app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
        flags = [name for argument in arguments for name in argument.names if name not in argument.negatives]
        names = [flag[2:] for flag in flags if flag.startswith("--")]
        for key in values:
            if key.replace("_", "-") not in names:
                near = difflib.get_close_matches(key.replace("_", "-"), names, n=1, cutoff=0.5)
                hint = f"; did you mean {near[0].replace('-', '_')!r}?" if near else ""
                raise CycloptsError(msg=f"unknown option {key!r} in {path}{hint}")
        nested: dict[str, Any] = values
        for command in reversed(commands):
            nested = {command: nested}
        Dict(nested, source=str(path))(app, commands, arguments)

    return config


def whole_numbers(app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Refuse 2.5 where a whole number is wanted (cyclopts would round it)."""
    for argument in arguments:
        kinds = set(_kinds(argument.hint))
        for token in argument.tokens if int in kinds and float not in kinds else ():
            if "." in token.value:
                raise CoercionError(argument=argument, token=token, target_type=int, verbose=False)


def _kinds(hint: Any) -> Iterator[Any]:
    """The plain types within a type: `tuple[int, ...] | None` → int, …, None."""
    yield hint
    for part in get_args(hint):
        yield from _kinds(part)


def _read(path: Path) -> dict[str, Any]:
    import yaml

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DiaboloError(f"the config file {path} cannot be read: {error.strerror}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DiaboloError(f"line {line} of the config file {path} is not valid YAML: {error.problem}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise DiaboloError(f"the config file {path} is not valid YAML: {error}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise DiaboloError(
            f"the config file {path} must hold options such as 'epochs: 10', not a {type(values).__name__}"
        )
    return {str(key): value for key, value in values.items()}
