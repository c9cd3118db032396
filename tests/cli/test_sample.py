"""`diabolo sample RUN`."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from diabolo import data, latents, zoo
from diabolo.data.origin import reload
from diabolo.runs.config import Config
from diabolo.runs.loading import load
from diabolo.training.fit import fit


def test_samples_go_into_the_run_when_nothing_is_said(runs, diabolo):
    shutil.copytree(runs["vae"], "run")
    answer = diabolo("sample", "run")
    assert (answer.code, answer.out) == (0, "run/figures/samples.png\n")
    assert min(Image.open("run/figures/samples.png").size) > 300


@pytest.mark.parametrize("name", ["vae", "undercomplete", "pca"])
def test_numbers_are_those_of_the_model(name, runs, diabolo):
    assert diabolo("sample", runs[name], "--n", "5", "--seed", "3", "--out", "new/x.npy").code == 0
    np.testing.assert_array_equal(np.load("new/x.npy"), load(runs[name]).sample(5, 3).numpy())


@pytest.mark.parametrize("ending", ["png", "pdf", "npy"])
def test_the_same_seed_gives_the_same_file(ending, runs, diabolo):
    contents = []
    for i, seed in enumerate((1, 1, 2)):
        path = Path(f"{i}.{ending}")
        assert diabolo("sample", runs["vae"], "--seed", seed, "--out", path).code == 0
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]
    assert contents[0] != contents[2]


def test_a_folder_gets_one_png_for_each(runs, diabolo):
    assert diabolo("sample", runs["vae"], "--n", "12", "--out", "many").code == 0
    assert sorted(p.name for p in Path("many").iterdir()) == [f"sample-{i:04d}.png" for i in range(12)]
    expected = (load(runs["vae"]).sample(12).numpy()[11, 0] * 255).round()
    np.testing.assert_array_equal(np.asarray(Image.open("many/sample-0011.png")), expected)


def test_a_model_of_vectors_gives_numbers_only(vectors, diabolo, refused):
    for out in ([], ["--out", "x.png"], ["--out", "folder"]):
        assert "--out FILE.npy" in refused(2, "sample", vectors, *out)
    assert diabolo("sample", vectors, "--n", "3", "--out", "x.npy").code == 0
    assert np.load("x.npy").shape == (3, 6)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--n", "0"], "at least 1"),
        (["--n", "-4"], "at least 1"),
        (["--n", "3000", "--out", "x.png"], "2,500"),
        (["--out", "x.jpg"], "not to x.jpg"),
        (["--out", "x.npz"], "not to x.npz"),
        (["--out", "notes.txt"], "the folder notes.txt could not be made: File exists"),
        (["--out", "notes.txt/x.npy"], "notes.txt"),
        (["--out", "notes.txt/x.png"], "notes.txt"),
        (["--out", "full.npy"], "full.npy"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(words, said, runs, refused):
    Path("notes.txt").write_text("")
    Path("full.npy").mkdir()
    assert said in refused(2, "sample", runs["vae"], *words)


def test_a_run_is_read_in_a_process_that_has_trained_nothing(runs, process):
    done = process("sample", runs["vae"], "--out", "x.npy")
    assert (done.returncode, done.stdout) == (0, "x.npy\n")
    assert done.stderr == "diabolo: 16 images: samples from the prior\n"


@pytest.mark.parametrize("name", ["normal", "gaussian", "gmm", "neighbours", "flow"])
def test_from_a_density_fitted_to_the_training_codes(name, runs, diabolo):
    run = runs["undercomplete"]
    assert diabolo("sample", run, "--density", name, "--n", "6", "--seed", "2", "--out", "x.npy").code == 0
    model, origin = load(run), Config.read(run).as_dict()["data"]["train"]["origin"]
    density = latents.fit_density(name, latents.codes.encode(model, reload(origin)), 2)
    np.testing.assert_array_equal(np.load("x.npy"), latents.draw_images(model, density, 6, 2))


def test_a_grid_of_its_own_for_each_density(runs, diabolo):
    shutil.copytree(runs["pca"], "run")
    answer = diabolo("sample", "run", "--density", "mixture", "--components", "2")
    assert (answer.code, answer.out) == (0, "run/figures/samples-mixture.png\n")
    assert diabolo("sample", "run", "--density", "mixture", "--components", "bic", "--out", "bic.npy").code == 0


@pytest.mark.parametrize(
    ("name", "says"),
    [("undercomplete", "not trained to have a prior; --density gaussian fits one"), ("pca", "the variances of its")],
)
def test_where_codes_are_drawn_is_told_of_models_without_a_prior(name, says, runs, diabolo):
    assert says in diabolo("sample", runs[name], "--n", "1", "--out", "x.npy").err


def test_a_density_for_a_model_that_is_told_the_class(labelled, diabolo):
    assert diabolo("sample", labelled, "--density", "gaussian", "--n", "12", "--out", "x.npy").code == 0
    assert diabolo("sample", labelled, "--density", "normal", "--label", "3", "--out", "y.npy").code == 0
    model = load(labelled)
    drawn = latents.fit_density("normal", np.zeros((1, 3))).sample(16, 0)
    expected = model.decode(torch.from_numpy(drawn).float(), torch.full((16,), 3)).numpy()
    np.testing.assert_array_equal(np.load("y.npy"), expected)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    return trained("cvae", tmp_path_factory.mktemp("labelled"), hidden=(16,))


def trained(name, folder, **options):
    train, _ = data.load("digits", n_train=100, n_test=10)
    model = zoo.build(name, train.shape, **({"latent_dim": 3} | options))
    return fit(model, train, epochs=1, batch_size=50, out=folder, quiet=True).path


def test_mistakes_with_densities_are_told_in_one_sentence(runs, vectors, refused, tmp_path):
    run = runs["vae"]
    assert "did you mean 'gaussian'" in refused(2, "sample", run, "--density", "gausian")
    assert "give --density mixture" in refused(2, "sample", run, "--components", "3")
    assert "of the density 'gaussian'" in refused(2, "sample", run, "--density", "gaussian", "--components", "3")
    assert "components must be a whole number of at least 1, not 0" in refused(
        2, "sample", run, "--density", "gmm", "--components", "0"
    )
    assert "needs 400 codes or more to be fitted to, not 200" in refused(
        2, "sample", run, "--density", "gmm", "--components", "100"
    )
    assert "at least 1, not 0" in refused(2, "sample", run, "--density", "gaussian", "--n", "0")
    words = ["--density", "gaussian", "--out", "x.npy"]
    assert "were given as arrays" in refused(2, "sample", vectors, *words)
    discrete = trained("vqvae", tmp_path / "vq", latent_dim=4, codes=8, net="conv", channels=(8,))
    assert "are discrete: use 'prior'" in refused(2, "sample", discrete, "--density", "mixture")
