"""What is said of the cost of a model whose cost is known."""

from types import SimpleNamespace

import pytest
import torch

from diabolo import zoo
from diabolo.data import load
from diabolo.errors import DiaboloError
from diabolo.evaluation import Subject
from diabolo.evaluation.cost import _size, _training, cost
from diabolo.metrics.cost import Pace
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


def test_what_a_model_consists_of(digits, tiny_model):
    model = tiny_model(hidden=(16,))
    for p in model.encoder.parameters():
        p.requires_grad_(False)
    setting = _size(Subject(model, *digits))["parameters"].setting
    frozen = sum(p.numel() for p in model.encoder.parameters())
    assert setting == {
        "counted": "model",
        "trainable": sum(p.numel() for p in model.parameters()) - frozen,
        "buffers beside": 0,
    }
    assert _size(Subject(object(), *digits)) == {}
    model = zoo.pca(digits[0].shape, latent_dim=4)
    model.solve(digits[0].images)
    assert _size(Subject(model, *digits))["parameters"].setting == {
        "counted": "model",
        "trainable": 0,
        "fitted in closed form": True,
    }


class Written:
    def __init__(self, history, resolved):
        self.history, self.config = history, SimpleNamespace(resolved=resolved)


@pytest.mark.parametrize(("device", "unit"), [("cpu", "MiB, the whole process"), ("cuda:0", "MiB on the device")])
def test_training_by_hand(digits, device, unit):
    history = [{"seconds": 1.0, "peak_memory_mib": 5.0}, {"seconds": 2.5, "peak_memory_mib": 9.0}, {"epoch": 3}]
    found = _training(Subject(None, *digits, run=Written(history, {"device": device})))
    assert found["training: time"].value == 3.5
    assert found["training: time"].setting == {"epochs": 2, "seconds per epoch": 1.75, "device": device}
    assert (found["training: memory"].value, found["training: memory"].unit) == (9.0, unit)
    assert found["training: time"].n == 100
    assert "training: memory" not in _training(Subject(None, *digits, run=Written([{"seconds": 1.0}], {})))
    assert _training(Subject(None, *digits, run=Written([{"epoch": 1}], {}))) == {}
    assert _training(Subject(None, *digits)) == {}


def test_speed_and_memory_are_those_of_the_metrics(digits, monkeypatch):
    monkeypatch.setattr("diabolo.evaluation.cost.pace", lambda *_: Pace((0.5, 0.1, 0.2)))
    monkeypatch.setattr("diabolo.evaluation.cost.peak_bytes", lambda *_: 3 * 2**20)
    model = zoo.pca(digits[0].shape, latent_dim=4)
    model.solve(digits[0].images)
    scores = cost(Subject(model, *digits), cost_images=20).scores
    assert scores["encode: speed"].value == pytest.approx(20 / 0.2)
    setting = scores["decode: speed"].setting
    assert (setting["slowest"], setting["fastest"]) == (pytest.approx(40), pytest.approx(200))
    assert (setting["batch"], setting["repeats"]) == (20, 5)
    assert (scores["encode: memory"].value, scores["encode: memory"].n) == (3, 20)
    assert (scores["encode: operations"].n, scores["encode: operations"].better) == (1, "lower")
