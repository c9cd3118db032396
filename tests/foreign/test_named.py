"""Models from elsewhere by name, in `evaluate` and `compare`."""

import json

import numpy as np
import pytest
import torch
from sklearn.decomposition import NMF, PCA, FactorAnalysis

import diabolo
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.foreign import estimator, is_named, opened

MSE = ["reconstruction"]


def test_a_name_is_one_that_is_known_and_no_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert is_named("pca")
    assert is_named("pca:16")
    assert is_named("onnx:there")
    assert not is_named("runs/0001-vae-digits")
    assert not is_named("C:\\runs")
    (tmp_path / "pca").mkdir()
    assert not is_named("pca")  # a run folder of that name
    with pytest.raises(
        UnknownNameError, match=r"unknown kind of model from elsewhere 'difusers'; did you mean 'diffusers'"
    ):
        is_named("difusers:there")


def test_pca_by_name_is_that_of_scikit_learn(few):
    codec = opened("pca:7", few[0])
    x, y = (images.images.reshape(len(images), -1) / 255 for images in few)
    fitted = PCA(7, svd_solver="full").fit(x)
    expected = fitted.inverse_transform(fitted.transform(y))
    assert codec.reconstruct(few[1].images).reshape(90, -1).numpy() == pytest.approx(expected, abs=1e-5)
    assert codec.name == "pca:7"
    assert opened("pca", few[0], width=9).latent_shape == (9,)
    assert opened("pca", few[0], width=4096).latent_shape == (64,)  # of a U-Net, say
    for wrong, said in (
        ("pca:x", "not 'x'"),
        ("pca:0", "not '0'"),
        ("pca", "say pca:16"),
        (f"pca:{'9' * 5000}", "has a number of components"),
    ):
        with pytest.raises(DiaboloError, match=said):
            opened(wrong, few[0])
    with pytest.raises(UnknownNameError, match="elsewhere"):
        opened("pcb:3", few[0])


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"block_out_channels": 8}, "does not say how many channels"),
        ({"in_channels": None}, "does not say how many channels"),
        ({"scaling_factor": "x"}, "has the scaling_factor 'x', which is no number"),
        ({"shift_factor": float("nan")}, "has the shift_factor nan, which is no number"),
    ],
)
def test_an_edited_configuration_of_diffusers_is_one_sentence(few, tmp_path, told, said):
    config = {"_class_name": "AutoencoderKL", "in_channels": 1, "block_out_channels": [8, 8]}
    (tmp_path / "config.json").write_text(json.dumps(config | told))
    (tmp_path / "diffusion_pytorch_model.safetensors").touch()
    with pytest.raises(DiaboloError, match=said):
        opened(f"diffusers:{tmp_path}", few[0])


def test_a_fitted_estimator_is_a_codec(few):
    x, y = (images.images.reshape(len(images), -1) for images in few)
    fitted = PCA(5).fit(x)  # to bytes
    codec = estimator(fitted, few[0], range=(0, 255))
    expected = np.square((fitted.inverse_transform(fitted.transform(y)) - y) / 255).mean()
    found = diabolo.evaluate(codec, few, MSE)["reconstruction"].scores["MSE"]
    assert found.value == pytest.approx(expected, rel=1e-4)
    assert codec.name == "PCA"


def test_an_estimator_that_looks_at_all_rows_together_is_given_one_at_a_time(few):
    x, y = (images.images.reshape(len(images), -1) / 255 for images in few)
    fitted = NMF(4, max_iter=30, tol=0.1, random_state=0).fit(x)
    codec = estimator(fitted, few[0])
    assert "one at a time" in codec.about["rows"]
    each = np.concatenate([fitted.transform(y[i : i + 1]) for i in range(12)])
    assert codec.encode(few[1].images[:12]).numpy() == pytest.approx(each, rel=1e-3, abs=1e-4)
    assert "rows" not in estimator(PCA(4).fit(x), few[0]).about


def test_what_is_no_fitted_codec_is_refused(few):
    x = few[0].images.reshape(150, -1)
    for wrong, said in (
        (PCA(3), "PCA is not fitted"),
        (FactorAnalysis(3, max_iter=2, tol=10).fit(x), "FactorAnalysis has no inverse_transform"),
        (PCA(3).fit(x[:, :10]), "fitted to rows of 10 numbers, and images .* have 64"),
        (3, "int has no transform"),
    ):
        with pytest.raises(DiaboloError, match=said):
            estimator(wrong, few[0])


@pytest.fixture
def run(few, train, tiny_model):
    """A run on a few digits, 4 numbers in a code."""
    return train(tiny_model(), diabolo.data.load("digits", n_train=150, n_test=90)[0])


def test_a_run_beside_models_from_elsewhere(run, few):
    found = diabolo.compare([run, "pca", "pca:20"], MSE)
    assert list(found.groups) == ["undercomplete", "pca:4", "pca:20"]
    (row,) = (row for row in found.rows() if row.name == "MSE")
    x, y = (images.images.reshape(len(images), -1) / 255 for images in few)
    for k in (4, 20):
        fitted = PCA(k, svd_solver="full").fit(x)
        expected = np.square(fitted.inverse_transform(fitted.transform(y)) - y).mean()
        assert row.spreads[f"pca:{k}"].mean == pytest.approx(expected, rel=1e-4)
    assert row.leading == {"pca:20"}  # compared image by image
    assert found.record()["models"]["undercomplete"] == [str(run.path)]
    assert json.dumps(found.record())


def test_models_from_elsewhere_alone_need_images(few):
    with pytest.raises(DiaboloError, match=r"fewer than two runs can be compared: .* not known on which images"):
        diabolo.compare(["pca:2", "pca:3"], MSE)
    found = diabolo.compare(["pca:2", "pca:3"], MSE, data=few)
    assert list(found.groups) == ["pca:2", "pca:3"]


def test_one_that_cannot_be_opened_is_left_out(run, tmp_path):
    found = diabolo.compare([run, "pca", f"onnx:{tmp_path / 'nowhere'}"], MSE)
    assert list(found.groups) == ["undercomplete", "pca:4"]
    ((name, why),) = found.left_out.items()
    assert name.startswith("onnx:")
    assert "there is no folder" in why


def test_two_of_one_name_differ_by_where_they_are(few, tmp_path, monkeypatch):
    from diabolo import foreign

    def halves(where, images, width):
        part = 4 if where == "a" else 2
        return foreign.Foreign(
            lambda x: x[..., :part], lambda z: torch.cat([z] * (8 // part), -1), images, name="halves"
        )

    monkeypatch.setitem(foreign.ADAPTERS, "halves", halves)
    found = diabolo.compare(["halves:a", "halves:b"], MSE, data=few)
    assert list(found.groups) == ["halves (from halves:a)", "halves (from halves:b)"]
