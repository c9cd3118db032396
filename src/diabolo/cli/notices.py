"""What the library has to remark, as short lines on stderr."""

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Print the message alone."""
        _print(record.getMessage())


@contextmanager
def short_notices() -> Iterator[None]:
    """Inside the block, warnings and the log of `diabolo.data` (from WARNING on) are one line each, without code."""
    log, handler = logging.getLogger("diabolo.data"), _Lines()
    level = log.level
    log.addHandler(handler)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show
            yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


def tell_of_data() -> None:
    """Tell also what is decoded and where it is kept, which may take minutes; until the block above ends."""
    logging.getLogger("diabolo.data").setLevel(logging.INFO)


def _show(message: Any, *_: Any, **__: Any) -> None:
    _print(f"warning: {' '.join(str(message).split())}")


def _print(text: str) -> None:
    print(f"diabolo: {text}", file=sys.stderr)
