"""LPIPS against torchmetrics' own call, with a backbone of random weights that lies where torchvision's would."""

import hashlib

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from diabolo.codec import PlainCodec
from diabolo.data import Images
from diabolo.errors import DiaboloError
from diabolo.evaluation import NotApplicable, evaluate
from diabolo.metrics.perceptual import lpips

pytest.importorskip("torchmetrics", reason="torchmetrics is not installed")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Where torchvision keeps weights: an empty folder."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    return tmp_path / "hub" / "checkpoints"


@pytest.fixture
def weights(hub):
    """SqueezeNet with random weights."""
    from torchvision.models import squeezenet1_1

    torch.manual_seed(0)
    path = hub / "squeezenet1_1.safetensors"
    save_file(squeezenet1_1(weights=None).state_dict(), path)
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def theirs(weights, x, y, monkeypatch):
    """By torchmetrics alone, which finds the file where torchvision looks for its own."""
    from torchmetrics.functional.image import learned_perceptual_image_patch_similarity as lpips_of

    torch.save(load_file(weights), weights.parent / "squeezenet1_1-b8a52dc0.pth")
    return [float(lpips_of(a[None], b[None], net_type="squeeze", normalize=True)) for a, b in zip(x, y, strict=True)]


def test_it_is_what_torchmetrics_finds(weights, monkeypatch):
    file, sha = weights
    distance = lpips("squeeze")
    torch.manual_seed(1)
    x, y = torch.rand(3, 3, 40, 36), torch.rand(3, 3, 40, 36)
    assert distance(x, y) == pytest.approx(theirs(file, x, y, monkeypatch), rel=1e-5)
    assert distance(x, x) == pytest.approx(np.zeros(3), abs=1e-7)
    grey = torch.rand(2, 1, 32, 32)
    assert distance(grey, 1 - grey) == pytest.approx(
        theirs(file, grey.expand(-1, 3, -1, -1), 1 - grey.expand(-1, 3, -1, -1), monkeypatch), rel=1e-5
    )
    assert distance.setting["weights_sha256"] == sha


class Darker(PlainCodec):
    """Reconstructs at half the brightness."""

    def encode(self, x, y=None):
        return self.observe(x).flatten(1)

    def decode(self, z, y=None):
        return 0.5 * z.view(-1, *self.input_shape)


def test_the_measure_is_its_mean_over_the_test_images(weights, monkeypatch):
    random = np.random.default_rng(0)
    images = [Images(random.integers(0, 256, (n, 3, 32, 32), np.uint8)) for n in (4, 6)]
    found = evaluate(Darker((3, 32, 32), (3072,)), tuple(images), ["lpips"], lpips_net="squeeze")["lpips"].scores[
        "LPIPS"
    ]
    x = torch.from_numpy(images[1].images) / 255
    each = theirs(weights[0], x, x / 2, monkeypatch)
    assert found.value == pytest.approx(np.mean(each), rel=1e-5)
    assert found.n == 6
    assert found.low < found.value < found.high
    assert found.setting["backbone"] == "squeeze"


def test_nothing_is_downloaded_and_the_reason_is_said(hub, monkeypatch):
    def never(*args, **kwargs):
        raise AssertionError("it was asked for on the network")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", never)
    monkeypatch.setattr(torch.hub, "download_url_to_file", never)
    with pytest.raises(
        DiaboloError, match=r"nothing is downloaded: put them there by python -c .*torchvision\.models\.alexnet\("
    ):
        lpips()
    (hub / "alexnet.safetensors").write_bytes(b"of someone else")
    with pytest.raises(DiaboloError, match=r"alexnet\.safetensors does not hold the weights of alexnet"):
        lpips()
    random = np.random.default_rng(0)
    pair = tuple(Images(random.integers(0, 256, (5, 3, 32, 32), np.uint8)) for _ in range(2))
    found = evaluate(Darker((3, 32, 32), (3072,)), pair, ["lpips", "reconstruction"])
    assert "does not hold the weights" in found.skipped["lpips"]


def test_pictures_alone_of_a_certain_size(weights):
    for x in (torch.rand(2, 3, 31, 40), torch.rand(2, 2, 40, 40), torch.rand(2, 40)):
        with pytest.raises(DiaboloError, match="LPIPS compares"):
            lpips("squeeze")(x, x)
    small = tuple(Images(np.zeros((5, 1, 8, 8), np.uint8)) for _ in range(2))
    with pytest.raises(NotApplicable, match="32 pixels a side or more"):
        evaluate(Darker((1, 8, 8), (64,)), small, ["lpips"], lpips_net="squeeze")


def test_a_file_without_the_layers_is_refused(hub):
    save_file({"features.0.weight": torch.zeros(1)}, hub / "squeezenet1_1.safetensors")
    with pytest.raises(DiaboloError, match="does not hold the weights of the backbone 'squeeze': it lacks"):
        lpips("squeeze")
