"""What happened at each step of an epoch, kept on the device; and a look-out for NaN and infinity that never waits."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from diabolo import distributed
from diabolo.errors import DiaboloError
from diabolo.updates.loss import Loss


class NotFiniteError(DiaboloError):
    """The loss became NaN or infinite. `step` counts from 0 within the epoch; `term` is the term of the loss, or the player."""

    exit_code = 1  # nothing was asked for that cannot be

    def __init__(self, term: str, value: float, step: int, message: str) -> None:
        super().__init__(message)
        self.term, self.value, self.step = term, value, step


class StepRecord:
    """A table (steps, terms) of one epoch, on the device. Rows are written by the step itself, so a graph can do it.

    Its columns are the total, the terms and what is watched beside them, and what each of the `opponents` minimises: of the
    players after the first.

    On the CPU a bad row is seen at once. On a GPU the flag is copied to the host while training goes on, and looked at when
    the copy has arrived: a few steps late, but the host never waits.
    """

    def __init__(self, names: list[str], steps: int, device: torch.device, opponents: Sequence[str] = ()) -> None:
        self.names, self.opponents = [*names, *opponents], list(opponents)
        self.table = torch.zeros(steps, len(self.names), device=device)
        self._rows = self.table.unbind()  # views, made once: between two steps each operation counts
        self.bad = torch.zeros((), device=device)  # NaN once a total was not finite
        self.on_gpu = device.type == "cuda"
        self._flag = torch.zeros((), pin_memory=self.on_gpu)
        self._copied: torch.cuda.Event | None = None

    @torch.no_grad()
    def write(self, step: int | Tensor, loss: Loss) -> None:
        """Note the loss of one step; `step` may be a tensor (1,) on the device."""
        values = [loss.total, *loss.terms.values(), *loss.logged.values(), *(loss.minimised[o] for o in self.opponents)]
        row = torch.stack(values, out=None if isinstance(step, Tensor) else self._rows[step])
        distributed.average(row)  # so that all processes see the same, and stop together
        if isinstance(step, Tensor):
            self.table.index_copy_(0, step, row[None])
        self.bad.add_(row[0], alpha=0)  # 0, or NaN; a bad term makes a bad total
        for i in range(len(row) - len(self.opponents), len(row)):
            self.bad.add_(row[i], alpha=0)

    def seen_bad(self) -> bool:
        """Whether a value that is not finite is known of by now."""
        if not self.on_gpu:
            return math.isnan(self.bad)
        if distributed.world() > 1 or (self._copied is not None and not self._copied.query()):
            return False  # of several processes none may stop steps before the others, who would wait for it
        seen = self._copied is not None and math.isnan(self._flag)
        self._flag.copy_(self.bad, non_blocking=True)
        self._copied = torch.cuda.Event()
        self._copied.record()
        return seen

    def first_bad(self) -> tuple[int, str, float] | None:
        """The step, term and value of the first number that is not finite; None when all are. (Waits for the device.)"""
        table = self.table.cpu()
        rows = (~torch.isfinite(table)).any(1).nonzero()
        if not len(rows):
            return None
        step = int(rows[0])
        columns = (~torch.isfinite(table[step])).nonzero().flatten().tolist()
        names = [self.names[c] for c in columns]
        if len(columns) < len(self.names):  # not all is broken, as it is when the encoder is: an opponent comes first
            names.sort(key=lambda name: name not in self.opponents)
        column = self.names.index(next((name for name in names if name != "total"), names[0]))
        return step, self.names[column], float(table[step, column])

    def means(self, sizes: list[int], first: int = 0) -> dict[str, float]:
        """The mean of each term over the images of the steps from `first` on, of which `sizes` are the batch sizes: of the
        epoch, when all are given. (Waits for the device.)"""
        table = self.table[first : first + len(sizes)]
        weights = torch.tensor(sizes, dtype=torch.float64)
        mean = (table.cpu().double() * weights[:, None]).sum(0) / weights.sum()
        return dict(zip(self.names, mean.tolist(), strict=True))
