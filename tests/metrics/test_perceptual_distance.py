"""LPIPS against torchmetrics' own call, with a backbone of random weights that lies where torchvision's would."""

import hashlib

import numpy as np
import pytest
import torch

from diabolo.codec import PlainCodec
from diabolo.data import Images
from diabolo.errors import DiaboloError
from diabolo.evaluation import NotApplicable, evaluate
from diabolo.metrics import perceptual
from diabolo.metrics.perceptual import lpips

pytest.importorskip("torchmetrics", reason="torchmetrics is not installed")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Where torchvision keeps weights: an empty folder."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    return tmp_path / "hub" / "checkpoints"


@pytest.fixture
def weights(hub, monkeypatch):
    """SqueezeNet with random weights, under a name that its hash ends."""
    from torchvision.models import squeezenet1_1

    torch.manual_seed(0)
    torch.save(squeezenet1_1(weights=None).state_dict(), hub / "made")
    sha = hashlib.sha256((hub / "made").read_bytes()).hexdigest()
    name = f"squeezenet1_1-{sha[:8]}.pth"
    (hub / "made").rename(hub / name)
    monkeypatch.setitem(perceptual.FILES, "squeeze", name)
    return hub / name, sha


def theirs(weights, x, y, monkeypatch):
    """By torchmetrics alone, which finds the file where torchvision looks for its own."""
    from torchmetrics.functional.image import learned_perceptual_image_patch_similarity as lpips_of

    (weights.parent / "squeezenet1_1-b8a52dc0.pth").write_bytes(weights.read_bytes())
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
        DiaboloError, match=r"not on disk, and nothing is downloaded: put torchvision's alexnet-owt-7be5be79\.pth"
    ):
        lpips()
    (hub / "alexnet-owt-7be5be79.pth").write_bytes(b"of someone else")
    with pytest.raises(DiaboloError, match=r"is not torchvision's: its SHA-256 begins with \w{8}, not 7be5be79"):
        lpips()
    random = np.random.default_rng(0)
    pair = tuple(Images(random.integers(0, 256, (5, 3, 32, 32), np.uint8)) for _ in range(2))
    found = evaluate(Darker((3, 32, 32), (3072,)), pair, ["lpips", "reconstruction"])
    assert "is not torchvision's" in found.skipped["lpips"]


def test_pictures_alone_of_a_certain_size(weights):
    for x in (torch.rand(2, 3, 31, 40), torch.rand(2, 2, 40, 40), torch.rand(2, 40)):
        with pytest.raises(DiaboloError, match="LPIPS compares"):
            lpips("squeeze")(x, x)
    small = tuple(Images(np.zeros((5, 1, 8, 8), np.uint8)) for _ in range(2))
    with pytest.raises(NotApplicable, match="32 pixels a side or more"):
        evaluate(Darker((1, 8, 8), (64,)), small, ["lpips"], lpips_net="squeeze")


def test_a_file_without_the_layers_is_refused(hub, monkeypatch):
    torch.save({"features.0.weight": torch.zeros(1)}, hub / "made")
    sha = hashlib.sha256((hub / "made").read_bytes()).hexdigest()
    (hub / "made").rename(hub / f"squeezenet1_1-{sha[:8]}.pth")
    monkeypatch.setitem(perceptual.FILES, "squeeze", f"squeezenet1_1-{sha[:8]}.pth")
    with pytest.raises(DiaboloError, match="does not hold the weights of the backbone 'squeeze': it lacks"):
        lpips("squeeze")
