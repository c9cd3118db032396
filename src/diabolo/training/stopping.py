"""What the course of the validation loss decides: which epoch was best, and when to stop, saying why.

Losses are compared only where they are of one objective. While a weight of the loss still changes (a KL warm-up, a cycle), the
validation loss rises or falls with that weight, whatever the model learns: such an epoch is never the best, and uses up no
patience. The last epoch counts in any case.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from diabolo.runs.checkpoint import State
from diabolo.schedules import Constant, Schedule

LOOKED_AT = 32  # steps of an epoch at which a schedule is looked at, the first and the last among them


def values(schedules: Mapping[str, Schedule], progress: float) -> dict[str, float]:
    """What each of `schedules` gives at `progress`, by name."""
    return {name: float(schedule(progress)) for name, schedule in schedules.items()}


def settling(schedules: Mapping[str, Schedule], steps: int, epochs: int) -> tuple[int, tuple[str, ...]]:
    """How many epochs pass before all `schedules` stay what they are in the end (at most epochs − 1, as the last epoch
    counts in any case), and the names of those that change latest.

    Args:
        schedules: by name.
        steps: in an epoch.
        epochs: of the whole training.
    """
    total = steps * epochs
    moving = {name: schedule for name, schedule in schedules.items() if not isinstance(schedule, Constant)}
    final = values(moving, (total - 1) / total)
    few = min(steps, LOOKED_AT)
    within = sorted({round(i * (steps - 1) / max(1, few - 1)) for i in range(few)})
    for epoch in reversed(range(epochs)):
        found = [values(moving, (epoch * steps + i) / total) for i in within]
        if late := tuple(name for name in final if any(value[name] != final[name] for value in found)):
            return min(epoch + 1, epochs - 1), late
    return 0, ()


def outlook(settled: int, late: Sequence[str], epochs: int, early_stopping: bool) -> str:
    """What to say before a training whose end is decided by its validation loss; "" where every epoch counts."""
    if not settled:
        return ""
    what = f"the weight{'s' if len(late) > 1 else ''} of {' and '.join(late)}"
    if settled < epochs - 1:
        return f"the validation loss decides from epoch {settled + 1} on: until then {what} in the loss still changes"
    ends = ", and early stopping cannot end it" if early_stopping else ""
    return f"warning: {what} in the loss changes until the last epoch, so that no other can be the best of this training{ends}"


def comparable(history: Sequence[Mapping[str, Any]]) -> list[float]:
    """The validation losses of the epochs that were validated under the weights of the last one, when none changed any more:
    the last one's own comes last. Runs of before weights were written down were validated under the final ones."""
    now = history[-1]
    return [
        line["validation"]["total"]
        for line in history
        if line.get("settled", True) and line.get("weights", now.get("weights")) == now.get("weights")
    ]


def note(state: State, epoch: int, loss: float, min_delta: float) -> bool:
    """Whether `loss` of `epoch`, one that counts, is the best so far (lower by more than `min_delta`); `state` remembers it
    then, and otherwise that it has waited for one epoch more."""
    if math.isnan(loss) or (state.best is not None and loss >= state.best - min_delta):
        state.waited += 1
        return False
    state.best, state.best_epoch, state.waited = loss, epoch, 0
    return True


def reason_to_stop(state: State, patience: int | None) -> str | None:
    """Why training should end now, or None."""
    if patience is None or state.best is None or state.waited < patience:
        return None
    return (
        f"stopped early: the validation loss has not improved on {state.best:.5g} (epoch {state.best_epoch}) "
        f"for {patience} epoch{'s' if patience > 1 else ''}"
    )
