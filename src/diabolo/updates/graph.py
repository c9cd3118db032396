"""The whole training step as one CUDA graph: gather, forward, backward, update, bookkeeping. The host only says "again".

A counter on the device tells the graph which batch comes next, how far training is, and which row of the record to write;
it is advanced inside the graph. Nothing else changes from replay to replay.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from diabolo.data.columns import rows
from diabolo.data.stores import ResidentStore
from diabolo.randomness import Draws
from diabolo.updates.loss import Loss
from diabolo.updates.record import StepRecord
from diabolo.updates.step import Step

WARM_UP = 3  # eager runs before the capture, so that libraries have made their choices and their workspaces


class DeviceLoop:
    """Steps through a table of batches (steps, B) that lies on the device. Runs anywhere; `capture` needs CUDA."""

    def __init__(
        self,
        step: Step,
        store: ResidentStore,
        record: StepRecord,
        noise: torch.Generator,
        shape: tuple[int, int],
        total: int,
        window: tuple[int, int] | None = None,
        known: Tensor | None = None,
    ) -> None:
        self.step, self.store, self.record, self.noise, self.total = step, store, record, noise, total
        self.known = known
        device = store.pixels.device
        self.table = torch.zeros(shape, dtype=torch.int64, device=device)
        self.window = window  # baked into the graph: the same for every full batch
        self.counter = torch.zeros(1, dtype=torch.int64, device=device)
        self.done = torch.zeros((), dtype=torch.float32, device=device)  # steps of the epochs before this one
        self.replay: Callable[[], object] = self.body

    def begin(self, batches: Tensor, window: tuple[int, int] | None, steps_before: int) -> None:
        """Set out on an epoch: its table of image numbers (steps, B), and how many steps came before it."""
        self.table.copy_(batches)
        self.window = window
        self.counter.zero_()
        self.done.fill_(steps_before)

    def body(self) -> Loss:
        """One step, from counter to counter."""
        indices = self.table.index_select(0, self.counter).flatten()
        x = self.store.at(indices)
        progress = (self.done + self.counter[0]) / self.total
        loss = self.step(x, Draws(self.noise, self.window), progress, rows(self.known, indices))
        self.record.write(self.counter, loss)
        self.counter.add_(1)
        return loss

    def capture(self) -> None:
        """Warm up, capture `body`, and put weights, optimizer state and counters back as they were.

        Raises:
            RuntimeError: when something in the step cannot be captured; nothing has changed then.
        """
        before = {name: t.detach().clone() for name, t in self.step.state().items()}
        noise = self.noise.get_state()
        try:
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(WARM_UP):
                    self.counter.zero_()
                    self.body()
            torch.cuda.current_stream().wait_stream(side)
            self.counter.zero_()
            graph = torch.cuda.CUDAGraph()
            graph.register_generator_state(self.noise)
            with torch.cuda.graph(graph):
                self.body()
            self.replay = graph.replay
        finally:
            self._put_back(before)
            self.noise.set_state(noise)
            self.counter.zero_()
            self.record.bad.zero_()

    def _put_back(self, before: dict[str, Tensor]) -> None:
        """In place, since the graph knows these tensors by address; what was not there before starts at zero."""
        with torch.no_grad():
            for name, tensor in self.step.state().items():
                tensor.copy_(before[name]) if name in before else tensor.zero_()
        self.step.refresh()
