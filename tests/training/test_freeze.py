"""What is frozen stays, bit for bit; what another run learnt is taken over where it fits."""

import json

import numpy as np
import pytest
import torch

import diabolo
from diabolo import zoo
from diabolo.data.arrays import as_images
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.runs import checkpoint, files
from diabolo.runs.folder import RunFolder
from diabolo.training.transfer import take_over
from diabolo.updates.freezing import Frozen, matching


def state(model):
    return {name: t.clone() for name, t in model.state_dict().items()}


def moved(before, model):
    return {name for name, t in model.state_dict().items() if not torch.equal(t, before[name])}


@pytest.mark.parametrize(
    "options", [{}, {"precision": "bf16"}, {"ema": 0.9, "optimizer": "adamw", "weight_decay": 0.1}]
)
@pytest.mark.parametrize("net", ["mlp", "conv"])
def test_frozen_weights_and_statistics_stay_and_all_others_move(net, options, train, tiny_model, tiny_pixels):
    model = tiny_model("vae", net=net)
    train(model, tiny_pixels(), epochs=1)  # so that statistics are not those of a new model
    before = state(model)
    run = train(model, tiny_pixels(), freeze=("encoder.*",), **options)
    assert moved(before, run.model) == {name for name in before if not name.startswith("encoder.")}
    assert all(p.requires_grad for p in run.model.parameters())
    loaded = diabolo.load(run.path)
    assert not moved(state(run.model), loaded)


def test_the_trained_part_learns_as_if_the_frozen_one_were_a_constant(train, tiny_model, tiny_pixels):
    """Against a loop by hand in which the decoder alone sees the codes of the frozen encoder."""
    x = tiny_pixels(64)
    model = tiny_model(net="conv")
    train(model, x, epochs=1)
    hand = tiny_model(net="conv")
    hand.load_state_dict(model.state_dict())
    steep = {
        "optimizer": "sgd",
        "lr": 1.0,
    }  # Adam's first step is a sign, which rounding decides where a gradient is near 0
    run = train(model, x, epochs=1, batch_size=64, freeze=("encoder", "bottleneck"), **steep)
    images = torch.from_numpy(x).float() / 255
    codes = hand.encode(images)
    optimizer = torch.optim.SGD(hand.decoder.parameters(), lr=1.0)
    hand.train()
    hand.likelihood.loss(hand.decoder(codes), images).mean().backward()
    optimizer.step()
    for name, p in hand.state_dict().items():
        torch.testing.assert_close(run.model.state_dict()[name], p, rtol=1e-3, atol=1e-5, msg=name)


def test_resume_keeps_them_frozen_bit_for_bit(train, tiny_model, tiny_pixels, left):
    options = {"freeze": ["encoder.layers.0*", "*.bias"]}
    whole = train(tiny_model("vae", net="conv"), tiny_pixels(), epochs=3, **options)
    run = train(tiny_model("vae", net="conv"), tiny_pixels(), epochs=1, **options)
    assert json.loads((run.path / "config.json").read_text())["options"]["freeze"] == options["freeze"]
    run = diabolo.resume(run.path, tiny_pixels(), epochs=3)
    assert left(run.path) == left(whole.path)


def test_a_pattern_names_parts_or_weights(tiny_model):
    model = tiny_model(net="conv")
    names = set(model.state_dict())
    assert matching(model, None) == set()
    assert (
        matching(model, ("encoder",))
        == matching(model, ("encoder.*",))
        == {n for n in names if n.startswith("encoder")}
    )
    assert matching(model, ("*.running_mean",)) == {n for n in names if n.endswith("running_mean")}
    assert matching(model, ("bottleneck.to_code.bias", "bottleneck.to_code")) == {
        "bottleneck.to_code.bias",
        "bottleneck.to_code.weight",
    }


def test_statistics_alone_can_be_frozen(train, tiny_model, tiny_pixels):
    model = tiny_model(net="conv")
    before = state(model)
    train(model, tiny_pixels(), freeze=("encoder*running_*", "encoder*num_batches*"))
    kept = {name for name in before if name.startswith("encoder") and ("running" in name or "num_" in name)}
    assert kept
    assert moved(before, model) == set(before) - kept


def test_dropout_inside_a_frozen_part_is_off(tiny_model):
    model = tiny_model()
    model.encoder.layers.append(torch.nn.Dropout())
    frozen = Frozen(model, ("encoder",))
    frozen.train()
    assert model.training
    assert not any(m.training for m in model.encoder.modules())
    assert model.decoder.training
    assert not any(p.requires_grad for p in model.encoder.parameters())
    frozen.release()
    assert all(p.requires_grad for p in model.parameters())


def test_what_the_user_froze_stays_frozen(train, tiny_model, tiny_pixels):
    model = tiny_model()
    model.encoder.requires_grad_(False)
    train(model, tiny_pixels(), freeze=("bottleneck",))
    assert not any(p.requires_grad for p in model.encoder.parameters())
    assert all(p.requires_grad for p in model.bottleneck.parameters())


@pytest.mark.parametrize(
    ("freeze", "error", "says"),
    [
        (("encodr.*",), UnknownNameError, "did you mean 'encoder'"),
        (("encoder", "head.*"), UnknownNameError, "unknown weights to freeze 'head"),
        (("*",), DiaboloError, "nothing to train"),
        (("encoder", "decoder", "bottleneck"), DiaboloError, "nothing to train"),
        ((1,), DiaboloError, "freeze must be text that is not empty, not 1"),
        (3, DiaboloError, "freeze must be names, not 3"),
    ],
)
def test_what_cannot_be_frozen_is_refused_before_a_folder_is_made(
    freeze, error, says, train, tiny_model, tiny_pixels, tmp_path
):
    with pytest.raises(error, match=says):
        train(tiny_model(), tiny_pixels(), freeze=freeze)
    assert not (tmp_path / "runs").exists()


# --- init: the weights of another run --------------------------------------------------------------------------------


def test_a_run_goes_on_from_the_weights_of_another(train, tiny_model, tiny_pixels, caplog):
    caplog.set_level("INFO", "diabolo.training")
    x = tiny_pixels()
    first = train(tiny_model(), x, epochs=3)
    after = train(tiny_model(seed=5), x, epochs=1, init=first.path, lr=1e-12)
    assert after.history[0]["train"]["total"] == pytest.approx(first.history[-1]["train"]["total"], rel=0.1)
    for name, t in first.model.state_dict().items():
        torch.testing.assert_close(after.model.state_dict()[name], t, atol=1e-6, rtol=0)
    assert f"8 of 8 tensors taken over from {first.path}" in caplog.text
    assert after.config.options["init"] == str(first.path)


def test_pretrain_then_train_another_model_on_frozen_features(train, tiny_model, tiny_pixels, caplog):
    """An encoder learnt by a plain autoencoder, kept, under the bottleneck of a VAE."""
    caplog.set_level("INFO", "diabolo.training")
    x = tiny_pixels()
    first = train(tiny_model(net="conv"), x)
    run = train(tiny_model("vae", net="conv", seed=3), x, init=str(first.path), freeze="encoder")
    for name, t in first.model.encoder.state_dict().items():
        assert torch.equal(run.model.encoder.state_dict()[name], t), name
    assert "not there, or of another shape: bottleneck.to_posterior" in caplog.text
    gone_on = diabolo.resume(run.path, x, epochs=4)  # the first run is not asked again
    assert torch.equal(gone_on.model.encoder.layers[0][0].weight, first.model.encoder.layers[0][0].weight)


def test_what_is_taken_over_is_taken_whole_and_nothing_else_is_touched(train, tiny_model, tiny_pixels):
    first = train(tiny_model("undercomplete", latent_dim=4), tiny_pixels())
    model = tiny_model("undercomplete", latent_dim=5, seed=2)
    before = state(model)
    said = take_over(model, first.path)
    assert said.startswith("5 of 8 tensors")
    there = first.model.state_dict()
    for name, t in model.state_dict().items():
        fits = name in there and there[name].shape == t.shape
        assert torch.equal(t, there[name] if fits else before[name]), name
    assert said.endswith("bottleneck.to_code, decoder.layers.0")


def test_what_does_not_fit_at_all_is_refused(train, tiny_model, tiny_pixels, tmp_path):
    first = train(tiny_model(hidden=(7,), latent_dim=3, shape=(1, 9, 9)), tiny_pixels(shape=(1, 9, 9)))
    with pytest.raises(DiaboloError, match=r"nothing of .* fits this model"):
        train(tiny_model(), tiny_pixels(), init=first.path, out=tmp_path / "other")
    with pytest.raises(DiaboloError, match="no folder"):
        train(tiny_model(), tiny_pixels(), init=tmp_path / "nowhere", out=tmp_path / "other")
    (first.path / "model.safetensors").unlink()
    (first.path / checkpoint.FILE).unlink()
    with pytest.raises(DiaboloError, match=r"no model\.safetensors"):
        train(tiny_model(), tiny_pixels(), init=first.path, out=tmp_path / "other")
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("ema", [None, 0.9])
def test_a_checkpoint_holds_the_weights_that_are_kept(ema, train, tiny_model, tiny_pixels):
    """Those that a new run takes over from one that has not finished."""
    run = train(tiny_model(), tiny_pixels(), ema=ema)
    kept, there = RunFolder(run.path).weights(), checkpoint.weights(run.path)
    assert kept.keys() == there.keys()
    assert all(torch.equal(kept[name], there[name]) for name in kept)


def test_weights_that_were_never_trained_are_not_taken_over(train, tiny_model, tiny_pixels, tmp_path):
    run = train(tiny_model(), tiny_pixels())
    (run.path / "model.safetensors").unlink()
    tensors, about = files.read_tensors(run.path / checkpoint.FILE)
    files.write_tensors(run.path / checkpoint.FILE, tensors, about | {"epoch": 0})
    with pytest.raises(DiaboloError, match="no trained weights"):
        train(tiny_model(), tiny_pixels(), init=run.path, out=tmp_path / "other")
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("option", [{"freeze": ("mean",)}, {"init": "runs/0001"}])
def test_pca_has_nothing_to_freeze_or_to_take_over(option, train, tiny_model, tiny_pixels):
    with pytest.raises(DiaboloError, match="closed form"):
        train(tiny_model("pca"), tiny_pixels(), **option)


class Looks(diabolo.bottlenecks.Identity):
    """A bottleneck that sets its weights by what it sees before training, as k-means does."""

    def initialise(self, features, draws):
        with torch.no_grad():
            self.to_code.weight.fill_(float(features().mean()))


def test_a_look_at_the_images_moves_neither_what_is_frozen_nor_what_was_taken_over(train, tiny_model, tiny_pixels):
    x = tiny_pixels()
    first = train(tiny_model(), x)
    for options in ({"freeze": "bottleneck"}, {"init": first.path, "lr": 1e-12, "epochs": 1}):
        model = tiny_model(seed=4)
        model.bottleneck.__class__ = Looks
        model.bottleneck.arguments = {"in_features": 16, "latent_dim": 4}
        wanted = first.model if "init" in options else tiny_model(seed=4)
        fitted = _fit_without_a_folder(model, x, options)
        torch.testing.assert_close(
            fitted.bottleneck.to_code.weight, wanted.bottleneck.to_code.weight, atol=1e-6, rtol=0
        )


def _fit_without_a_folder(model, x, options):
    from diabolo.training.fit import _begin
    from diabolo.training.options import TrainOptions
    from diabolo.training.progress import Silence

    _begin(model, as_images(x), TrainOptions.of(**options), Silence())
    return model


def test_both_from_the_command_line(tmp_path, capsys, monkeypatch):
    from diabolo.cli.main import main

    monkeypatch.chdir(tmp_path)
    common = ["--n-train", "64", "--batch-size", "32", "--epochs", "1", "--hidden", "8", "--no-figures", "--quiet"]
    main(["train", "undercomplete", "--latent-dim", "3", *common])
    (tmp_path / "options.yaml").write_text("freeze: encoder\ninit: runs/0001-undercomplete-digits\n")
    main(["train", "vae", "--latent-dim", "3", *common, "--config", "options.yaml"])
    frozen = ["--freeze", "encoder.*", "--freeze", "bottleneck"]
    main(["train", "vae", "--latent-dim", "3", *common, "--init", "runs/0002-vae-digits", *frozen])
    runs = sorted((tmp_path / "runs").iterdir())
    first, second, third = (diabolo.load(path) for path in runs)
    for name, t in first.encoder.state_dict().items():
        assert torch.equal(second.encoder.state_dict()[name], t)
        assert torch.equal(third.encoder.state_dict()[name], t)
    assert torch.equal(second.bottleneck.to_posterior.weight, third.bottleneck.to_posterior.weight)
    assert not torch.equal(second.decoder.to_raw.weight, third.decoder.to_raw.weight)
    assert json.loads((runs[2] / "config.json").read_text())["options"]["freeze"] == ["encoder.*", "bottleneck"]
    with pytest.raises(SystemExit) as stop:
        main(["train", "vae", "--latent-dim", "3", *common, "--freeze", "encoder.layer.*"])
    assert stop.value.code == 2
    assert "did you mean 'encoder.layers" in capsys.readouterr().err


def test_the_codes_of_a_frozen_encoder_are_those_of_the_first_run(train, tiny_pixels):
    torch.manual_seed(0)
    x = tiny_pixels(40, (1, 16, 16))
    first = train(zoo.undercomplete((1, 16, 16), 4, net="conv", channels=(8, 8)), x)
    second = zoo.undercomplete((1, 16, 16), 4, net="conv", channels=(8, 8))
    run = train(second, x, init=first.path, freeze=("encoder", "bottleneck"))
    images = torch.from_numpy(x)
    assert torch.equal(run.model.encode(images), first.model.encode(images))
    assert not np.array_equal(run.model.reconstruct(images), first.model.reconstruct(images))
