"""What a training says while it runs: a live bar in a notebook or on a terminal, one line an epoch elsewhere, nothing from
other processes. And what it hears: Ctrl-C.
"""

import logging
import math
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType, TracebackType
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from diabolo import distributed
from diabolo.display import escape, in_notebook
from diabolo.plain import visible
from diabolo.terminal import Terminal
from diabolo.vocabulary import Words

log = logging.getLogger("diabolo.training")
LINES = '<pre style="white-space:pre-wrap">'  # which are broken where a cell is narrower
KEPT = 3  # epochs that stay below the cell of a notebook


class Reporter(Protocol):
    """Who is told of a training."""

    def say(self, text: str) -> None:
        """A sentence for the user."""
        ...

    def begin(self, epochs: int, done: int, steps: int) -> None:
        """Training begins (or goes on after `done` epochs)."""
        ...

    def step(self, epoch: int, images: int) -> None:
        """One more step of `epoch`, over so many images."""
        ...

    def logged(self, line: dict[str, Any]) -> None:
        """A line of steps.jsonl was written."""
        ...

    def epoch(self, line: dict[str, Any]) -> None:
        """An epoch is over; its line of metrics.jsonl."""
        ...

    def enough(self) -> str:
        """Asked after each epoch: why training should end now; "" to go on."""
        ...

    def end(self) -> None:
        """Training is over, well or badly."""
        ...


class Silence:
    """Says nothing to the screen; the log (logger "diabolo.training") still gets everything, in the `words` of the data."""

    words: Words = str

    def __init__(self, words: Words = str) -> None:
        self.words = words

    def say(self, text: str) -> None:
        """To the log."""
        log.info(self.words(text))

    def begin(self, epochs: int, done: int, steps: int) -> None:
        """Nothing."""

    def step(self, epoch: int, images: int) -> None:
        """Nothing."""

    def logged(self, line: dict[str, Any]) -> None:
        """To the log."""
        log.info(of_steps(line))

    def epoch(self, line: dict[str, Any]) -> None:
        """To the log."""
        log.info(as_text(line, words=self.words))

    def enough(self) -> str:
        """To go on."""
        return ""

    def end(self) -> None:
        """Nothing."""


class Lines(Silence):
    """One line an epoch."""

    def __init__(self, console: Console, words: Words = str) -> None:
        super().__init__(words)
        self.console = console

    def say(self, text: str) -> None:
        """The sentence."""
        super().say(text)
        self.console.print(visible(self.words(text)), soft_wrap=True)

    def logged(self, line: dict[str, Any]) -> None:
        """The line."""
        super().logged(line)
        self.console.print(visible(of_steps(line)), soft_wrap=True)

    def epoch(self, line: dict[str, Any]) -> None:
        """The line."""
        super().epoch(line)
        self.console.print(visible(as_text(line, self.console.width, self.words)), soft_wrap=True)


class Bar(Lines):
    """A live bar: epoch, images a second, every term of the last epoch's loss, time left."""

    def __init__(self, console: Console, words: Words = str) -> None:
        super().__init__(console, words)
        self.task: TaskID | None = None
        self.bar = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            TextColumn("{task.fields[terms]}", markup=False),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )

    def begin(self, epochs: int, done: int, steps: int) -> None:
        """Show the bar."""
        self.epochs, self.steps = epochs, steps
        self.task = self.bar.add_task(
            "", total=epochs * steps, completed=done * steps, epoch=f"{done}/{epochs}", speed="", terms=""
        )
        self.waiting, self.images, self.last = 0, 0, time.perf_counter()
        self.bar.start()

    def step(self, epoch: int, images: int) -> None:
        """Move the bar, at most ten times a second."""
        self.waiting, self.images = self.waiting + 1, self.images + images
        passed = time.perf_counter() - self.last
        if passed < 0.1 or self.task is None:
            return
        self.bar.update(
            self.task,
            advance=self.waiting,
            epoch=f"{epoch}/{self.epochs}",
            speed=self.words(f"{self.images / passed:,.0f} images/s"),
        )
        self.waiting, self.images, self.last = 0, 0, time.perf_counter()

    def epoch(self, line: dict[str, Any]) -> None:
        """Print the line above the bar."""
        super().epoch(line)
        if self.task is None:  # solved in closed form: there was nothing to wait for
            return
        terms = " ".join(f"{name} {value:.4g}" for name, value in line["train"].items())
        self.bar.update(self.task, completed=line["epoch"] * self.steps, terms=terms)
        self.waiting, self.images, self.last = 0, 0, time.perf_counter()

    def end(self) -> None:
        """Take the bar away."""
        self.bar.stop()


class Cell(Silence):
    """One line in the output of a notebook's cell, which changes while training runs: a bar and the last loss. What is left of
    it in the end are the lines of the last epochs."""

    def __init__(self, words: Words = str) -> None:
        super().__init__(words)
        self.epochs, self.latest, self.ended, self.last = list[str](), "", False, 0.0
        self.handle: Any = None

    def say(self, text: str) -> None:
        """The sentence."""
        super().say(text)
        print(visible(self.words(text)))

    def begin(self, epochs: int, done: int, steps: int) -> None:
        """Show the bar."""
        self.total, self.done, self.first = epochs * steps, done * steps, done * steps
        self.started = self.last = time.perf_counter()
        self.handle = _show(self)

    def step(self, epoch: int, images: int) -> None:
        """Move the bar, at most four times a second."""
        self.done += 1
        if time.perf_counter() - self.last > 0.25:
            self._update()

    def logged(self, line: dict[str, Any]) -> None:
        """Beside the bar, until something newer is known."""
        super().logged(line)
        self.latest = of_steps(line)

    def epoch(self, line: dict[str, Any]) -> None:
        """Beside the bar, until something newer is known."""
        super().epoch(line)
        self.latest = as_text(line, words=self.words)
        self.epochs = [*self.epochs, self.latest][-KEPT:]
        if self.handle is None:  # solved in closed form: there was nothing to wait for
            print(visible(self.latest))

    def end(self) -> None:
        """Take the bar away; the last epochs stay."""
        self.ended = True
        self._update()

    def _update(self) -> None:
        self.last = time.perf_counter()
        if self.handle is not None:
            self.handle.update(self)

    @property
    def _where(self) -> str:
        done, passed = self.done - self.first, self.last - self.started
        left = f", about {passed / done * (self.total - self.done):,.0f} s left" if done else ""
        return f"{self.done:,} of {self.total:,} steps{left}"

    def _repr_html_(self) -> str:
        """What the cell shows."""
        if self.ended:
            return f"{LINES}{escape(repr(self))}</pre>"
        bar = f'<progress value="{self.done}" max="{self.total}"></progress>'
        return f"<div>{bar} {escape(self._where)}</div>{LINES}{escape(self.latest)}</pre>"

    def __repr__(self) -> str:
        return "\n".join(self.epochs if self.ended else [self._where, self.latest])


def _show(what: Any) -> Any:
    """Show it in the cell; the handle by which it is shown anew."""
    from IPython.display import display

    return display(what, display_id=True)  # type: ignore[no-untyped-call]


_LISTENER: ContextVar[Reporter | None] = ContextVar("listener", default=None)


@contextmanager
def heard_by(listener: Reporter) -> Iterator[None]:
    """Inside the block, quiet trainings tell `listener` how they go: the progress of what they are a part of."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def reporter(quiet: bool, words: Words = str) -> Reporter:
    """The reporter that suits: silent on request and in all processes but the first; a bar in a notebook or on a terminal; else
    lines. It speaks in the `words` of the data (`diabolo.vocabulary`)."""
    console, listener = Terminal(), _LISTENER.get()
    if (quiet and listener is None) or distributed.rank() > 0:
        return Silence(words)
    if quiet and listener is not None:
        return listener
    if in_notebook():
        return Cell(words)
    return Bar(console, words) if console.is_terminal else Lines(console, words)


def of_steps(line: dict[str, Any]) -> str:
    """A line of steps.jsonl for people."""
    terms = " ".join(f"{name} {math.nan if value is None else value:.5g}" for name, value in line["train"].items())
    return f"epoch {line['epoch']:>3}  step {line['step']:,}  train {terms}"


def as_text(line: dict[str, Any], width: int | None = None, words: Words = str) -> str:
    """A line of metrics.jsonl for people: all of it, or in `width` characters the loss with those of its terms that have room:
    of the validation images where there are some, and the reconstruction last, as the rest of the loss."""
    begin, end = f"epoch {line['epoch']:>3}", words(f"{line['images_per_second']:,.0f} images/s")
    parts = {split: line[split] for split in ("train", "validation") if line.get(split)}
    if width is None or any("total" not in terms for terms in parts.values()):
        told = [f"{split} " + " ".join(_term(*term) for term in terms.items()) for split, terms in parts.items()]
        return "  ".join([begin, *told, end])
    losses = [_term(split, terms["total"]) for split, terms in parts.items()]
    last = [*parts.values()][-1] if parts else {}
    terms = sorted(
        (n for n in last if n != "total" and last[n] != last["total"]), key=lambda name: name == RECONSTRUCTION
    )
    shown: list[str] = []
    for name in terms:
        more = [one for one in last if one in (*shown, name)]
        if len(_epoch(begin, losses, {one: last[one] for one in more}, end)) <= width:
            shown = more
    return _epoch(begin, losses, {name: last[name] for name in shown}, end)


def _epoch(begin: str, losses: Sequence[str], terms: Mapping[str, float], end: str) -> str:
    some = f" ({', '.join(_term(*term) for term in terms.items())})" if terms else ""
    return "  ".join([begin, *losses]) + f"{some}  {end}"


RECONSTRUCTION = "reconstruction"


def _term(name: str, value: float) -> str:
    return f"{name} {value:.5g}"


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
