"""Threads in which pictures are worked out while the page stays at hand: of each kind of work only the latest counts."""

import logging
import threading
from collections.abc import Callable, Hashable
from typing import Any

log = logging.getLogger("diabolo.explorer")
Job = Callable[[], Any]
Done = Callable[[Any], None]


class Lane:
    """One thread. A job waits under a key, and replaces the one that still waits under it: what nobody looks at any more is
    not worked out. Keys take turns in the order in which they came.

    Example:
        >>> import queue
        >>> lane, found = diabolo.explorer.lanes.Lane(), queue.Queue()
        >>> lane.submit("sum", lambda: 1 + 2, found.put)
        >>> found.get(timeout=5)
        3
        >>> lane.stop()
    """

    def __init__(self, name: str = "lane") -> None:
        self._waiting: dict[Hashable, tuple[Job, Done]] = {}
        self._some = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name=f"diabolo-{name}", daemon=True)
        self._thread.start()

    def submit(self, key: Hashable, job: Job, done: Done) -> None:
        """Let `job` be done, and `done` be called in that thread with what it gave, or with the exception that it raised."""
        with self._some:
            self._waiting[key] = (job, done)
            self._some.notify()

    def drop(self, owner: Hashable) -> None:
        """Forget the jobs that wait under keys (owner, …): their page is closed."""
        with self._some:
            for key in [key for key in self._waiting if isinstance(key, tuple) and key[0] == owner]:
                del self._waiting[key]

    def stop(self) -> None:
        """Do no more."""
        with self._some:
            self._stopped = True
            self._waiting.clear()
            self._some.notify()

    def _work(self) -> None:
        while True:
            with self._some:
                self._some.wait_for(lambda: self._waiting or self._stopped)
                if self._stopped:
                    return
                key = next(iter(self._waiting))
                job, done = self._waiting.pop(key)
            try:
                found = job()
            except Exception as error:  # the page says so, and the thread goes on
                found = error
            try:
                done(found)
            except Exception:  # whoever waited for it has gone: all other pages still need this thread
                log.debug("nobody takes what was worked out", exc_info=True)
