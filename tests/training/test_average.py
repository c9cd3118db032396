"""The moving average of the weights forgets where it began, however short the training."""

import pytest
import torch

import diabolo
from diabolo.updates.learner import decay_at


def test_the_decay_grows_to_what_was_asked_for():
    found = [decay_at(float(step), 0.999) for step in (1, 2, 10, 100, 10_000)]
    assert found == [2 / 11, 3 / 12, 11 / 20, 101 / 110, 0.999]
    assert decay_at(1.0, 0.1) == 0.1
    steps = torch.tensor([1.0, 100.0, 1e5])
    torch.testing.assert_close(decay_at(steps, 0.99), torch.tensor([2 / 11, 101 / 110, 0.99]))


def test_a_short_training_keeps_next_to_nothing_of_its_random_start(train, tiny_model, tiny_pixels):
    """12 steps: with 0.999 from the first on, 99 % of what is kept would be the start."""
    x, held = tiny_pixels(96), tiny_pixels(32, seed=1)
    torch.manual_seed(0)
    begun = torch.cat([p.detach().flatten() for p in tiny_model().parameters()])
    runs = [train(tiny_model(), x, held, epochs=2, lr=1e-2, ema=ema) for ema in (None, 0.999)]
    plain, kept = (torch.cat([p.detach().flatten() for p in run.model.parameters()]) for run in runs)
    moved = float((kept - begun) @ (plain - begun) / (plain - begun).square().sum())
    assert 0.6 < moved < 1
    assert [line["ema"] for line in runs[1].history] == pytest.approx([7 / 16, 13 / 22])
    assert all("ema" not in line for line in runs[0].history)


def test_it_goes_on_where_it_was(train, tiny_model, tiny_pixels, left):
    x = tiny_pixels(96)
    half = train(tiny_model(), x, epochs=1, ema=0.9)
    diabolo.resume(half.path, x, epochs=3)
    assert left(half.path) == left(train(tiny_model(), x, epochs=3, ema=0.9).path)
