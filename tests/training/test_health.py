"""Each illness is provoked and found, with a remedy that exists; the healthy are left in peace, and looking changes nothing."""

import json
import math
import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch

import diabolo
from diabolo import bottlenecks, likelihoods, objectives, zoo
from diabolo.autoencoder import Autoencoder
from diabolo.bottlenecks import diagnosis
from diabolo.nets.mlp import MLPDecoder, MLPEncoder
from diabolo.training import health
from diabolo.training.health import examine, news
from diabolo.training.loop import Loop
from diabolo.training.options import TrainOptions

SHAPE = (1, 8, 8)


@pytest.fixture
def x(tiny_pixels):
    return torch.from_numpy(tiny_pixels(200)).float() / 255


@pytest.fixture
def fitted(x):
    """fitted(name, **options): a small model after 200 steps with all images."""

    def make(name, steps=200, lr=3e-3, **options):
        torch.manual_seed(0)
        model = zoo.build(name, SHAPE, **({"hidden": (32,), "latent_dim": 4} | options))
        optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        for i in range(steps):
            optimizer.zero_grad()
            model.loss(x, progress=i / steps).total.backward()
            optimizer.step()
        return model

    return make


@pytest.mark.parametrize(
    ("name", "options"),
    [("undercomplete", {}), ("sparse", {}), ("denoising", {"level": 0.1}), ("vae", {"beta": 0.1}), ("rae", {})],
)
def test_the_healthy_are_left_in_peace(name, options, fitted, x):
    values, warnings = examine(fitted(name, **options), x)
    assert warnings == {}
    assert values["code_use"] > 0.3
    assert values["stuck_share"] < 0.1


def test_a_collapsed_posterior(fitted, x):
    model = fitted("vae", beta=100.0)
    values, warnings = examine(model, x)
    assert values["active_units"] == 0
    assert list(warnings) == ["inactive-units"], "one cause, one warning"
    assert warnings["inactive-units"].startswith("4 of 4 units of the code are inactive")
    assert "posterior collapse; try --beta 'linear(0, 1, 0.3)' or --free-bits 0.1" in warnings["inactive-units"]
    assert examine(model, x, steps=3)[1] == {}, "no code says much after three steps"


def test_active_units_and_kl_are_those_of_the_papers(fitted, x):
    model = fitted("vae", beta=2.0, latent_dim=6)
    mu, logvar = model.bottleneck.posterior(model.encoder(x))
    posterior = torch.distributions.Normal(mu.double(), (0.5 * logvar.double()).exp())
    prior = torch.distributions.Normal(torch.zeros_like(mu).double(), torch.ones_like(mu).double())
    values, _ = examine(model, x)
    variance = (mu.double() - mu.double().mean(0)).square().mean(0)
    assert values["active_units"] == int((variance > 0.01).sum())
    kl = torch.distributions.kl_divergence(posterior, prior).mean(0)
    np.testing.assert_allclose(values["kl_per_unit"], kl.detach().numpy(), rtol=1e-3, atol=1e-6)


def test_a_waist_with_skips_around_it_is_seen_without_them():
    torch.manual_seed(0)
    x = torch.rand(40, 1, 16, 16)
    with pytest.warns(UserWarning, match="no bottleneck"):
        model = zoo.build("vae", (1, 16, 16), net="unet", channels=(4, 6), latent_dim=5)
    values, _ = examine(model, x, steps=1)
    assert len(values["kl_per_unit"]) == 5


def test_dead_units_and_duplicates(fitted, x):
    model = fitted("sparse", latent_dim=8)
    with torch.no_grad():
        model.bottleneck.to_code.weight[2:5] = 0
        model.bottleneck.to_code.weight[6] = -2 * model.bottleneck.to_code.weight[0]
        model.bottleneck.to_code.bias[6] = 3.0
    values, warnings = examine(model, x)
    assert (values["dead_units"], values["duplicate_units"]) == (3, 1)
    assert warnings["dead-units"].startswith(
        "3 of 8 units of the code are dead (the same for every image) and 1 repeat"
    )
    assert "--sparsity" in warnings["dead-units"]


def test_dead_channels_of_a_map():
    code = torch.randn(40, 4, 3, 3, generator=torch.Generator().manual_seed(0))
    code[:, 1] = 7.0
    found = diagnosis.of_units(code)
    assert found.values == {"dead_units": 1, "duplicate_units": 0}
    assert [f.key for f in found.findings] == ["dead-units"]
    assert diagnosis.of_units(torch.ones(40, 3)).values["dead_units"] == 3


def test_exploding_codes(fitted, x):
    model = fitted("undercomplete")
    with torch.no_grad():
        model.bottleneck.to_code.weight *= 1e5
    values, warnings = examine(model, x, steps=1)
    code = model.encode(x).double()
    assert values["code_rms"] == pytest.approx(code.square().mean().sqrt().item(), rel=1e-3)
    assert "the codes have exploded" in warnings["exploding-codes"]
    with torch.no_grad():
        model.bottleneck.to_code.bias += math.inf
    values, warnings = examine(model, x)
    assert "exploding-codes" in warnings
    json.dumps(values, allow_nan=False)


def test_saturated_outputs(fitted, x):
    model = fitted("undercomplete")
    with torch.no_grad():
        model.decoder.to_raw.bias += 100 * torch.randn(64, generator=torch.Generator().manual_seed(0)).sign()
    values, warnings = examine(model, x, steps=1)
    assert values["stuck_share"] == 1.0
    assert list(warnings) == ["saturated-outputs"]
    assert "64 of 64 pixels are stuck" in warnings["saturated-outputs"]


def test_pixels_that_are_black_in_every_image_may_be_black_in_every_reconstruction(fitted, x):
    x[:, :, :3] = 0
    model = fitted("undercomplete", steps=1)
    with torch.no_grad():
        model.decoder.to_raw.bias[:24] -= 1e3
    assert examine(model, x)[0]["stuck_share"] == 0.0


@pytest.mark.parametrize(
    ("likelihood", "numbers"),
    [("poisson", (4.0, 9.0)), ("negative-binomial", (4.0, 9.0)), ("gaussian", (4.0, 9.0)), ("student-t", (-9.0, -4.0))],
)
def test_numbers_beyond_0_and_1_are_not_stuck_there(likelihood, numbers):
    """A mean count of 7 lies above 1, and a number of −7 below 0, for every row of a model that is well."""
    torch.manual_seed(0)
    model = zoo.build("vae", (5,), hidden=(8,), latent_dim=2, likelihood=likelihood, scaling="real")
    with torch.no_grad():
        middle = sum(numbers) / 2
        model.decoder.to_raw.bias.fill_(math.log(middle) if model.likelihood.counts else middle)
    low, high = map(int, numbers)
    rows = torch.randint(low, high, (64, 5), generator=torch.Generator().manual_seed(1)).float()
    assert bool((model.reconstruct(rows) > 1).all() or (model.reconstruct(rows) < 0).all())
    values, warnings = examine(model, rows)
    assert "stuck_share" not in values
    assert "saturated-outputs" not in warnings


def test_a_decoder_that_ignores_the_code(fitted, x):
    model = fitted("undercomplete")
    with torch.no_grad():
        model.decoder.layers[0].weight.zero_()
    values, warnings = examine(model, x)
    assert values["code_use"] == pytest.approx(0, abs=1e-6)
    assert "ignore the code" in warnings["code-ignored"]


def test_nobody_warns_of_reconstructions_that_nobody_asked_for(fitted, x):
    model = fitted("undercomplete", steps=1)
    assert "code-ignored" in examine(model, x)[1]
    model.objective = objectives.ELBO(reconstruction=0.0)
    values, warnings = examine(model, x)
    assert warnings == {}
    assert "code_use" not in values


def test_every_remedy_is_an_option_that_the_model_has(fitted, x):
    """Also of the recipes without --beta, and of models made by hand."""
    training = {field.name for field in fields(TrainOptions)}
    for name in ("vae", "iwae", "sparse", "topk", "undercomplete"):
        model = fitted(name, steps=1)
        with torch.no_grad():
            for p in model.bottleneck.parameters():
                p.zero_()
        (sentence,) = examine(model, x)[1].values()
        flags = {flag.replace("-", "_") for flag in re.findall(r"--([a-z][a-z-]+)", sentence)}
        assert flags, sentence
        assert flags <= training | set(zoo.options_of(name)), sentence
    encoder, decoder = MLPEncoder(SHAPE, (8,)), MLPDecoder(3, SHAPE, (8,))
    by_hand = Autoencoder(encoder, bottlenecks.Gaussian(8, 3, beta=1.0), decoder, likelihoods.SquaredError())
    with torch.no_grad():
        by_hand.bottleneck.to_posterior.weight.zero_()
    assert "--beta" in examine(by_hand, x)[1]["inactive-units"]


def test_all_options_named_anywhere_exist():
    training = {field.name for field in fields(TrainOptions)}
    text = "".join(path.read_text() for path in _sources())
    flags = {flag.replace("-", "_") for flag in re.findall(r"[\" ]--([a-z][a-z-]+)", text)}
    assert flags
    assert flags <= training | set(zoo.HELP)


def _sources():
    return [Path(health.__file__), *Path(bottlenecks.__file__).parent.glob("*.py")]


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_few_images_are_no_trouble(n, fitted, x):
    values, _ = examine(fitted("vae", steps=1), x[:n])
    assert bool(values) == (n > 1)
    json.dumps(values, allow_nan=False)


# --- when it is said --------------------------------------------------------------------------------------------------


def said(*epochs, over=False):
    """What is said after each of these epochs, whose warnings are given as letters."""
    lines = [{"warnings": {key: key.upper() for key in warned}} for warned in epochs]
    return ["".join(news(lines[: i + 1], over and i + 1 == len(lines))) for i in range(len(lines))]


def test_each_warning_is_said_once_when_it_has_held_for_two_epochs_or_at_the_end():
    assert said("", "a", "", "a", "") == ["", "", "", "", ""]
    assert said("a", "a", "a", "a") == ["", "A", "", ""]
    assert said("a", "ab", "ab", "b", "a", "a") == ["", "A", "B", "", "", ""]
    assert said("", "a", over=True) == ["", "A"]
    assert said("a", over=True) == ["A"]
    assert said("a", "a", "a", over=True) == ["", "A", ""]
    assert news([{"epoch": 1}, {"epoch": 2}], True) == []


def test_in_a_training(train, tiny_model, tiny_pixels, caplog, monkeypatch):
    monkeypatch.setattr(health, "SETTLED", 10)
    caplog.set_level("INFO", "diabolo.training")
    run = train(tiny_model("vae", beta=300.0), tiny_pixels(), tiny_pixels(30, seed=1), epochs=6, lr=1e-2)
    assert caplog.text.count("warning: 4 of 4 units of the code are inactive") == 1
    for line in run.history:
        assert line["health"]["active_units"] == 0
        assert ("inactive-units" in line["warnings"]) == (line["step"] >= health.SETTLED)


def test_looking_changes_nothing(train, tiny_model, tiny_pixels, monkeypatch):
    """Weights, statistics and every loss are those of a training in which nobody looks; also in the middle of a resume."""
    x = tiny_pixels()
    options = {"epochs": 4, "ema": 0.9}
    with_it = train(tiny_model("vae", net="conv"), x, x[:30], **options)
    resumed = train(tiny_model("vae", net="conv"), x, x[:30], **(options | {"epochs": 2}))
    resumed = diabolo.resume(resumed.path, x, x[:30], epochs=4)
    monkeypatch.setattr(Loop, "_examine", lambda self, epoch: {"health": {}, "warnings": {}})
    without = train(tiny_model("vae", net="conv"), x, x[:30], **options)
    for run in (with_it, resumed):
        assert [line["train"] for line in run.history] == [line["train"] for line in without.history]
        assert [line["validation"] for line in run.history] == [line["validation"] for line in without.history]
        for name, t in without.model.state_dict().items():
            assert torch.equal(run.model.state_dict()[name], t), name
    assert [line["health"] for line in with_it.history] == [line["health"] for line in resumed.history]
    assert len({json.dumps(line["health"]) for line in with_it.history}) == 4


def test_modes_and_generators_are_as_before(fitted, x):
    model = fitted("vae", steps=1).train()
    model.decoder.eval()
    state = torch.get_rng_state()
    examine(model, x)
    assert torch.equal(torch.get_rng_state(), state)
    assert (model.training, model.encoder.training, model.decoder.training) == (True, True, False)
    assert all(p.grad is not None for p in model.encoder.parameters()), "the gradients of the last step are still there"


def test_info_tells_of_it(train, tiny_model, tiny_pixels, capsys, monkeypatch):
    from diabolo.cli.main import main

    monkeypatch.setattr(health, "SETTLED", 10)
    run = train(tiny_model("vae", beta=300.0), tiny_pixels(), epochs=3, lr=1e-2)
    main(["info", str(run.path)])
    out = capsys.readouterr().out
    assert "health: active units 0, " in out
    assert "warning: 4 of 4 units of the code are inactive" in out
