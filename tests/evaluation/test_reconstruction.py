"""The section on reconstruction: its numbers are those of the images, and everything that decides them is said."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from diabolo import zoo
from diabolo.codec import PlainCodec
from diabolo.data import load
from diabolo.errors import DiaboloError
from diabolo.evaluation import Subject, evaluate
from diabolo.evaluation.reconstruction import reconstruction
from diabolo.randomness import derive
from diabolo.statistics import mean_interval


@pytest.fixture(scope="module")
def digits():
    return load("digits", n_train=200, n_test=90)


@pytest.fixture(scope="module")
def pca(digits):
    model = zoo.pca(digits[0].shape, latent_dim=6)
    model.solve(digits[0].images)
    return model


def test_the_numbers_of_pca(digits, pca):
    section = reconstruction(Subject(pca, *digits))
    x = digits[1].images.astype(np.float64) / 255
    error = (pca.reconstruct(torch.from_numpy(digits[1].images)).double().numpy() - x) ** 2
    mse = section.scores["MSE"]
    assert mse.value == pytest.approx(error.mean(), rel=1e-5)
    assert mse.low < mse.value < mse.high
    assert (mse.n, mse.split, mse.unit) == (90, "test", "squared error per pixel")
    assert section.scores["error over variance"].value == pytest.approx(error.mean() / x.var(), rel=1e-5)
    assert section.scores["FVU"].value == pytest.approx(error.mean() / x.var(0).mean(), rel=1e-5)
    assert section.scores["FVU"].setting["measured on"] == "test images"
    assert "SSIM" not in section.scores  # 8 pixels a side are fewer than its window
    each = error.mean((1, 2, 3))
    assert [i for i, _ in mse.detail["worst"]] == np.argsort(-each)[:8].tolist()
    labels = digits[1].labels
    assert mse.detail["per class"]["3"] == pytest.approx(each[labels == 3].mean(), rel=1e-5)
    json.dumps({name: score.record() for name, score in section.scores.items()}, allow_nan=False)


def test_every_panel_can_be_drawn(digits, pca):
    section = reconstruction(Subject(pca, *digits), worst=3)
    assert set(section.panels) == {"reconstruction-classes", "reconstruction-spectrum", "reconstruction-worst"}
    for panel in section.panels.values():
        assert panel().axes


def test_images_of_one_class_have_no_bars_of_classes(digits, pca):
    one = digits[1].take(np.flatnonzero(digits[1].labels == 3))
    assert "reconstruction-classes" not in reconstruction(Subject(pca, digits[0], one)).panels


def test_images_of_the_least_variance_that_counts_have_a_share_of_it(digits, pca, monkeypatch):
    subject = Subject(pca, *digits)
    least = reconstruction(subject).scores["FVU"].setting["variance"]
    for bar, there in ((least, True), (np.nextafter(least, 1), False)):
        monkeypatch.setattr("diabolo.evaluation.reconstruction.CONSTANT", bar)
        assert ("FVU" in reconstruction(subject).scores) == there


def test_a_class_of_one_image_has_a_bar_without_a_whisker(digits, pca):
    labels = digits[1].labels
    kept = np.sort(np.concatenate([np.flatnonzero(labels == 3)[:1], np.flatnonzero(labels == 5)]))
    section = reconstruction(Subject(pca, digits[0], digits[1].take(kept)))
    bars, _, whiskers = section.panels["reconstruction-classes"].args
    assert (set(bars), set(whiskers)) == ({"3", "5"}, {"5"})
    assert whiskers["5"][0] < bars["5"] < whiskers["5"][1]
    assert bars == section.scores["MSE"].detail["per class"]


def test_the_worst_images_are_shown_from_the_worst_on_within_the_range_of_pixels(digits):
    x = torch.from_numpy(digits[1].images[:6]).float() / 255
    off = torch.tensor([0.0, 0.3, -0.2, 0.9, 0.1, -0.5])

    class Off(PlainCodec):
        def reconstruct(self, images, y=None):
            which = [int((x - image / 255).abs().flatten(1).sum(1).argmin()) for image in images]
            return (x + off.view(-1, 1, 1, 1))[which]

    section = reconstruction(Subject(Off(digits[0].shape, (64,)), digits[0], digits[1].take(range(6))), worst=4)
    order = [3, 5, 1, 2]
    seen, shown, errors = section.panels["reconstruction-worst"].args
    assert np.array_equal(seen, x[order].numpy())
    assert shown == pytest.approx((x + off.view(-1, 1, 1, 1))[order].clamp(0, 1).numpy())
    assert errors == pytest.approx(np.square(off[order].numpy()), rel=1e-5)
    assert section.scores["MSE"].value == pytest.approx(np.square(off.numpy()).mean(), rel=1e-5)  # not of clipped ones


def test_images_without_labels_and_vectors(digits, tiny_model):
    unlabelled = [replace(part, labels=None, label_names=None) for part in digits]
    section = reconstruction(Subject(tiny_model(), *unlabelled))
    assert "per class" not in section.scores["MSE"].detail
    vectors = np.random.default_rng(0).random((30, 5), np.float32)
    found = evaluate(tiny_model(shape=(5,), latent_dim=2), (vectors, vectors), ["reconstruction"])["reconstruction"]
    assert set(found.scores) == {"MSE", "MAE", "PSNR", "error over variance", "FVU"}
    assert set(found.panels) == {"reconstruction-worst"}


def test_of_one_image_there_is_neither_interval_nor_variance(digits, pca):
    scores = reconstruction(Subject(pca, digits[0], digits[1].take([0]))).scores
    assert scores["MSE"].low is None
    assert "FVU" not in scores
    assert "error over variance" in scores  # of its pixels around their one mean


def test_larger_images_have_similarities(tiny_model, tiny_pixels):
    x = tiny_pixels(20, (1, 24, 24))
    scores = evaluate(tiny_model(shape=(1, 24, 24)), (x, x), ["reconstruction"])["reconstruction"].scores
    assert 0 < scores["SSIM"].value < 1
    assert scores["MS-SSIM"].setting["scales"] == 2


def test_a_denoiser_is_also_measured_at_its_work(digits, tiny_model):
    scores = reconstruction(Subject(tiny_model("denoising", level=0.3), *digits)).scores
    noisy, clean = scores["denoising MSE"], scores["MSE"]
    assert noisy.value != clean.value
    assert 0.3 in noisy.setting["corruption"].values()
    again = reconstruction(Subject(tiny_model("denoising", level=0.3), *digits)).scores["denoising MSE"]
    assert again.value == noisy.value
    seed = derive(1, "denoising")
    assert seed % 2**32 >= 2**31
    other = reconstruction(Subject(tiny_model("denoising", level=0.3), *digits, seed=1)).scores["denoising MSE"]
    model, x = tiny_model("denoising", level=0.3), torch.from_numpy(digits[1].images)
    x_hat = model.reconstruct(model.corrupt(x, derive(seed % 2**31, 0))).double()
    assert other.value == pytest.approx(float((x_hat - x / 255).square().mean()))
    assert other.setting["seed"] == seed % 2**31  # which stays: evaluations of other days are compared image by image
    assert "denoising MSE" not in reconstruction(Subject(tiny_model(), *digits)).scores


def test_what_cannot_be_measured_is_refused(digits, tiny_model):
    with pytest.raises(DiaboloError, match="at least 1, not 0"):
        reconstruction(Subject(tiny_model(), *digits), worst=0)
    broken = tiny_model()
    with torch.no_grad():
        next(broken.decoder.parameters()).fill_(float("nan"))
    with pytest.raises(DiaboloError, match="90 of 90 reconstructions hold NaN"):
        reconstruction(Subject(broken, *digits))


def test_the_worst_images_are_named_by_their_files(digits, pca):
    train, test = digits
    named = replace(test, names=tuple(f"a/{i}.png" for i in range(len(test))))
    detail = reconstruction(Subject(pca, train, named), worst=3).scores["MSE"].detail
    assert detail["files of the worst"] == [f"a/{i}.png" for i, _ in detail["worst"]]
    drawn = reconstruction(Subject(pca, train, named), worst=3).panels["reconstruction-worst"]()
    assert {f"a/{i}.png" for i, _ in detail["worst"]} <= {text.get_text().split("\n")[-1] for text in drawn.texts}
    assert "files of the worst" not in reconstruction(Subject(pca, *digits), worst=3).scores["MSE"].detail


def test_images_in_pieces_have_the_same_errors(digits, pca, monkeypatch):
    whole = reconstruction(Subject(pca, *digits)).scores
    monkeypatch.setattr("diabolo.latents.codes.PIECE", 17)
    monkeypatch.setattr("diabolo.evaluation.reconstruction.PIECE", 17)
    subject = Subject(pca, *digits)
    parts = reconstruction(subject).scores
    for name, score in whole.items():
        assert parts[name].value == pytest.approx(score.value, rel=1e-6), name
    x = digits[1].images / 255
    assert subject.errors == pytest.approx(np.square(subject.reconstructions - x).mean((1, 2, 3)), rel=1e-5)
    assert whole["MSE"].value == pytest.approx(subject.errors.mean(), rel=1e-6)
    share = whole["error over variance"]
    assert share.value == pytest.approx(subject.errors.mean() / x.var(), rel=1e-5)
    low, high = mean_interval(subject.errors)
    assert (share.low, share.high) == (pytest.approx(low / x.var(), rel=1e-5), pytest.approx(high / x.var(), rel=1e-5))
    assert whole["FVU"].value == pytest.approx(subject.errors.mean() / x.var(0).mean(), rel=1e-5)


def test_exact_images_are_left_out_of_the_ratio_in_decibels(digits):
    class Exact(PlainCodec):
        def reconstruct(self, x, y=None):
            found = x / 255
            return found if len(x) < 3 else torch.cat([found[:2], found[2:] * 0.5])

    section = reconstruction(Subject(Exact(digits[0].shape, (64,)), digits[0], digits[1].take(range(5))), worst=2)
    score = section.scores["PSNR"]
    assert (score.n, score.setting["exact images left out"]) == (3, 2)
    x = digits[1].images[2:5] / 255
    each = -10 * np.log10(np.square(x / 2).mean((1, 2, 3)))
    assert score.value == pytest.approx(each.mean(), rel=1e-5)
    mse = section.scores["MSE"]
    assert [index for index, _ in mse.detail["worst"]] == (2 + np.argsort(each)[:2]).tolist()
    assert "exact images left out" not in mse.setting
    assert (
        "PSNR" not in reconstruction(Subject(Exact(digits[0].shape, (64,)), digits[0], digits[1].take(range(2)))).scores
    )
