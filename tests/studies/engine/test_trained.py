"""Trainings that are found again: layer by layer, with a prior over codes, or under weights that another training gave."""

from pathlib import Path
from typing import Any

import pytest
import torch

from diabolo import data, zoo
from diabolo.runs import lock
from diabolo.studies.engine import trained as trained_module
from diabolo.studies.engine.row import Row
from diabolo.studies.engine.trained import Trained, key_of


@pytest.fixture(scope="module")
def digits() -> Any:
    train, test = data.load("digits")
    return train.take(range(96)), test.take(range(32))


@pytest.fixture
def make(digits: Any, tmp_path: Path) -> Any:
    def made(recipe: Any, **options: Any) -> Trained:
        return Trained(recipe, *digits, tmp_path, lambda _: None, **({"epochs": 1, "batch_size": 48} | options))

    return made


def refuse(*_: Any, **__: Any) -> None:
    raise AssertionError("trained again")


def test_layer_by_layer_is_another_training_and_is_found_again(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    how = {"hidden": (8,), "latent_dim": 4}
    first = make(zoo.undercomplete, **how, epochs_per_layer=1).run
    assert not first.path.match("*-layer-*")
    assert len(list(first.path.parent.glob("*-layer-*"))) == 2  # the hidden layer and the code
    assert make(zoo.undercomplete, **how).run.path.parent != first.path.parent
    monkeypatch.setattr(trained_module, "greedy", refuse)
    assert make(zoo.undercomplete, **how, epochs_per_layer=1).run.path == first.path


def test_a_prior_over_codes_is_fitted_once_and_drawn_from(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    how = {"codes": 8, "latent_dim": 4, "width": 8, "residual_width": 4, "residual_layers": 1}
    model = make(zoo.vqvae, **how)
    history = model.fit_prior(width=8, layers=1, heads=2, epochs=1, batch_size=48)
    assert history[-1]["validation"]["bits_per_code"] > 0
    assert model.model.sample(2, seed=0).shape == (2, 1, 8, 8)
    monkeypatch.setattr(trained_module, "fit_prior", refuse)
    again = make(zoo.vqvae, **how)
    assert again.fit_prior(width=8, layers=1, heads=2, epochs=1, batch_size=48) == history
    assert again.model.sample(2, seed=0).shape == (2, 1, 8, 8)


def test_given_weights_are_part_of_the_key(digits: Any) -> None:
    def key(seed: int) -> str:
        torch.manual_seed(seed)
        features = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 4), torch.nn.ReLU())
        torch.manual_seed(0)
        model = zoo.undercomplete((1, 8, 8), 4, hidden=(8,))
        model.register_module("given", features.requires_grad_(False))
        return key_of(model, *digits, {})

    assert key(1) == key(1)
    assert key(1) != key(2)


def test_a_row_writes_down_means_and_reads_them_back(tmp_path: Path) -> None:
    row = Row("1.1", "title", tmp_path, None)
    assert row.over("error", [1.0, 2.0, 3.0], "squared error per pixel") == 2.0
    row.over("once", [1.0], "nats")
    assert row.numbers["error"]["low"] < 2 < row.numbers["error"]["high"]
    assert row.found["error"].error is not None
    assert row.found["error"].error > 3**-0.5  # Student's with two degrees of freedom is wider than a standard error
    assert row.found["once"].error is None


def test_the_lock_of_a_process_that_died_when_all_was_done_is_taken_away(make: Any) -> None:
    how = {"hidden": (8,), "latent_dim": 2}
    path = make(zoo.undercomplete, **how).run.path
    (path / lock.NAME).write_text("{}")
    (path.parent / lock.NAME).write_text("{}")
    assert make(zoo.undercomplete, **how).run.path == path
    assert not (path / lock.NAME).exists()
    assert not (path.parent / lock.NAME).exists()
