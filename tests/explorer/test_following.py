"""A training that goes on while it is looked at."""

import shutil

import numpy as np
import pytest
import torch

import diabolo
from diabolo.errors import DiaboloError
from diabolo.explorer.following import Following
from diabolo.explorer.opening import open_run
from diabolo.runs import checkpoint, files, lock


def test_the_model_of_a_checkpoint_is_that_of_the_training(vae):
    made = Following(vae.path).model()
    x = torch.from_numpy(diabolo.data.load("digits")[1].images[:5])
    assert np.allclose(made.encode(x), vae.model.encode(x), atol=1e-6)


def test_a_run_without_weights_yet_is_opened_from_its_checkpoint(moved, vae):
    (moved / "model.safetensors").unlink()
    found = open_run(moved)
    x = torch.from_numpy(diabolo.data.load("digits")[1].images[:5])
    assert np.allclose(found.codec.encode(x), vae.model.encode(x), atol=1e-6)


def test_progress_tells_losses_and_health(vae):
    progress = Following(vae.path).progress()
    epochs, losses = progress.losses("train")
    assert epochs == list(range(1, 7))
    assert losses == [line["train"]["total"] for line in vae.history]
    assert "finished after 6 epochs" in progress.told


def test_it_changes_with_the_checkpoint_and_with_each_epoch(moved):
    following = Following(moved)
    assert following.changed()
    assert not following.changed()
    (moved / "checkpoint" / "last.safetensors").touch()
    assert following.changed()
    assert not following.changed()
    lines = (moved / "metrics.jsonl").read_text().splitlines(keepends=True)
    with (moved / "metrics.jsonl").open("a") as file:  # of which `--checkpoint-every` makes no checkpoint
        file.write(lines[-1].replace('"epoch": 6', '"epoch": 7'))
    assert following.changed()
    assert not following.changed()
    assert following.progress().losses("train")[0] == [*range(1, 8)]


def test_a_folder_that_is_deleted_while_it_is_looked_at(moved):
    following = Following(moved)
    following.changed()
    shutil.rmtree(moved)
    assert following.changed()
    assert not following.changed()
    assert "deleted" in following.progress().told


def test_a_checkpoint_that_is_damaged_is_said(moved):
    (moved / "checkpoint" / "last.safetensors").write_bytes(b"\0" * 100)
    with pytest.raises(DiaboloError):
        Following(moved).model()
    (moved / "metrics.jsonl").write_text("nonsense\n")
    assert Following(moved).progress().problem


def unfinished(folder, **about):
    """Let the run in a folder look like one that is being trained, in its second epoch."""
    file = folder / checkpoint.FILE
    tensors, said = files.read_tensors(file)
    files.write_tensors(file, tensors, said | {"status": "running", "epoch": 6} | about)


def test_a_training_that_dies_is_said(moved):
    unfinished(moved)
    following = Following(moved)
    with lock.held(moved, "train"):
        assert following.changed()
        assert following.progress().status.startswith("running after 6 epochs")
        assert not following.changed()
    assert following.changed()  # though there is no newer checkpoint
    status = following.progress().status
    assert status.startswith("stopped after 6 epochs, and no process trains it now")
    assert f"diabolo resume {moved}" in status


def test_averaged_weights_are_those_that_are_shown(moved, vae):
    file = moved / checkpoint.FILE
    tensors, about = files.read_tensors(file)
    average = {name.replace("model/", "average/", 1): t + 1 for name, t in tensors.items() if name.startswith("model/")}
    files.write_tensors(file, tensors | average, about)
    made = Following(moved).model()
    name, weights = next(iter(vae.model.state_dict().items()))
    assert torch.allclose(made.state_dict()[name], weights + 1)


def test_health_is_told_in_words(vae):
    told = Following(vae.path).progress().told
    assert "active units: " in told
    assert "(that differ from image to image)" in told
