"""What the course of the validation loss decides: which epoch was best, and when to stop, saying why."""

import math

from diabolo.training.checkpoint import State


def note(state: State, epoch: int, loss: float, min_delta: float) -> bool:
    """Whether `loss` of `epoch` is the best so far (lower by more than `min_delta`); `state` remembers it then."""
    if math.isnan(loss) or (state.best is not None and loss >= state.best - min_delta):
        return False
    state.best, state.best_epoch = loss, epoch
    return True


def reason_to_stop(state: State, patience: int | None) -> str | None:
    """Why training should end now, or None."""
    if patience is None or state.best is None or state.epoch - state.best_epoch < patience:
        return None
    return (
        f"stopped early: the validation loss has not improved on {state.best:.5g} (epoch {state.best_epoch}) "
        f"for {patience} epoch{'s' if patience > 1 else ''}"
    )
