"""Layer by layer: each stage moves its own layers alone and learns, and fine-tuning begins where it ended."""

import json

import pytest
import torch

import diabolo
from diabolo import zoo
from diabolo.autoencoder import Autoencoder
from diabolo.errors import DiaboloError
from diabolo.objectives.layerwise import Layerwise, levels, trained
from diabolo.randomness import Draws, generator
from diabolo.training import greedy as module

NETS = {
    "mlp": {"hidden": (24, 12)},
    "mlp with dropout": {"hidden": (24, 12), "dropout": 0.1},
    "conv": {"net": "conv", "channels": (8, 8, 8)},
    "no hidden layer": {"hidden": ()},
}
PARTS = {
    "mlp": [("encoder.layers.0", "decoder.to_raw"), ("encoder.layers.2", "decoder.layers.2"),
            ("bottleneck", "decoder.layers.0")],
    "mlp with dropout": [("encoder.layers.0", "decoder.to_raw"), ("encoder.layers.3", "decoder.layers.3"),
                         ("bottleneck", "decoder.layers.0")],
    "conv": [("encoder.layers.0", "decoder.layers.2"), ("encoder.layers.1", "decoder.layers.1"),
             ("encoder.layers.2", "decoder.layers.0"), ("bottleneck", "decoder.from_code")],
    "no hidden layer": [("bottleneck", "decoder.to_raw")],
}  # fmt: skip
OPTIONS = {"batch_size": 16, "precision": "float32", "device": "cpu", "quiet": True, "lr": 3e-3, "threads": 1}


def make(net, name="undercomplete", seed=0, **options):
    torch.manual_seed(seed)
    return zoo.build(name, (1, 8, 8), **({"latent_dim": 4} | NETS[net] | options))


@pytest.fixture
def greedy(tmp_path):
    return lambda *a, **o: diabolo.greedy(*a, **({"out": tmp_path / "runs"} | OPTIONS | o))


@pytest.mark.parametrize("net", NETS)
def test_each_stage_moves_its_own_layers_and_learns(net, greedy, tiny_pixels, monkeypatch):
    model, x = make(net), tiny_pixels(96)
    seen = [{name: t.clone() for name, t in model.state_dict().items()}]
    fit = module.fit

    def noting(*a, **o):
        run = fit(*a, **o)
        seen.append({name: t.clone() for name, t in model.state_dict().items()})
        return run

    monkeypatch.setattr(module, "fit", noting)
    runs = greedy(model, x, epochs_per_layer=8, epochs=2)
    assert len(runs) == len(PARTS[net]) + 1
    for before, after, own, run in zip(seen, seen[1:], PARTS[net], runs, strict=False):
        moved = {name for name in before if not torch.equal(before[name], after[name])}
        assert moved == {name for name in before if name.startswith(tuple(f"{part}." for part in own))}
        losses = [line["train"]["total"] for line in run.history]
        assert losses[-1] < losses[0]
        assert run.history[-1]["warnings"] == {}
    assert all(not torch.equal(seen[-2][name], seen[-1][name]) for name in seen[0] if name.endswith("weight"))
    assert all(p.requires_grad for p in model.parameters())


def test_the_loss_is_that_of_an_autoencoder_of_the_layer_alone(tiny_pixels):
    """By hand, in float64."""
    model = make("mlp", activation="relu").double()
    x = torch.from_numpy(tiny_pixels(20)).double() / 255
    first, second = model.encoder.layers[0], model.encoder.layers[2]
    h1 = first(x.flatten(1)).relu()
    h2 = second(h1).relu()
    raw = model.decoder.to_raw(h1).view_as(x)
    wanted = [
        model.likelihood.loss(raw, x).mean(),
        (model.decoder.layers[2](h2).relu() - h1).square().mean(),
    ]
    draws = Draws(generator(0, "test"))
    for level, value in enumerate(wanted, 1):
        loss = Layerwise(level)(model, x, None, draws, 0.0)
        torch.testing.assert_close(loss.total.double(), value, rtol=1e-5, atol=0)
        model.zero_grad()
        loss.total.backward()
        got = {name for name, p in model.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
        assert got == {name for name in trained(model, level) if not name.startswith("likelihood")}


def test_fine_tuning_ends_no_worse_than_it_began_and_the_folders_tell_the_story(greedy, tiny_pixels, tmp_path):
    x = tiny_pixels(96)
    model = make("mlp", "sparse")
    runs = greedy(model, x, x[:40], epochs_per_layer=6, epochs=6)
    assert [run.path.name for run in runs] == [
        "0001-sparse-array-layer-1", "0002-sparse-array-layer-2", "0003-sparse-array-layer-3", "0004-sparse-array",
    ]  # fmt: skip
    started = diabolo.load(runs[2].path)
    images = torch.from_numpy(x[:40])
    begun, ended = ((m.reconstruct(images) - images / 255).square().mean() for m in (started, runs[-1].model))
    assert ended < begun
    losses = [line["validation"]["total"] for line in runs[-1].history]
    assert losses[-1] < losses[0]
    assert [run.config.model["objective"] and run.config.model["objective"]["level"] for run in runs] == [
        1,
        2,
        3,
        None,
    ]
    assert runs[-1].config.options["epochs"] == 6
    again = diabolo.resume(runs[1].path, x, x[:40], epochs=8)  # a stage is a run like any other
    assert set(again.history[-1]["train"]) == {"total", "reconstruction"}
    assert torch.equal(again.model.encoder.layers[0].weight, runs[0].model.encoder.layers[0].weight) is False
    assert torch.equal(again.model.encoder.layers[0].weight, diabolo.load(runs[0].path).encoder.layers[0].weight)


def test_better_begun_than_from_scratch(greedy, tiny_pixels, train):
    x = tiny_pixels(96)
    pre = greedy(make("mlp"), x, epochs_per_layer=20, epochs=2)[-1]
    scratch = train(make("mlp"), x, epochs=2, lr=3e-3)
    assert pre.history[0]["train"]["total"] < scratch.history[0]["train"]["total"]


@pytest.mark.parametrize("name", ["vae", "denoising", "contractive"])
def test_other_bottlenecks_are_pre_trained_by_their_codes(name, greedy, tiny_pixels):
    runs = greedy(make("mlp", name), tiny_pixels(64), epochs_per_layer=1, epochs=1)
    assert set(runs[2].history[0]["train"]) == {"total", "reconstruction"}
    assert type(diabolo.load(runs[-1].path).objective).__name__ == "ELBO"


def test_what_cannot_be_trained_by_layers_is_refused_before_anything_is_made(greedy, tiny_pixels, tmp_path):
    x = tiny_pixels(64)
    for model, options, says in (
        (zoo.unet((1, 16, 16)), {}, "only the networks mlp and conv"),
        (make("mlp", condition="label", classes=3), {}, "under a condition"),
        (zoo.pca((1, 8, 8), 3), {}, "only an Autoencoder"),
        (make("mlp"), {"freeze": "encoder"}, "leave freeze and init out"),
        (make("mlp"), {"init": "runs/0001"}, "leave freeze and init out"),
        (make("mlp"), {"epochs_per_layer": 0}, "epochs_per_layer must be a whole number from 1 to 10,000,000"),
        (make("mlp"), {"epoch": 3}, "did you mean 'epochs'"),
    ):
        with pytest.raises(DiaboloError, match=says):
            greedy(model, x, **options)
    assert not (tmp_path / "runs").exists()
    with pytest.raises(DiaboloError, match="level must be a whole number of at least 1"):
        Layerwise(0)
    model = make("mlp")
    with pytest.raises(DiaboloError, match="3 layers to train one by one, not 4"):
        Autoencoder(**(model.arguments | {"objective": Layerwise(levels(model) + 1)}))


def test_ctrl_c_ends_all_stages(greedy, tiny_pixels, monkeypatch):
    from diabolo.training.loop import Loop

    monkeypatch.setattr(Loop, "_status", lambda self, state, interrupted: "interrupted")
    runs = greedy(make("mlp"), tiny_pixels(64), epochs_per_layer=2)
    assert [run.status for run in runs] == ["interrupted"]


@pytest.mark.parametrize("net", ["mlp", "conv"])
@pytest.mark.parametrize("stop", [(1, 1), (2, 0), (2, 2), (3, 1)])
def test_stopped_in_any_stage_the_same_line_goes_on(stop, net, greedy, tiny_pixels, monkeypatch, tmp_path):
    """Stopped in that epoch of that stage, or as that stage ends, before its weights are kept."""
    from diabolo.training import fit
    from diabolo.training.loop import Loop

    epoch, keep, seen = Loop._epoch, fit._keep, [1, 0]

    def counted(self, number, state):
        if seen == list(stop):
            raise KeyboardInterrupt
        seen[1] += 1
        return epoch(self, number, state)

    def kept(*args):
        if seen == list(stop):
            raise KeyboardInterrupt
        seen[:] = [seen[0] + 1, 0]
        return keep(*args)

    x, options = tiny_pixels(64), {"epochs_per_layer": 2, "epochs": 2}
    whole = greedy(make(net), x, out=tmp_path / "whole", **options)
    with monkeypatch.context() as patched:
        patched.setattr(Loop, "_epoch", counted)
        patched.setattr(fit, "_keep", kept)
        with pytest.raises(KeyboardInterrupt, match="the same line goes on"):
            greedy(make(net), x, **options)
    runs = greedy(make(net), x, **options)
    assert [run.path.name for run in runs] == [run.path.name for run in whole]
    assert len(list((tmp_path / "runs").iterdir())) == len(runs)
    state = whole[-1].model.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in runs[-1].model.state_dict().items())
    again = greedy(make(net), x, **options)  # that one has ended
    assert again[0].path.name.startswith(f"{len(runs) + 1:04d}")
    assert greedy(make(net, seed=1), x, **options)[0].path.name.startswith(f"{2 * len(runs) + 1:04d}")


def test_from_the_command_line(tmp_path, monkeypatch, capsys):
    from diabolo.cli.main import main

    monkeypatch.chdir(tmp_path)
    words = ["train", "undercomplete", "--hidden", "16", "--latent-dim", "3", "--n-train", "64", "--batch-size", "32"]
    main([*words, "--epochs", "2", "--greedy", "1", "--no-figures", "--quiet"])
    names = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert names == [f"000{i}-undercomplete-digits{end}" for i, end in ((1, "-layer-1"), (2, "-layer-2"), (3, ""))]
    config = json.loads((tmp_path / "runs" / names[2] / "config.json").read_text())
    assert config["options"]["epochs"] == 2
    for wrong, says in (
        (["--greedy", "0"], "greedy must be a whole number from 1"),
        (["--greedy", "1", "--freeze", "encoder"], "leave freeze"),
    ):
        for end in ([], ["--dry-run"]):
            with pytest.raises(SystemExit):
                main([*words, *wrong, *end])
            assert says in capsys.readouterr().err
