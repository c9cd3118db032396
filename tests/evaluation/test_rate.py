"""Sizes of codes, and what is said beside them."""

import math
from collections import Counter

import numpy as np
import pytest
import torch

from diabolo import latents, zoo
from diabolo.data import load
from diabolo.errors import DiaboloError
from diabolo.evaluation import NotApplicable, Subject
from diabolo.evaluation.rate import rate
from diabolo.evaluation.usage import usage


@pytest.fixture(scope="module")
def digits():
    return load("digits", n_train=100, n_test=60)


def test_a_code_of_numbers_is_stored_as_float32(digits, tiny_model):
    scores = rate(Subject(tiny_model(), *digits)).scores
    assert set(scores) == {"stored code", "compression: stored code"}
    assert scores["stored code"].value == 4 * 32
    assert scores["compression: stored code"].value == 64 * 8 / 128
    assert "float32" in scores["stored code"].setting["each"]
    assert "uint8 (1, 8, 8)" in scores["compression: stored code"].setting["image"]


def test_a_posterior_also_costs_its_divergence(digits, tiny_model):
    model = tiny_model("vae")
    x = torch.from_numpy(digits[1].images) / 255
    kl = model.loss(x).terms["kl"].item()
    score = rate(Subject(model, *digits)).scores["KL"]
    assert score.value == pytest.approx(kl / math.log(2), rel=1e-4)
    assert (score.unit, score.n) == ("bits per image", 60)
    assert score.low < score.value < score.high


def test_discrete_codes_count_their_indices_and_their_use(digits):
    torch.manual_seed(0)
    model = zoo.vqvae(digits[0].shape, latent_dim=3, codes=16, width=8, residual_width=4)
    scores = rate(Subject(model, *digits)).scores
    h, w = model.latent_shape[1:]
    assert scores["stored code"].value == h * w * 4
    vectors = model.encode(torch.from_numpy(digits[1].images)).permute(0, 2, 3, 1).reshape(-1, 3)
    shares = np.array(list(Counter(map(tuple, vectors.tolist())).values())) / len(vectors)
    wanted = -(shares * np.log2(shares)).sum()
    assert scores["entropy-coded code"].value == pytest.approx(h * w * wanted, abs=1e-4)
    assert scores["entropy-coded code"].value <= scores["stored code"].value


def test_a_model_without_a_code_is_left_out(digits):
    class Codeless:
        name, latent_shape = "codeless", (0,)

    with pytest.raises(NotApplicable, match="codeless has no code"):
        rate(Subject(Codeless(), *digits))


@pytest.mark.parametrize("name", ["vqvae", "fsq"])
@pytest.mark.parametrize("measured", [rate, usage, lambda subject: latents.uses(subject.codec, subject.test)])
@pytest.mark.parametrize("broken", ["encoder", "bottleneck"])
def test_discrete_codes_of_a_broken_model_are_refused(digits, name, measured, broken):
    """The nearest code to NaN is some code: it must not be counted."""
    model = zoo.build(name, digits[0].shape, width=8, residual_width=4)
    with torch.no_grad():
        next(getattr(model, broken).parameters()).view(-1)[0] = math.nan
    with pytest.raises(DiaboloError, match=r"codes of digits \(test\) hold NaN or infinity"):
        measured(Subject(model, *digits))


@pytest.mark.parametrize("name", ["vae", "undercomplete"])
def test_other_codes_of_a_broken_model_are_refused(digits, tiny_model, name):
    model = tiny_model(name)
    with torch.no_grad():
        next(model.encoder.parameters()).view(-1)[0] = math.nan
    with pytest.raises(DiaboloError, match=r"60 of 60 codes of digits \(test\) hold NaN or infinity"):
        usage(Subject(model, *digits))
