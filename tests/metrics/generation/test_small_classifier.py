"""The classifier of attributes: what its penalties are, by hand."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from diabolo import heads
from diabolo.bottlenecks.latent import Latent
from diabolo.data import Images
from diabolo.errors import DiaboloError
from diabolo.heads import AttributeClassifier
from diabolo.metrics.generation import small_classifier
from diabolo.metrics.generation.features import Features, check_features, extract
from diabolo.metrics.generation.small_classifier import (
    Classifier,
    _budget,
    _model,
    _plan,
    features_of,
)
from diabolo.nets.conv import SMALLEST


def test_the_share_of_attributes_read_wrong_is_only_written_down():
    head = AttributeClassifier((2,), 2)
    with torch.no_grad():
        head.to_logits.weight.copy_(torch.eye(2))
        head.to_logits.bias.zero_()
    z = torch.tensor([[3.0, -3.0], [3.0, 3.0], [-3.0, 3.0]])
    found = head.penalties(torch.zeros(3, 1), Latent(z=z, code=z), torch.tensor([[1.0, 0.0]] * 3))
    assert found["misclassified"].tolist() == [0, 0.5, 1]
    right, wrong = (torch.tensor(value).exp().log1p().item() for value in (-3.0, 3.0))
    assert found["classification"].tolist() == pytest.approx([right, (right + wrong) / 2, wrong])
    assert {name: weight(0.5) for name, weight in head.weights.items()} == {"classification": 1.0, "misclassified": 0.0}


def test_no_more_than_zero_is_no():
    head = AttributeClassifier((1,), 1)
    with torch.no_grad():
        head.to_logits.weight.fill_(1.0)
        head.to_logits.bias.zero_()
    z, y = torch.tensor([[0.0], [0.0], [1e-3], [1e-3]]), torch.tensor([[0.0], [1.0], [0.0], [1.0]])
    assert head.penalties(z, Latent(z=z, code=z), y)["misclassified"].tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize(
    ("shape", "features"), [((1, 8, 8), 32), ((3, 32, 32), 64), ((1, 1, 1), 1), ((128,), 64), ((126,), 63), ((3,), 1)]
)
def test_half_as_many_features_as_numbers_and_64_at_most(shape, features):
    assert features_of(shape) == features


@pytest.mark.parametrize(
    ("n", "shape", "epochs", "kept"),
    [
        (100, (1, 8, 8), 20, 100),
        (1200, (1, 100, 100), 8, 1200),  # 9e7 / (1200 · 10⁴) = 7.5
        (9001, (3, 100, 100), 1, 9000),  # channels are not counted
        (9000, (1, 100, 100), 1, 9000),
        (1001, (1, 400, 400), 1, 1000),  # never fewer
    ],
)
def test_the_work_of_training(n, shape, epochs, kept):
    images = Images(np.broadcast_to(np.zeros((), np.uint8), (n, *shape)))
    found, some = _budget(images)
    assert (found, len(some)) == (epochs, kept)


def test_which_of_too_many_images_are_trained_on():
    images = Images(np.broadcast_to(np.zeros((), np.uint8), (1002, 1, 400, 400)), labels=np.arange(1002))
    np.testing.assert_array_equal(_budget(images)[1].labels, images.subset(1000, 0).labels)


@pytest.mark.parametrize(
    ("shape", "channels"), [((1, 8, 8), (16,)), ((1, 32, 40), (16, 32, 64)), ((3, 128, 128), (16, 32, 64, 128, 128))]
)
def test_the_network_hangs_on_the_size_of_an_image(shape, channels):
    model = _model(shape, lambda bottleneck: heads.Classifier(bottleneck.latent_shape, 3))
    convolutions = [m.out_channels for m in model.encoder.modules() if isinstance(m, torch.nn.Conv2d)]
    assert tuple(dict.fromkeys(convolutions)) == tuple(dict.fromkeys(channels))
    assert (model.name, model.latent_shape) == ("classifier", (features_of(shape),))


def test_what_can_be_learned():
    x = np.zeros((4, 1, 8, 8), np.uint8)
    model_of, learns = _plan(Images(x, labels=np.array([-1, 0, 3, 0])))
    assert learns == "the labels"
    assert model_of((1, 8, 8)).predict(torch.zeros(1, 1, 8, 8)).shape == (1, 4)
    with pytest.raises(DiaboloError, match=r"needs two classes, and .* shows one"):
        _plan(Images(x, labels=np.array([2, 2, -1, 2])))
    attributes = {"attributes": np.eye(4, 2, dtype=bool), "attribute_names": ("a", "b")}
    model_of, learns = _plan(Images(x, labels=np.full(4, -1), **attributes))
    assert learns == "the 2 attributes"
    assert model_of((1, 8, 8)).head.to_logits.out_features == 2
    with pytest.raises(DiaboloError, match="has neither: use 'inception'"):
        _plan(Images(x, labels=np.full(4, -1)))


def test_the_weights_begin_as_the_seed_says_whatever_was_drawn_before(monkeypatch, tmp_path):
    begun = []
    trained = {
        "batch_size": 8,
        "lr": 3e-3,
        "schedule": "one-cycle",
        "precision": "float32",
        "quiet": True,
        "epochs": 20,
    }

    def fit(model, images, **how):
        assert len(how["out"].name) == 16
        assert {name: how[name] for name in trained} == trained
        begun.append((how["seed"], torch.cat([value.flatten().clone() for value in model.parameters()])))
        return SimpleNamespace(model=model, path=tmp_path)

    monkeypatch.setattr(small_classifier, "fit", fit)
    monkeypatch.setattr(small_classifier, "default_cache", lambda: tmp_path)
    images = Images(np.random.default_rng(0).integers(0, 256, (8, 1, 8, 8), dtype=np.uint8), labels=np.arange(8) % 2)
    for before, seed in ((1, 0), (2, 0), (1, 5)):
        torch.manual_seed(before)
        state = torch.get_rng_state()
        small_classifier.classifier(images, seed)
        assert torch.equal(torch.get_rng_state(), state)
    assert [seed for seed, _ in begun] == [0, 0, 5]
    (_, first), (_, same), (_, other) = begun
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_accuracy_is_of_what_is_known():
    torch.manual_seed(0)
    x = np.random.default_rng(0).integers(0, 256, (5, 1, 8, 8), dtype=np.uint8)
    model = _model((1, 8, 8), lambda bottleneck: heads.Classifier(bottleneck.latent_shape, 3))
    taker = Classifier(model, Path(), {})
    made = extract(taker, x)
    answers = made.logits.argmax(1)
    labels = np.where(np.arange(5) < 2, answers, np.where(np.arange(5) < 4, (answers + 1) % 3, -1))
    assert taker.accuracy(made, Images(x, labels=labels)) == 0.5
    assert taker.accuracy(made, Images(x, labels=np.full(5, -1))) is None
    assert taker.accuracy(made, Images(x)) is None
    assert taker.accuracy(Features(made.values), Images(x, labels=labels)) is None
    model = _model((1, 8, 8), lambda bottleneck: AttributeClassifier(bottleneck.latent_shape, 2))
    taker = Classifier(model, Path(), {})
    made = extract(taker, x)
    assert made.logits is None
    said = model.head.to_logits(torch.from_numpy(made.values).float()).detach().numpy() > 0
    truth = said.copy()
    truth[0, 0] ^= True
    assert taker.accuracy(made, Images(x, attributes=truth, attribute_names=("a", "b"))) == pytest.approx(0.9)
    assert taker.accuracy(made, Images(x)) is None


class Mean:
    name, setting, piece = "mean", {}, 2

    def __call__(self, x):
        return x.flatten(1), x.mean((2, 3))


def test_features_in_pieces_and_floats_in_steps():
    x = np.random.default_rng(0).random((5, 3, 2, 2)).astype(np.float32) * 1.4 - 0.2
    made = extract(Mean(), x)
    steps = np.round(255 * x.clip(0, 1)) / 255
    np.testing.assert_allclose(made.values, steps.reshape(5, -1), atol=1e-7)
    np.testing.assert_allclose(made.logits, steps.mean((2, 3)), atol=1e-6)
    assert made.values.dtype == made.logits.dtype == np.float64
    for part, rows in ((made.first(2), slice(2)), (made.at(np.array([3, 1])), [3, 1])):
        np.testing.assert_array_equal(part.values, made.values[rows])
        np.testing.assert_array_equal(part.logits, made.logits[rows])
    assert Features(made.values).first(2).logits is Features(made.values).at(np.array([0])).logits is None
    bytes_ = np.arange(24, dtype=np.uint8).reshape(2, 3, 2, 2)
    np.testing.assert_allclose(extract(Mean(), bytes_).values, bytes_.reshape(2, -1) / 255, rtol=1e-6)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (lambda x: x.flatten(1)[:1], r"one row of features for each image, not \(1, 12\)"),
        (lambda x: x.mean((1, 2, 3)), r"not \(2,\)"),
        (lambda x: "no", "not str"),
        (lambda x: x.flatten(1) / 0, "NaN or infinite"),
    ],
)
def test_features_that_are_none(values, said):
    class Wrong(Mean):
        def __call__(self, x):
            return values(x), None

    with pytest.raises(DiaboloError, match=said):
        extract(Wrong(), np.ones((2, 3, 2, 2), np.uint8))
    with pytest.raises(DiaboloError, match="no images"):
        extract(Mean(), np.ones((0, 3, 2, 2), np.uint8))


@pytest.mark.parametrize(
    ("values", "least", "said"),
    [
        (np.ones(3), 2, r"shape \(N, F\), not \(3,\)"),
        (np.ones((3, 0)), 2, r"not \(3, 0\)"),
        (np.ones((1, 4)), 2, "2 them or more are needed with 4 features, not 1"),
        (np.full((2, 1), np.inf), 2, "NaN or infinity"),
    ],
)
def test_features_that_are_refused(values, least, said):
    with pytest.raises(DiaboloError, match=said):
        check_features(values, "them", least)
    assert check_features(np.ones((2, 1), int), "them").dtype == np.float64


@pytest.mark.parametrize(
    ("shape", "net"), [((12,), "mlp"), ((1, SMALLEST, SMALLEST), "conv"), ((1, SMALLEST - 1, 40), "mlp")]
)
def test_vectors_and_tiny_images_are_seen_by_layers_without_maps(shape, net):
    model = _model(shape, lambda bottleneck: heads.Classifier(bottleneck.latent_shape, 3))
    found = any(isinstance(m, torch.nn.Conv2d) for m in model.encoder.modules())
    assert found == (net == "conv")
    widths = [m.out_features for m in model.encoder.modules() if isinstance(m, torch.nn.Linear)]
    assert net == "conv" or widths == [256, 128]
    assert model.predict(torch.zeros(2, *shape)).shape == (2, 3)
