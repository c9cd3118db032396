"""Commands whose options are known only when they are made: those of a recipe, of a study, of all measures."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any


def keywords(options: Mapping[str, tuple[Any, Any]]) -> list[inspect.Parameter]:
    """Keyword parameters from name → (type, default)."""
    return [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in options.items()
    ]


def taking(
    command: Callable[..., None], parameters: Iterable[inspect.Parameter], doc: str | None
) -> Callable[..., None]:
    """`command`, which takes anything, as cyclopts is to see it: with these parameters and this docstring."""
    listed = list(parameters)
    command.__doc__ = doc
    command.__signature__ = inspect.Signature(listed)  # type: ignore[attr-defined]  # how a signature is set
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in listed}
    return command


def words_of(thing: Any) -> str:
    """What its docstring says in words: without its example."""
    return (inspect.getdoc(thing) or "").partition("\n\nExample:\n")[0]
