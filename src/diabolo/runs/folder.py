"""A run folder: what it holds, read when that is asked for, and written by one process alone, the first of several. It is
numbered, and comes into being whole: filled under a hidden name that says whose it is, then renamed once.
"""

import hashlib
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from diabolo import disk, distributed
from diabolo.data.images import Images
from diabolo.data.origin import again, of_run
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.runs import checkpoint, files, history, lock
from diabolo.runs.config import Config
from diabolo.runs.history import History
from diabolo.runs.lines import resume_line, shell_line
from diabolo.trust import Trust, trusting

NUMBERED = re.compile(r"(\d{4,})-.*")
PATIENCE = 60.0  # seconds; a number is taken in a millisecond


def create(out: Path, name: str, fill: Callable[[Path], None] = lambda folder: None) -> Path:
    """A new folder `out/NNNN-name` with the lowest number above those there, which holds what `fill` writes into it: it is not
    seen before it is whole. Two processes never get the same number. What others that have died left of theirs is swept away.

    Raises:
        DiaboloError: when `out` cannot be written to.
    """
    safe = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "run"
    half = disk.temporary(out / "new")
    with disk.refusing(f"no run folder can be made in {out}"):
        out.mkdir(parents=True, exist_ok=True)
        try:
            half.mkdir()
            (half / "checkpoint").mkdir()
            (half / "figures").mkdir()
            fill(half)
            with lock.held(out, "numbering a new run", PATIENCE):
                disk.sweep(out)
                path = out / f"{max(map(number_of, out.iterdir()), default=0) + 1:04d}-{safe}"
                disk.move(half, path)
        except BaseException:
            shutil.rmtree(half, ignore_errors=True)
            raise
    disk.settle(out)
    return path


def number_of(path: Path) -> int:
    """The number of a run folder; 0 of anything else."""
    found = NUMBERED.fullmatch(path.name)
    return int(found[1]) if found else 0


def numbered(out: Path) -> list[Path]:
    """The run folders in `out`, the oldest first."""
    found = [path for path in out.iterdir() if number_of(path) and path.is_dir()] if out.is_dir() else []
    return sorted(found, key=lambda path: (number_of(path), path.name))


WEIGHTS = ("model", "best")
PARTS = ("train", "validation", "test")
SCORES = "evaluation/scores.json"


def rewritten(path: Path) -> str:
    """What to do where the scores of the run folder `path` are damaged."""
    return f"{shell_line('evaluate', path)} writes it anew"


@dataclass(frozen=True)
class RunFolder:
    """The run folder at `path`; nothing is read before it is asked for.

    Example:
        >>> run.folder.config.name, len(run.folder.history), run.folder.status
        ('vae', 60, 'finished after 60 epochs')
    """

    path: Path

    @classmethod
    def new(cls, out: Path, name: str, fill: Callable[[Path], None]) -> "RunFolder":
        """One more in `out`, as `create` makes it: the first process does, and all know which it is."""
        return cls(Path(distributed.of_first(lambda: str(create(out, name, fill)))))

    # --- what it holds ----------------------------------------------------------------------------------------------------

    @property
    def config(self) -> Config:
        """What defines the run."""
        return Config.read(self.path)

    @property
    def history(self) -> History:
        """The lines of metrics.jsonl, as far as they are whole."""
        return history.read(self.path)

    @property
    def steps(self) -> History:
        """The lines of steps.jsonl, as far as they are whole: the loss within epochs, where `log_every` asked for it."""
        return history.read(self.path, history.STEPS)

    @property
    def status(self) -> str:
        """Where its training stands, in words."""
        return checkpoint.status(self.path)

    @property
    def scores(self) -> dict[str, Any] | None:
        """What `evaluate` has left there, as `Evaluation.record` gives it; None before that."""
        file = self.path / SCORES
        return files.read_json(file, rewritten(self.path)) if file.exists() else None

    def weights(self, which: str = "model") -> dict[str, Tensor]:
        """The tensors that the training kept ("model"), or those of the lowest validation loss ("best").

        Raises:
            DiaboloError: when they are not there yet, or damaged.
        """
        file = self._file(which)
        if not file.exists():
            resume = f"go on with: {shell_line('resume', self.path)}"
            why = {
                "model": f"its training has not finished; {checkpoint.way_on(self.path) or resume}",
                "best": "it had no validation images, or no epoch after the weights of its loss had settled; take its last "
                "weights",
            }
            raise DiaboloError(f"{self.path} holds no {file.name}: {why[which]}")
        checkpointed = (self.path / checkpoint.FILE).exists()
        again = f"{shell_line('resume', self.path)} makes it anew from the checkpoint"
        return files.read_tensors(file, again if which == "model" and checkpointed else files.BACK)[0]

    def fingerprint(self, which: str = "model") -> str:
        """A digest of those weights."""
        return hashlib.blake2b(self._file(which).read_bytes(), digest_size=16).hexdigest()

    def _file(self, which: str) -> Path:
        if which not in WEIGHTS:
            raise UnknownNameError("weights", which, WEIGHTS)
        return self.path / f"{which}.safetensors"

    def pair(self, moved: Mapping[str, str] | None = None, trust: Trust = ()) -> tuple[Images, Images]:
        """Its training images, and the test images of the same data set, loaded again (`data.origin.of_run`).

        Args:
            moved: where they lie now, if they were moved: `name`, `root` or `labels`, as `diabolo.data.load` takes them.
            trust: packages whose code the folder may name, as in `diabolo.load`, for a data set of one's own.

        Raises:
            NotTrustedError: when they come from a data set outside diabolo that is not trusted.
            DiaboloError: when they were given as arrays, are not there any more, or are others.
        """
        with trusting(trust):
            return of_run(self.path, self.config.train, moved)

    def images(self, part: str, moved: Mapping[str, str] | None = None, trust: Trust = ()) -> Images:
        """Those of the part "train", "validation" (which were watched) or "test", as in `pair`."""
        if part not in PARTS:
            raise UnknownNameError("part", part, PARTS)
        if part == "test":
            return self.pair(moved, trust)[1]
        about = self.config.images(part)
        if about is None:
            raise DiaboloError(f"{self.path} was trained without {part} images: take those to train or to test with")
        with trusting(trust):
            return again(self.path, about, moved)

    # --- what is written, by the first process alone ----------------------------------------------------------------------

    def write(self, action: Callable[[Path], object]) -> None:
        """Let the first process do `action`, which writes into the folder at that path. Where it fails, it does in all."""
        distributed.of_first(lambda: action(self.path))

    @contextmanager
    def held(self, verb: str) -> Iterator[None]:
        """The first process holds the lock of the folder within; where it does not get it, all are refused."""
        with ExitStack() as stack:
            self.write(lambda path: stack.enter_context(lock.held(path, verb)))
            yield

    # --- what becomes of a training ---------------------------------------------------------------------------------------

    def __str__(self) -> str:
        return str(self.path)

    @property
    def way_on(self) -> str:
        """How to go on with the training, in words."""
        return f"go on with: {resume_line(self.path, distributed.world())}"

    def note_best(self, weights: Callable[[], dict[str, Tensor]], epoch: int) -> None:
        """Keep the best weights so far, those of `epoch` (`checkpoint.note_best`)."""
        self.write(lambda path: checkpoint.note_best(path, weights(), epoch))

    def best(self) -> dict[str, Tensor] | None:
        """The tensors of the lowest validation loss; None where none were noted."""
        return self.weights("best") if (self.path / checkpoint.BEST).exists() else None

    def break_off(self, what: str) -> str:
        """Note in the checkpoint `what` ended the training; how a new one can take over its weights, in words."""
        self.write(lambda path: checkpoint.mark(path, f"{checkpoint.BROKEN_OFF}: {what},"))
        return checkpoint.with_weights(self.path)

    def lay_aside(self, file: str, tensors: dict[str, Tensor]) -> str:
        """Leave `tensors` in a `file` beside the run, for whoever looks for what was wrong; where they are, in words."""
        self.write(lambda path: files.write_tensors(path / file, tensors))
        return f"; the batch is in {self.path / file}"
