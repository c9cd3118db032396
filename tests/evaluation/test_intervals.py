"""The interval of every score that is a mean: of which values, between which ends, with how many degrees of freedom."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from diabolo import zoo
from diabolo.bottlenecks.gaussian import kl_to_standard_normal
from diabolo.data import Images
from diabolo.evaluation import Subject, evaluate
from diabolo.evaluation.usage import draw
from diabolo.metrics.information import mutual_information
from diabolo.metrics.likelihood import elbo_terms, nll
from diabolo.metrics.reconstruction import ssim
from diabolo.metrics.score import Score

TEST, SIDE = 24, 12


@pytest.fixture(scope="module")
def pair():
    random = np.random.default_rng(0)

    def images(n, split):
        labels = np.arange(n) % 3
        x = random.integers(0, 256, (n, 1, SIDE, SIDE), dtype=np.uint8)
        x[:, 0, :, :6] = 80 * labels[:, None, None]
        attributes = np.stack([labels > 0, random.random(n) > 0.5], 1)
        names = ("lit", "odd")
        return Images(x, name="noise", split=split, labels=labels, attributes=attributes, attribute_names=names)

    return images(60, "train"), images(TEST, "validation")


def ends(values):
    values = np.asarray(values, np.float64)
    n, mean = len(values), values.mean()
    half = stats.t.ppf(0.975, n - 1) * np.sqrt(np.square(values - mean).sum() / (n - 1) / n)
    return mean, mean - half, mean + half


def held(found, wanted):
    """The scores of `found` that have a Student's interval are those of `wanted`, name → values; or their number alone."""
    scores = {
        f"{measure}: {name}": score
        for measure, section in found.sections.items()
        for name, score in section.scores.items()
    }
    assert {name for name, score in scores.items() if score.df is not None} == set(wanted)
    assert {score.split for score in scores.values()} == {"validation"}
    for name, values in wanted.items():
        score = scores[name]
        assert score.df == (values if isinstance(values, int) else len(values)) - 1, name
        assert score.interval.startswith("Student's t"), name
        if not isinstance(values, int):
            value, low, high = ends(values)
            high = min(1, high) if "within 0 … 1" in score.interval else high
            assert (score.value, score.low, score.high) == pytest.approx((value, low, high), rel=2e-5, abs=1e-6), name
    for name in scores.keys() - wanted.keys():
        assert not (scores[name].interval or "").startswith("Student's t over"), name


def test_of_values_by_hand():
    score = Score.mean([1, 2, 6], "steps", "validation", "over steps", better="lower", detail="d")
    assert (score.value, score.low, score.high) == pytest.approx(ends([1, 2, 6]))
    assert score == Score(
        3.0, "steps", 3, "validation", score.low, score.high, "over steps", "lower", detail="d", df=2
    )  # fmt: skip
    for values in ([2.5], [1.0, math.inf]):
        assert Score.mean(values, "steps", "test", better="lower") == Score(
            np.mean(values), "steps", len(values), "test", better="lower"
        )


def errors(model, images):
    x = images.images.astype(np.float64) / 255
    return x, model.reconstruct(torch.from_numpy(images.images)).double().numpy() - x


def test_of_a_vae(pair):
    test = pair[1]
    torch.manual_seed(0)
    model = zoo.vae(test.shape, latent_dim=3, hidden=(8,))
    asked = ("reconstruction", "likelihood", "usage", "rate")
    options = {"importance_samples": 5, "nll_images": 20, "elbo_samples": 2, "posterior_draws": 10}
    found = evaluate(model, pair, asked, **options)
    x, off = errors(model, test)
    mse = np.square(off).mean((1, 2, 3))
    posterior = Subject(model, *pair).posterior
    kl = kl_to_standard_normal(*posterior).double().numpy()
    image = elbo_terms(model, test, 2, 0)["reconstruction"].per_image.numpy()
    by_samples = nll(model, test.subset(20, 0), 5, 0).per_image.numpy()
    bits = SIDE * SIDE * math.log(2)
    z, rows = draw(*posterior, 10, 0)
    told = mutual_information(z, rows, *posterior)
    at_most = told.high if told.high.mean() <= kl[rows].mean() else torch.from_numpy(kl)
    held(
        found,
        {
            "reconstruction: MSE": mse,
            "reconstruction: MAE": np.abs(off).mean((1, 2, 3)),
            "reconstruction: PSNR": -10 * np.log10(mse),
            "reconstruction: SSIM": ssim(torch.from_numpy(x).float(), torch.from_numpy(x + off).float()).numpy(),
            "reconstruction: error over variance": mse / x.var(),
            "reconstruction: FVU": mse / x.var(0).mean(),
            "likelihood: negative ELBO": image + kl,
            "likelihood: negative ELBO per dimension": (image + kl) / bits,
            "likelihood: reconstruction term": image,
            "likelihood: KL term": kl,
            "likelihood: NLL": by_samples,
            "likelihood: NLL per dimension": by_samples / bits,
            "usage: KL": kl,
            "usage: I(x; z) at least": told.low.numpy(),
            "usage: I(x; z) at most": at_most.numpy(),
            "rate: KL": kl / math.log(2),
        },
    )


def test_of_a_denoiser(pair):
    test = pair[1]
    torch.manual_seed(0)
    model = zoo.denoising(test.shape, latent_dim=3, hidden=(8,))
    asked = ("reconstruction", "interpolation", "arithmetic", "few_labels", "probes", "learned")
    options = {"pairs": 7, "steps": 3, "edited": ("lit",), "few_labels": (9,), "label_draws": 4}
    found = evaluate(model, pair, asked, **options)
    x, off = errors(model, test)
    mse = np.square(off).mean((1, 2, 3))
    ways = ("linear", "spherical", "along data")
    without = int((~test.attributes[:, 0]).sum())
    held(
        found,
        {
            "reconstruction: MSE": mse,
            "reconstruction: MAE": np.abs(off).mean((1, 2, 3)),
            "reconstruction: PSNR": -10 * np.log10(mse),
            "reconstruction: SSIM": TEST,
            "reconstruction: error over variance": mse / x.var(),
            "reconstruction: FVU": mse / x.var(0).mean(),
            "reconstruction: denoising MSE": TEST,
            **{f"interpolation: {way}: {what}": 7 for way in ways for what in ("longest step", "length")},
            **{
                f"arithmetic: lit by {way}: gain": without
                for way in ("mean difference", "probe normal", "right-angled")
            },
            **{f"few_labels: {name}": score.detail for name, score in found["few_labels"].scores.items()},
        },
    )


def test_of_one_image_there_are_neither_ends_nor_degrees_of_freedom(pair):
    train, test = pair
    torch.manual_seed(0)
    model = zoo.vae(test.shape, latent_dim=3, hidden=(8,))
    options = {"importance_samples": 5, "elbo_samples": 2}
    asked = ("reconstruction", "likelihood", "rate", "usage")
    found = evaluate(model, (train, test.take([0])), asked, **options)
    assert set(found.sections) == {*asked}
    for section in found.sections.values():
        for name, score in section.scores.items():
            assert (score.n, score.low, score.high, score.interval, score.df) == (1, None, None, None, None), name
