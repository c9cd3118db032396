"""Autoencoders of diffusers, tiny ones with random weights, against the library's own calls."""

import json

import numpy as np
import pytest
import torch

import diabolo
from diabolo.data import Images
from diabolo.errors import DiaboloError
from diabolo.foreign import opened

pytest.importorskip("diffusers", reason="diffusers is not installed")


@pytest.fixture(scope="module")
def pictures():
    random = np.random.default_rng(0)
    return tuple(
        Images(random.integers(0, 256, (n, 3, 16, 16), np.uint8), split=s) for n, s in ((40, "train"), (30, "test"))
    )


BLOCKS = {"down_block_types": ["DownEncoderBlock2D"] * 2, "up_block_types": ["UpDecoderBlock2D"] * 2}
SMALL = {"block_out_channels": [8, 8], "norm_num_groups": 4, "latent_channels": 4, "layers_per_block": 1, **BLOCKS}


@pytest.fixture(scope="module")
def kl(tmp_path_factory):
    from diffusers import AutoencoderKL

    torch.manual_seed(0)
    model = AutoencoderKL(**SMALL, scaling_factor=0.25, shift_factor=0.5).eval()
    folder = tmp_path_factory.mktemp("kl")
    model.save_pretrained(folder / "vae", safe_serialization=True)
    (folder / "model_index.json").write_text("{}")
    return folder, model


@torch.no_grad()
def test_a_code_is_the_scaled_posterior_mean_and_images_are_clipped(kl, pictures):
    folder, model = kl
    codec = opened(f"diffusers:{folder}", pictures[0])
    x = torch.from_numpy(pictures[1].images) / 127.5 - 1
    mean = model.encode(x).latent_dist.mean
    assert torch.allclose(codec.encode(pictures[1].images), (mean - 0.5) * 0.25, atol=1e-5)
    expected = (model.decode(mean).sample / 2 + 0.5).clamp(0, 1)
    assert torch.allclose(codec.reconstruct(pictures[1].images), expected, atol=1e-5)
    assert codec.latent_shape == (4, 8, 8)
    assert codec.about["code"] == "(posterior mean − 0.5) × 0.25"
    assert codec.about["scaling factor"] == 0.25
    found = diabolo.evaluate(f"diffusers:{folder}", pictures, ["reconstruction", "cost"])
    error = (expected.double() - torch.from_numpy(pictures[1].images) / 255).square().mean()
    assert found["reconstruction"].scores["MSE"].value == pytest.approx(float(error), rel=1e-5)
    assert found["cost"].scores["parameters"].value == sum(p.numel() for p in model.parameters())
    assert found.about["from elsewhere"]["class"] == "AutoencoderKL"


@torch.no_grad()
def test_codes_of_a_vq_model_are_codebook_vectors(tmp_path, pictures):
    from diffusers import VQModel

    torch.manual_seed(0)
    model = VQModel(**SMALL, num_vq_embeddings=16, scaling_factor=2.0).eval()
    model.save_pretrained(tmp_path / "vq", safe_serialization=True)
    codec = opened(f"diffusers:{tmp_path / 'vq'}", pictures[0])
    z = codec.encode(pictures[1].images) / 2
    rows = z.permute(0, 2, 3, 1).reshape(-1, 4)
    assert torch.cdist(rows.double(), model.quantize.embedding.weight.double()).min(1).values.max() < 1e-5
    x = torch.from_numpy(pictures[1].images) / 127.5 - 1
    expected = (model(x).sample / 2 + 0.5).clamp(0, 1)
    assert torch.allclose(codec.reconstruct(pictures[1].images), expected, atol=1e-5)
    assert codec.bottleneck.discrete


def test_what_cannot_be_opened_is_one_sentence(kl, pictures, tmp_path):
    folder, model = kl
    grey = Images(np.zeros((9, 1, 16, 16), np.uint8))
    odd = Images(np.zeros((9, 3, 15, 15), np.uint8))
    model.save_pretrained(tmp_path / "pickled", safe_serialization=False)
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text(json.dumps({"_class_name": "UNet2DModel"}))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text((folder / "vae" / "config.json").read_text())
    (tmp_path / "broken" / "diffusion_pytorch_model.safetensors").write_bytes(b"nothing")
    for where, images, said in (
        (folder, grey, "takes pictures of 3 channels, .* --image-channels 3"),
        (folder, odd, "multiples of 2, .* --size 14"),
        (tmp_path / "pickled", pictures[0], "no weights as safetensors"),
        (tmp_path / "empty", pictures[0], "holds no config.json"),
        (tmp_path / "other", pictures[0], "holds a UNet2DModel: of diffusers AutoencoderKL, VQModel"),
        (tmp_path / "broken", pictures[0], "diffusers cannot open"),
        (tmp_path / "nowhere", pictures[0], "there is no folder"),
    ):
        with pytest.raises(DiaboloError, match=said) as refused:
            opened(f"diffusers:{where}", images)
        assert "\n" not in str(refused.value)
