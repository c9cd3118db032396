"""How the variance is given, what corrupts the image, how maps are enlarged: the loop, and each sentence in each outcome."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from diabolo.data import Images
from diabolo.studies.celeba import heads, variants
from diabolo.studies.engine.findings import Measured

WAYS = list(heads.WAYS)
ERROR = {"unit": "squared error per pixel"}
NET = {"latent_dim": 2, "net": "mlp", "hidden": (8,)}


def noise(n=24):
    return Images(np.random.default_rng(0).integers(0, 256, (n, 1, 8, 8), dtype=np.uint8))


@pytest.mark.parametrize("way", WAYS)
def test_each_way_gives_the_log_variance_that_it_says(way):
    posterior = heads.Posterior(3, 2, heads.WAYS[way])
    nn.init.zeros_(posterior.to_posterior.weight)
    with torch.no_grad():
        posterior.to_posterior.bias[2:] = 0.5
    mu, logvar = posterior.posterior(torch.zeros(4, 3))
    wanted = {"log σ²": 0.5, "σ² by softplus": math.log(math.log(1 + math.exp(0.5)))}.get(way, math.log(0.5))
    assert mu.shape == logvar.shape == (4, 2)
    assert logvar.flatten().tolist() == pytest.approx(8 * [wanted])


def test_one_way_begins_at_the_variance_of_the_prior():
    mu, logvar = heads.Posterior(3, 2, heads.WAYS[WAYS[3]]).posterior(torch.randn(4, 3))
    assert logvar.tolist() == 4 * [[0.0, 0.0]]
    assert mu.std() > 0


def test_training_ends_where_the_loss_is_not_finite():
    run = {way: heads.first_steps(way, noise(), 0, 8, 12, 1e-3, **NET) for way in WAYS}
    assert len(run["log σ²"]) == len(run["σ² by softplus"]) == 8
    assert len(run["σ² as it is"]) == 0  # an initial head gives negative numbers too
    assert all(map(math.isfinite, run["log σ²"]))
    assert run["log σ²"] == heads.first_steps("log σ²", noise(), 0, 8, 12, 1e-3, **NET)
    assert run["log σ²"] != heads.first_steps("log σ²", noise(), 1, 8, 12, 1e-3, **NET)


def test_a_layer_cut_in_two_is_two_layers():
    layer, x = nn.Linear(5, 6), torch.randn(3, 5)
    mu, logvar = heads.split(layer)
    assert sum(p.numel() for head in (mu, logvar) for p in head.parameters()) == sum(
        p.numel() for p in layer.parameters()
    )
    torch.testing.assert_close(torch.cat([mu(x), logvar(x)], 1), layer(x))


def numbers(failed, losses):
    found = {f"failures, {way}": Measured(n) for way, n in zip(WAYS, failed, strict=True)}
    found |= {f"steps, {way}": Measured(7.0) for way, n in zip(WAYS, failed, strict=True) if n}
    return found | {f"loss, {way}": Measured(value, 1.0) for way, value in losses.items()}


def test_why_the_logarithm():
    said = variants.heads(numbers((0, 0, 5, 2), {"log σ²": 200, "σ² by softplus": 220}), WAYS, 5, 150)
    assert "0 (log σ²), 0 (σ² by softplus), 5 (σ² as it is) and 2 (σ² as it is, from 1)" in said
    assert "here after 7 steps (σ² as it is) and after 7 steps (σ² as it is, from 1) on average" in said
    at_once = numbers((0, 0, 5, 0), {}) | {"steps, σ² as it is": Measured(0.0)}
    assert "here at the first step (σ² as it is) on average" in variants.heads(
        at_once | numbers((0, 0, 5, 0), {"log σ²": 1, "σ² by softplus": 1}) | at_once, WAYS, 5, 150
    )
    assert "its loss after these steps is higher (220 against 200)" in said
    assert "log σ² is the better choice here" in said
    assert "it needs only a wide clamp against overflow, here from −20 to 10." in said
    assert "and not the better choice here" in variants.heads(
        numbers((0, 0, 5, 5), {"log σ²": 220, "σ² by softplus": 200}), WAYS, 5, 150
    )
    assert "the losses after these steps do" in (
        variants.heads(numbers((0, 0, 5, 5), {"log σ²": 200, "σ² by softplus": 200.1}), WAYS, 5, 150)
    )
    said = variants.heads(numbers((1, 2, 0, 0), {}), WAYS, 5, 150)
    assert "A variance must be above 0" not in said
    assert "Softplus keeps" not in said
    assert "any real number is a variance" not in said
    once = numbers((0, 0, 5, 5), {"log σ²": 200, "σ² by softplus": 220}) | {"steps, σ² as it is": Measured(1.0)}
    assert "after 1 step (σ² as it is)" in variants.heads(once, WAYS, 5, 150)


def corrupted(**errors):
    return {name: Measured(value, 1e-5, **ERROR) for name, value in errors.items()}


def test_corruptions():
    models, inputs = ("Gaussian noise", "dropout"), ("Gaussian noise", "dropout", "clean images")
    own = {f"{model}, on {on}": 0.01 if on == model else 0.02 for model in models for on in inputs}
    said = variants.corruptions(corrupted(**own), "noise of σ = 0.2", "dropout of 20 %")
    assert "On noise of σ = 0.2 the model trained on Gaussian noise has the lower error (0.01 against 0.02)" in said
    assert "On dropout of 20 % the model trained on dropout has the lower error (0.01 against 0.02)" in said
    assert "On clean images the errors differ" in said or "On clean images the errors do not differ" in said
    assert "Each model removes best what it was trained on" in said
    other = own | {"dropout, on Gaussian noise": 0.005}
    assert "is not always what it removes best" in variants.corruptions(corrupted(**other), "noise", "dropout")


@pytest.mark.parametrize(
    ("grids", "said"),
    [
        ((1.3, 0.4), "A checkerboard shows in transposed, of period 2 or 4 pixels: 1.30 (transposed) and 0.40"),
        ((1.3, 1.3), "A checkerboard shows in transposed and upsampling"),
        ((0.5, 0.4), "No checkerboard shows"),
        ((0.4, 0.6), "Enlarged, a faint checkerboard shows in flat areas of upsampling"),
    ],
)
@pytest.mark.parametrize(
    ("errors", "first"),
    [
        ((0.02, 0.01), "Upsampling followed by"),
        ((0.01, 0.02), "Transposed convolutions have the lower"),
        ((0.01, 0.01), "The errors"),
    ],
)
def test_enlarging(grids, said, errors, first):
    kinds = ("transposed", "upsampling")
    found = {f"grid, {kind}": Measured(g) for kind, g in zip(kinds, grids, strict=True)}
    found |= {f"MSE, {kind}": Measured(e, 1e-5, **ERROR) for kind, e in zip(kinds, errors, strict=True)}
    found |= {"grid, none": Measured(0.5)}
    text = variants.enlarging(found | {f"parameters, {kind}": Measured(1234) for kind in kinds})
    assert text.startswith(first)
    assert said in text
    assert "1,234 and 1,234 parameters" in text
