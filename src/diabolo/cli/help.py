"""Help pages without noise."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from cyclopts.help import DefaultFormatter, HelpEntry, HelpPanel

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions


class TidyHelp(DefaultFormatter):
    """Leaves out what says nothing: choices that the description names already, how to give an empty list, and of a switch
    that is off its negative (`--no-quiet` is for putting right what a config file says) and that it is off.

    Args:
        unseen: options that are taken but not shown, as they do nothing here.
    """

    def __init__(self, unseen: Collection[str] = ()) -> None:
        super().__init__()
        self.flags = {f"--{name.replace('_', '-')}" for name in unseen}

    def __call__(self, console: "Console", options: "ConsoleOptions", panel: HelpPanel) -> None:
        """Print one panel."""
        shown = [_tidy(entry) for entry in panel.entries if not self.flags.intersection(entry.positive_names)]
        super().__call__(console, options, panel.copy(entries=shown))


def _tidy(entry: HelpEntry) -> HelpEntry:
    if entry.type is bool and entry.default == "False":
        entry = entry.copy(negative_names=(), default=None)
    negative = tuple(name for name in entry.negative_names if not name.startswith("--empty-"))
    return entry.copy(choices=None, negative_names=negative)
