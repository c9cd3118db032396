"""The compiled step does what the eager one does: for parts of every kind, every option of the update, and across a resume."""

import subprocess
from shutil import which

import pytest
import torch

import quick
from diabolo import distributed, nets, zoo
from diabolo.errors import DiaboloError
from diabolo.parts import part
from diabolo.randomness import Draws, Given, Rehearsal, generator
from diabolo.training.fit import resume


def compiler_works():
    compiler = which("g++") or which("clang++")
    return compiler is not None and subprocess.run([compiler, "--version"], capture_output=True).returncode == 0


needs_compiler = pytest.mark.skipif(not compiler_works(), reason="no working C++ compiler")

MODELS = {
    "noise, dropout, a schedule": lambda: zoo.vae((1, 8, 8), 3, hidden=(16,), dropout=0.2, beta="linear(0, 1, 0.5)"),
    "batch norm, channels last": lambda: zoo.undercomplete((1, 8, 8), 3, net="conv", corruption="masking"),
    "a codebook of averages, restarted": lambda: zoo.vqvae((1, 8, 8), 4, codes=16, width=8, restart=0.5),
    "a gradient within": lambda: zoo.contractive((1, 8, 8), 3, hidden=(16,)),
}


def both(train, make, images, **options):
    """The runs of the same model, eager and compiled."""
    runs = []
    for compiled in (False, True):
        torch.manual_seed(0)
        runs.append(train(make(), images, images, compile=compiled, **options))
    return runs


@needs_compiler
@pytest.mark.parametrize("kind", quick.only(MODELS, "a gradient within", "batch norm, channels last"))
def test_compiled_it_is_the_same_training(kind, train, tiny_pixels, weights):
    images = tiny_pixels(40)  # two full batches, and one of eight that is not compiled
    eager, compiled = both(train, MODELS[kind], images, epochs=3, lr=1e-2)
    torch.testing.assert_close(
        weights(compiled.model), weights(eager.model), rtol=0, atol=2e-3
    )  # Adam makes much of gradients near 0; a lost update is 1e-2
    for ours, theirs in zip(compiled.history, eager.history, strict=True):
        for split in ("train", "validation"):
            assert ours[split] == pytest.approx(theirs[split], rel=1e-3, abs=1e-5)
    assert eager.history[-1]["train"]["total"] != eager.history[0]["train"]["total"]


OWN = {  # what a recipe needs to be small, where that is not `hidden`
    "vqvae": {"codes": 16, "width": 8, "residual_width": 4},
    "fsq": {"width": 8, "residual_width": 4},
    "unet": {"channels": (8, 8)},
    "denoising_conv": {"channels": (8, 8)},
    "linear": {},
    "factorvae": {"hidden": (16,), "critic_width": 8, "critic_layers": 2},
}


@pytest.mark.slow
@needs_compiler
@pytest.mark.parametrize("name", [name for name in zoo.RECIPES if name != "pca"])
def test_every_recipe_is_the_same_training_compiled(name, train, digits):
    images = digits[0].take(range(64))
    own = OWN.get(name, {"hidden": (16,)})
    eager, compiled = both(train, lambda: zoo.build_for(name, images, 0, **own), images, epochs=3)
    assert compiled.config.resolved["compile"] is True
    for ours, theirs in zip(compiled.history, eager.history, strict=True):
        for split in ("train", "validation"):
            assert ours[split] == pytest.approx(theirs[split], rel=2e-3, abs=1e-4)


@needs_compiler
@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "adamw", "weight_decay": 0.3, "ema": 0.8},
        pytest.param({"weight_decay": 0.1, "clip_norm": 0.01, "schedule": "one-cycle"}, marks=pytest.mark.slow),
        pytest.param({"freeze": "encoder"}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_every_option_of_the_update_is_heeded(options, train, tiny_pixels, weights, tiny_model):
    torch.manual_seed(0)
    plain = train(tiny_model("vae"), tiny_pixels(32), lr=1e-2)
    eager, compiled = both(train, lambda: tiny_model("vae"), tiny_pixels(32), lr=1e-2, **options)
    torch.testing.assert_close(weights(compiled.model), weights(eager.model), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(weights(eager.model), weights(plain.model), rtol=1e-4, atol=1e-5)  # and it matters


@needs_compiler
def test_in_half_precision_the_layers_see_the_updated_weights(train, tiny_pixels, tiny_model):
    eager, compiled = both(train, lambda: tiny_model("vae"), tiny_pixels(32), lr=3e-2, epochs=4, precision="bf16")
    losses = [[line["train"]["total"] for line in run.history] for run in (eager, compiled)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-2)
    assert losses[1][-1] < 0.95 * losses[1][0]


@needs_compiler
def test_resumed_it_ends_with_the_same_bits(train, tiny_pixels, tiny_model, left, tmp_path):
    images = tiny_pixels(40)
    torch.manual_seed(0)
    whole = train(tiny_model("vae"), images, compile=True, epochs=4, schedule="constant", out=tmp_path / "whole")
    torch.manual_seed(0)
    half = train(tiny_model("vae"), images, compile=True, epochs=2, schedule="constant", out=tmp_path / "half")
    resume(half.path, images, epochs=4)
    assert left(half.path) == left(whole.path)


def test_numbers_drawn_beforehand_are_those_drawn_on_the_way():
    x = torch.zeros(3, 2)

    def draw(draws):
        return [draws.normal(x), draws.uniform(x), draws.numbers(torch.rand, (2, 5), x.device, x.dtype)]

    rehearsal = Rehearsal(generator(1, "any"), (1, 6))
    expected = draw(rehearsal)
    assert [ask[1] for ask in rehearsal.asked] == [(6, 2), (6, 2), (2, 5)]  # those of the whole joint batch
    again = Draws(generator(1, "any"), (1, 6))
    found = draw(Given(None, (1, 6), iter([again.numbers(*ask) for ask in rehearsal.asked])))
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def test_where_nothing_can_be_compiled_that_is_said_in_a_sentence(train, tiny_model, tiny_pixels, monkeypatch):
    import torch._inductor
    from torch._inductor.exc import InvalidCxxCompiler

    def broken(*args, **kwargs):
        raise InvalidCxxCompiler

    monkeypatch.setattr(torch._inductor, "compile", broken)
    with pytest.raises(DiaboloError, match=r"--compile does not work here: .*train without it"):
        train(tiny_model(), tiny_pixels(), compile=True)


@part
class Wary(torch.nn.Module):
    """An encoder that looks at its numbers on the host, which no graph can hold."""

    input_shape, features = (1, 8, 8), 64

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, x):
        assert float(x.detach().sum()) >= 0
        return x.flatten(1) * self.weight


def test_a_part_that_cannot_be_traced_is_said_in_a_sentence(train, tiny_pixels):
    _, decoder = nets.build("mlp", (1, 8, 8), 3)
    model = zoo.undercomplete((1, 8, 8), 3, net=(Wary(), decoder))
    with pytest.raises(DiaboloError, match="--compile does not work here"):
        train(model, tiny_pixels(), compile=True)


def test_a_loss_scale_is_refused_before_training(train, tiny_model, tiny_pixels, tmp_path):
    with pytest.raises(DiaboloError, match="--compile cannot adapt the loss scale of float16"):
        train(tiny_model(), tiny_pixels(), compile=True, precision="float16")
    assert not (tmp_path / "runs").exists()


def test_several_processes_are_refused_before_training(train, tiny_model, tiny_pixels, tmp_path, monkeypatch):
    monkeypatch.setattr(distributed, "world", lambda: 2)
    with pytest.raises(DiaboloError, match="--compile is for one process"):
        train(tiny_model(), tiny_pixels(64), compile=True)
    assert not (tmp_path / "runs").exists()
