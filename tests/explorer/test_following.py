"""A training that goes on while it is looked at."""

import shutil

import numpy as np
import pytest
import torch

import diabolo
from diabolo.errors import DiaboloError
from diabolo.explorer.explored import open_run
from diabolo.explorer.following import Following


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


def test_it_changes_with_the_checkpoint_alone(moved):
    following = Following(moved)
    assert following.changed()
    assert not following.changed()
    (moved / "checkpoint" / "last.safetensors").touch()
    assert following.changed()


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
