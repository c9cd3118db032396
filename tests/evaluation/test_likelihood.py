"""The section on likelihood: for which models, in which units, and what is said beside the number."""

import json
import math

import numpy as np
import pytest
import torch

from diabolo.data import load
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.evaluation import NotApplicable, Subject
from diabolo.evaluation.likelihood import _per_dimension, _trust, likelihood
from diabolo.metrics import Nats, negative_elbo, nll
from diabolo.metrics.score import Score


@pytest.fixture(scope="module")
def digits():
    return load("digits", n_train=60, n_test=50)


def test_the_numbers_are_those_of_the_metrics(digits, tiny_model):
    model = tiny_model("vae", observation="binarised")
    scores = likelihood(Subject(model, *digits), importance_samples=40, nll_images=20, elbo_samples=5).scores
    chosen = digits[1].subset(20, 0)
    found = nll(model, chosen, 40)
    assert scores["NLL"].value == pytest.approx(found.mean)
    assert (scores["NLL"].n, scores["NLL"].setting["importance_samples"]) == (20, 40)
    assert scores["NLL"].setting["standard_error"] == pytest.approx(found.standard_error)
    assert 1 <= scores["NLL"].setting["effective_samples_least"] <= 40
    bound = scores["negative ELBO"]
    assert bound.value == pytest.approx(negative_elbo(model, digits[1], 5).mean, rel=1e-6)
    assert bound.value == pytest.approx(scores["reconstruction term"].value + scores["KL term"].value)
    assert bound.n == 50
    assert scores["NLL per dimension"].value == pytest.approx(found.mean / 64 / math.log(2))
    assert scores["NLL per dimension"].unit == "bits per dimension"
    assert scores["NLL"].setting["pixels"] == "binarised"
    json.dumps({name: score.record() for name, score in scores.items()}, allow_nan=False)


def test_the_divergence_in_closed_form_is_near_that_of_the_draws(digits, tiny_model):
    model = tiny_model("vae")
    scores = likelihood(Subject(model, *digits), importance_samples=2, elbo_samples=300).scores
    assert scores["KL term"].setting["KL"] == "closed form"
    assert scores["negative ELBO"].value == pytest.approx(negative_elbo(model, digits[1], 300).mean, abs=0.1)


def test_grey_pixels_are_labelled_as_what_they_are(digits, tiny_model):
    grey = likelihood(Subject(tiny_model("vae"), *digits), importance_samples=2).scores
    assert "no likelihood" in grey["NLL"].unit
    assert "no likelihood" in grey["NLL per dimension"].unit
    binarised = likelihood(Subject(tiny_model("vae"), *digits), importance_samples=2, likelihood_of="binarised").scores
    assert binarised["NLL"].unit == "nats per image"


def test_a_density_of_pixels_says_whether_they_were_dequantised(digits, tiny_model):
    subject = Subject(tiny_model("vae", likelihood="gaussian"), *digits)
    plain = likelihood(subject, importance_samples=2).scores["NLL per dimension"]
    assert "not dequantised" in plain.unit
    spread = likelihood(subject, importance_samples=2, likelihood_of="dequantised").scores
    assert spread["NLL per dimension"].unit == "bits per dimension"
    assert spread["NLL per dimension"].value == pytest.approx(spread["NLL"].value / 64 / math.log(2) + 8)


def test_the_bias_is_named_where_enough_samples_are_effective_and_bounded_where_not():
    effective = torch.tensor([20.0, 50.0, 80.0], dtype=torch.float64)
    of = _trust(Nats(torch.rand(3, dtype=torch.float64), effective, 100, "nats per image"))
    assert of["too_large_by_about"] == pytest.approx(0.5 * np.mean([1 / 20 - 0.01, 1 / 50 - 0.01, 1 / 80 - 0.01]))
    few = _trust(Nats(torch.rand(3, dtype=torch.float64), effective - 15, 100, "nats per image"))
    assert "too_large_by_about" not in few
    assert few["too_large_by_more_than"] == pytest.approx(0.5 * np.mean([1 / 5 - 0.01, 1 / 35 - 0.01, 1 / 65 - 0.01]))


@pytest.mark.parametrize("name", ["undercomplete", "pca"])
def test_what_has_no_likelihood_is_left_out(name, digits, tiny_model):
    with pytest.raises(NotApplicable, match=r"posterior|has no posterior"):
        likelihood(Subject(tiny_model(name), *digits))


def test_nonsense_is_refused(digits, tiny_model):
    subject = Subject(tiny_model("vae"), *digits)
    with pytest.raises(DiaboloError, match="importance_samples must be a whole number of at least 1, not 0"):
        likelihood(subject, importance_samples=0)
    with pytest.raises(UnknownNameError, match="binarised"):
        likelihood(subject, likelihood_of="binarized")


def test_ten_effective_samples_are_trusted():
    for least, name in ((10.0, "too_large_by_about"), (9.99, "too_large_by_more_than")):
        of = _trust(
            Nats(torch.rand(2, dtype=torch.float64), torch.tensor([least, 30.0], dtype=torch.float64), 50, "nats")
        )
        assert of[name] == pytest.approx(0.5 * np.mean([1 / least - 0.02, 1 / 30 - 0.02]))
        assert of["importance_samples"] == 50
        assert of["effective_samples_least"] == least


@pytest.mark.parametrize(
    ("pixels", "likelihood", "levels", "density"),
    [
        ("as-is", "Gaussian", 1, True),
        ("as-is", "Bernoulli", 1, False),
        ("binarised", "Gaussian", 1, False),
        ("dequantised", "Gaussian", 256, False),
    ],
)
def test_bits_for_each_value_by_hand(pixels, likelihood, levels, density):
    score = Score(5.0, "nats per image", 7, "test", 4.0, None, setting={"likelihood": likelihood})
    found = _per_dimension(score, 10, pixels)
    assert found.value == pytest.approx(5 / 10 / math.log(2) + math.log2(levels))
    assert found.low == pytest.approx(4 / 10 / math.log(2) + math.log2(levels))
    assert found.high is None
    assert found.setting == {"likelihood": likelihood, "dimensions": 10, "levels": levels}
    assert found.unit.startswith("bits per dimension")
    assert ("of a density" in found.unit) == density
    grey = Score(5.0, "nats per image (no likelihood)", 7, setting={"likelihood": likelihood})
    assert "of a density" not in _per_dimension(grey, 10, pixels).unit


def test_one_image_has_no_interval_and_a_subset_is_drawn(digits, tiny_model):
    train, test = digits
    model = tiny_model("vae", observation="binarised")
    one = likelihood(Subject(model, train, test.take([0])), importance_samples=2).scores
    assert (one["negative ELBO"].low, one["negative ELBO"].interval, one["NLL"].high) == (None, None, None)
    some = likelihood(Subject(model, train, test), importance_samples=2, nll_images=5).scores
    assert some["NLL"].n == 5
    assert some["NLL"].shared is None
    every = likelihood(Subject(model, train, test), importance_samples=2, nll_images=len(test)).scores
    assert every["NLL"].n == len(test)
    assert every["NLL"].shared is not None
    assert every["KL term"].better is None
