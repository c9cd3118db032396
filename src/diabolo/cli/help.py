"""Help pages without noise."""

from typing import TYPE_CHECKING

from cyclopts.help import DefaultFormatter, HelpEntry, HelpPanel

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions


class TidyHelp(DefaultFormatter):
    """Leaves out what says nothing: choices that the description names already, how to give an empty list, and of a switch
    that is off its negative (`--no-quiet` is for putting right what a config file says) and that it is off."""

    def __call__(self, console: "Console", options: "ConsoleOptions", panel: HelpPanel) -> None:
        """Print one panel."""
        super().__call__(console, options, panel.copy(entries=[_tidy(entry) for entry in panel.entries]))


def _tidy(entry: HelpEntry) -> HelpEntry:
    if entry.type is bool and entry.default == "False":
        entry = entry.copy(negative_names=(), default=None)
    negative = tuple(name for name in entry.negative_names if not name.startswith("--empty-"))
    return entry.copy(choices=None, negative_names=negative)
