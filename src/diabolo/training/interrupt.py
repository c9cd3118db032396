"""Ctrl-C, politely: the first lets the epoch end and be saved, the second stops at once."""

import signal
import threading
from types import FrameType, TracebackType

from diabolo.training.progress import Reporter


class Interrupt:
    """While the block runs, SIGINT sets `asked`; a second one raises KeyboardInterrupt. (Main thread only.)"""

    def __init__(self, reporter: Reporter) -> None:
        self.asked = False
        self.reporter = reporter
        self.active = threading.current_thread() is threading.main_thread()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        self.reporter.say("Ctrl-C: this epoch will be finished and saved; once more stops at once.")

    def __enter__(self) -> "Interrupt":
        if self.active:
            self.before = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.active:
            signal.signal(signal.SIGINT, self.before)
