"""When training ends before its last epoch, and what it says then."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diabolo.runs import checkpoint
from diabolo.runs.checkpoint import State
from diabolo.training.stopping import note, reason_to_stop


def course(losses, patience, min_delta=0.0):
    """The epochs trained, and why it ended."""
    state = State()
    for epoch, loss in enumerate(losses, start=1):
        state.epoch = epoch
        note(state, epoch, loss, min_delta)
        if reason := reason_to_stop(state, patience):
            return epoch, reason
    return len(losses), None


def test_it_waits_as_long_as_it_was_told():
    losses = [5.0, 4.0, 4.5, 3.0, 3.1, 3.0, 3.2, 1.0]
    assert course(losses, 1)[0] == 3
    assert course(losses, 2)[0] == 6
    assert course(losses, 3)[0] == 7
    assert course(losses, 4) == (8, None)
    assert course(losses, None) == (8, None)


def test_it_says_why():
    assert course([5.0, 3.25, 4.0, 4.0], 2)[1] == (
        "stopped early: the validation loss has not improved on 3.25 (epoch 2) for 2 epochs"
    )
    assert course([5.0, 6.0], 1)[1].endswith("for 1 epoch")


def test_small_improvements_do_not_count_but_add_up():
    assert course([5.0, 4.9, 4.8, 4.7], 2, min_delta=0.5)[0] == 3
    assert course([5.0, 4.7, 4.4, 4.1, 3.8, 3.5], 2, min_delta=0.5) == (6, None)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=30), st.integers(1, 5))
def test_it_never_stops_within_its_patience_of_the_lowest(losses, patience):
    epoch, reason = course(losses, patience)
    lowest = losses.index(min(losses[:epoch])) + 1
    if reason is None:
        assert epoch == len(losses)
    else:
        assert epoch - lowest == patience


def test_not_a_number_is_never_the_best():
    state = State()
    assert not note(state, 1, math.nan, 0.0)
    assert note(state, 2, 3.0, 0.0)
    assert not note(state, 3, math.nan, 0.0)
    assert (state.best, state.best_epoch) == (3.0, 2)


def test_a_training_that_stops_early(train, tiny_model, tiny_pixels):
    """Validation images as negatives: they are met worse and worse."""
    x, held = tiny_pixels(), 255 - tiny_pixels(30, seed=1)
    run = train(tiny_model(), x, held, epochs=50, early_stopping=3, lr=0.01)
    totals = [line["validation"]["total"] for line in run.history]
    best = totals.index(min(totals)) + 1
    assert len(run.history) == best + 3 < 50
    assert run.status.startswith(
        f"stopped early: the validation loss has not improved on {min(totals):.5g} (epoch {best})"
    )
    assert checkpoint.status(run.path) == f"{run.status} after {best + 3} epochs"
    longer = train(tiny_model(), x, held, epochs=best + 3, lr=0.01)
    assert all((a == b).all() for a, b in zip(run.model.parameters(), longer.model.parameters(), strict=True))


@pytest.mark.parametrize("every", [1, 2, 3, 10])
def test_a_checkpoint_every_so_many_epochs_and_at_the_end(every, train, tiny_model, tiny_pixels, monkeypatch):
    saved, save = [], checkpoint.save

    def saving(path, step, state):
        saved.append(state.epoch)
        save(path, step, state)

    monkeypatch.setattr(checkpoint, "save", saving)
    run = train(tiny_model(), tiny_pixels(), epochs=5, checkpoint_every=every)
    assert saved == [0, *(epoch for epoch in range(1, 5) if epoch % every == 0), 5]
    assert checkpoint.status(run.path) == "finished after 5 epochs"
