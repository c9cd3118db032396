"""Models by name: the same seed gives the same weights from the command line and from Python."""

import json
from pathlib import Path

import pytest
import torch

import diabolo
from diabolo import zoo
from diabolo.cli import main
from diabolo.errors import UnknownNameError

OWN = """
from diabolo.zoo.recipe import recipe
from diabolo.zoo import undercomplete

@recipe()
def mine(input_shape: tuple[int, ...], latent_dim: int = 3):
    return undercomplete(input_shape, latent_dim, hidden=(5,))
"""


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize(
    ("name", "own"), [("vae", {"latent_dim": 3}), ("cvae", {"latent_dim": 2}), ("pca", {"latent_dim": 4})]
)
def test_the_command_line_and_python_train_one_model(name, own, seed, tmp_path, monkeypatch, left):
    monkeypatch.chdir(tmp_path)
    given = {**own, **({} if name == "pca" else {"hidden": 8})}
    flags = [word for option, value in given.items() for word in (f"--{option.replace('_', '-')}", str(value))]
    how = ["--epochs", "1", "--lr", "0.01", "--seed", str(seed), "--validation", "test", "--no-figures", "--quiet"]
    main(["train", name, "--data", "digits", "--n-train", "150", "--n-test", "40", *flags, *how, "--out", "line"])
    train, test = diabolo.data.load("digits", n_train=150, n_test=40)
    torch.manual_seed(1234)
    given |= {} if name == "pca" else {"hidden": (8,)}
    run = diabolo.fit(name, train, test, epochs=1, lr=0.01, seed=seed, quiet=True, out="python", **given)
    assert torch.initial_seed() == 1234
    (line,) = Path("line").iterdir()
    weights, lines = left(run.path)
    assert (weights, lines) == left(line) if name != "pca" else weights == left(line)[0]
    ours, theirs = (json.loads((path / "config.json").read_text()) for path in (run.path, line))
    assert ours["model"] == theirs["model"]
    assert ours["recipe"].keys() == theirs["recipe"].keys()


def test_a_model_that_is_there_keeps_its_weights(tiny_model, tiny_pixels, train):
    model = tiny_model()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    run = train(model, tiny_pixels(), lr=1e-12, epochs=1)
    for name, value in run.model.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=1e-4, atol=1e-6)


def test_what_neither_the_model_nor_its_training_takes_is_refused(tiny_pixels):
    with pytest.raises(
        UnknownNameError, match="unknown option 'lateral_dim' of the model 'vae' or its training; did you mean"
    ):
        diabolo.fit("vae", tiny_pixels(), lateral_dim=3)
    with pytest.raises(UnknownNameError, match="unknown model 'vea'"):
        diabolo.fit("vea", tiny_pixels())
    with pytest.raises(UnknownNameError, match="unknown training option 'latent_dim'"):
        diabolo.fit(zoo.vae((1, 8, 8), 2, hidden=(4,)), tiny_pixels(), latent_dim=3)


def test_a_recipe_of_ones_own_and_layers_one_by_one(tiny_pixels, tmp_path, monkeypatch):
    (tmp_path / "their_recipes.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(zoo.RECIPES, "mine", None)  # and taken out again afterwards
    run = diabolo.fit("their_recipes:mine", tiny_pixels(), epochs=1, batch_size=35, quiet=True, out=tmp_path / "a")
    assert run.model.latent_shape == (3,)
    stages = diabolo.greedy(
        "undercomplete", tiny_pixels(), None, 1, epochs=1, latent_dim=2, hidden=(6,), quiet=True, out=tmp_path / "b"
    )
    assert [stage.path.name for stage in stages][-1].endswith("-undercomplete-array")
