"""A training that is ended earlier than it was begun for, and totals of epochs that nobody can mean."""

import pytest

import diabolo
from diabolo.errors import DiaboloError
from diabolo.runs import checkpoint
from diabolo.runs.config import Config
from diabolo.runs.loading import load
from diabolo.training.loop import Loop


class PowerCut(BaseException):
    pass


@pytest.fixture
def cut_short(train, tiny_model, tiny_pixels, tmp_path, monkeypatch):
    """The folder of a run of 5 epochs that was killed after the third."""
    epoch = Loop._epoch

    def dying(self, number, state):
        if number == 3:
            raise PowerCut
        return epoch(self, number, state)

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "_epoch", dying)
        with pytest.raises(PowerCut):
            train(tiny_model(), tiny_pixels(), epochs=5)
    return next((tmp_path / "runs").iterdir())


def test_it_ends_where_it_stands(cut_short, tiny_pixels):
    assert checkpoint.status(cut_short) == "running after 3 epochs"
    run = diabolo.resume(cut_short, tiny_pixels(), epochs=3)
    assert run.status == "finished"
    assert checkpoint.status(cut_short) == "finished after 3 epochs"
    assert checkpoint.way_on(cut_short) == ""
    assert Config.read(cut_short).options["epochs"] == 3
    load(cut_short)


def test_epochs_that_are_done_cannot_be_undone(cut_short, tiny_pixels):
    before = {path.name: path.read_bytes() for path in cut_short.iterdir() if path.is_file()}
    with pytest.raises(DiaboloError, match="has done 3 epochs, more than 2"):
        diabolo.resume(cut_short, tiny_pixels(), epochs=2)
    assert {path.name: path.read_bytes() for path in cut_short.iterdir() if path.is_file()} == before
    assert diabolo.resume(cut_short, tiny_pixels()).status == "finished"
    assert checkpoint.status(cut_short) == "finished after 5 epochs"


def test_no_training_lasts_for_ever(train, tiny_model, tiny_pixels, tmp_path):
    for epochs in (10**20, 10**9):
        with pytest.raises(DiaboloError, match="epochs must be a whole number from 1 to 10,000,000"):
            train(tiny_model(), tiny_pixels(), epochs=epochs)
    assert not (tmp_path / "runs").exists()
    run = train(tiny_model(), tiny_pixels(), epochs=1)
    with pytest.raises(DiaboloError, match="epochs must be a whole number from 1 to 10,000,000"):
        diabolo.resume(run.path, tiny_pixels(), epochs=10**20)
