"""What callbacks hear, that they change nothing, and what becomes of one that raises."""

import json
import signal
import time

import numpy as np
import pytest
import torch

import diabolo
from diabolo import zoo
from diabolo.errors import DiaboloError
from diabolo.tracking import Callback
from diabolo.updates.record import NotFiniteError


class Heard(Callback):
    """Writes down what it hears."""

    def __init__(self):
        self.events = []

    def on_start(self, run):
        self.events.append(("start", len(run.history), run.status, run.path))

    def on_epoch(self, line, run):
        self.events.append(("epoch", line, run.status, len(run.history)))
        if run.path is not None:
            written = (run.path / "metrics.jsonl").read_text().splitlines()
            assert json.loads(written[-1]) == line == run.history[-1]

    def on_end(self, run):
        self.events.append(("end", len(run.history), run.status, run.path))

    @property
    def lines(self):
        return [event[1] for event in self.events if event[0] == "epoch"]

    @property
    def words(self):
        return [event[0] for event in self.events]


def test_the_lines_are_those_of_metrics(train, tiny_model, tiny_pixels):
    heard = Heard()
    run = train(tiny_model("vae"), tiny_pixels(), tiny_pixels(20, seed=1), epochs=3, callbacks=[heard])
    assert heard.words == ["start", "epoch", "epoch", "epoch", "end"]
    assert heard.events[0] == ("start", 0, "running", run.path)
    assert [event[2:] for event in heard.events[1:-1]] == [("running", 1), ("running", 2), ("finished", 3)]
    assert heard.events[-1] == ("end", 3, "finished", run.path)
    written = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    assert heard.lines == written == run.history


@pytest.mark.parametrize("out", [None, "runs"])
def test_without_a_folder_too(train, tiny_model, tiny_pixels, tmp_path, out):
    heard = Heard()
    run = train(tiny_model(), tiny_pixels(), callbacks=[heard], out=None if out is None else tmp_path / out)
    assert heard.words == ["start", "epoch", "epoch", "end"]
    assert heard.lines == run.history
    assert heard.events[0][3] == run.path


def test_a_resumed_training_tells_what_it_adds(train, tiny_model, tiny_pixels):
    run = train(tiny_model(), tiny_pixels(), epochs=2)
    heard = Heard()
    longer = diabolo.resume(run.path, tiny_pixels(), epochs=4, callbacks=[heard])
    assert heard.events[0][:3] == ("start", 2, "running")
    assert [line["epoch"] for line in heard.lines] == [3, 4]
    assert heard.events[-1][:3] == ("end", 4, "finished")
    assert heard.lines == longer.history[2:]


def test_nothing_of_the_training_changes(train, tiny_model, tiny_pixels, left):
    """Though one draws numbers, decodes, and calls the model in evaluation mode."""

    class Busy(Callback):
        def on_start(self, run):
            torch.manual_seed(3)

        def on_epoch(self, line, run):
            torch.rand(100)
            np.random.seed(1)
            run.model.sample(3, seed=5)
            run.model.reconstruct(torch.zeros(2, 1, 8, 8))

    options = {"epochs": 3, "ema": 0.9}
    x, held = tiny_pixels(), tiny_pixels(20, seed=1)
    one = train(tiny_model("vae"), x, held, **options)
    other = train(tiny_model("vae"), x, held, callbacks=[Busy()], **options)
    assert left(one.path) == left(other.path)


def test_the_model_has_the_weights_that_would_be_kept(train, tiny_model, tiny_pixels, weights):
    """With a moving average those of the average; at the end those in model.safetensors."""
    seen = []

    class Look(Callback):
        def on_epoch(self, line, run):
            seen.append(weights(run.model).clone())

        def on_end(self, run):
            seen.append(weights(run.model).clone())

    run = train(tiny_model(), tiny_pixels(), epochs=2, ema=0.99, callbacks=[Look()])
    assert len(seen) == 3
    assert torch.equal(seen[-1], weights(diabolo.load(run.path)))
    assert torch.equal(seen[-2], seen[-1])
    assert not torch.equal(seen[0], seen[1])


def test_one_may_change_its_line(train, tiny_model, tiny_pixels):
    class Clears(Callback):
        def on_epoch(self, line, run):
            line["train"].clear()
            line.clear()

    heard = Heard()
    how = {"epochs": 3, "early_stopping": 2, "callbacks": [Clears(), heard]}  # which reads what was written
    run = train(tiny_model("vae"), tiny_pixels(), tiny_pixels(20, seed=1), **how)
    assert heard.words[-1] == "end"
    assert heard.lines == run.history == [json.loads(line) for line in (run.path / "metrics.jsonl").open()]


def test_of_pca_they_hear_one_epoch(tmp_path):
    heard = Heard()
    x = np.random.default_rng(0).random((40, 5), dtype=np.float32)
    run = diabolo.fit(zoo.pca((5,), 2, scaling="standard"), x, out=tmp_path, quiet=True, callbacks=[heard])
    assert heard.words == ["start", "epoch", "end"]
    assert heard.lines == run.history
    assert heard.events[-1] == ("end", 1, "finished", run.path)


@pytest.mark.parametrize("method", ["on_start", "on_epoch", "on_end"])
def test_one_that_raises_is_left_out_and_training_goes_on(train, tiny_model, tiny_pixels, left, method, capsys):
    class Failing(Heard):
        pass

    def fail(self, *about):
        self.events.append("failed")
        raise RuntimeError("no\nserver")

    setattr(Failing, method, fail)
    failing, heard = Failing(), Heard()
    run = train(tiny_model(), tiny_pixels(), epochs=3, callbacks=[failing, heard], quiet=False)
    said = [line for line in capsys.readouterr().out.splitlines() if "callback" in line]
    assert said == [
        f"warning: the callback Failing raised RuntimeError in {method}: no server; training goes on without it"
    ]
    assert failing.events.count("failed") == 1
    assert failing.events[-1] == "failed"
    assert heard.words == ["start", "epoch", "epoch", "epoch", "end"]
    assert run.status == "finished"
    assert left(run.path) == left(train(tiny_model(), tiny_pixels(), epochs=3).path)


def test_they_cost_less_than_a_hundredth_of_an_epoch(train, monkeypatch):
    """In seconds of the processor, since the machine may have other work: three callbacks of a fully connected VAE."""
    from diabolo.training.callbacks import Callbacks

    spent, tell = [], Callbacks.epoch

    def timed(self, *about):
        before = time.process_time()
        tell(self, *about)
        spent.append(time.process_time() - before)

    monkeypatch.setattr(Callbacks, "epoch", timed)
    x = np.random.default_rng(0).integers(0, 255, (3000, 1, 28, 28), dtype=np.uint8)
    before = time.process_time()
    train(zoo.vae((1, 28, 28), 16), x, batch_size=128, epochs=3, callbacks=[Callback(), Callback(), Callback()])
    whole = time.process_time() - before
    assert len(spent) == 3
    assert sum(spent) < 0.01 * whole


def test_they_hear_of_a_training_that_breaks_off(train, tiny_model, tiny_pixels):
    model = tiny_model(likelihood=diabolo.likelihoods.SquaredError(output="linear"))
    with torch.no_grad():
        model.decoder.to_raw.bias.fill_(3e38)
    heard = Heard()
    with pytest.raises(NotFiniteError):
        train(model, tiny_pixels(16), callbacks=[heard])
    assert heard.words == ["start", "end"]
    assert heard.events[-1][2].startswith("broken off: the loss term")


def test_they_hear_of_ctrl_c(train, tiny_model, tiny_pixels):
    class Impatient(Heard):
        def on_epoch(self, line, run):
            super().on_epoch(line, run)
            if line["epoch"] == 1:
                signal.raise_signal(signal.SIGINT)

    heard = Impatient()
    run = train(tiny_model(), tiny_pixels(), epochs=50, callbacks=[heard])
    assert run.status == "interrupted"
    assert heard.events[-1][:3] == ("end", 2, "interrupted")


def test_a_training_that_only_keeps_its_weights_tells_nothing(train, tiny_model, tiny_pixels):
    run = train(tiny_model(), tiny_pixels())
    (run.path / "model.safetensors").unlink()
    heard = Heard()
    diabolo.resume(run.path, tiny_pixels(), callbacks=[heard])
    assert heard.events == []


@pytest.mark.parametrize(
    ("callbacks", "said"),
    [
        (
            [print],
            r"^a builtin_function_or_method is no callback, it has no on_start: make a class of diabolo.tracking",
        ),
        ([Heard], r"^callbacks takes objects, and Heard is a class: write Heard\(\)$"),
        (Heard(), r"^callbacks takes a list, such as callbacks=\[…\], not a Heard$"),
        (3, r"^callbacks takes a list, such as callbacks=\[…\], not a int$"),
    ],
)
def test_what_is_no_callback_is_refused_before_training(train, tiny_model, tiny_pixels, callbacks, said, tmp_path):
    with pytest.raises(DiaboloError, match=said):
        train(tiny_model(), tiny_pixels(), callbacks=callbacks)
    assert not (tmp_path / "runs").exists()


def test_the_first_of_two_processes_alone_calls_them(pair, tmp_path):
    script = """
import sys, numpy as np, diabolo
class Say(diabolo.tracking.Callback):
    def on_epoch(self, line, run):
        print("epoch", line["epoch"], flush=True)
        if line["epoch"] == 2:
            raise OSError("gone")
    def on_end(self, run):
        print("end", flush=True)
x = np.random.default_rng(0).integers(0, 255, (64, 1, 8, 8), dtype=np.uint8)
run = diabolo.fit("undercomplete", x, latent_dim=2, hidden=(8,), epochs=3, batch_size=16, precision="float32", device="cpu",
                  threads=1, out=sys.argv[1], quiet=True, callbacks=[Say()])
print(run.status, len(run.history))
"""
    first, second = pair(script, tmp_path / "runs")
    assert (first.wait(), second.wait()) == (0, 0), first.errors + second.errors
    assert first.said.splitlines() == ["epoch 1", "epoch 2", "finished 3"]
    assert second.said.splitlines() == ["finished 3"]
