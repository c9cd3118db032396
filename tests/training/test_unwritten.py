"""Trainings that leave no run folder: `fit(…, out=None)`."""

import signal

import numpy as np
import pytest
import torch

import diabolo
from diabolo import disk, zoo
from diabolo.errors import DiaboloError
from diabolo.runs import files  # noqa: F401  # has what it takes from `disk` before a test replaces that
from diabolo.training.progress import heard_by
from diabolo.updates.record import NotFiniteError


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """A test in which writing fails, and the folder that must stay empty."""

    def refuse(*args, **kwargs):
        raise AssertionError("something was written")

    for name in ("write", "write_pieces", "append", "make_folder"):
        monkeypatch.setattr(disk, name, refuse)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def vectors(n=60, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 5)).astype(np.float32)


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one) and one.keys() == other.keys()


def test_nothing_is_written_and_the_weights_are_the_same(tiny_model, tiny_pixels, train, nowhere, monkeypatch):
    images, held = tiny_pixels(40), tiny_pixels(16, seed=1)
    run = train(tiny_model("vae"), images, held, out=None)
    assert list(nowhere.iterdir()) == []
    assert run.path is None
    assert (run.status, len(run.history), run.config.name) == ("finished", 2, "vae")
    assert "in memory" in repr(run)
    assert "in memory" in run._repr_html_()
    monkeypatch.undo()
    written = train(tiny_model("vae"), images, held, out=nowhere)
    assert same(run.model.state_dict(), written.model.state_dict())
    assert same(run.model.state_dict(), diabolo.load(written).state_dict())
    assert not run.model.training


@pytest.mark.parametrize("more", [{"keep": "best"}, {"early_stopping": 2, "epochs": 30}])
def test_the_best_weights_are_kept_in_memory(more, tiny_model, tiny_pixels, train, tmp_path):
    """A rate so high that the best epoch is not the last."""
    images, held = tiny_pixels(32), tiny_pixels(16, seed=1)
    options = {"epochs": 8, "lr": 0.3, "keep": "best", **more}
    one = train(tiny_model(), images, held, out=None, **options)
    other = train(tiny_model(), images, held, out=tmp_path, **options)
    assert same(one.model.state_dict(), other.model.state_dict())
    losses = [line["validation"]["total"] for line in one.history]
    assert one.status == other.status
    assert np.argmin(losses) < len(losses) - 1


def test_pca_needs_no_folder(nowhere):
    run = diabolo.fit(zoo.pca((5,), 2, scaling="standard"), vectors(), out=None, quiet=True)
    assert run.path is None
    assert tuple(run.model.encode(vectors(3)).shape) == (3, 2)


@pytest.mark.parametrize(
    ("what", "options"),
    [
        ("log_every", {"log_every": 1}),
        ("sample_every", {"sample_every": 1}),
        ("tensorboard", {"tensorboard": True}),
        ("then='figures'", {"then": ("figures",)}),
    ],
)
def test_what_needs_a_folder_says_so(what, options, tiny_model, tiny_pixels, train, nowhere):
    with pytest.raises(DiaboloError, match=rf"^{what} needs a run folder, and out=None asks for none"):
        train(tiny_model(), tiny_pixels(8), out=None, **options)


def test_a_run_without_a_folder_says_so(tiny_model, tiny_pixels, train, nowhere):
    run = train(tiny_model(), tiny_pixels(16), out=None, epochs=1)
    for ask in (
        lambda: run.folder,
        lambda: diabolo.load(run),
        lambda: diabolo.resume(run, tiny_pixels(16)),
        lambda: diabolo.compare([run, run]),
    ):
        with pytest.raises(DiaboloError, match=r"^this run left no folder, as out=None asked: use its model"):
            ask()


def test_greedy_and_priors_need_one(tiny_model, tiny_pixels):
    with pytest.raises(DiaboloError, match=r"^greedy training needs a run folder"):
        diabolo.greedy(tiny_model(), tiny_pixels(16), out=None, quiet=True)


def test_a_training_that_breaks_off_names_no_folder(tiny_model, tiny_pixels, train, nowhere):
    model = tiny_model(likelihood=diabolo.likelihoods.SquaredError(output="linear"))
    with torch.no_grad():
        model.decoder.to_raw.bias.fill_(3e38)
    with pytest.raises(NotFiniteError) as stopped:
        train(model, tiny_pixels(16), out=None)
    assert "became" in str(stopped.value)
    assert "offending-batch" not in str(stopped.value)
    assert "--init" not in str(stopped.value)


def test_ctrl_c_ends_it_after_the_epoch(tiny_model, tiny_pixels, train, nowhere):
    class Impatient:
        said: list[str] = []  # noqa: RUF012
        enough = staticmethod(str)  # "": it may go on

        def say(self, text):
            self.said.append(text)

        def step(self, epoch, images):
            if epoch == 1:
                signal.raise_signal(signal.SIGINT)

        begin = epoch = end = logged = lambda self, *args: None

    with heard_by(Impatient()):
        run = train(tiny_model(), tiny_pixels(8), out=None, epochs=50, batch_size=8)
    assert (run.status, len(run.history)) == ("interrupted", 1)
    assert Impatient.said[-1] == "interrupted after epoch 1; it cannot go on, since out=None leaves no checkpoint"
