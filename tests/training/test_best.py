"""best.safetensors is of the history that stands: an epoch that was lost with its process has never been the best."""

import shutil

import pytest
import torch

import diabolo
from diabolo.runs import checkpoint, files
from diabolo.runs.folder import RunFolder
from diabolo.training import loop
from diabolo.training.stopping import comparable


@pytest.fixture
def begun(tiny_model, tiny_pixels, tmp_path):
    """A run of two epochs, and its images."""
    x, held = tiny_pixels(), tiny_pixels(20, seed=1)
    torch.manual_seed(0)
    options = {"epochs": 2, "batch_size": 16, "precision": "float32", "threads": 1, "out": tmp_path, "quiet": True}
    return diabolo.fit(tiny_model(), x, held, checkpoint_every=2, keep="best", **options).path, x, held


class Killed(BaseException):
    """No handler of an error sees it, as none sees a kill."""


def killed_after(monkeypatch, epochs):
    """The next training is killed when it has written down so many epochs more, and no checkpoint of the last."""
    add, left = loop.history.add, [epochs]

    def counted(*args):
        found = add(*args)
        left[0] -= 1
        if not left[0]:
            raise Killed
        return found

    monkeypatch.setattr(loop.history, "add", counted)


def best_of(path):
    lines = RunFolder(path).history
    losses = comparable(lines)
    return 1 + losses.index(min(losses))


def test_the_best_of_lost_epochs_is_not_kept(begun, monkeypatch):
    path, x, held = begun
    before = (path / "best.safetensors").read_bytes()
    with monkeypatch.context() as once:
        killed_after(once, 3)  # epoch 5 is lost, epoch 4 is in the checkpoint
        with pytest.raises(Killed):
            diabolo.resume(path, x, held, epochs=8)
    assert checkpoint.status(path) == "running after 4 epochs"
    assert files.read_about(path / "best.safetensors")["epoch"] <= 4
    assert (path / checkpoint.NEXT_BEST).exists()
    shutil.copytree(path, path.with_name("0009-kept"))
    monkeypatch.setattr(loop.Loop, "_judge", lambda self, state: None)  # no later one is better
    diabolo.resume(path, x, held, epochs=6)
    best = files.read_about(path / "best.safetensors")["epoch"]
    assert best <= 4
    assert not (path / checkpoint.NEXT_BEST).exists()
    assert before != (path / "best.safetensors").read_bytes()
    monkeypatch.undo()
    again = path.with_name("0009-kept")
    diabolo.resume(again, x, held, epochs=6)
    assert files.read_about(again / "best.safetensors")["epoch"] == best_of(again)


def test_killed_between_the_checkpoint_and_its_best_weights_nothing_is_lost(begun, monkeypatch):
    path, x, held = begun
    settle, calls = checkpoint.settle_best, []

    def killed(*args):
        calls.append(args)
        if len(calls) == 2:  # the first is of the resuming itself
            raise Killed
        settle(*args)

    with monkeypatch.context() as once:
        once.setattr(checkpoint, "settle_best", killed)
        with pytest.raises(Killed):
            diabolo.resume(path, x, held, epochs=4)
    assert checkpoint.status(path) == "finished after 4 epochs"
    assert (path / checkpoint.NEXT_BEST).exists()
    diabolo.resume(path, x, held, epochs=4)
    assert files.read_about(path / "best.safetensors")["epoch"] == best_of(path)
