"""Folders as Pythae leaves them, written here with its names, against the formulas of its networks."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import diabolo
from diabolo.errors import DiaboloError, NoPriorError
from diabolo.foreign import opened


def tensors(latent=3, hidden=7, pixels=64, log_var=True):
    """The state of a model with Pythae's usual networks."""
    torch.manual_seed(0)
    sizes = {
        "encoder.layers.0.0": (hidden, pixels), "encoder.embedding": (latent, hidden),
        "decoder.layers.0.0": (hidden, latent), "decoder.layers.1.0": (pixels, hidden),
    }  # fmt: skip
    sizes |= {"encoder.log_var": (latent, hidden)} if log_var else {}
    found = {f"{name}.weight": torch.randn(size) / 4 for name, size in sizes.items()}
    return found | {f"{name}.bias": torch.randn(size[0]) / 4 for name, size in sizes.items()}


def written(folder, name="VAEConfig", state=None, **config):
    folder.mkdir()
    told = {"name": name, "input_dim": [1, 8, 8], "latent_dim": 3, "uses_default_encoder": True, **config}
    (folder / "model_config.json").write_text(json.dumps(told))
    save_file(tensors() if state is None else state, folder / "model.safetensors")
    return folder


def pickled(folder, value):
    """The folder with its weights as Pythae itself leaves them."""
    (folder / "model.safetensors").unlink()
    torch.save(value, folder / "model.pt")


def test_the_networks_are_those_of_pythae(few, tmp_path):
    w = {name: tensor.double().numpy() for name, tensor in tensors().items()}
    codec = opened(f"pythae:{written(tmp_path / 'one')}", few[0])
    x = few[1].images.reshape(90, -1) / 255

    def layer(x, name):
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    mu = layer(np.maximum(layer(x, "encoder.layers.0.0"), 0), "encoder.embedding")
    x_hat = 1 / (1 + np.exp(-layer(np.maximum(layer(mu, "decoder.layers.0.0"), 0), "decoder.layers.1.0")))
    assert codec.encode(few[1].images).numpy() == pytest.approx(mu, abs=1e-5)
    assert codec.reconstruct(few[1].images).reshape(90, -1).numpy() == pytest.approx(x_hat, abs=1e-5)
    assert codec.name == f"VAE {tmp_path.name}/one"
    assert codec.sample(5).shape == (5, 1, 8, 8)  # of N(0, I)
    found = diabolo.evaluate(codec, few, ["cost"])
    assert found["cost"].scores["parameters"].value == sum(
        t.numel() for n, t in tensors().items() if "log_var" not in n
    )


@pytest.mark.parametrize("name", ["AEConfig", "RAE_L2_Config", "WAE_MMD_Config", "INFOVAE_MMD_Config"])
def test_the_kind_says_whether_there_is_a_prior(few, tmp_path, name):
    codec = opened(f"pythae:{written(tmp_path / 'one', name, tensors(log_var='INFO' in name))}", few[0])
    if name in ("AEConfig", "RAE_L2_Config"):
        with pytest.raises(NoPriorError):
            codec.sample(2)
    else:
        assert codec.sample(2).shape == (2, 1, 8, 8)


class Harm:
    """What a pickle would do when it is opened."""

    def __reduce__(self):
        return open, ("harm", "w")


def test_nothing_is_unpickled_and_what_cannot_be_opened_is_one_sentence(few, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickled(written(tmp_path / "harmful"), {"model_state_dict": Harm()})
    pickled(written(tmp_path / "plain"), {"model_state_dict": tensors()})
    (written(tmp_path / "pickled") / "encoder.pkl").write_bytes(b"")
    written(tmp_path / "own", uses_default_decoder=False)
    written(tmp_path / "flow", "VAE_IAF_Config")
    written(tmp_path / "other size", input_dim=[1, 28, 28])
    written(tmp_path / "a number", input_dim=64)
    written(tmp_path / "convolutions", state={"encoder.conv.weight": torch.zeros(3, 1, 3, 3)})
    written(tmp_path / "more", state=tensors() | {"encoder.layers.1.0.weight": torch.zeros(3, 3)})
    written(tmp_path / "narrow", state=tensors(pixels=60))
    (written(tmp_path / "damaged") / "model.safetensors").write_bytes(b"nothing")
    (written(tmp_path / "without") / "model.safetensors").unlink()
    for where, said in (
        ("harmful", r"model\.pt is a pickle, which is never opened"),
        ("plain", r"is a pickle, which is never opened: where you trust it, save its weights by python -c "),
        ("pickled", r"its file encoder\.pkl is a pickle that runs code"),
        ("own", r"decoder of .* not Pythae's usual one"),
        ("flow", "holds a VAE_IAF, which is more than an encoder and a decoder"),
        ("other size", r"for images \(1, 28, 28\), and digits has \(1, 8, 8\)"),
        ("a number", r"for images \(\), and digits has \(1, 8, 8\)"),
        ("convolutions", "not those of Pythae's usual networks"),
        ("more", r"not those of Pythae's usual networks \(encoder\.layers\.1\.0\.weight\)"),
        ("narrow", "do not fit each other"),
        ("damaged", "are damaged"),
        ("without", r"neither model\.safetensors nor model\.pt"),
        ("nowhere", r"there is no model_config\.json"),
    ):
        with pytest.raises(DiaboloError, match=said) as refused:
            opened(f"pythae:{tmp_path / where}", few[0])
        assert "\n" not in str(refused.value)
    assert not (tmp_path / "harm").exists()
