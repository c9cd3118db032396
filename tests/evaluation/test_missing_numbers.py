"""Images of which some numbers are not known: every measure is of those that are, or says by name why it is left out."""

import json
import math

import numpy as np
import pytest
import torch

import diabolo
from diabolo.data import Images
from diabolo.evaluation.baselines import known_pixels
from diabolo.evaluation.subject import Subject
from diabolo.metrics.reconstruction import Totals
from diabolo.pictured import pictures_of
from diabolo.pictures import run_figures

WAVES = np.linspace(0, 1, 16)
QUICK = {"pairs": 10, "nll_images": 10, "importance_samples": 5, "generated": 20, "checked": 20, "label_draws": 2}


def rows(n, seed):
    random = np.random.default_rng(seed)
    z = random.normal(size=(n, 2))
    x = z @ np.random.default_rng(9).normal(size=(2, 5)) * [1, 10, 100, 1, 1] + 0.1 * random.normal(size=(n, 5))
    x[random.random(x.shape) < 0.15] = np.nan
    x[3] = np.nan
    return Images(
        x, labels=(z[:, 0] > 0).astype(np.int64), attributes=z > 0.3, attribute_names=("p", "Smiling"),
        factors=z.astype(np.float32), factor_names=("a", "b"), missing=True, name="rows", split="test",
    )  # fmt: skip


def pictures(n, seed):
    random = np.random.default_rng(seed)
    z = random.random(n)
    x = 200 + 100 * np.sin(6 * (WAVES[None, :, None] + z[:, None, None])) * np.cos(4 * WAVES)
    x = x[:, None].astype(np.float32)
    x[::2, :, 4:8, 4:9] = np.nan
    labels = (z > 0.5).astype(np.int64)
    return Images(x, labels=labels, missing=True, name="pictures", split="test", span=(100.0, 300.0))


def signals(n, seed):
    x = pictures(n, seed).images[:, :, 5]
    return Images(x, labels=pictures(n, seed).labels, missing=True, name="signals", split="test")


MAKERS = {"rows": rows, "pictures": pictures, "signals": signals}


@pytest.fixture(scope="module", params=sorted(MAKERS))
def evaluated(request, tmp_path_factory):
    make, folder = MAKERS[request.param], tmp_path_factory.mktemp(request.param)
    train, test = make(120, 0), make(110, 1)
    run = diabolo.fit(
        "vae", train, test, latent_dim=2, hidden=(16,), epochs=5, lr=1e-2, out=folder, quiet=True, threads=1
    )
    return run, train, test, diabolo.evaluate(run, (train, test), **QUICK)


def test_no_nan_reaches_a_score_and_nothing_fails(evaluated):
    _, _, test, found = evaluated
    values = [score.value for section in found.sections.values() for score in section.scores.values()]
    assert len(values) > 30
    assert all(map(math.isfinite, values))
    assert not [why for why in found.skipped.values() if "unexpected" in why or "came out as" in why or "NaN" in why]
    pictures = test.name == "pictures"
    for name in ("memorisation", "generation") if pictures else ("memorisation",):
        assert "all numbers of an image, and" in found.skipped[name]
        assert "of these are missing" in found.skipped[name]
    assert pictures or "compares features of pictures" in found.skipped["generation"]
    if test.name == "rows":
        assert found.skipped["1 test image"] == "nothing is known of them: all their numbers are missing"
        assert found.about["test"]["images"] == 109
    assert (
        found["probes"].scores["linear probe: pixels"].setting["stood_for"].startswith("what is missing is filled in")
    )


def test_errors_are_of_what_is_known(evaluated):
    run, _, test, found = evaluated
    x = np.delete(test.images, 3, 0) if test.name == "rows" else test.images
    x_hat = run.model.reconstruct(x).numpy()
    scores, axes = found["reconstruction"].scores, tuple(range(1, x.ndim))
    squares = np.square(x_hat - x.astype(np.float64))
    mse = np.nanmean(squares, axes)
    assert scores["MSE"].value == pytest.approx(mse.mean(), rel=1e-4)
    assert scores["MAE"].value == pytest.approx(np.nanmean(np.abs(x_hat - x), axes).mean(), rel=1e-4)
    assert scores["error over variance"].value == pytest.approx(mse.mean() / np.nanvar(x.astype(np.float64)), rel=1e-4)
    own = np.nansum(np.square(x - np.nanmean(x.astype(np.float64), 0))) / (~np.isnan(x)).sum()
    assert scores["FVU"].value == pytest.approx(mse.mean() / own, rel=1e-4)
    if test.name == "rows":
        each = squares / np.nanvar(x, 0)
        wanted = scores["FVU, mean over features"]
        assert wanted.value == pytest.approx(np.nanmean(each, 1).mean(), rel=1e-4)
        assert list(wanted.detail["per feature"].values()) == pytest.approx(np.nanmean(each, 0).tolist(), rel=1e-4)
    if test.name == "pictures":
        psnr = (10 * np.log10(200**2 / mse)).mean()
        assert scores["PSNR"].value == pytest.approx(psnr, rel=1e-4)
        for name in ("SSIM", "MS-SSIM", "spectrum"):
            assert "pixels are missing" in found.skipped[f"reconstruction: {name}"]
            assert name not in scores
    elbo = found["likelihood"].scores
    known = (~np.isnan(x)).reshape(len(x), -1).sum(1).mean()
    bits = elbo["negative ELBO"].value / known / math.log(2)
    assert elbo["negative ELBO per dimension"].value == pytest.approx(bits)


def test_every_figure_is_drawn(evaluated, tmp_path):
    run, _, test, found = evaluated
    found.write(tmp_path)
    assert not [name for name in json.loads((tmp_path / "scores.json").read_text())["skipped"] if "figure" in name]
    assert (tmp_path / "reconstruction-worst.png").exists()
    assert (tmp_path / "reconstruction-spectrum.png").exists() is False
    assert "reconstructions.png" in {path.name for path in run_figures.draw(run, test)}


def test_totals_of_holes_are_those_of_the_others():
    x = torch.rand(20, 6, dtype=torch.float64)
    holes = torch.where(torch.rand(20, 6) < 0.3, torch.nan, x)
    totals = Totals.of(holes, x, {"mse": torch.zeros(20)})
    y = holes.numpy()
    assert totals.variance == pytest.approx(np.nanvar(y))
    own = np.nansum(np.square(y - np.nanmean(y, 0))) / (~np.isnan(y)).sum()
    assert totals.variance_per_pixel == pytest.approx(own)
    both = sum((Totals.of(part, part, {"mse": torch.zeros(len(part))}) for part in (holes[7:],)), Totals.of(
        holes[:7], holes[:7], {"mse": torch.zeros(7)}))  # fmt: skip
    assert both.variance == pytest.approx(totals.variance)


def test_pixels_are_filled_in_by_the_training_mean():
    train, test = rows(50, 0), rows(40, 1)
    filled, mean = known_pixels(test, train), np.nanmean(train.images, 0)
    gone = np.isnan(test.images)
    assert np.allclose(filled[gone], np.broadcast_to(mean, gone.shape)[gone], rtol=1e-5)
    assert np.array_equal(filled[~gone], test.images.astype(np.float32)[~gone])


def test_images_know_their_holes():
    images = rows(40, 1)
    assert images.holes.tolist() == np.isnan(images.images).sum(1).tolist()
    assert Images(np.zeros((3, 2))).holes.tolist() == [0, 0, 0]
    subject = Subject(diabolo.zoo.vae((5,), 1, hidden=(4,)), images, images)
    assert (len(subject.train), len(subject.test), subject.complete) == (40, 39, False)


def test_pictures_keep_their_holes():
    images = pictures(6, 0)
    model = diabolo.zoo.build_for("vae", images, latent_dim=1, hidden=(4,))
    model.scaling.fit(images)
    shown = pictures_of(images, model.scaling)
    assert np.array_equal(np.isnan(shown.images), np.isnan(images.images))
    again = diabolo.pictured.as_pictures(model)
    assert torch.allclose(again.encode(shown.images), model.encode(images.images), atol=1e-4)


def test_a_denoiser_is_measured_on_what_is_known(tmp_path):
    train = rows(80, 0)
    run = diabolo.fit(
        "denoising", train, latent_dim=2, hidden=(8,), epochs=1, corruption="gaussian", out=tmp_path, quiet=True
    )
    found = diabolo.evaluate(run, (train, train), measures=["reconstruction", "learned"])
    assert math.isfinite(found["reconstruction"].scores["denoising MSE"].value)
