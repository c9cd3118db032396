"""What the library has to remark, as short lines on stderr."""

import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from diabolo.plain import visible
from diabolo.surroundings import quiet_joblib

NOTICE = 25  # of `data.loading`, which costs too much to import here


class _Lines(logging.Handler):
    """Messages alone, one a line. The account of a data set waits until something else is said or all went well: where the
    command is refused, the reason is all that is said."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[str] = []
        self.said: set[str] = set()  # parts of one set are loaded one by one, and told once

    def emit(self, record: logging.LogRecord) -> None:
        """Print the message, or keep it."""
        if getattr(record, "account", False):
            self.held.append(record.getMessage())
        else:
            self.say_held()
            _print(record.getMessage())

    def say_held(self) -> None:
        """Print what waits."""
        for text in dict.fromkeys(self.held):
            if text not in self.said:
                _print(text)
        self.said.update(self.held)
        self.held.clear()


@contextmanager
def short_notices() -> Iterator[None]:
    """Inside the block, warnings and the log of `diabolo.data` (from the account of what was loaded on) are one line each,
    without code."""
    log, handler = logging.getLogger("diabolo.data"), _Lines()
    level = log.level
    log.addHandler(handler)
    log.setLevel(level or NOTICE)
    try:
        with warnings.catch_warnings():
            if any(
                kept[0] == "error" for kept in warnings.filters
            ):  # -W error is for tests of libraries, not for users
                warnings.resetwarnings()
                warnings.simplefilter("ignore", DeprecationWarning)
                warnings.simplefilter("ignore", PendingDeprecationWarning)
                quiet_joblib()
            warnings.showwarning = _once()
            yield
            handler.say_held()
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


def tell_of_data() -> None:
    """Tell also what is decoded and where it is kept, which may take minutes; until the block above ends."""
    logging.getLogger("diabolo.data").setLevel(logging.INFO)


def say_account() -> None:
    """Say now what was loaded: nothing will be refused any more."""
    for handler in logging.getLogger("diabolo.data").handlers:
        if isinstance(handler, _Lines):
            handler.say_held()


def _once() -> Callable[..., None]:
    """What shows a warning, each but once: of seven runs measured alike, one is enough."""
    shown: set[str] = set()

    def show(message: Any, *_: Any, **__: Any) -> None:
        text = f"warning: {' '.join(str(message).split())}"
        if text not in shown:
            _print(text)
        shown.add(text)

    return show


def _print(text: str) -> None:
    print(f"diabolo: {visible(text)}", file=sys.stderr)
