"""Help pages without noise; and commands whose options are known only when they are made: those of a recipe, of a study, of
all measures.
"""

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from cyclopts.help import DefaultFormatter, HelpEntry, HelpPanel

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions


ALL, WHOLE = "--help-all", ContextVar("WHOLE", default=False)
SEE_ALL = f"{ALL} shows all options."


class TidyHelp(DefaultFormatter):
    """Leaves out what says nothing: choices that the description names already, how to give an empty list, and of a switch
    that is off its negative (`--no-quiet` is for putting right what a config file says) and that it is off.

    Args:
        unseen: options that are taken but not shown, as they do nothing here.
        first: the options that --help shows, where it does not show all; --help-all does.
    """

    def __init__(self, unseen: Collection[str] = (), first: Collection[str] = ()) -> None:
        super().__init__()
        self.unseen, self.first = _flags(unseen), _flags(first)

    def __call__(self, console: "Console", options: "ConsoleOptions", panel: HelpPanel) -> None:
        """Print one panel."""
        shown = [_tidy(entry) for entry in panel.entries if self._shows(set(entry.positive_names))]
        if shown:
            super().__call__(console, options, panel.copy(entries=shown))

    def _shows(self, names: set[str]) -> bool:
        few = bool(self.first) and not WHOLE.get()
        return not self.unseen & names and (not few or bool(self.first & names))


def _flags(names: Collection[str]) -> set[str]:
    return {f"--{name.replace('_', '-')}" for name in names}


def _tidy(entry: HelpEntry) -> HelpEntry:
    if entry.type is bool and entry.default == "False":
        entry = entry.copy(negative_names=(), default=None)
    negative = tuple(name for name in entry.negative_names if not name.startswith("--empty-"))
    return entry.copy(choices=None, negative_names=negative)


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
