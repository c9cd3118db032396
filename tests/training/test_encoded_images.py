"""Training and measuring on images that are kept as the bytes of their files: what decoded ones give, to the bit."""

import numpy as np
import pytest
import torch

import diabolo
from diabolo import latents
from diabolo.cli.main import main
from diabolo.data import gather, load
from diabolo.data.encoded import Encoded
from diabolo.evaluation import Subject
from diabolo.metrics.generation import extract, extractor

MEASURES = ["learned", "reconstruction", "rate", "likelihood", "probes", "usage", "interpolation"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """JPEG files of 12×12 pixels in two classes."""
    from PIL import Image

    home, random = tmp_path_factory.mktemp("pictures") / "photos", np.random.default_rng(0)
    for i in range(140):
        path = home / "ab"[i % 2] / f"{i:03}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        smooth = np.kron(random.normal(128 + 60 * (i % 2), 30, (3, 3, 3)), np.ones((4, 4, 1)))
        Image.fromarray(smooth.clip(0, 255).astype(np.uint8)).save(path)
    return home


@pytest.fixture(autouse=True)
def nothing_is_small(monkeypatch, tmp_path_factory):
    monkeypatch.setattr(gather, "IN_MEMORY", 0)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))


def fit(folder, out, cache, **options):
    train, test = load(folder, size=12, n_test=40, cache=cache)
    assert isinstance(train.images, Encoded) == (cache == "encoded")
    how = {"hidden": (16,), "latent_dim": 3, "batch_size": 16, "epochs": 2} | options
    return diabolo.fit("vae", train, test, out=out, quiet=True, **how)


def weights(run):
    return run.model.state_dict()


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("store", ["auto", "disk"])
def test_the_same_weights_to_the_bit(folder, tmp_path, store):
    decoded = fit(folder, tmp_path, "decoded")
    encoded = fit(folder, tmp_path, "encoded", store=store)
    assert same(weights(decoded), weights(encoded))
    other = fit(folder, tmp_path, "encoded", store=store, seed=1)
    assert not same(weights(decoded), weights(other))


def test_a_run_finds_them_again_and_goes_on(folder, tmp_path):
    decoded, encoded = (fit(folder, tmp_path, cache) for cache in ("decoded", "encoded"))
    assert isinstance(encoded.folder.images("test").images, Encoded)
    assert not isinstance(decoded.folder.images("test").images, Encoded)
    longer = [diabolo.resume(run.path, epochs=3) for run in (decoded, encoded)]
    assert same(*map(weights, longer))


def test_the_scaling_of_the_data_is_fitted_to_them(folder, tmp_path):
    runs = [fit(folder, tmp_path, cache, scaling="standard", likelihood="gaussian") for cache in ("decoded", "encoded")]
    assert same(*map(weights, runs))


def test_every_measure_gives_the_same(folder, tmp_path):
    run = fit(folder, tmp_path, "decoded")
    found = []
    for cache in ("decoded", "encoded"):
        pair = load(folder, size=12, n_test=40, cache=cache)
        how = {
            "nll_images": 4,
            "importance_samples": 4,
            "elbo_samples": 1,
            "posterior_draws": 10,
            "probe_floors": False,
        }
        evaluation = diabolo.evaluate(run, pair, measures=MEASURES, **how)
        found.append(
            {
                (name, key): (score.value, score.low, score.high)
                for name, section in evaluation.sections.items()
                for key, score in section.scores.items()
            }
        )
        assert [*evaluation.sections] == MEASURES
        evaluation.write(tmp_path / cache)  # the figures are drawn
        assert not [name for name in diabolo.evaluation.Evaluation.read(tmp_path / cache).skipped if "figure" in name]
    assert found[0] == found[1]


def test_codes_neighbours_and_features_are_the_same(folder, tmp_path):
    model = fit(folder, tmp_path, "decoded").model
    (train, test), (encoded, held) = (load(folder, size=12, n_test=40, cache=c) for c in ("decoded", "encoded"))
    np.testing.assert_array_equal(latents.codes.encode(model, held), latents.codes.encode(model, test))
    assert torch.equal(model.encode(held.images), model.encode(test.images))
    index, distance = latents.nearest(test.pixels[:5], encoded.images, 3)
    np.testing.assert_array_equal(index, latents.nearest(test.pixels[:5], train.images, 3)[0])
    np.testing.assert_array_equal(distance, latents.nearest(test.pixels[:5], train.images, 3)[1])
    assert latents.medoids(held.images, held.labels) == latents.medoids(test.images, test.labels)
    taker = extractor(lambda x: x.flatten(1)[:, :5], train)
    np.testing.assert_array_equal(extract(taker, held.images).values, extract(taker, test.images).values)
    one, other = Subject(model, train, test), Subject(model, encoded, held)
    np.testing.assert_array_equal(one.errors, other.errors)
    for name, view in one.views.items():
        np.testing.assert_array_equal(view.train, other.views[name].train)


def test_pca_is_fitted_to_them(folder, tmp_path):
    runs = []
    for cache in ("decoded", "encoded"):
        train, test = load(folder, size=12, n_test=40, cache=cache)
        runs.append(diabolo.fit("pca", train, test, latent_dim=3, out=tmp_path, quiet=True))
    assert same(*map(weights, runs))


def test_the_command_says_which_and_why(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    how = ["--size", "12", "--latent-dim", "2", "--hidden", "8", "--epochs", "1"]
    main(["train", "undercomplete", "--data", str(folder), "--cache", "encoded", *how])
    told = capsys.readouterr()
    assert "kept encoded, 0." in told.err
    assert "MB of images" in told.err
    main(["encode", "runs/0001-undercomplete-photos", str(folder), "--out", "z.npy"])
    main(["evaluate", "runs/0001-undercomplete-photos", "--measures", "reconstruction"])
    assert np.load("z.npy").shape == (140, 2)
