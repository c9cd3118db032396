"""A worker of a sweep: takes a trial that nobody works on, trains it, says what came of it, and takes the next.

A trial belongs to the process that holds the lock of its folder, from before its first value is chosen until its result is in
the storage. The lock dies with the process. So a trial that is unfinished and not locked was left by a worker that died: the
next one takes it over, and goes on with its run folder from the last epoch that was saved. No trial is trained by two at once,
and none has two results.
"""

import json
import math
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState

from diabolo import distributed
from diabolo.data import Images
from diabolo.errors import DiaboloError, InUseError, NotTrustedError, NotWrittenError, Stopped
from diabolo.randomness import derive
from diabolo.runs import checkpoint, files, lock
from diabolo.runs.folder import RunFolder, numbered
from diabolo.sweeping.aims import Aim, measured
from diabolo.sweeping.record import Definition, Trial, folder_of, short
from diabolo.sweeping.space import Space, Value
from diabolo.sweeping.storage import PATIENCE, frozen, going_on
from diabolo.training.fit import fit, resume
from diabolo.training.progress import Silence, heard_by

PAUSE = 0.5  # seconds between looks at trials that others work on
PRUNED = "stopped early: pruned"  # how the status of a training begins that the sweep has ended
FATAL = (NotWrittenError, InUseError, NotTrustedError, distributed.OtherEndedError)  # of which no other trial is free
SAMPLERS: Mapping[str, Callable[[int], optuna.samplers.BaseSampler]] = {
    "tpe": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
}
PRUNERS: Mapping[str, Callable[[], optuna.pruners.BasePruner]] = {
    "median": optuna.pruners.MedianPruner,
    "hyperband": optuna.pruners.HyperbandPruner,
    "none": optuna.pruners.NopPruner,
}


@dataclass
class Job:
    """A trial in the hands of this process (and of those that torchrun started with it).

    Attributes:
        number: of the trial.
        options: the values that were chosen.
        trial: Optuna's; None in all processes but the first.
        held: the lock of its folder.
        since: when it was taken.
    """

    number: int
    options: dict[str, Value]
    trial: Any = None
    held: ExitStack = field(default_factory=ExitStack)
    since: float = field(default_factory=time.monotonic)


@dataclass
class Watch(Silence):
    """Hears how a training goes, and ends it where the pruner says so."""

    job: Job
    aim: Aim
    rule: str
    why: str = ""

    def epoch(self, line: dict[str, Any]) -> None:
        """Tell the storage, and ask the pruner."""
        super().epoch(line)
        trial, value, epoch = self.job.trial, self.aim.of_line(line), int(line["epoch"])
        if trial is None or not math.isfinite(value) or not line.get("settled", True):
            return
        if epoch not in frozen(trial.study, self.job.number).intermediate_values:  # it may have been said before a kill
            trial.report(value, epoch)
        if trial.should_prune():
            self.why = f"pruned after {self.aim.name} {value:.4g} by the rule {self.rule}"

    def enough(self) -> str:
        """Why training should end now."""
        return self.why


@dataclass
class Worker:
    """Trains trials until there are as many as asked for.

    Attributes:
        out: the folder of the sweep.
        definition, spaces, aims: what is searched, and what for.
        study: Optuna's.
        trials: how many there are to be, of all workers together.
        train, validation: the images.
        options: of this worker's trainings, which say where they run.
        say: is told how it goes.
    """

    out: Path
    definition: Definition
    spaces: Mapping[str, Space]
    aims: tuple[Aim, ...]
    study: Any
    trials: int
    train: Images
    validation: Images | None
    options: Mapping[str, Any]
    say: Callable[[str], None]

    def run(self) -> None:
        """Work until all trials have ended, whoever trains them.

        Raises:
            Stopped: after Ctrl-C; the trial is gone on with by the next worker.
        """
        waited = False
        while (job := self._next()) is not None:
            if job.number < 0:
                if not waited:
                    self.say(
                        "the last trials are trained by other workers; waiting, to go on with them should those die"
                    )
                waited = True
                time.sleep(PAUSE)
                continue
            with job.held:
                self._work(job)

    def _next(self) -> Job | None:
        """The next trial; one with number −1 where others work on what is left; None where nothing is. All processes of a
        torchrun get the same."""
        taken: list[Job | None] = []

        def take() -> str:
            taken.append(self._take())
            job = taken[0]
            return json.dumps(None if job is None else [job.number, job.options])

        told = json.loads(distributed.of_first(take))
        if told is None or distributed.rank() == 0:
            return taken[0] if taken else None
        number, options = told
        return Job(number, {name: tuple(v) if isinstance(v, list) else v for name, v in options.items()})

    def _take(self) -> Job | None:
        """A trial whose worker has died, else a new one. One worker at a time looks for one."""
        with lock.held(self.out, "sweep", PATIENCE):
            there = self.study.get_trials(deepcopy=False)
            running = [trial for trial in there if not trial.state.is_finished()]
            for trial in running:
                if (job := self._taken(trial.number)) is not None:
                    self.say(f"trial {trial.number} goes on here, since its worker has died")
                    return job
            if len(there) >= self.trials:
                return Job(-1, {}) if running else None
            asked = self.study.ask()
            return self._taken(asked.number)

    def _taken(self, number: int) -> Job | None:
        """The trial of that number, if nobody holds its folder and it has not ended meanwhile."""
        folder, held = folder_of(self.out, number), ExitStack()
        files.make_folder(folder)
        try:
            held.enter_context(lock.held(folder, "sweep", 0.0))
        except InUseError:
            return None
        trial = frozen(self.study, number)
        if trial.state.is_finished():
            held.close()
            return None
        self.study.sampler = SAMPLERS[self.definition.sampler](derive(self.definition.seed, "sampler", number) % 2**32)
        going = going_on(self.study, trial)
        return Job(number, {name: space.suggest(going, name) for name, space in self.spaces.items()}, going, held)

    def _work(self, job: Job) -> None:
        """Train the trial with each of its seeds, and say what came of it."""
        values: dict[str, list[float]] = {aim.name: [] for aim in self.aims}
        seconds, reason, state = 0.0, "", "complete"
        first = self.definition.seed
        try:
            for seed in range(first, first + self.definition.seeds):
                run, status = self._trained(job, seed, seed == first)
                if status.startswith(PRUNED):
                    state, reason = "pruned", status.removeprefix("stopped early: ")
                    break
                for aim, value in zip(self.aims, measured(self.aims, run, self.train, self.validation), strict=True):
                    values[aim.name].append(value)
        except FATAL:
            raise
        except DiaboloError as error:  # a learning rate too high, a model too large: a setting that is no good
            state, reason = "failed", str(error)
        except MemoryError:
            state, reason = "failed", "there is not enough memory for it"
        seconds = round(time.monotonic() - job.since, 2)
        ended = state == "complete"
        trial = Trial(job.number, state, job.options, values if ended else {}, reason, seconds)  # type: ignore[arg-type]
        distributed.of_first(lambda: self._told(job, trial))

    def _told(self, job: Job, trial: Trial) -> None:
        """Leave the result in the folder of the trial, then in the storage."""
        trial.write(folder_of(self.out, trial.number))
        if trial.state == "complete":
            self.study.tell(job.number, [trial.mean(aim.name) for aim in self.aims])
            came = ", ".join(f"{aim.name} {short(trial.mean(aim.name))}" for aim in self.aims)
        else:
            # what failed is told as pruned, since the sampler keeps away from that and knows nothing of what failed
            worst = TrialState.PRUNED if trial.state == "pruned" or len(self.aims) == 1 else TrialState.FAIL
            self.study.tell(job.number, state=worst)
            came = trial.reason if trial.state == "pruned" else f"failed: {trial.reason}"
        self.say(f"trial {trial.number}: {trial.told}: {came}")

    def _trained(self, job: Job, seed: int, first: bool) -> tuple[RunFolder, str]:
        """The run of the trial with that seed, trained to its end, and its status. What an earlier worker has left goes on."""
        folder, name = folder_of(self.out, job.number), f"seed{seed}"
        found = distributed.of_first(
            lambda: next((str(run) for run in numbered(folder) if run.name.endswith(f"-{name}")), "")
        )
        path = Path(found) if found else None
        if path is not None and checkpoint.has_ended(path):
            return RunFolder(path), checkpoint.status(path)
        if path is not None and checkpoint.status(path).startswith(checkpoint.BROKEN_OFF):
            raise DiaboloError(checkpoint.status(path))
        pruned = first and self.definition.prune != "none"
        watch = Watch(job, self.aims[0], self.definition.prune) if pruned else Silence()
        with heard_by(watch):
            if path is not None:
                run = resume(path, self.train, self.validation)
            else:
                options = {**self.options, **job.options, "seed": seed, "out": str(folder), "name": name, "quiet": True}
                run = fit(self.definition.recipe, self.train, self.validation, **options)
        if run.status == "interrupted":
            raise Stopped("stopped; the same line goes on with the sweep")
        return RunFolder(run.path), str(run.status)
