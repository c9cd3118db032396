"""Fréchet distances by named protocols: what decides them, what is printed, and that the batch size does not."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import linalg

import diabolo
from diabolo.data import Images, load
from diabolo.data.portable_random import permutation
from diabolo.errors import UnknownNameError
from diabolo.evaluation import NotApplicable, Subject, evaluate
from diabolo.evaluation import protocol as measured
from diabolo.evaluation.generated import ordered
from diabolo.evaluation.protocols import PROTOCOLS, Protocol
from diabolo.foreign import Foreign
from diabolo.foreign.functions import normal
from diabolo.metrics.generation.features import digest


@pytest.fixture(scope="module")
def digits():
    return load("digits", n_train=300, n_test=150)


@pytest.fixture
def eight(monkeypatch):
    """Protocols whose extractor is eight random filters: no training, no download."""
    torch.manual_seed(1)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 8), torch.nn.Tanh())
    from diabolo.metrics import generation

    monkeypatch.setitem(generation.extractors.EXTRACTORS, "eight", lambda train, seed: _Eight(network))
    sha = digest(network)[:8]
    for one in (
        Protocol("r", "r", "reconstructions", extractor="eight", weights=sha),
        Protocol("r-40", "r-40", "reconstructions", n=40, n_real=40, extractor="eight", weights=sha),
        Protocol("s", "s", "samples", "train", n=60, n_real=50, extractor="eight", weights=sha),
        Protocol("other", "other", "reconstructions", extractor="eight", weights="0000"),
    ):
        monkeypatch.setitem(measured.PROTOCOLS, one.name, one)
    return network


class _Eight:
    """The extractor, in pieces of 50 images."""

    name, piece = "eight", 50

    def __init__(self, network):
        self.network, self.setting = network, {"weights_sha256": digest(network)}

    def __call__(self, x):
        return self.network(x), None


def features(network, images):
    """In float64 of images in 256 steps."""
    x = torch.from_numpy(np.round(255 * np.clip(np.asarray(images, np.float64), 0, 1)) / 255).float()
    return network(x).detach().double().numpy()


def frechet(one, other):
    """By scipy's square root of a matrix."""
    root = linalg.sqrtm(np.cov(one.T) @ np.cov(other.T)).real
    return np.square(one.mean(0) - other.mean(0)).sum() + np.trace(np.cov(one.T) + np.cov(other.T) - 2 * root)


@pytest.fixture
def pair(digits):
    """A foreign model that blurs: half of the singular vectors of the training images."""
    rows = np.linalg.svd(digits[0].images.reshape(300, -1) / 255, full_matrices=False)[2][:9].astype(np.float32)
    return Foreign(
        lambda x: x.flatten(1) @ torch.from_numpy(rows).T, lambda z: (z @ torch.from_numpy(rows)).view(-1, 1, 8, 8),
        digits[0], beyond="clip", name="svd", prior=normal((9,)),
    )  # fmt: skip


def test_the_distance_is_that_of_the_stated_images(digits, eight, pair):
    found = evaluate(pair, digits, ["protocols"], protocol=("r", "r-40", "s"), seed=3)["protocols"].scores
    test, train = digits[1].images / 255, digits[0].images / 255
    made = pair.reconstruct(digits[1].images).numpy()
    assert found["r"].value == pytest.approx(frechet(features(eight, made), features(eight, test)), rel=1e-5)
    some = ordered(Subject(pair, *digits))[:40]  # drawn with seed 0, whatever the seed of the evaluation
    assert found["r-40"].value == pytest.approx(
        frechet(features(eight, made[some]), features(eight, test[some])), rel=1e-5
    )
    drawn = permutation(300, 0)[:50]
    setting = found["s"].setting
    assert (setting["n_generated"], setting["n_real"], found["s"].n, found["s"].split) == (60, 50, 60, "train")
    from diabolo.latents.densities import draw_images

    samples = draw_images(pair, None, 60, 0)
    assert found["s"].value == pytest.approx(frechet(features(eight, samples), features(eight, train[drawn])), rel=1e-5)


def test_all_that_decides_the_number_stands_beside_it(digits, eight, pair):
    score = evaluate(pair, digits, ["protocols"], protocol=("r",))["protocols"].scores["r"]
    setting = score.setting
    assert setting["protocol"] == "r"
    assert setting["weights_sha256"] == digest(eight)
    assert "bicubic" in setting["filter"]
    assert "centre" in setting["crop"]
    assert setting["fingerprint"] == digits[1].fingerprint
    assert (setting["size"], setting["batches"], setting["features"], setting["seed"]) == ("1×8×8", [1, 7, 16], 8, 0)
    assert 0 <= setting["differs by batch"] < 1e-5
    assert {"pixels", "dtype", "interval", "compares", "reference", "n_generated", "n_real"} <= set(setting)
    assert score.low < score.value < score.high
    assert score.better == "lower"
    arrays = tuple(Images(images.images, split=images.split) for images in digits)
    told = evaluate(pair, arrays, ["protocols"], protocol=("r",))["protocols"].scores["r"]
    assert told.setting["filter"] == told.setting["crop"] == "not known: the images were given as arrays"
    assert told.value == pytest.approx(score.value, rel=1e-9)


def test_it_is_the_same_for_batches_of_1_7_and_512(digits, eight, pair, tiny_model):
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 9), torch.nn.ReLU(), torch.nn.Linear(9, 64))
    network = network.append(torch.nn.Sigmoid()).append(torch.nn.Unflatten(1, (1, 8, 8)))
    modules = Foreign(network[:2], network[3:], digits[0])
    for model in (pair, modules, tiny_model("vae", latent_dim=3)):
        found = [
            evaluate(
                model,
                digits,
                ["protocols", "generation"],
                protocol=("r",),
                extractor="eight",
                densities=("gaussian",),
                batch=n,
            )
            for n in (1, 7, 512)
        ]
        for measure, name in (
            ("protocols", "r"),
            ("generation", "FID, reconstruction"),
            ("generation", "FID, gaussian"),
        ):
            first, *others = (one[measure].scores[name].value for one in found)
            assert others == pytest.approx([first] * 2, rel=1e-6)
            assert first > 0


def test_a_model_that_looks_at_the_whole_batch_is_refused(digits, eight):
    class Averaging(diabolo.codec.PlainCodec):
        def encode(self, x, y=None):
            return self.observe(x).flatten(1)

        def decode(self, z, y=None):
            return (0.9 * z + 0.1 * z.mean(0)).view(-1, 1, 8, 8)

    with pytest.raises(NotApplicable, match=r"how many go through it at once \(by up to 0\.\d+"):
        evaluate(Averaging((1, 8, 8), (64,)), digits, ["protocols"], protocol=("r",))


def test_what_a_protocol_cannot_be_measured_on_is_said(digits, eight, pair, tiny_model, monkeypatch):
    monkeypatch.setitem(measured.PROTOCOLS, "many", replace(measured.PROTOCOLS["r"], n=9, n_real=200, name="many"))
    monkeypatch.setitem(
        measured.PROTOCOLS, "few", replace(measured.PROTOCOLS["r"], n=8, n_real=8, name="few", title="few")
    )
    found = evaluate(pair, digits, ["protocols"], protocol=("r", "other", "many", "few")).skipped
    assert "their SHA-256 begins with" in found["protocols: other"]
    assert "not 0000" in found["protocols: other"]
    assert "it is of 200 test images, and digits (test) has 150" in found["protocols: many"]
    assert "need 9 images or more" in found["protocols: few"]
    with pytest.raises(NotApplicable, match="none is named"):
        evaluate(pair, digits, ["protocols"])
    with pytest.raises(UnknownNameError, match="did you mean 'rfid-50k'"):
        evaluate(pair, digits, protocol=("rfid50k",))  # before anything else is measured
    without = Foreign(lambda x: x.flatten(1), lambda z: z.view(-1, 1, 8, 8), digits[0])
    with pytest.raises(NotApplicable, match="without a prior"):
        evaluate(without, digits, ["protocols"], protocol=("s",))


def test_the_shipped_protocols_say_what_decides_them():
    assert {"rfid-50k", "fid-10k-test", "fid-50k-train"} <= set(PROTOCOLS)
    assert len({one.title for one in PROTOCOLS.values()}) == len(PROTOCOLS)
    for name, one in PROTOCOLS.items():
        assert name == one.name
        assert one.used
        assert one.extractor in ("inception", "classifier")
        assert one.weights == ("6726825d" if one.extractor == "inception" else "")
        assert str(one.n or "").removesuffix("000") in one.title
        assert one.n == one.n_real or one.reference == "train"
    images = Images(np.zeros((3, 1, 4, 4), np.uint8), origin={"load": {}})
    record = PROTOCOLS["rfid-50k"].record(images)
    assert record["protocol"] == "rfid-50k"
    assert "bicubic" in record["filter"]


def test_the_weights_of_inception_are_known_by_their_hash(tmp_path):
    from diabolo.metrics.generation.extractors import _digest

    file = tmp_path / "weights.pth"
    assert _digest(file) == ""
    file.write_bytes(b"some weights")
    assert _digest(file) == hashlib.sha256(b"some weights").hexdigest()
