"""What is said of the cost of a model whose cost is known."""

import pytest
import torch

from diabolo import zoo
from diabolo.data import load
from diabolo.errors import DiaboloError
from diabolo.evaluation import Subject
from diabolo.evaluation.cost import cost
from diabolo.training.fit import fit


@pytest.fixture(scope="module")
def digits():
    return load("digits", n_train=100, n_test=40)


def test_a_small_network_by_hand(digits, tiny_model):
    scores = cost(Subject(tiny_model(hidden=(16,)), *digits), cost_repeats=2).scores
    products = 64 * 16 + 16 * 4
    assert scores["parameters"].value == 2 * products + (16 + 4) + (16 + 64)
    assert scores["encode: operations"].value == scores["decode: operations"].value == 2 * products
    for name in ("encode", "decode"):
        speed = scores[f"{name}: speed"]
        assert speed.setting["slowest"] <= speed.value <= speed.setting["fastest"]
        assert speed.setting["threads"] == torch.get_num_threads()
        assert speed.setting["device"] == "cpu"
        assert (speed.n, speed.unit) == (40, "images per second")
        assert scores[f"{name}: memory"].unit == "MiB of tensors alive at once, beside model and images"
        # the layer and its activation, (40, 16) of 4 bytes each, at the least; a few copies of the images at the most
        assert 40 * 16 * 4 <= scores[f"{name}: memory"].value * 2**20 <= 10 * 40 * 64 * 4
    assert not any(name.startswith("training") for name in scores)


def test_training_is_what_the_run_wrote_down(digits, tmp_path, tiny_model):
    run = fit(tiny_model(), *digits, epochs=3, batch_size=50, out=tmp_path, quiet=True)
    scores = cost(Subject(run.model, *digits, run=run), cost_repeats=1).scores
    assert scores["training: time"].value == pytest.approx(sum(line["seconds"] for line in run.history))
    assert scores["training: time"].setting["epochs"] == 3
    assert scores["training: time"].split == "train"
    assert scores["training: memory"].value == max(line["peak_memory_mib"] for line in run.history)


@pytest.mark.parametrize("name", ["pca", "cvae", "unet", "vqvae", "completion"])
def test_every_kind_of_codec_has_a_cost(name, digits):
    small = {"width": 8, "residual_width": 4} if name == "vqvae" else {}
    model = zoo.build(name, digits[0].shape, **small) if name != "pca" else zoo.pca(digits[0].shape, latent_dim=4)
    if name == "pca":
        model.solve(digits[0].images)
    scores = cost(Subject(model, *digits), cost_images=10, cost_repeats=1).scores
    assert scores["decode: operations"].value > 0
    assert scores["encode: speed"].n == 10
    if name == "pca":
        assert scores["parameters"].value == 64 + 4 * 64 + 4
        assert scores["encode: operations"].value == 2 * 64 * 4


def test_nonsense_is_refused(digits, tiny_model):
    with pytest.raises(DiaboloError, match=r"cost_(images|repeats) must be a whole number of at least 1"):
        cost(Subject(tiny_model(), *digits), cost_images=0)
