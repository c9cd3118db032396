"""How far a study is: rows, trainings, and about how much time is left. A live bar on a terminal, words elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from diabolo.terminal import Terminal
from diabolo.training.progress import Silence, heard_by


@dataclass
class Work:
    """One training that is planned.

    Attributes:
        kind: what takes about as long per image as others of the same kind: the recipe.
        images: that it looks at in all epochs together.
        seconds: that it took, once it is done; 0 where it was found.
    """

    kind: str
    images: int
    seconds: float | None = None


@dataclass
class Watch(Silence):
    """What a study tells of itself while it runs, and what its trainings tell: it is their reporter.

    Attributes:
        rows: how many are wanted.
        some: whether these are some of the study's rows, so that nobody knows which trainings they need.
        console: where the bar is drawn, if that is a terminal.
        clock: seconds.
    """

    rows: int = 0
    some: bool = False
    console: Console = field(default_factory=Terminal)
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self.planned: list[Work] = []
        self.rows_done, self.part = 0, 0.0  # of the training under way
        self._now: Work | None = None
        self._began, self._last = self.clock(), 0.0
        self._bar = Progress(
            TextColumn("{task.fields[where]}", markup=False), BarColumn(bar_width=24), TextColumn("{task.fields[left]}"),
            console=self.console, transient=True,
        )  # fmt: skip
        self._task = self._bar.add_task("", total=1.0, where="", left="")

    def __enter__(self) -> "Watch":
        if self.console.is_terminal:
            self._draw()
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.console.is_terminal:
            self._bar.stop()

    def plan(self, kind: str, images: int) -> Work:
        """One more training will be needed."""
        self.planned.append(Work(kind, images))
        return self.planned[-1]

    def found(self, work: Work) -> None:
        """It was trained before."""
        work.seconds = 0.0
        self._draw()

    def start(self, work: Work) -> None:
        """It begins now."""
        self._now, self.part, self._started = work, 0.0, self.clock()

    def finish(self, work: Work) -> None:
        """It is done."""
        work.seconds, self._now, self.part = self.clock() - self._started, None, 0.0
        self._draw()

    def row(self) -> None:
        """One more row is done."""
        self.rows_done += 1
        self._draw()

    def begin(self, epochs: int, done: int, steps: int) -> None:
        """A training begins, or goes on after `done` epochs."""
        self._steps, self._of = done * steps, max(1, epochs * steps)

    def step(self, epoch: int, images: int) -> None:
        """Move the bar, at most ten times a second."""
        self._steps += 1
        if self.clock() - self._last > 0.1:
            self.part = min(1.0, self._steps / self._of)
            self._draw()

    @property
    def where(self) -> str:
        """Row 2 of 6, training 5 of 17."""
        done = sum(work.seconds is not None for work in self.planned)
        of = f" of {len(self.planned)}" if not self.some else ""
        row = min(self.rows_done + 1, self.rows)
        if not self.planned:
            return f"row {row} of {self.rows}"
        return f"row {row} of {self.rows}, training {done + (self._now is not None)}{of}"

    @property
    def left(self) -> float | None:
        """About how many seconds are left; None while nobody can know: before a training is done, or for some rows only.

        What is left of trainings is taken to go as fast per image as others of the same kind did, or as all did; and what is
        left beside them to take as much longer as it did so far."""
        gone = [work for work in self.planned if work.seconds]
        if self.some or not gone:
            return None

        def pace(kind: str | None) -> float:
            alike = [work for work in gone if kind in (None, work.kind)]
            return (
                sum(work.seconds or 0.0 for work in alike) / sum(work.images for work in alike) if alike else pace(None)
            )

        ahead = sum(
            pace(w.kind) * w.images * (1 - self.part * (w is self._now)) for w in self.planned if w.seconds is None
        )
        trained = sum(work.seconds or 0.0 for work in gone)
        passed = self.clock() - self._began - (self.clock() - self._started if self._now else 0.0)
        return ahead * max(1.0, passed / trained)

    @property
    def share(self) -> float:
        """Of the whole that is done, by the images of the trainings, or by rows where nobody knows these."""
        whole = sum(work.images for work in self.planned)
        if self.some or not whole:
            return self.rows_done / max(1, self.rows)
        done = sum(work.images for work in self.planned if work.seconds is not None)
        return (done + (self.part * self._now.images if self._now else 0.0)) / whole

    @property
    def told(self) -> str:
        """Where it is, and what is left, for behind a sentence; "" where the bar says so."""
        told = ", ".join(filter(None, [self.where, in_words(self.left)]))
        return "" if self.console.is_terminal else f" ({told})"

    def _draw(self) -> None:
        self._last = self.clock()
        fields: dict[str, Any] = {"where": self.where, "left": in_words(self.left)}
        self._bar.update(self._task, completed=self.share, **fields)


def in_words(seconds: float | None) -> str:
    """About 40 s left, about 12 min left, about 3 h left; "" where nobody knows."""
    if seconds is None:
        return ""
    for size, unit in ((3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"about {seconds / size:.0f} {unit} left"
    return f"about {seconds:.0f} s left"


_WATCH: ContextVar[Watch | None] = ContextVar("watch", default=None)


def current() -> Watch:
    """That of the study that is being run; one that nobody sees, where a notebook runs it."""
    return _WATCH.get() or Watch()


@contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Inside the block a study and its trainings tell `watch` how far they are, and it is shown."""
    token = _WATCH.set(watch)
    try:
        with heard_by(watch), watch:
            yield
    finally:
        _WATCH.reset(token)
