"""`diabolo train`: every recipe, every option, what a dry run says, what is validated with, what lies in the folder."""

import dataclasses
import json
import re
from pathlib import Path
from types import UnionType
from typing import Union, get_args, get_origin

import numpy as np
import pytest
import torch
import yaml

from diabolo import zoo
from diabolo.cli.train import OF_ANY
from diabolo.data.options import DataOptions
from diabolo.runs.config import Config
from diabolo.runs.folder import RunFolder
from diabolo.runs.loading import load
from diabolo.training.options import TrainOptions

FEW = ["--n-train", "150", "--n-test", "40", "--batch-size", "50"]
SMALL = [*FEW, "--epochs", "2"]
TOLD = {"unet": "no bottleneck"} | dict.fromkeys(("vqvae", "fsq"), "no picture of samples")  # before a prior is fitted
NARROW = {"mlp": ["--hidden", "16"], "vq-conv": ["--width", "8", "--residual-width", "4"]}

TRAINING = {
    "init": "some/run", "freeze": ["encoder", "*.bias"],
    "epochs": 3, "batch_size": 10, "labelled_per_batch": 4,
    "lr": 0.5, "schedule": "cosine", "optimizer": "adamw", "weight_decay": 0.25,
    "clip_norm": 2.0, "ema": 0.5, "early_stopping": 4, "min_delta": 0.125, "keep": "best", "precision": "float32",
    "device": "cpu", "threads": 1, "store": "host", "compile": True, "graph": False, "seed": 7, "out": "elsewhere",
    "name": "mine", "checkpoint_every": 2, "log_every": 5, "sample_every": 3, "health": False, "tensorboard": True,
    "quiet": True,
}  # fmt: skip
DATA = {
    "root": "there", "size": 12, "crop": 30, "image_channels": 1, "split": "random", "test_fraction": 0.25,
    "n_train": 11, "n_test": 5, "data_seed": 6, "n_labels": 10, "label_seed": 7, "skip_bad": True,
    "drop_leaks": True, "without_class": "8", "range": [0.0, 40.0], "identity": True, "axes": "NHW", "missing": "mask",
    "label_column": "kind", "without_column": ["a", "b"], "columns_types": "auto", "header": "no", "key": "x",
    "cache": "encoded", "labels": "labels.csv",
}  # fmt: skip


def dry(answer):
    """The config and the summary of a dry run."""
    assert answer.code == 0, answer
    config, end = json.JSONDecoder().raw_decode(answer.out)
    return config, answer.out[end:]


def as_flags(options):
    flags = []
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        if name == "range":
            flags += [flag, *map(str, value)]
            continue
        each = value if isinstance(value, list) else [value]
        flags += [word for v in each for word in (flag, str(v))]
        if isinstance(value, bool):
            flags[-2:] = [flag if value else f"--no-{flag[2:]}"]
    return flags


def given(options, way):
    """The options as flags, or as a YAML file."""
    if way == "flags":
        return as_flags(options)
    Path("options.yaml").write_text(yaml.safe_dump(options))
    return ["--config", "options.yaml"]


@pytest.mark.parametrize("name", zoo.RECIPES)
def test_every_recipe_trains_and_draws(name, diabolo):
    code = ["--latent-dim", "3"] if "latent_dim" in zoo.options_of(name) else []
    code += ["--codes", "8"] if "codes" in zoo.options_of(name) else []
    net = zoo.options_of(name).get("net", (None, None))[1]
    answer = diabolo("train", name, *code, *SMALL, *NARROW.get(net, []))
    assert answer.code == 0, answer.err
    assert (TOLD[name] in answer.err) if name in TOLD else answer.err == ""
    path = Path(f"runs/0001-{name}-digits")
    assert str(path) in answer.out
    model = load(path)
    drawn = set() if name == "classifier" else {"samples", "reconstructions"}  # its decoder learns nothing
    drawn -= {"samples"} if model.name in ("vqvae", "fsq") else set()
    drawn |= set() if name == "pca" else {"curves", "health"}
    drawn |= set() if 0 in model.latent_shape else {"latent"}
    assert {p.name for p in (path / "figures").iterdir()} == {f"{what}.png" for what in drawn}
    y = torch.zeros(2, dtype=torch.int64) if model.needs_column == "labels" else None
    assert model.encode(np.zeros((2, 1, 8, 8), np.uint8), y).shape == (2, *model.latent_shape)
    assert model.latent_shape[:1] == (3,) or not code or name == "unet"  # whose skips are part of it
    assert len(RunFolder(path).history) == (1 if name == "pca" else 2)


@pytest.mark.parametrize("name", [name for name in zoo.RECIPES if name != "pca"])
def test_every_recipe_takes_conv_nets_and_likelihoods(name, diabolo):
    words = [
        "--net",
        "conv",
        "--channels",
        "4",
        "8",
        "--norm",
        "group",
        "--activation",
        "gelu",
        "--likelihood",
        "laplace",
        "--data",
        "patches",
        "--size",
        "16",
    ]
    code = ["--latent-dim", "3"] if "latent_dim" in zoo.options_of(name) else []
    code += ["--codes", "8"] if "codes" in zoo.options_of(name) else []
    answer = diabolo("train", name, *words, *code, *FEW, "--epochs", "1", "--no-figures", "--quiet")
    assert answer.code == 0, answer
    config = Config.read(Path(f"runs/0001-{name}-patches")).as_dict()
    assert [layer[0] for layer in config["model"]["decoder"]["layers"]] == [4, 8]
    assert config["model"]["likelihood"]["part"] == "likelihoods.Laplace"


def test_figures_can_be_left_out(diabolo):
    assert diabolo("train", "pca", *SMALL, "--no-figures").code == 0
    assert list(Path("runs/0001-pca-digits/figures").iterdir()) == []


def test_quiet_prints_nothing(diabolo):
    answer = diabolo("train", "vae", "--hidden", "8", *SMALL, "--quiet")
    assert (answer.code, answer.out, answer.err) == (0, "", "")


def test_a_dry_run_says_all_and_writes_nothing(diabolo):
    config, summary = dry(diabolo("train", "vae", "--latent-dim", "3", "--hidden", "16", *SMALL, "--dry-run"))
    assert list(Path().iterdir()) == []
    assert config["options"]["epochs"] == 2
    assert config["data"]["train"]["images"] == 150
    assert config["resolved"]["device"] in ("cpu", "cuda:0")
    assert config["resolved"]["threads"] >= 1
    assert config["resolved"]["precision"] in ("float32", "bf16")
    assert "parameters: 2,294 (" in summary  # 64·16 + 16, 16·6 + 6, 3·16 + 16, 16·64 + 64


@pytest.mark.parametrize(
    "words", [["--batch-size", "0"], ["--keep", "best", "--validation", "none"], ["--device", "tpu"]]
)
def test_a_dry_run_refuses_what_a_training_would(words, refused):
    assert refused(2, "train", "vae", "--hidden", "8", "--n-train", "150", "--dry-run", *words)


def test_only_the_first_of_several_processes_draws_and_speaks(diabolo, monkeypatch):
    for name, value in {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "localhost", "MASTER_PORT": "29500"}.items():
        monkeypatch.setenv(name, value)
    assert diabolo("train", "vae", "--hidden", "8", *SMALL, "--dry-run").out == ""


def test_a_dry_run_tells_what_the_run_will_hold(diabolo):
    words = ["train", "vae", "--latent-dim", "3", "--hidden", "16", *SMALL]
    config, _ = dry(diabolo(*words, "--dry-run"))
    assert diabolo(*words, "--no-figures").code == 0
    assert Config.read(Path("runs/0001-vae-digits")).as_dict() == config


@pytest.mark.parametrize("way", ["flags", "yaml"])
def test_every_training_option_can_be_reached(way, diabolo, runs):
    fields = {field.name: field.default for field in dataclasses.fields(TrainOptions)}
    assert TRAINING.keys() == fields.keys()
    assert not [name for name, value in TRAINING.items() if value == fields[name]], "these would prove nothing"
    wanted = TRAINING | {"init": str(runs["vae"])}
    config, _ = dry(diabolo("train", "joint", "--hidden", "8", "--dry-run", *given(wanted, way)))
    assert config["options"] == wanted


@pytest.mark.parametrize(
    ("words", "text", "wanted"),
    [
        ([], "", "auto"),
        (["--compile"], "compile: true", True),
        (["--no-compile"], "compile: false", False),
        (["--compile", "auto"], "compile: auto", "auto"),
        (["--compile=auto"], "compile: 'auto'", "auto"),
    ],
)
def test_compile_is_a_switch_or_auto(words, text, wanted, diabolo):
    Path("options.yaml").write_text(text)
    line = ["train", "vae", "--hidden", "8", *SMALL, "--dry-run"]
    for more in (words, ["--config", "options.yaml"], [*words, "--config", "options.yaml"]):
        config, _ = dry(diabolo(*line, *more))
        assert config["options"]["compile"] == wanted
        assert config["resolved"]["compile"] is (wanted is True)


def test_another_word_for_compile_is_refused(refused):
    assert "auto" in refused(2, "train", "vae", "--compile=always")


@pytest.mark.parametrize("way", ["flags", "yaml"])
@pytest.mark.parametrize("verb", ["train vae", "data prepare"])
def test_every_data_option_can_be_reached(way, verb, diabolo, monkeypatch):
    fields = {field.name: field.default for field in dataclasses.fields(DataOptions)}
    assert DATA.keys() == fields.keys()
    assert not [name for name, value in DATA.items() if value == fields[name]], "these would prove nothing"
    seen = {}

    def note(name, **options):
        seen.update(options, name=name)
        raise OSError("enough")

    monkeypatch.setattr("diabolo.data.loading.load_parts", note)
    words = [*verb.split(), "some/folder"] if verb == "data prepare" else [*verb.split(), "--data", "some/folder"]
    assert diabolo(*words, *given(DATA, way)).err == "diabolo: enough\n"
    assert seen == DATA | {
        "name": "some/folder",
        "root": Path("there"),
        "labels": Path("labels.csv"),
        "range": (0.0, 40.0),
        "without_column": ("a", "b"),
    }


def some_value(kind):
    """A value that an option of this type may have: the widest of its alternatives."""
    kinds = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    if several := [get_args(k)[0] for k in kinds if get_origin(k) is tuple]:
        return [str(n) if several[0] is str else n for n in (8, 4)]
    return next(value for k, value in ((str, "word"), (bool, True), (float, 0.25), (int, 3)) if k in kinds)


@pytest.mark.parametrize("way", ["flags", "yaml"])
def test_every_model_option_can_be_reached(way, diabolo, monkeypatch):
    seen = {}
    monkeypatch.setattr("diabolo.zoo.recipe.build", lambda name, shape, **options: seen.update(options) or 1 / 0)
    for name in zoo.RECIPES:
        own = {key: some_value(kind) for key, (kind, _) in zoo.options_of(name).items()}
        flags = {key: value for key, value in own.items() if not isinstance(value, list)}
        several = [word for key in own.keys() - flags.keys() for word in (f"--{key}", *map(str, own[key]))]
        words = [*as_flags(flags), *several] if way == "flags" else given(own, way)
        seen.clear()
        with pytest.raises(ZeroDivisionError):
            pytest.fail(f"{name}: {diabolo('train', name, *words)}")
        assert seen == {key: tuple(value) if isinstance(value, list) else value for key, value in own.items()}


def test_every_option_has_help(diabolo):
    for name in zoo.RECIPES:
        text = diabolo("train", name, "--help-all").out
        for title in ("Model", "Data", "Training"):
            assert f" {title} " in text
        training = OF_ANY if name == "pca" else TRAINING  # what is solved at once has no loop
        names = [*zoo.options_of(name), *DATA, *training, "data", "validation", "dry_run", "figures"]
        for option in names:
            line = next(line for line in text.splitlines() if f"│ --{option.replace('_', '-')} " in line)
            assert len(line.strip("│ ").split("  ", 1)[-1].strip()) > 5, line


def test_no_hidden_layer_makes_a_linear_model(diabolo):
    config, _ = dry(diabolo("train", "undercomplete", "--no-hidden", "--dry-run"))
    assert config["model"]["encoder"]["hidden"] == []


@pytest.mark.parametrize("beta", ["linear(0, 1, 0.3)", "cyclical(0, 1, 4)", "0.5", "3"])
def test_a_weight_may_be_a_schedule(beta, diabolo):
    assert diabolo("train", "vae", "--hidden", "8", *SMALL, "--no-figures", "--beta", beta).code == 0
    kept = Config.read(Path("runs/0001-vae-digits")).as_dict()["model"]["bottleneck"]["beta"]
    assert str(kept) == beta or float(kept) == float(beta)


@pytest.mark.parametrize(
    ("words", "split", "held"),
    [
        ("", "test", 40),
        ("--validation test", "test", 40),
        ("--validation none", None, 0),
        ("--validation 0.2", "validation", 30),
        ("--early-stopping 3", "validation", 15),
        ("--keep best", "validation", 15),
        ("--keep best --validation test", "test", 40),
        ("--early-stopping 3 --validation 0.4", "validation", 60),
    ],
)
def test_what_is_validated_with(words, split, held, diabolo):
    config, _ = dry(diabolo("train", "vae", "--hidden", "8", *SMALL, *words.split(), "--dry-run"))
    validation = config["data"]["validation"]
    assert (validation and validation["split"], validation["images"] if validation else 0) == (split, held)
    assert config["data"]["train"]["images"] == 150 - (held if split == "validation" else 0)


def test_the_figures_show_test_images_even_when_others_are_held_out(diabolo, monkeypatch):
    seen = []
    monkeypatch.setattr("diabolo.pictures.run_figures.draw", lambda run, test: seen.append(test))
    assert diabolo("train", "vae", "--hidden", "8", *SMALL, "--early-stopping", "1").code == 0
    assert [(test.split, len(test)) for test in seen] == [("test", 40)]


def test_early_stopping_says_why(diabolo):
    words = ["train", "undercomplete", "--hidden", "8", *FEW, "--early-stopping", "1", "--min-delta", "100"]
    assert "has not improved" in diabolo(*words, "--no-figures").out


def test_the_same_words_give_the_same_weights(diabolo):
    words = ["train", "vae", "--hidden", "8", *SMALL, "--no-figures", "--quiet", "--seed"]
    for seed in (3, 3, 4):
        assert diabolo(*words, seed).code == 0
    codes = [load(path).encode(np.full((1, 1, 8, 8), 99, np.uint8)) for path in sorted(Path("runs").iterdir())]
    assert codes[0].equal(codes[1])
    assert not codes[0].equal(codes[2])


def test_images_of_ones_own(diabolo, pictures):
    answer = diabolo("train", "undercomplete", "--data", pictures, "--size", "8", "--image-channels", "3", "--hidden", "8",
                     "--batch-size", "2", "--epochs", "1", "--latent-dim", "2", "--test-fraction", "0.5")  # fmt: skip
    assert answer.code == 2
    assert "class folder" in answer.err
    (pictures / "c.bmp").rename(pictures / "b" / "c.bmp")
    answer = diabolo("train", "undercomplete", "--data", pictures, "--size", "8", "--image-channels", "3", "--hidden", "8",
                     "--batch-size", "2", "--epochs", "1", "--latent-dim", "2", "--test-fraction", "0.5")  # fmt: skip
    assert answer.code == 0, answer
    assert "decoding 4 images once" in answer.err
    config = Config.read(Path("runs/0001-undercomplete-pictures")).as_dict()
    assert (config["data"]["train"]["images"], config["data"]["train"]["shape"]) == (2, [3, 8, 8])
    assert {p.stem for p in Path("runs/0001-undercomplete-pictures/figures").iterdir()} == {
        "samples", "reconstructions", "latent", "decoded-grid",
    }  # fmt: skip


def test_a_damaged_image_is_named_or_left_out(diabolo, refused, damaged):
    (damaged / "c.bmp").unlink()
    words = ["train", "pca", "--data", damaged, "--size", "8", "--image-channels", "1", "--latent-dim", "1"]
    assert "3.jpg" in refused(2, *words, "--quiet")
    answer = diabolo(*words, "--skip-bad", "--quiet")
    assert answer.code == 0, answer
    assert answer.err.count("1 of 4 images are damaged and left out") == 1


def test_vectors_have_curves_and_a_latent_map_alone(diabolo):
    np.save("v.npy", np.random.default_rng(0).random((60, 6), dtype=np.float32))
    answer = diabolo("train", "vae", "--data", "v.npy", "--hidden", "8", "--epochs", "2", "--likelihood", "gaussian")
    assert answer.code == 0, answer
    assert {p.stem for p in Path("runs/0001-vae-v/figures").iterdir()} == {
        "curves",
        "health",
        "latent",
        "reconstructions",
    }


@pytest.mark.parametrize("way", ["flags", "yaml"])
def test_an_optimizer_has_options_of_its_own(way, diabolo):
    said = "sgd(momentum=0.9, nesterov=true)"
    config, _ = dry(diabolo("train", "vae", "--dry-run", *given({"optimizer": said, "weight_decay": 0.25}, way)))
    assert (config["options"]["optimizer"], config["options"]["weight_decay"]) == (said, 0.25)
    answer = diabolo("train", "vae", "--dry-run", *given({"optimizer": "sgd(speed=3)"}, way))
    assert answer.code == 2
    assert "'speed'" in answer.err
    assert "momentum" in answer.err


def test_the_help_of_a_model_is_short_and_begins_with_its_own_options(diabolo):
    for name in zoo.RECIPES:
        shown = re.findall(r"^│ --([\w-]+)", diabolo("train", name, "--help").out, re.M)
        own = [option.replace("_", "-") for option in zoo.own_options_of(name)]
        assert len(shown) == 10, (name, shown)
        assert shown[: min(6, len(own))] == own[:6]
        assert "data" in shown
        assert name == "pca" or {"epochs", "lr", "batch-size"} <= set(shown)
