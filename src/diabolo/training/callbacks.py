"""Those who are told of a training (`tracking.Callback`), and what becomes of one that raises."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from dataclasses import replace
from typing import Any

from diabolo import distributed
from diabolo.errors import DiaboloError
from diabolo.runs.checkpoint import BROKEN_OFF
from diabolo.runs.history import History
from diabolo.runs.lines import shell_line
from diabolo.runs.loading import Run
from diabolo.tracking import Callback, Tracker

METHODS = ("on_start", "on_epoch", "on_end")


def checked(callbacks: Iterable[Any]) -> list[Any]:
    """The callbacks as a list.

    Raises:
        DiaboloError: for something that is none.
    """
    if isinstance(callbacks, Callback) or not isinstance(callbacks, Iterable):
        raise DiaboloError(f"callbacks takes a list, such as callbacks=[…], not a {type(callbacks).__name__}")
    found = list(callbacks)
    for one in found:
        if isinstance(one, type):
            raise DiaboloError(f"callbacks takes objects, and {one.__name__} is a class: write {one.__name__}()")
        missing = [name for name in METHODS if not callable(getattr(one, name, None))]
        if missing:
            raise DiaboloError(
                f"a {type(one).__name__} is no callback, it has no {missing[0]}: make a class of diabolo.tracking.Callback"
            )
    return found


class Callbacks:
    """Tells the callbacks of one training, in the first process alone. One that raises is left out from then on, which is said
    once.

    Args:
        callbacks: as `checked` gives them.
        say: tells the user.
        shown: within it the model has the weights that would be kept.
    """

    def __init__(self, callbacks: Iterable[Any], say: Callable[[str], None]) -> None:
        self.live, self.say = list(callbacks) if distributed.rank() == 0 else [], say
        self.shown: Callable[[], AbstractContextManager[None]] = nullcontext
        self.run: Run | None = None

    def start(self, run: Run) -> None:
        """Training starts, or goes on."""
        self.run = run
        self._tell("on_start", run)

    def epoch(self, history: History, status: str) -> None:
        """An epoch is over and written down."""
        if self.live and self.run is not None:
            self.run = replace(self.run, history=history, status=status)
            self._tell("on_epoch", self.run, history[-1])

    def end(self, run: Run) -> None:
        """Training is over; once."""
        if self.run is not None:
            self.run, self.shown = None, nullcontext
            self._tell("on_end", run)

    def break_off(self, error: BaseException) -> None:
        """Training ends by `error`, where it has not ended yet."""
        if self.run is not None:
            stopped = isinstance(error, KeyboardInterrupt)
            what = "interrupted" if stopped else f"{BROKEN_OFF}: {error if str(error) else type(error).__name__}"
            self.end(replace(self.run, status=what))

    def _tell(self, what: str, run: Run, *lines: dict[str, Any]) -> None:
        for one in list(self.live):
            try:
                with self.shown():
                    getattr(one, what)(*deepcopy(lines), run)  # early stopping reads the lines: a copy may be changed
            except Exception as error:
                self.live.remove(one)
                self.say(self._left_out(one, what, error))

    def _left_out(self, one: Any, what: str, error: Exception) -> str:
        name, reason = type(one).__name__, " ".join(str(error).split())
        path = None if self.run is None else self.run.path
        later = "" if path is None or not isinstance(one, Tracker) else shell_line("track", path)
        remedy = f"; {later} --to … makes up for it" if later else ""
        return (
            f"warning: the callback {name} raised {type(error).__name__} in {what}: {reason}; training goes on without it"
            f"{remedy}"
        )
