"""Numbers that are not known: the encoder is told which, the loss counts the others, and the reconstruction fills them in."""

import numpy as np
import pytest
import torch
from scipy import stats

import diabolo
from diabolo.data import Images, as_images
from diabolo.errors import DiaboloError
from diabolo.likelihoods import Bernoulli, Gaussian, Known, Laplace, Poisson, SquaredError, StudentT

RANDOM = np.random.default_rng(0)
Z = RANDOM.normal(size=(600, 1))
WHOLE = Z * [1, -2, 3, 0.5] + 0.1 * RANDOM.normal(size=(600, 4)) + [10, 0, -4, 100]
HOLES = np.where(RANDOM.random(WHOLE.shape) < 0.25, np.nan, WHOLE)


def quietly(model, images, tmp_path, **options):
    return diabolo.fit(model, images, out=tmp_path / "runs", quiet=True, **{"epochs": 2, "threads": 1, **options})


@pytest.mark.parametrize(
    "inner", [Gaussian(0.5, "linear"), Laplace(0.5, "linear"), StudentT(3.0, 0.5), Bernoulli(), Poisson()]
)
def test_the_loss_is_that_of_the_known_numbers(inner):
    x = torch.from_numpy(RANDOM.integers(0, 2, (5, 4)).astype(np.float32))
    raw = torch.randn(5, 4)
    holes = x.clone()
    holes[0, 1] = holes[2, :3] = holes[4] = torch.nan
    found = Known(inner).loss(raw, holes)
    for i in range(5):
        known = ~holes[i].isnan()
        wanted = inner.loss(raw[i : i + 1, known], x[i : i + 1, known]) if known.any() else torch.zeros(1)
        assert found[i].item() == pytest.approx(wanted.item(), abs=1e-5)


def test_a_mean_over_pixels_is_one_over_those_that_are_known():
    x, raw = torch.tensor([[1.0, torch.nan, 3.0]]), torch.zeros(1, 3)
    assert Known(SquaredError(output="linear")).loss(raw, x).item() == pytest.approx(5.0)
    assert Known(SquaredError("image", "linear")).loss(raw, x).item() == pytest.approx(10.0)


def test_no_gradient_comes_from_what_is_missing():
    raw = torch.zeros(1, 3, requires_grad=True)
    Known(Gaussian(1.0, "linear")).loss(raw, torch.tensor([[1.0, torch.nan, 3.0]])).sum().backward()
    assert raw.grad.tolist() == [[-1.0, 0.0, -3.0]]


def test_nats_are_those_of_the_known_numbers_in_their_units(tmp_path):
    model = diabolo.zoo.vae((4,), 1, hidden=(8,), scaling="standard", masked=True, sigma=0.5)
    images = Images(HOLES, missing=True)
    model.scaling.fit(images)
    shift, scale = (t.numpy() for t in (model.scaling.shift, model.scaling.scale))
    assert np.allclose(shift, np.nanmean(HOLES, 0))
    assert np.allclose(scale, np.nanstd(HOLES, 0))
    raw = torch.from_numpy(RANDOM.normal(size=HOLES.shape)).float()
    found = model.score(raw, model.scaling(torch.from_numpy(HOLES)))
    wanted = -np.nansum(stats.norm.logpdf(HOLES, raw.numpy() * scale + shift, 0.5 * scale), 1)
    assert np.allclose(found.numpy(), wanted, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("recipe", ["vae", "iwae", "undercomplete"])
def test_what_is_missing_is_filled_in_by_what_is_known(recipe, tmp_path):
    images = as_images(HOLES, missing="mask")
    run = quietly(recipe, images, tmp_path, latent_dim=1, hidden=(32,), epochs=60, lr=1e-2)
    x_hat = run.model.reconstruct(HOLES).numpy()
    holes = np.isnan(HOLES) & (np.isnan(HOLES).sum(1, keepdims=True) == 1)
    wrong = np.abs(x_hat - WHOLE)[holes] / np.broadcast_to(WHOLE.std(0), WHOLE.shape)[holes]
    assert np.sqrt(np.square(wrong).mean()) < 0.4  # the mean of each feature is 1 off
    again = diabolo.load(run.path)
    assert torch.equal(again.encode(HOLES), run.model.encode(HOLES))
    found = diabolo.evaluate(run, (images, images))
    error = np.nanmean(np.square(x_hat - HOLES), 1)
    assert found["reconstruction"].scores["MSE"].value == pytest.approx(np.nanmean(error), rel=1e-4)


def test_a_bound_on_what_was_observed_is_tighter_with_more_samples(tmp_path):
    images = Images(HOLES, missing=True)
    model = quietly("vae", images, tmp_path, latent_dim=1, hidden=(32,), epochs=30, lr=1e-2).model
    few, many = (diabolo.metrics.nll(model, images.take(range(100)), samples=n).mean for n in (1, 200))
    assert many < few


def test_files_say_it_too(tmp_path):
    np.savez(tmp_path / "x.npz", x=HOLES)
    with pytest.raises(DiaboloError, match=r"NaN or infinity in .* first at \(1, 2\).*--missing mask"):
        diabolo.data.load(tmp_path / "x.npz")
    train, test = diabolo.data.load(tmp_path / "x.npz", missing="mask")
    assert train.missing
    assert test.missing
    run = quietly("vae", train, tmp_path, latent_dim=1, hidden=(8,), validation=test)
    assert run.model.takes_missing
    assert np.isfinite(run.history[-1]["validation"]["total"])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Images(HOLES), "NaN or infinity in"),
        (lambda: Images(np.full((3, 2), np.nan), missing=True), "are all missing"),
        (lambda: Images(np.array([[np.inf, np.nan]]), missing=True), "NaN or infinity"),
        (lambda: diabolo.zoo.vae((4,), 1, masked=True, scaling="standard", sigma="per-feature"), "score each number"),
        (lambda: diabolo.zoo.vae((1, 16, 16), 1, masked=True, likelihood="ms-ssim"), "score each number by itself"),
        (lambda: diabolo.fit("pca", Images(HOLES, missing=True), latent_dim=1, quiet=True), "takes none that are: fill"),
        (
            lambda: diabolo.fit("vae", Images(HOLES, missing=True), masked=False, latent_dim=1, quiet=True),
            r"--masked",
        ),
        (
            lambda: diabolo.fit(
                "vae", Images(np.where([True, False, False, False], np.nan, WHOLE), missing=True), latent_dim=1, quiet=True
            ),
            "nothing is known of feature 0",
        ),
        (
            lambda: diabolo.scaling.Affine("standard", (2,)).fit(
                Images(np.array([[1.0, np.nan], [2.0, np.nan]]), missing=True, feature_names=("width", "height"))
            ),
            "nothing is known of feature 'height'",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_done_without_is_refused(make, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DiaboloError, match=says):
        make()


def test_a_model_that_knows_of_nothing_missing_refuses_it(tmp_path):
    model = diabolo.zoo.vae((4,), 1, hidden=(8,), scaling="standard")
    with pytest.raises(DiaboloError, match="NaN"):
        model.encode(HOLES)
