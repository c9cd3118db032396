"""Sizes of codes, and what is said beside them."""

import math
from collections import Counter

import numpy as np
import pytest
import torch

from diabolo import bottlenecks, latents, zoo
from diabolo.codec import PlainCodec
from diabolo.data import load
from diabolo.errors import DiaboloError
from diabolo.evaluation import NotApplicable, Subject
from diabolo.evaluation.rate import rate
from diabolo.evaluation.usage import draw, usage


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
    class Codeless(PlainCodec):
        name = "codeless"

    with pytest.raises(NotApplicable, match="codeless has no code"):
        rate(Subject(Codeless(digits[0].shape, (0,)), *digits))


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


def test_the_bias_of_an_entropy_and_a_code_that_costs_nothing(digits, monkeypatch):
    torch.manual_seed(0)
    model = zoo.vqvae(digits[0].shape, latent_dim=3, codes=16, width=8, residual_width=4)
    subject = Subject(model, *digits)
    h, w = model.latent_shape[1:]
    found = torch.zeros(60, h, w, dtype=torch.int64)
    found[:30, 0, 0] = 5
    monkeypatch.setattr("diabolo.evaluation.subject.indices", lambda *_: found)
    scores = rate(subject).scores
    setting = scores["entropy-coded code"].setting
    assert setting["too low by about"] == pytest.approx(1 / (2 * 60 * h * w * math.log(2)))
    assert scores["stored code"].setting["bits per index"] == 4
    assert (setting["indices"], setting["codes"]) == (h * w, 16)
    bits = scores["entropy-coded code"].value
    assert setting["bits per index"] == pytest.approx(bits / h / w)
    assert scores["compression: entropy-coded code"].value == pytest.approx(512 / bits)
    found.zero_()
    scores = rate(subject).scores
    assert scores["entropy-coded code"].value == 0
    assert "compression: entropy-coded code" not in scores


def test_a_single_image_has_a_divergence_without_an_interval(digits, tiny_model):
    train, test = digits
    model = tiny_model("vae")
    for n, known in ((1, False), (2, True)):
        score = rate(Subject(model, train, test.take(range(n)))).scores["KL"]
        assert (score.low is not None) == (score.interval is not None) == known


def test_a_draw_of_each_of_some_posteriors():
    mu, logvar = torch.arange(6.0).view(3, 2).double() * 1e3, torch.tensor([[0.0, 4.0]] * 3).double()
    for wanted, n in ((1, 2), (2, 2), (3, 3), (9, 3)):
        z, rows = draw(mu, logvar, wanted, 0)
        assert z.shape == (n, 2)
        assert len(set(rows.tolist())) == n
    z, rows = draw(mu.repeat(4000, 1), logvar.repeat(4000, 1), 12_000, 0)
    noise = z - mu.repeat(4000, 1)[rows]
    assert noise.std(0).tolist() == pytest.approx([1, math.e**2], rel=0.03)
    assert noise.mean(0).tolist() == pytest.approx([0, 0], abs=0.25)


def test_units_of_a_code_by_hand(digits, monkeypatch):
    """Of four units one is dead, and one repeats another."""
    codes = np.random.default_rng(0).standard_normal((60, 4)).astype(np.float32)
    codes[:, 1], codes[:, 3] = 0, -codes[:, 0]

    class Codec:
        name, latent_shape, needs_column = "codec", (4,), None
        bottleneck = bottlenecks.FeatureMap(latent_shape)

    scores = usage(Subject(Codec(), *digits, _codes={"test": codes})).scores
    assert (scores["live units"].value, scores["live units"].unit) == (3, "of 4 units")
    assert scores["live units"].detail == [True, False, True, True]
    assert (scores["duplicate units"].value, scores["duplicate units"].unit) == (1, "of 4 units")
    variance = np.linalg.eigvalsh(np.cov(codes.astype(np.float64), rowvar=False)).clip(1e-300)
    p = variance / variance.sum()
    assert scores["effective dimensions"].value == pytest.approx(np.exp(-(p * np.log(p)).sum()))
    assert {score.n for score in scores.values()} == {60}


@pytest.mark.parametrize(("size", "shown"), [(4096, True), (4097, False)])
def test_wide_codes_have_no_list_of_units(digits, size, shown, monkeypatch):
    monkeypatch.setattr("diabolo.evaluation.usage.effective_dimensions", lambda codes: 1.0)

    class Codec:
        name, latent_shape, needs_column = "codec", (size,), None
        bottleneck = bottlenecks.FeatureMap(latent_shape)

    scores = usage(Subject(Codec(), *digits, _codes={"test": np.eye(60, size, dtype=np.float32)})).scores
    assert (scores["live units"].detail is not None) == shown
    assert ("effective dimensions" in scores) == shown


def test_what_the_code_tells_is_bounded_by_the_divergence(digits, monkeypatch):
    """Posteriors that are so narrow that each image has a code of its own: I(x; z) is at least log N."""
    mu = 10 * torch.randn(60, 3, generator=torch.Generator().manual_seed(0)).double()
    for logvar, bound in ((-10.0, "the KL term, since"), (2.0, "leaving the image itself out")):
        posterior = mu if logvar < 0 else mu / 10, torch.full_like(mu, logvar)
        monkeypatch.setattr("diabolo.evaluation.subject.gaussian_posterior", lambda *_, p=posterior: p)
        monkeypatch.setattr("diabolo.evaluation.subject.indices", lambda *_: None)
        scores = usage(Subject(None, *digits), posterior_draws=50).scores
        assert scores["I(x; z) at most"].setting["kind"].startswith(bound)
        low = scores["I(x; z) at least"]
        assert low.setting["at_most"] == pytest.approx(math.log(60))
        assert (low.setting["draws"], low.setting["mixture_of"], low.n) == (50, 60, 60)
        if logvar < 0:
            kl = 0.5 * (mu.square() + math.exp(logvar) - 1 - logvar).sum(1)
            assert scores["KL"].value == pytest.approx(kl.mean().item())
            assert scores["KL"].detail == pytest.approx(
                (0.5 * (mu.square() + math.exp(logvar) - 1 - logvar)).mean(0).tolist()
            )
            assert low.value == pytest.approx(math.log(60), abs=1e-3)
            assert (scores["active units"].value, scores["active units"].unit) == (3, "of 3 units")
