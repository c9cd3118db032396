"""Decisions by the validation loss are made by the objective that is trained: epochs in which a weight of the loss still moves
neither use up patience nor are the best."""

import json

import pytest
import torch

import diabolo
from diabolo.autoencoder import Autoencoder
from diabolo.schedules import as_schedule
from diabolo.training.stopping import comparable, outlook, settling
from diabolo.zoo import build

SHAPE = (1, 8, 8)
SMALL = {"net": "mlp", "hidden": (16,), "latent_dim": 4}


@pytest.mark.parametrize(
    ("text", "settled"),
    [
        ("0.3", 0),
        ("constant(2)", 0),
        ("linear(0, 1, 0.5)", 10),
        ("linear(1, 1, 0.5)", 0),
        ("warm-up(1, 0.1)", 2),
        ("linear(0, 1, 0.01)", 1),
        ("linear(0, 1)", 19),  # the last epoch counts in any case
        ("cosine(1, 0)", 19),
        ("cyclical(0, 1, 2)", 15),
        ("cyclical(0, 1, 1)", 10),
    ],
)
def test_when_a_schedule_has_settled(text, settled):
    assert settling({"kl": as_schedule(text)}, steps=7, epochs=20)[0] == settled


def test_a_weight_that_moves_within_an_epoch_alone_has_not_settled():
    def bump(progress):
        return 1.0 if 0.52 < float(progress) < 0.53 else 0.0

    assert settling({"steady": as_schedule(1.0), "kl": bump}, steps=100, epochs=10) == (6, ("kl",))


def test_the_latest_of_several_is_named():
    found = settling({"kl": as_schedule("linear(0, 1, 0.2)"), "alpha": as_schedule("linear(0, 1, 0.6)")}, 5, 10)
    assert found == (6, ("alpha",))
    assert outlook(*found, 10, True).startswith("the validation loss decides from epoch 7 on")
    assert "early stopping cannot end it" in outlook(9, ("alpha",), 10, True)
    assert outlook(0, (), 10, True) == ""


def test_only_losses_of_one_objective_are_compared():
    def line(total, weight, settled=True):
        return {"validation": {"total": total}, "weights": {"kl": weight}, "settled": settled}

    assert comparable([line(1.0, 0.0), line(2.0, 1.0, settled=False), line(3.0, 1.0), line(4.0, 1.0)]) == [3.0, 4.0]
    old = {"validation": {"total": 5.0}}
    assert comparable([old, line(4.0, 1.0)]) == [5.0, 4.0]  # of a run before weights were written down


SCHEDULED = {
    "beta": ("vae", {"beta": "linear(0, 1, 0.5)"}, "kl"),
    "free bits": ("vae", {"beta": "linear(0, 1, 0.5)", "free_bits": 0.1}, "free_bits"),
    "capacity": ("vae", {"beta": 10, "capacity": "linear(0, 5, 0.5)"}, "capacity in nats"),
    "sparsity": ("sparse", {"sparsity": "linear(0, 0.01, 0.5)"}, "l1"),
    "behind skips": ("vae", {"net": "unet", "beta": "linear(0, 1, 0.5)"}, "kl"),
    "alpha": ("joint", {"alpha": "linear(0, 1, 0.5)", "classes": 2}, "classification"),
}


@pytest.mark.parametrize("which", SCHEDULED)
def test_every_weight_that_moves_is_known(which):
    name, options, moves = SCHEDULED[which]
    small = SMALL if "net" not in options else {"latent_dim": 4}
    shape = SHAPE if "net" not in options else (1, 16, 16)
    model = build(name, shape, **(small | options))
    assert isinstance(model, Autoencoder)
    assert settling(model.schedules, 3, 8) == (4, (moves,))


def rising(**options):
    torch.manual_seed(0)
    return diabolo.zoo.vae(SHAPE, **SMALL, **({"beta": "linear(0, 30, 0.6)"} | options))


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_patience_begins_when_the_weight_has_settled(compiled, train, tiny_pixels):
    """The capacity rises faster than the divergence can follow, so that the validation loss is lowest at the start, and rises
    when patience would long be used up."""
    x, held = tiny_pixels(64), tiny_pixels(32, seed=1)
    options = {"epochs": 10, "lr": 1e-3, "early_stopping": 2, "keep": "best", "compile": compiled}
    run = train(rising(beta=10, capacity="linear(0, 50, 0.6)"), x, held, **options)
    totals = [line["validation"]["total"] for line in run.history]
    assert [line["settled"] for line in run.history] == [epoch >= 6 for epoch in range(len(run.history))]
    assert totals.index(min(totals)) < 4  # what decided before
    assert len(run.history) >= 8
    counted = totals[6:]
    with torch.no_grad():
        best = diabolo.load(run.path, "best")
        kept = [{n: t.clone() for n, t in model.state_dict().items()} for model in (best, run.model)]
    assert all(torch.equal(kept[0][name], kept[1][name]) for name in kept[0])
    header = diabolo.runs.checkpoint._read_state(run.path)
    assert header.best == min(counted)
    assert header.best_epoch == 7 + counted.index(min(counted))


def test_validation_is_taken_under_the_weights_that_are_trained_and_says_so(train, tiny_pixels):
    x, held = tiny_pixels(64), tiny_pixels(32, seed=1)
    run = train(rising(), x, held, epochs=5)
    steps = 5 * 4
    for epoch, line in enumerate(run.history):
        weight = 30 * min(1, ((4 * epoch + 3) / steps) / 0.6)
        assert line["weights"] == {"kl": pytest.approx(weight)}
        terms = line["validation"]
        assert terms["total"] == pytest.approx(terms["reconstruction"] + weight * terms["kl"], rel=1e-5)


def test_where_a_weight_moves_to_the_end_the_last_epoch_is_kept_and_it_is_said(train, tiny_pixels, capsys):
    x, held = tiny_pixels(64), tiny_pixels(32, seed=1)
    run = train(rising(beta="linear(0, 30)"), x, held, epochs=6, early_stopping=1, keep="best", quiet=False)
    assert len(run.history) == 6
    assert "changes until the last epoch" in capsys.readouterr().out
    last = train(rising(beta="linear(0, 30)"), x, held, epochs=6)
    assert all((a == b).all() for a, b in zip(run.model.parameters(), last.model.parameters(), strict=True))


def test_a_run_that_stopped_early_gets_its_patience_back(train, tiny_model, tiny_pixels):
    """Validation images as negatives are met worse and worse: it stops three epochs after the best, each time."""
    x, held = tiny_pixels(), 255 - tiny_pixels(30, seed=1)
    run = train(tiny_model(), x, held, epochs=50, early_stopping=3, lr=0.01)
    stopped = len(run.history)
    again = diabolo.resume(run.path, x, held, epochs=60)
    assert again.status.startswith("stopped early")
    assert len(again.history) == stopped + 3


def test_an_interrupted_run_keeps_what_it_has_waited(train, tiny_model, tiny_pixels, monkeypatch, left):
    from diabolo.training import loop

    x, held = tiny_pixels(), 255 - tiny_pixels(30, seed=1)
    whole = train(tiny_model(), x, held, epochs=50, early_stopping=3, lr=0.01)
    cut = len(whole.history) - 1
    monkeypatch.setattr(loop.distributed, "any_of", lambda asked: cut == calls.append(1) or len(calls) == cut)
    calls = []
    half = train(tiny_model(), x, held, epochs=50, early_stopping=3, lr=0.01)
    assert half.status == "interrupted"
    monkeypatch.undo()
    diabolo.resume(half.path, x, held)
    assert left(half.path) == left(whole.path)


def test_a_best_of_another_objective_is_forgotten(train, tiny_pixels):
    """A weight that ends at one value in the first training and at another when it is stretched to further epochs."""
    x, held = tiny_pixels(64), tiny_pixels(32, seed=1)
    run = train(rising(beta="linear(0, 30)"), x, held, epochs=3, keep="best")
    first = json.loads((run.path / "metrics.jsonl").read_text().splitlines()[-1])["validation"]["total"]
    longer = diabolo.resume(run.path, x, held, epochs=6)
    state = diabolo.runs.checkpoint._read_state(run.path)
    assert state.best_epoch == 6
    assert state.best == longer.history[-1]["validation"]["total"] != first
