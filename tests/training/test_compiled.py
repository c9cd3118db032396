"""The step as one compiled function: the same training as step by step, in every precision and through a resume."""

import copy
import shutil
import subprocess

import pytest
import torch

import diabolo
from diabolo.randomness import Draws
from diabolo.training.compiled import can_be_whole
from diabolo.training.hardware import choose_precision
from diabolo.training.options import TrainOptions
from diabolo.training.step import Step


def compiler_works():
    compiler = shutil.which("g++") or shutil.which("clang++")
    return compiler is not None and subprocess.run([compiler, "--version"], capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(not compiler_works(), reason="no working C++ compiler")
CPU = torch.device("cpu")


def step_of(model, **options):
    return Step(model, TrainOptions(**options), choose_precision(options.get("precision", "float32"), CPU))


@pytest.mark.parametrize(
    ("name", "net", "options"),
    [
        ("undercomplete", "mlp", {}),
        ("undercomplete", "conv", {"optimizer": "adamw", "weight_decay": 0.1}),
        ("sparse", "mlp", {"weight_decay": 0.01, "ema": 0.9, "schedule": "one-cycle"}),
    ],
)
def test_the_whole_step_is_the_eager_one(name, net, options, train, tiny_model, tiny_pixels, weights):
    """50 images in batches of 16: the last, smaller batch is an eager step between compiled ones."""
    model, pixels = tiny_model(name, net=net), tiny_pixels(50)
    twin = copy.deepcopy(model)
    assert can_be_whole(step_of(copy.deepcopy(model), compile=True, **options))
    whole, eager = (
        train(m, pixels, epochs=3, lr=1e-2, compile=choice, **options) for m, choice in ((model, True), (twin, False))
    )
    ours, theirs = ([line["train"]["total"] for line in run.history] for run in (whole, eager))
    assert ours == pytest.approx(theirs, rel=1e-4)
    torch.testing.assert_close(weights(whole.model), weights(eager.model), rtol=1e-3, atol=1e-5)


def test_in_half_precision_the_copies_follow_the_weights(tiny_model, tiny_pixels):
    model, x = tiny_model("undercomplete", net="conv"), torch.from_numpy(tiny_pixels(16)).float() / 255
    step = step_of(model, compile=True, batch_size=16, precision="bf16", lr=1e-2)
    before = step.weights.flat.detach().clone()
    losses = [step(x, Draws(), 0.0).total.item() for _ in range(20)]
    assert losses[-1] < losses[0]
    assert not torch.equal(before, step.weights.flat)
    for seen, master in zip(step.weights.parameters, step.weights.masters, strict=True):
        assert torch.equal(seen.detach(), master.to(seen.dtype))


def test_a_compiled_training_goes_on_with_the_same_bits(train, tiny_model, tiny_pixels, left):
    pixels = tiny_pixels(48)
    model = tiny_model("vae")
    twin = copy.deepcopy(model)
    straight = train(model, pixels, epochs=4, compile=True)
    first = train(twin, pixels, epochs=2, compile=True)
    again = diabolo.resume(first.path, pixels, epochs=4)
    assert left(again.path) == left(straight.path)


@pytest.mark.parametrize("options", [{"clip_norm": 1.0}, {"precision": "float16"}])
def test_what_cannot_be_one_function_has_its_loss_compiled(options, tiny_model):
    step = step_of(tiny_model(), compile=True, **options)
    assert not step.whole
    assert step.loss is not step.model.loss
