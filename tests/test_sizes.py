"""Models of convolutions alone, at other sizes than they were trained for."""

import numpy as np
import pytest
import torch
from PIL import Image

from diabolo import sizes, zoo
from diabolo.data import read_images
from diabolo.errors import DiaboloError
from diabolo.training.fit import fit

SMALL = {"width": 8, "residual_width": 4, "residual_layers": 1, "codes": 16, "latent_dim": 4}


@pytest.fixture
def vqvae():
    torch.manual_seed(0)
    return zoo.vqvae((1, 8, 8), **SMALL).eval()


def test_at_its_own_size_nothing_changes(vqvae):
    x = torch.rand(3, 1, 8, 8)
    assert torch.equal(sizes.reconstruct(vqvae, x), vqvae.reconstruct(x))


def test_the_middle_of_a_larger_image_sees_what_lies_around_it(vqvae):
    """What the networks give for an image is what they themselves give when called on it, whatever its size."""
    x = torch.rand(2, 1, 20, 12)
    larger = sizes.for_size(vqvae, 20, 12)
    assert torch.equal(sizes.reconstruct(vqvae, x), larger.reconstruct(x))
    with torch.no_grad():
        z = vqvae.encoder(x)  # convolutions do not ask for a size
    assert torch.equal(z.flatten(1), larger.features(x).flatten(1))


def test_a_border_is_added_and_cut_off(vqvae):
    x = torch.rand(1, 1, 13, 30)
    whole = torch.nn.functional.pad(x, (0, 2, 0, 3), mode="replicate")
    expected = sizes.for_size(vqvae, 16, 32).reconstruct(whole)[:, :, :13, :30]
    assert torch.equal(sizes.reconstruct(vqvae, x), expected)


@pytest.mark.parametrize("name", ["undercomplete", "vae", "unet", "pca"])
def test_one_size_alone(name, tiny_model):
    model = tiny_model(name) if name != "unet" else zoo.unet((1, 8, 8), channels=(4, 8), latent_dim=4)
    assert sizes.step(model) == (0, 0)
    if name != "pca":
        with pytest.raises(DiaboloError, match="not all its layers are convolutions"):
            sizes.for_size(model, 16, 16)


def test_sides_are_multiples(vqvae):
    with pytest.raises(DiaboloError, match="multiples of 4 and 4, not 10 and 8"):
        sizes.for_size(vqvae, 10, 8)


@pytest.fixture
def files(tmp_path):
    random = np.random.default_rng(0)
    for name, shape in {"a/1.png": (12, 9), "a/2.png": (8, 8), "b/1.png": (21, 30)}.items():
        (tmp_path / "pictures" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, shape, dtype=np.uint8)).save(tmp_path / "pictures" / name)
    return tmp_path / "pictures"


def test_files_keep_their_sizes(files, vqvae, tiny_pixels, tmp_path, capsys, monkeypatch):
    from diabolo.cli.main import main

    monkeypatch.chdir(tmp_path)
    run = fit(vqvae, tiny_pixels(40), epochs=1, batch_size=20, out=tmp_path / "runs", quiet=True)
    main(["reconstruct", str(run.path), "pictures"])
    assert capsys.readouterr().out == "3 reconstructions in reconstructions, each in the size of its file\n"
    for name in ("a/1.png", "a/2.png", "b/1.png"):
        x, _ = read_images([files / name])
        expected = sizes.reconstruct(run.model, torch.from_numpy(x))[0, 0].numpy()
        shown = np.asarray(Image.open(tmp_path / "reconstructions" / name))
        np.testing.assert_array_equal(shown, (expected.clip(0, 1) * 255).round().astype(np.uint8))
    main(["reconstruct", str(run.path), "pictures", "--as-trained", "--out", "resized"])
    assert Image.open(tmp_path / "resized" / "b/1.png").size == (8, 8)
    main(["reconstruct", str(run.path), "pictures/b/1.png", "--out", "one"])
    assert Image.open(tmp_path / "one" / "1.png").size == (30, 21)

    whole = (files / "a" / "1.png").read_bytes()
    (files / "a" / "0.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SystemExit):
        main(["reconstruct", str(run.path), "pictures", "--out", "bad"])
    assert "a/0.png" in capsys.readouterr().err
    main(["reconstruct", str(run.path), "pictures", "--out", "bad", "--skip-bad"])
    assert sorted(str(p.relative_to(tmp_path / "bad")) for p in (tmp_path / "bad").rglob("*.png")) == [
        "a/1.png",
        "a/2.png",
        "b/1.png",
    ]
