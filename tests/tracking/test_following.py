"""A run followed from its file while another process trains it, and `diabolo track`."""

import json
import threading
import time

import pytest

import diabolo
from diabolo.tracking import Tracker, follow

SLOW = """
import sys, time, numpy as np, diabolo
class Slow(diabolo.tracking.Callback):
    def on_epoch(self, line, run):
        time.sleep(0.3)
x = np.random.default_rng(0).integers(0, 255, (32, 1, 8, 8), dtype=np.uint8)
how = dict(epochs=6, batch_size=16, precision="float32", device="cpu", threads=1, quiet=True, callbacks=[Slow()])
if len(sys.argv) > 2:
    diabolo.resume(sys.argv[2], x, callbacks=[Slow()])
else:
    diabolo.fit("undercomplete", x, latent_dim=2, hidden=(8,), out=sys.argv[1], **how)
"""


class Listed(Tracker):
    """Keeps the epochs in a list that outlives it."""

    def __init__(self, rows):
        self.rows, self.closed = rows, []

    def open(self, run):
        return max((epoch for epoch, _ in self.rows), default=0)

    def log(self, epoch, values):
        self.rows.append((epoch, values["total/train"]))

    def close(self, status):
        self.closed.append(status)


def first_run(out, patience=60.0):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if found := [path for path in out.glob("0*") if (path / "metrics.jsonl").exists()]:
            return found[0]
        time.sleep(0.01)
    raise AssertionError("no run came")


def test_a_training_is_followed_to_its_end_through_a_kill(start, tmp_path):
    child = start(SLOW, tmp_path / "runs")
    path = first_run(tmp_path / "runs")
    rows, said = [], []
    tracker = Listed(rows)
    while not (path / "metrics.jsonl").read_text().count("\n"):
        time.sleep(0.01)
    killer = threading.Timer(0.5, child.kill)
    killer.start()
    passed = follow(path, tracker, every=0.05, say=said.append)  # ends, since nobody writes any more
    killer.join()
    assert 1 <= passed < 6
    assert len(said) == 1
    assert f"{path} is being written by process {child.pid}" in said[0]
    assert tracker.closed[0].startswith("running after")
    again = start(SLOW, tmp_path / "runs", path)
    while (path / "metrics.jsonl").read_text().count("\n") <= passed:
        assert again.poll() in (None, 0), again.errors
        time.sleep(0.01)
    tracker = Listed(rows)
    follow(path, tracker, every=0.05)
    assert again.wait() == 0
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    assert rows == [(line["epoch"], line["train"]["total"]) for line in lines]
    assert [epoch for epoch, _ in rows] == [1, 2, 3, 4, 5, 6]
    assert tracker.closed == ["finished after 6 epochs"]


def test_the_verb(train, tiny_model, tiny_pixels, diabolo_cli, tmp_path):
    pytest.importorskip("tensorboard", reason="the extra 'tensorboard' is not installed")
    run = train(tiny_model(), tiny_pixels(), epochs=2)
    told = diabolo_cli("track", run.path, "--to", "tensorboard", "--where", "events")
    assert told.wait() == 0, told.errors
    assert told.said.startswith(f"2 epochs passed on to events/{run.path.name}-")
    assert told.said.strip().endswith(f"{run.path}: finished after 2 epochs")
    assert told.errors == ""
    diabolo.resume(run.path, tiny_pixels(), epochs=3)
    told = diabolo_cli("track", run.path, "--to", "tensorboard", "--where", "events")
    assert told.wait() == 0, told.errors
    assert told.said.startswith("1 epoch passed on to events/")
    assert "(3 in all)" in told.said
    wrong = diabolo_cli("track", tmp_path, "--to", "tensorboard")
    assert wrong.wait() == 2
    assert wrong.errors.strip() == f"diabolo: {tmp_path} is not a run folder: it holds no config.json"
    unknown = diabolo_cli("track", run.path, "--to", "neptune")
    assert unknown.wait() == 2
    assert len(unknown.errors.strip().splitlines()) == 1


def test_a_damaged_file_is_one_sentence(train, tiny_model, tiny_pixels, diabolo_cli):
    run = train(tiny_model(), tiny_pixels())
    (run.path / "metrics.jsonl").write_text("no json\n{}\n")
    told = diabolo_cli("track", run.path, "--to", "tensorboard")
    assert told.wait() == 2
    assert len(told.errors.strip().splitlines()) == 1
    assert "metrics.jsonl was edited or damaged" in told.errors
