"""Ctrl-C: the first lets the epoch end and be saved and says how to go on, the second stops at once."""

import json
import signal
import threading
import time

from diabolo.runs import checkpoint
from diabolo.training.interrupt import Interrupt
from diabolo.training.progress import Silence

# the command line with steps of `argv[1]` seconds
SLOW = """
import sys, time
from diabolo.cli import main
from diabolo.updates.step import Step

pause, call = float(sys.argv.pop(1)), Step.__call__
Step.__call__ = lambda *args: time.sleep(pause) or call(*args)
main()
"""
WORDS = ("train", "vae", "--hidden", 16, "--latent-dim", 4, "--threads", 1, "--no-figures", "--batch-size", 100)


def only_run(out):
    (path,) = out.iterdir()
    return path


def test_once_the_epoch_is_finished_and_the_rest_can_follow(start, diabolo_cli, tmp_path, left):
    running = start(SLOW, 0.01, *WORDS, "--epochs", 5, "--out", tmp_path / "runs")
    running.until("epoch   2")
    time.sleep(0.05)  # in the middle of the third
    running.send(signal.SIGINT)
    running.wait()
    path = only_run(tmp_path / "runs")
    assert "Traceback" not in running.errors
    assert running.code in (0, 130)
    assert "this epoch will be finished and saved" in running.said
    assert "epoch   3" in running.said
    assert "epoch   4" not in running.said
    assert f"diabolo resume {path}" in running.said
    assert checkpoint.status(path) == "interrupted after 3 epochs"
    assert len((path / "metrics.jsonl").read_text().splitlines()) == 3

    resumed = diabolo_cli("resume", path, "--no-figures")
    whole = diabolo_cli(*WORDS, "--epochs", 5, "--out", tmp_path / "whole")
    assert (resumed.wait(), whole.wait()) == (0, 0), resumed.errors + whole.errors
    assert left(path) == left(only_run(tmp_path / "whole"))


def test_twice_it_stops_at_once(start, diabolo_cli, tmp_path, left):
    running = start(SLOW, 0.5, *WORDS, "--epochs", 2, "--out", tmp_path / "runs")  # 15 steps, so 7.5 s an epoch
    running.until("images all on")
    time.sleep(0.3)
    running.send(signal.SIGINT)
    running.until("once more stops at once")
    asked = time.monotonic()
    running.send(signal.SIGINT)
    assert running.wait() == 130
    assert time.monotonic() - asked < 3
    assert "Traceback" not in running.errors
    assert running.errors.startswith("diabolo: stopped")
    path = only_run(tmp_path / "runs")
    assert checkpoint.status(path) == "running after 0 epochs"

    resumed = diabolo_cli("resume", path, "--no-figures")
    whole = diabolo_cli(*WORDS, "--epochs", 2, "--out", tmp_path / "whole")
    assert (resumed.wait(), whole.wait()) == (0, 0), resumed.errors + whole.errors
    assert left(path) == left(only_run(tmp_path / "whole"))


def test_in_the_last_epoch_the_run_is_finished(start, tmp_path):
    running = start(SLOW, 0.02, *WORDS, "--epochs", 1, "--out", tmp_path / "runs")
    running.until("images all on")
    time.sleep(0.15)
    running.send(signal.SIGINT)
    running.wait()
    path = only_run(tmp_path / "runs")
    assert checkpoint.status(path) == "finished after 1 epoch"
    assert (path / "model.safetensors").exists()


def test_the_handler_is_put_back():
    before = signal.getsignal(signal.SIGINT)
    with Interrupt(Silence()) as interrupt:
        assert signal.getsignal(signal.SIGINT) != before
        assert not interrupt.asked
        signal.raise_signal(signal.SIGINT)
        assert interrupt.asked
    assert signal.getsignal(signal.SIGINT) == before


def test_in_another_thread_signals_are_left_alone(train, tiny_model, tiny_pixels):
    runs = []
    thread = threading.Thread(target=lambda: runs.append(train(tiny_model(), tiny_pixels())))
    thread.start()
    thread.join()
    assert runs[0].status == "finished"


def test_an_interrupted_run_leaves_a_model_that_can_be_used(monkeypatch, train, tiny_model, tiny_pixels):
    import diabolo
    from diabolo.training.loop import Loop

    save = Loop._save

    def saving(self, state):
        save(self, state)
        if state.epoch == 1:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Loop, "_save", saving)
    run = train(tiny_model(), tiny_pixels(), epochs=5)
    assert run.status == "interrupted"
    assert [line["epoch"] for line in run.history] == [1, 2]
    assert json.loads((run.path / "metrics.jsonl").read_text().splitlines()[-1]) == run.history[-1]
    x = tiny_pixels(5)
    assert (diabolo.load(run.path).encode(x) == run.model.encode(x)).all()
