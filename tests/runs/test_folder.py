"""What a run folder holds, and that it is written once and by one."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import diabolo
from diabolo import zoo
from diabolo.data.origin import Record, hold_out
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.runs.config import Config
from diabolo.runs.folder import RunFolder


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run on digits, with a tenth held out, that was evaluated."""
    train, _ = diabolo.data.load("digits", n_train=200, n_test=60)
    kept, held = hold_out(train, 0.1)
    torch.manual_seed(0)
    model = zoo.undercomplete(kept.shape, 3, hidden=(8,))
    out = tmp_path_factory.mktemp("runs")
    run = diabolo.fit(model, kept, held, epochs=2, batch_size=60, keep="best", out=out, quiet=True, device="cpu")
    diabolo.evaluate(run.path, measures=["reconstruction"]).write(run.path / "evaluation")
    return run


def test_it_holds_what_the_run_told(trained):
    folder = RunFolder(trained.path)
    assert folder == trained.folder
    assert folder.config == trained.config
    assert folder.history == trained.history
    assert folder.status == f"{trained.status} after 2 epochs"
    assert {score["n"] for score in folder.scores["scores"]["reconstruction"].values()} == {60}
    assert {name: value.shape for name, value in folder.weights("best").items()} == {
        name: value.shape for name, value in trained.model.state_dict().items()
    }
    assert folder.fingerprint("best") == folder.fingerprint()  # the last epoch was the best, and that was to be kept
    with pytest.raises(UnknownNameError, match="weights"):
        folder.weights("last")


def test_its_images_are_those_it_was_trained_watched_and_tested_on(trained):
    folder, (train, test) = RunFolder(trained.path), diabolo.data.load("digits", n_train=200, n_test=60)
    kept, held = hold_out(train, 0.1)
    for part, images in (("train", kept), ("validation", held), ("test", test)):
        assert folder.images(part).fingerprint == images.fingerprint
    assert [images.fingerprint for images in folder.pair()] == [kept.fingerprint, test.fingerprint]
    with pytest.raises(UnknownNameError, match="part"):
        folder.images("tests")


def test_images_that_were_given_as_arrays_or_not_at_all_cannot_be_had(tmp_path, tiny_pixels, train, tiny_model):
    folder = train(tiny_model(), tiny_pixels()).folder
    with pytest.raises(DiaboloError, match="were given as arrays"):
        folder.images("train")
    with pytest.raises(DiaboloError, match="was trained without validation images"):
        folder.images("validation")
    assert folder.scores is None


def test_a_config_is_read_as_it_was_written_and_keeps_what_it_does_not_know(trained, tmp_path):
    told = json.loads((trained.path / "config.json").read_text())
    assert Config.parse(told) == trained.config
    assert trained.config.as_dict() == told
    later = Config.parse(told | {"of_tomorrow": [1]})
    assert later.more == {"of_tomorrow": [1]}
    later.but(options=told["options"] | {"epochs": 9}).write(tmp_path)
    found = json.loads((tmp_path / "config.json").read_text())
    assert found == told | {"of_tomorrow": [1], "options": told["options"] | {"epochs": 9}}


def test_a_record_of_images_is_read_as_it_was_written(trained):
    images = trained.folder.images("test")
    record = Record.of(images)
    assert Record.parse(json.loads(json.dumps(record.as_dict())), "here") == record
    assert (record.images, record.shape, record.load["name"]) == (60, (1, 8, 8), "digits")
    assert replace(record, origin=None).load == {}
    assert record.label_names is None or all(isinstance(name, str) for name in record.label_names)
    for wrong in (record.as_dict() | {"shape": None}, record.as_dict() | {"origin": []}, 3, None):
        with pytest.raises(ValueError, match="'here"):
            Record.parse(wrong, "here")


def test_what_the_first_process_cannot_do_is_refused(tmp_path):
    def fail(path: Path) -> None:
        raise DiaboloError("the disk is gone")

    with pytest.raises(DiaboloError, match="the disk is gone"):
        RunFolder(tmp_path).write(fail)
    done: list[Path] = []
    RunFolder(tmp_path).write(done.append)
    assert done == [tmp_path]


def test_a_run_stands_for_its_folder(trained):
    x = trained.folder.images("test").images
    assert torch.equal(diabolo.load(trained).encode(x), diabolo.load(trained.path).encode(x))
    with pytest.raises(DiaboloError, match="a larger total"):
        diabolo.resume(trained)
    with pytest.raises(DiaboloError, match="codes are not discrete"):
        diabolo.fit_prior(trained)
    with pytest.raises(DiaboloError, match="needs two runs"):
        diabolo.compare([trained, trained.path])


@pytest.mark.parametrize("verb", [diabolo.load, diabolo.resume, diabolo.fit_prior])
def test_what_is_no_path_is_named(verb):
    with pytest.raises(DiaboloError, match="a path is wanted, not 3"):
        verb(3)
