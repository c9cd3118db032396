"""Every recipe of the zoo: exported, run by onnxruntime alone and compared with the model, whatever its certificate says."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import diabolo
import quick
from diabolo.errors import DiaboloError

SMALL = {"latent_dim": 4, "hidden": (8,)}
OPTIONS = {
    "linear": {"latent_dim": 4},
    "pca": {"latent_dim": 4},
    "unet": {"latent_dim": 4, "channels": (2,)},
    "denoising_conv": {},
    "completion": SMALL | {"prior": "conditional"},
    "completion_plain": {"hidden": (8,)},
    "cvae": SMALL | {"joined": "added"},
    "vqvae": {"latent_dim": 4, "codes": 8, "net": "conv", "channels": (4,)},
    "fsq": {"levels": (4, 3), "net": "conv", "channels": (4,)},
}
CODELESS, DISCRETE, GIVEN = ("completion_plain",), ("vqvae", "fsq"), ("completion", "completion_plain")
LABELLED = ("cvae", "m2")
RECIPES = sorted(name for name, recipe in diabolo.zoo.RECIPES.items() if recipe.__module__.startswith("diabolo.zoo"))
OF_ITS_OWN = ("classifier", "completion", "cvae", "fsq", "m2", "pca", "undercomplete", "unet", "vae", "vqvae")


@pytest.mark.parametrize("name", quick.only(RECIPES, *OF_ITS_OWN))  # the others go the way of one of these
@pytest.mark.filterwarnings("ignore:no bottleneck")
def test_it_computes_what_the_model_does(name, trained, digits, tmp_path):
    run, out, test = trained(name, **OPTIONS.get(name, SMALL)), tmp_path / "out", digits[1].take(range(5))
    if name == "classifier":
        with pytest.raises(DiaboloError, match="no autoencoder to export"):
            diabolo.export(run, out, images=digits[1])
        assert not out.exists()
        return
    assert diabolo.export(run, out, images=digits[1]) == out
    about = json.loads((out / "export.json").read_text())
    sessions = {g: onnxruntime.InferenceSession(out / told["file"]) for g, told in about["graphs"].items()}
    graphs = {"encoder", "decoder", "reconstruct", "score", "prior"}
    graphs -= {"encoder", "prior"} if name in CODELESS else {"prior"} if name in DISCRETE else set()
    graphs |= {"decode_indices"} if name in DISCRETE else set()
    assert sessions.keys() == graphs

    x, y = torch.from_numpy(test.images), torch.from_numpy(test.labels) if name in LABELLED else None
    model = diabolo.load(run.path)
    known = {} if y is None else {"label": test.labels}
    images = {"images": test.images} | known
    given = {"given": test.images} if name in GIVEN else known
    code, x_hat = model.encode(x, y), model.reconstruct(x, y).numpy()
    spread = float(code.std()) if name not in CODELESS else 1.0
    if name not in CODELESS:
        found = sessions["encoder"].run(["code"], images)[0]
        assert np.abs(found - code.numpy()).max() <= 1e-4 * spread
    decoded = given | ({} if name in CODELESS else {"code": code.numpy()})
    for graph, inputs in {"decoder": decoded, "reconstruct": images}.items():
        found, pixels = sessions[graph].run(["x_hat", "pixels"], inputs)
        np.testing.assert_allclose(found, x_hat, atol=1e-4, rtol=0)
        assert (pixels.dtype, pixels.shape) == (np.uint8, test.images.shape)
        assert np.abs(pixels - 255.0 * x_hat.clip(0, 1)).max() <= 0.5 + 255e-4
    score = sessions["score"].run(None, images)[0]
    wanted = np.square(x_hat - test.images / 255).reshape(5, -1).mean(1)
    np.testing.assert_allclose(score, wanted, atol=1e-6)
    if name in DISCRETE:
        (indices,) = sessions["encoder"].run(["indices"], images)
        assert (indices.dtype, indices.shape[1:]) == (np.int64, model.latent_shape[1:])
        np.testing.assert_array_equal(model.bottleneck.codes_of(torch.from_numpy(indices)).numpy(), code.numpy())
        (found,) = sessions["decode_indices"].run(["x_hat"], {"indices": indices})
        np.testing.assert_allclose(found, x_hat, atol=1e-4, rtol=0)

    certificate = about["certificate"]["differences"]
    assert {place.split(".")[0] for place in certificate} == graphs
    assert max(told["largest"] for told in certificate.values()) <= 1e-4
    for file in out.glob("*.onnx"):
        read = onnx.load(file)
        assert {entry.domain: entry.version for entry in read.opset_import}[""] == about["opset"] == 18
        assert all(value.type.tensor_type.shape.dim[0].dim_param == "batch" for value in read.graph.input)
        assert b".py" not in file.read_bytes()  # nothing of the machine it was made on
