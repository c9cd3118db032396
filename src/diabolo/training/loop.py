"""The loop. An epoch is: shuffle, step through the batches, look at the validation images, write down, save."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor

from diabolo import distributed
from diabolo.autoencoder import Autoencoder
from diabolo.codec import evaluating
from diabolo.conditions import UNKNOWN
from diabolo.data.columns import rows
from diabolo.data.images import Images
from diabolo.data.stores import Store
from diabolo.errors import DiaboloError
from diabolo.hardware import peak_memory, reset_peak_memory, wide
from diabolo.randomness import Draws, derive, generator, seed_global
from diabolo.runs import checkpoint, files, history
from diabolo.runs.checkpoint import State
from diabolo.runs.config import Config
from diabolo.runs.folder import RunFolder
from diabolo.runs.unwritten import Unwritten
from diabolo.schedules import Schedule
from diabolo.training import health, snapshots, stopping
from diabolo.training.batches import Plan, mixed, plan, shuffled
from diabolo.training.callbacks import Callbacks
from diabolo.training.options import TrainOptions
from diabolo.training.progress import Interrupt, Reporter
from diabolo.updates.graph import DeviceLoop
from diabolo.updates.loss import already_checked
from diabolo.updates.record import NotFiniteError, StepRecord
from diabolo.updates.step import Step


@dataclass
class Loop:
    """A training ready to run: `run()` takes it from `state` to the end, epoch by epoch.

    Attributes:
        step: one update.
        store, n: the training images and their number.
        validation, n_validation: the validation images, or None and 0.
        options: what was asked for.
        folder: the run folder, or what stands for it where none is asked for.
        reporter: who is told.
        device_loop: steps captured in a CUDA graph, or None for eager steps.
        told: the callbacks, or None.
        config: what config.json is to hold once the first epoch is done; None where it holds that already.
        few: the images of which pictures are kept as training goes; None for no pictures.
        known, validation_known: what the model reads of the images besides their pixels (labels, say), on the device.
    """

    step: Step
    store: Store
    n: int
    validation: Store | None
    n_validation: int
    options: TrainOptions
    folder: RunFolder | Unwritten
    reporter: Reporter
    device_loop: DeviceLoop | None = None
    told: Callbacks | None = None
    config: Config | None = None
    few: Images | None = None
    known: Tensor | None = None
    validation_known: Tensor | None = None

    def run(self, state: State) -> State:
        """Train until the last epoch, an early stop, or Ctrl-C; `state.status` says which."""
        options = self.options
        graph = self.device_loop
        self.noise = graph.noise if graph else generator(options.seed, "noise", device=self.step.device)
        self.record = graph.record if graph else self.new_record()
        decides = options.early_stopping is not None or options.keep == "best"
        if decides and (said := stopping.outlook(*self._settling, options.epochs, options.early_stopping is not None)):
            self.reporter.say(said)
        self.reporter.begin(options.epochs, state.epoch, self.steps)
        try:
            with Interrupt(self.reporter) as interrupt, torch.random.fork_rng():
                if state.epoch == options.epochs:
                    state.status = "finished"
                    self.folder.write(lambda path: self._save_finished(path, state))
                for epoch in range(state.epoch, options.epochs):
                    state = self._epoch(epoch, state)
                    state.status = self._status(state, distributed.any_of(interrupt.asked))
                    for warning in health.news(state.history, state.status != "running"):
                        self.reporter.say(f"warning: {warning}")
                    self._save(state)
                    if self.told is not None:
                        self.told.epoch(state.history, state.status)
                    if state.status != "running":
                        break
        finally:
            self.reporter.end()
        return state

    def _status(self, state: State, interrupted: bool) -> str:
        if state.epoch >= self.options.epochs:
            return "finished"
        enough = stopping.reason_to_stop(state, self.options.early_stopping)
        if not enough and (said := distributed.of_first(self.reporter.enough)):
            enough = f"stopped early: {said}"
        return enough or ("interrupted" if interrupted else "running")

    @cached_property
    def _schedules(self) -> dict[str, Schedule]:
        """What of the loss may change over training, by name."""
        return dict(getattr(self.step.model, "schedules", {}))

    @cached_property
    def _settling(self) -> tuple[int, tuple[str, ...]]:
        """After how many epochs no weight of the loss changes any more, and which change latest."""
        return stopping.settling(self._schedules, self.steps, self.options.epochs)

    def _progress(self, epoch: int, step: int) -> float:
        """The share of training that is done before that step of that epoch, both counted from 0."""
        return (epoch * self.steps + step) / (self.steps * self.options.epochs)

    @cached_property
    def steps(self) -> int:
        """Steps in an epoch."""
        return len(plan(self.order(0), self.options.batch_size).batches)

    def order(self, epoch: int) -> Tensor:
        """The numbers of the images in that epoch, one after the other; as many in every epoch."""
        options, order = self.options, shuffled(self.n, self.options.seed, epoch)
        if options.labelled_per_batch is None:
            return order
        assert self.known is not None
        labelled = (self.known != UNKNOWN).nonzero().flatten().cpu()
        return mixed(order, labelled, options.labelled_per_batch, options.batch_size, options.seed, epoch)

    def new_record(self) -> StepRecord:
        """A record for one epoch's steps."""
        model, opponents = self.step.model, list(self.step.model.players)[1:]
        return StepRecord(["total", *model.units, *model.logged], self.steps, self.step.device, opponents)

    def _epoch(self, epoch: int, state: State) -> State:
        seed = self.options.seed
        seed_global(derive(seed, "global", epoch), self.step.device)  # for parts that draw from torch's own generator
        self.noise.manual_seed(derive(seed, "noise", epoch))
        batches = plan(self.order(epoch), self.options.batch_size)
        self.record.table.zero_()
        self.step.frozen.train()
        reset_peak_memory(self.step.device)
        log = StepLog(self, epoch, batches.sizes)
        started = time.perf_counter() - self.step.spent
        self.step.spent = 0.0
        for i in self._steps(epoch, batches):
            self.reporter.step(epoch + 1, len(batches.batches[i]) * distributed.world())
            log.step(i)
            if self.record.seen_bad():
                break
        log.end()
        self._refuse_non_finite(epoch, batches)
        self._refuse_broken(epoch)
        train = self.record.means(batches.sizes)
        seconds = time.perf_counter() - started
        line: dict[str, Any] = {
            "epoch": epoch + 1,
            "step": (epoch + 1) * self.steps,
            "train": train,
            "validation": self._validate(epoch),
            "weights": stopping.values(self._schedules, self._progress(epoch, self.steps - 1)),
            "settled": epoch >= self._settling[0],
            **self._examine(epoch),
            **({} if self.step.decay is None else {"ema": self.step.decay}),
            "lr": self.step.lr,
            "seconds": round(seconds, 4),
            "images_per_second": round(sum(batches.sizes) * distributed.world() / seconds, 1),
            "peak_memory_mib": round(peak_memory(self.step.device) / 2**20, 1),
        }
        self._refuse_bad_validation(line["validation"] or {}, epoch)
        self.reporter.epoch(line)
        state = replace(state, epoch=epoch + 1, history=[*state.history, line])
        if line["validation"] and line["settled"]:
            self._judge(state)
        return state

    def _judge(self, state: State) -> None:
        """What the validation loss of the last epoch decides."""
        *before, now = stopping.comparable(state.history)
        if not before:  # all before was another objective
            state.best = None
        stopping.note(state, state.epoch, now, self.options.min_delta)
        if all(now < loss for loss in before):
            self.folder.note_best(self.step.kept_state, state.epoch)

    def _steps(self, epoch: int, batches: Plan) -> Iterator[int]:
        """Do the steps of an epoch; yields the number of each when it is done (or, on a GPU, under way)."""
        first = 0
        if self.device_loop:
            table = torch.stack([b for b in batches.batches if len(b) == self.options.batch_size])
            self.device_loop.begin(table, batches.windows[0], epoch * self.steps)
            for first in range(len(table)):
                self.device_loop.replay()
                yield first
            first += 1
        for i, x in enumerate(self.store.batches(batches.batches[first:]), start=first):
            y = rows(self.known, batches.batches[i])
            loss = self.step(x, Draws(self.noise, batches.windows[i]), self._progress(epoch, i), y)
            self.record.write(i, loss)
            yield i

    def _validate(self, epoch: int) -> dict[str, float] | None:
        """The mean loss of the validation images under the weights of the loss that the last step of `epoch` had."""
        if self.validation is None:
            return None
        progress = self._progress(epoch, self.steps - 1)
        with self.step.shown():
            return mean_loss(
                self.step.model, self.validation, self.n_validation, self.options, self.validation_known, progress
            )

    @cached_property
    def _patients(self) -> tuple[Tensor, Tensor | None]:
        """Images whose codes are looked at after each epoch, the same in every epoch and process, and what is known of them."""
        store, n, known = self.store, self.n, self.known
        if self.validation is not None:
            store, n, known = self.validation, self.n_validation, self.validation_known
        chosen = torch.linspace(0, n - 1, min(n, health.IMAGES)).long()
        return next(iter(store.batches([chosen]))), rows(known, chosen)

    def _examine(self, epoch: int) -> dict[str, Any]:
        if not self.options.health:
            return {"health": {}, "warnings": {}}
        with self.step.shown():
            values, warnings = health.examine(self.step.model, *self._patients, (epoch + 1) * self.steps)
        return {"health": values, "warnings": warnings}

    def _refuse_broken(self, epoch: int) -> None:
        """Nothing of an epoch that ended in NaN or infinity is kept."""
        player = self.step.broken()
        if player is not None:
            opposed = player in self.record.opponents
            what = f"the weights of the player {player!r}" if opposed else "the weights"
            told = f"{what} held NaN or infinity after epoch {epoch + 1}"
            self._break_off(player if opposed else what, math.nan, self.steps - 1, told)

    def _refuse_bad_validation(self, means: dict[str, float], epoch: int) -> None:
        """Nor of one after which the validation loss is no number; the term that made it so is named."""
        bad = [term for term, value in means.items() if not math.isfinite(value)]
        if bad:
            term = next((term for term in bad if term != "total"), "total")
            what = f"the validation loss became {means[term]} after epoch {epoch + 1}, in its term {term!r}"
            self._break_off(term, means[term], self.steps - 1, what)

    def _refuse_non_finite(self, epoch: int, batches: Plan) -> None:
        found = self.record.first_bad()
        if found is None:
            return
        i, term, value = found
        world, order = distributed.world(), self.order(epoch)
        joint = order[world * sum(batches.sizes[:i]) : world * sum(batches.sizes[: i + 1])]
        x = next(iter(self.store.batches([joint])))
        laid = self.folder.lay_aside("offending-batch.safetensors", {"x": x})
        named = f"the loss of the player {term!r}" if term in self.record.opponents else f"the loss term {term!r}"
        what = f"{named} became {value} at step {i + 1} of epoch {epoch + 1}"
        self._break_off(term, value, i, what, laid)

    def _break_off(self, term: str, value: float, step: int, what: str, more: str = "") -> NoReturn:
        """Note in the checkpoint, which is of the last epoch that ended well, what ended the training, and tell the user."""
        weights = self.folder.break_off(what)
        lr, remedy = self.options.lr, f"--lr {min(self.options.lr / 10, 1e-3):g} or --clip-norm 1"
        if term in self.record.opponents and term in self.step.learners:
            lr, remedy = float(self.step.learners[term].lr), f"a lower learning rate of the player {term!r}"
        raise NotFiniteError(
            term,
            value,
            step,
            f"{what}; likely causes: a learning rate too high for this model (lr {lr:g}), float16 (use "
            f"--precision bf16 or float32), or a part that divides by zero; resuming would repeat it: train a new run with "
            f"{remedy}{weights}{more}",
        )

    # --- what is written, by rank 0 alone -------------------------------------------------------------------------------

    def _save(self, state: State) -> None:
        """metrics.jsonl, and the checkpoint when it is due."""
        self.folder.write(lambda path: self._save_alone(path, state))

    def _save_alone(self, path: Path, state: State) -> None:
        state.length, state.digest = history.add(path, state.history, state.length, state.digest)
        self._note_options(path, state)
        if self.few is not None and self.options.sample_every and state.epoch % self.options.sample_every == 0:
            with self.step.shown():
                snapshots.keep(path, self.step.model, self.few, state.epoch)
        if state.status != "running" or state.epoch % self.options.checkpoint_every == 0:
            checkpoint.save(path, self.step.state(), state)

    def _note_options(self, path: Path, state: State) -> None:
        """The options that the run goes on with, where they are others than before."""
        state.epochs = self.options.epochs
        if self.config is not None:
            self.config.write(path)
            self.config = None

    def _save_finished(self, path: Path, state: State) -> None:
        """Where no more epochs are asked for than are done."""
        self._note_options(path, state)
        checkpoint.save(path, self.step.state(), state)


class StepLog:
    """Writes steps.jsonl in an epoch: every `log_every` steps of the training the mean loss of those since the last line, or
    since the epoch began. Lines are written together, once a second, so that a device seldom has to be waited for."""

    def __init__(self, loop: Loop, epoch: int, sizes: list[int]) -> None:
        self.loop, self.epoch, self.sizes = loop, epoch, sizes
        every, before = loop.options.log_every, epoch * loop.steps
        self.due = [] if every is None else [i for i in range(len(sizes)) if (before + i + 1) % every == 0]
        self.first = 0  # step of the next line
        self.last = time.perf_counter()

    def step(self, i: int) -> None:
        """Step `i` is done, or under way; of several processes none may wait for another here."""
        self.done = i
        if self.due and self.due[0] <= i and distributed.world() == 1 and time.perf_counter() - self.last > 1:
            self._write()

    def end(self) -> None:
        """No more steps are done in this epoch."""
        if self.due and self.due[0] <= self.done:
            self._write()

    def _write(self) -> None:
        lines = []
        while self.due and self.due[0] <= self.done:
            i = self.due.pop(0)
            means = self.loop.record.means(self.sizes[self.first : i + 1], self.first)
            train = {name: value if math.isfinite(value) else None for name, value in means.items()}
            lines.append({"epoch": self.epoch + 1, "step": self.epoch * self.loop.steps + i + 1, "train": train})
            self.first = i + 1
        content = b"".join(map(history.encoded, lines))
        self.loop.folder.write(lambda path: _append(path / history.STEPS, content))
        for line in lines:
            self.loop.reporter.logged(line)
        self.last = time.perf_counter()


def _append(file: Path, content: bytes) -> None:
    files.append(file, content, file.stat().st_size if file.exists() else 0)


def mean_loss(
    model: Autoencoder,
    store: Store,
    n: int,
    options: TrainOptions,
    known: Tensor | None = None,
    progress: float = 1.0,
) -> dict[str, float]:
    """The mean loss and its terms over `n` images, in evaluation mode and float32, with the same noise every time, and the
    weights of the loss as they are at `progress`.

    Processes share the work, and each image counts once: the means are those that one process finds.
    """
    device = model.device
    noise = generator(options.seed, "validation", device=device)
    batches = plan(torch.arange(n), options.batch_size, every=True)
    sums: Tensor | None = None
    names: list[str] = []
    with torch.no_grad(), evaluating(model), already_checked():
        for i, x in enumerate(store.batches(batches.batches)):
            loss = model.loss(x, Draws(noise, batches.windows[i]), progress, rows(known, batches.batches[i]))
            values = {"total": loss.total, **loss.terms, **loss.logged}
            names = list(values)
            row = wide(torch.stack(list(values.values()))) * len(x)
            sums = row if sums is None else sums + row
    if sums is None:
        raise DiaboloError(f"{n} validation images are too few for {distributed.world()} processes: start fewer")
    means = distributed.total(sums) / n
    return dict(zip(names, means.tolist(), strict=True))
