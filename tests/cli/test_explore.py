"""`diabolo explore RUN`."""

import inspect
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from diabolo import figures, zoo
from diabolo.cli import explore
from diabolo.data import load
from diabolo.pictures.latent_views import VIEWS
from diabolo.training.fit import fit


@pytest.fixture(scope="session")
def two_numbers(tmp_path_factory):
    train, test = load("digits", n_train=120, n_test=30)
    torch.manual_seed(0)
    model = zoo.undercomplete(train.shape, latent_dim=2, hidden=(8,))
    return fit(model, train, test, epochs=1, batch_size=50, out=tmp_path_factory.mktemp("plane"), quiet=True).path


@pytest.fixture(scope="session")
def quantised(tmp_path_factory):
    train, test = load("digits", n_train=60, n_test=20)
    torch.manual_seed(0)
    model = zoo.vqvae(train.shape, latent_dim=4, codes=8, width=8, residual_width=4)
    return fit(model, train, test, epochs=1, batch_size=20, out=tmp_path_factory.mktemp("vq"), quiet=True).path


@pytest.fixture
def drawn(monkeypatch):
    """What each function of `figures` is called with."""
    calls = {}
    for name in ("strips", "neighbours", "decoded_grid", "codebook_map", "thumbnail_scatter"):
        function = getattr(figures, name)

        def noting(*args, name=name, function=function, **kwargs):
            calls[name] = (args, kwargs)
            return function(*args, **kwargs)

        monkeypatch.setattr(figures, name, noting)
    return calls


@pytest.mark.parametrize("what", [what for what in VIEWS if what not in ("grid", "codebook", "arithmetic")])
def test_each_view_is_drawn_into_the_run(what, runs, diabolo):
    shutil.copytree(runs["vae"], "run")
    answer = diabolo("explore", what, "run")
    assert (answer.code, answer.out) == (0, f"run/figures/{what}.png\n"), answer
    assert min(Image.open(f"run/figures/{what}.png").size) > 200
    assert Path(f"run/figures/{what}.pdf").read_bytes().startswith(b"%PDF")


def test_arithmetic_with_the_classes_of_digits(runs, diabolo, drawn):
    answer = diabolo(
        "explore", "arithmetic", runs["pca"], "--attribute", "3", "--keep", "7", "--alphas", "-1", "0", "1",
        "--direction", "probe", "--out", "a.png",
    )  # fmt: skip
    assert answer.code == 0, answer
    (rows, columns), told = drawn["strips"]
    assert columns == ["α = −1", "α = 0", "α = 1"]
    assert all(images.shape == (3, 1, 8, 8) for images in rows.values())
    assert "3 by the probe, keeping 7" in told["title"]


def test_a_way_goes_between_the_images_of_two_classes(runs, diabolo, drawn):
    assert diabolo("explore", "interpolate", runs["vae"], "--classes", "1", "7", "--out", "a.png").code == 0
    rows = drawn["strips"][0][0]
    _, test = load("digits", n_train=200, n_test=50)
    reconstructions = VIEWS_OF(runs["vae"]).reconstruct(test.images).numpy()
    start, end = np.flatnonzero(test.labels == 1)[0], np.flatnonzero(test.labels == 7)[-1]
    assert len(rows) == 3
    for images in rows.values():
        np.testing.assert_allclose(images[0], reconstructions[start], atol=1e-5)
        np.testing.assert_allclose(images[-1], reconstructions[end], atol=1e-5)


def VIEWS_OF(run):  # noqa: N802
    from diabolo.runs.loading import load as load_model

    return load_model(run)


@pytest.mark.parametrize("quantiles", [False, True])
def test_the_grid_of_a_plane(quantiles, two_numbers, diabolo, drawn):
    words = ["--quantiles"] if quantiles else []
    answer = diabolo("explore", "grid", two_numbers, "--side", "5", *words, "--out", "g.pdf")
    assert answer.code == 0, answer
    images, extent, _, axes, codes = drawn["decoded_grid"][0]
    assert len(images) == 25
    assert (extent == (0, 1, 0, 1)) == quantiles
    assert axes[0] == ("Φ(z₁)" if quantiles else "z₁")
    assert codes.shape[1] == 2
    assert ((extent[0] <= codes[:, 0]) & (codes[:, 0] <= extent[1])).mean() > 0.8  # on the axes of the picture
    assert Path("g.pdf").exists()


def test_the_codebook_with_its_use(quantised, diabolo, drawn):
    answer = diabolo("explore", "codebook", quantised, "--out", "c.png")
    assert answer.code == 0, answer
    points, counts = drawn["codebook_map"][0]
    assert points.shape == (8, 2)
    assert counts.sum() == 20 * 2 * 2


def test_maps_show_the_same_codes(runs, diabolo, drawn):
    answer = diabolo("explore", "map", runs["vae"], "--projections", "pca", "t-sne", "--most", "20", "--out", "m.png")
    assert answer.code == 0, answer
    assert len(drawn["thumbnail_scatter"][0][0]) == 20
    assert len(drawn["thumbnail_scatter"][0][2]) == 20


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["grid"], "codes of 2 numbers, not 3"),
        (["traverse", "--alphas", "1"], "Unknown option: --alphas"),
        (["arithmetic"], "needs --attribute"),
        (["arithmetic", "--attribute", "x"], "unknown class 'x'"),
        (["arithmetic", "--attribute", "3", "--alphas"], "one α or more"),
        (["arithmetic", "--attribute", "3", "--direction", "meen"], "did you mean 'mean'"),
        (["codebook"], "no codebook"),
        (["map", "--projections", "tsne"], "did you mean 't-sne'"),
        (["interpolate", "--images", "0", "999"], "from 0 to"),
        (["interpolate", "--images", "0"], "2 test images wanted, 1 given"),
        (["interpolate", "--classes", "1"], "give two"),
        (["interpolate", "--classes", "1", "7", "--images", "0", "1"], "not both"),
        (["interpolate", "--ways", "linea"], "did you mean 'linear'"),
        (["interpolate", "--ways"], "give one way or more, such as linear"),
        (["map", "--projections"], "give one projection or more, such as pca"),
        (["map", "--most", "0"], "most must be a whole number of at least 4, not 0"),
        (["arithmetic", "--attribute", "3", "--alphas", "nan"], "alphas must be a number, not nan"),
        (["traverse", "--out", "x.jpg"], "not .jpg"),
        (["nearest", "--n-train", "5"], "need --data"),
        (["wrong"], "wrong"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(words, said, runs, refused):
    before = set(Path().iterdir())
    assert said in refused(2, "explore", words[0], runs["vae"], *words[1:])
    assert set(Path().iterdir()) == before


def test_vectors_have_no_pictures_but_a_map(vectors, refused):
    assert "--data" in refused(2, "explore", "map", vectors)
    assert "is for images" in refused(2, "explore", "map", vectors, "--data", "digits")


def test_discrete_codes_have_nothing_between_them(quantised, refused):
    assert "discrete" in refused(2, "explore", "interpolate", quantised)


def test_each_view_has_its_own_options_and_their_usual_values_are_told(diabolo):
    assert list(explore.VIEWS) == list(VIEWS)
    for view, (_, options) in explore.VIEWS.items():
        own = {n: p for n, p in inspect.signature(VIEWS[view]).parameters.items() if n != "look"}
        assert set(own) == set(options), view
        text = " ".join(diabolo("explore", view, "--help").out.replace("│", " ").split())
        for name, (_, told) in options.items():
            assert f"--{name}" in text
            usual = own[name].default
            if isinstance(usual, int | float | tuple) and not isinstance(usual, bool) and usual:
                values = usual if isinstance(usual, tuple) else (usual,)
                said = told.rstrip(".").rpartition("; ")[2]
                if said != "all three":
                    assert said.split() == [
                        f"{value:g}" if isinstance(value, float) else str(value) for value in values
                    ]
        others = {name for _, more in explore.VIEWS.values() for name in more} - set(options)
        assert not [name for name in others if f"--{name} " in text], view
