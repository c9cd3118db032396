"""Options from a YAML file, beneath the flags."""

import json
from pathlib import Path

import pytest


def resolved(answer):
    """The config of a dry run."""
    assert answer.code == 0, answer
    return json.JSONDecoder().raw_decode(answer.out)[0]


def write(text, name="options.yaml"):
    Path(name).write_text(text)
    return name


EVERY_KIND = """
data: patches
n_train: 60
n-test: 20
size: 16
validation: 0.5
latent_dim: 5
hidden: [16, 8]
activation: silu
beta: linear(0, 1, 0.3)
epochs: 3
batch_size: 10
lr: 1e-2
clip_norm: null
graph: no
quiet: yes
"""


@pytest.mark.parametrize("flag", [["--config", "options.yaml"], ["--config=options.yaml"]])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_file_may_say_everything(flag, place, diabolo):
    write(EVERY_KIND)
    words = ["train", "vae", "--dry-run"]
    words[place:place] = flag
    config = resolved(diabolo(*words))
    assert config["data"]["train"]["name"] == "patches"
    assert (config["data"]["train"]["images"], config["data"]["validation"]["images"]) == (30, 30)
    assert config["model"]["encoder"]["input_shape"] == [3, 16, 16]
    assert config["model"]["encoder"]["hidden"] == [16, 8]
    assert config["model"]["encoder"]["activation"] == "silu"
    assert config["model"]["bottleneck"]["latent_dim"] == 5
    assert config["model"]["bottleneck"]["beta"] == "linear(0, 1, 0.3)"
    wanted = {"epochs": 3, "lr": 0.01, "clip_norm": None, "graph": False, "quiet": True}
    assert {key: config["options"][key] for key in wanted} == wanted


def test_flags_win(diabolo):
    write(EVERY_KIND)
    words = (
        "train vae --dry-run --config options.yaml --latent-dim 4 --hidden 32 --beta 2 --epochs 9 --no-quiet --graph"
    )
    config = resolved(diabolo(*words.split(), "--n-train", "100", "--validation", "none"))
    assert (config["data"]["train"]["images"], config["data"]["validation"]) == (100, None)
    assert config["model"]["bottleneck"]["latent_dim"] == 4
    assert config["model"]["encoder"]["hidden"] == [32]
    assert config["model"]["bottleneck"]["beta"] == 2
    wanted = {"epochs": 9, "lr": 0.01, "graph": True, "quiet": False}
    assert {key: config["options"][key] for key in wanted} == wanted


@pytest.mark.parametrize("verb", ["sample", "resume", "encode", "reconstruct", "quickstart", "data prepare"])
def test_options_of_other_verbs_come_from_a_file_too(verb, refused, runs):
    write("frobnicate: 3")
    where = [runs["vae"]] if verb in ("sample", "resume") else [runs["vae"], "x.png"] if verb[-1] in "et" else []
    words = [*verb.split(), *(["digits"] if verb == "data prepare" else [] if verb == "quickstart" else where)]
    assert "'frobnicate'" in refused(2, *words, "--config", "options.yaml")


def test_a_file_gives_sample_its_number(diabolo, runs):
    import numpy as np

    write("n: 3\nout: three.npy")
    assert diabolo("sample", runs["vae"], "--config", "options.yaml").code == 0
    assert len(np.load("three.npy")) == 3


def test_an_empty_file_says_nothing(diabolo):
    write("# nothing\n")
    with_file = resolved(diabolo("train", "vae", "--dry-run", "--config", "options.yaml"))
    assert with_file == resolved(diabolo("train", "vae", "--dry-run"))


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("latent_dmi: 3", 2, "unknown option 'latent_dmi' in options.yaml; did you mean 'latent_dim'?"),
        ("lrr: 3", 2, "did you mean 'lr'?"),
        ("ephocs: 3", 2, "did you mean 'epochs'?"),
        ("3: 4", 2, "unknown option '3'"),
        ("no_quiet: true", 2, "did you mean 'quiet'?"),
        ("train: {epochs: 3}", 2, "'train' takes a value or a list"),
        ("training: {epochs: 3}", 2, "'training' takes a value or a list"),
        ("info: 3", 2, "unknown option 'info'"),
        ("data: {n_train: 3}", 2, "data"),
        ("data: mnits", 2, "did you mean 'mnist'?"),
        ("schedule: cosin", 2, '"cosine"'),
        ("epochs: three", 2, '"three"'),
        ("epochs: 2.5", 2, '"2.5"'),
        ("epochs:", 2, "epochs"),
        ("hidden: [16, wide]", 2, '"wide"'),
        ("hidden: {a: 1}", 2, "hidden"),
        ("beta: [0, 1]", 2, "beta"),
        ("epochs: 0", 2, "epochs must be a whole number"),
        ("- epochs: 3", 2, "not a list"),
        ("just words", 2, "not one value"),
        ("epochs: [1, 2", 2, "line 1 of the config file options.yaml is not valid YAML"),
        ("epochs: 3\n  lr: 2", 2, "line 2"),
        ("!!python/object/apply:os.system ['touch owned']", 2, "is not valid YAML"),
    ],
)
def test_a_mistake_in_the_file_is_told_in_one_sentence(text, code, said, refused):
    write(text)
    assert said in refused(code, "train", "vae", "--config", "options.yaml")
    assert not Path("owned").exists()
    assert not Path("runs").exists()


def test_a_file_that_cannot_be_read_is_told(refused):
    Path("binary.yaml").write_bytes(b"\xff\xfe\x00")
    Path("folder").mkdir()
    assert "nowhere.yaml cannot be read" in refused(2, "train", "vae", "--config", "nowhere.yaml")
    assert "folder cannot be read" in refused(2, "train", "vae", "--config", "folder")
    assert "binary.yaml is not valid YAML" in refused(2, "train", "vae", "--config", "binary.yaml")


@pytest.mark.parametrize("words", [["--config"], ["--config="], ["--config", "a.yaml", "--config=b.yaml"]])
def test_there_is_one_file(words, refused):
    assert refused(2, "train", "vae", *words) == "--config takes one YAML file"
