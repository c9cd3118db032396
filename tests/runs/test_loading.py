"""Run folders: numbered, readable, without a pickle, and refused with a sentence when they are none or damaged."""

import json
import math
import re
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import diabolo
from diabolo import parts, zoo
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.likelihoods import SquaredError
from diabolo.parts import part
from diabolo.runs import files, loading
from diabolo.runs.config import Config
from diabolo.runs.folder import RunFolder, create
from diabolo.training.options import TrainOptions

KEYS = {"epoch", "step", "train", "validation", "lr", "seconds", "images_per_second", "peak_memory_mib"}
KEYS |= {"health", "warnings", "weights", "settled", "ema"}


def strictly(text):
    """JSON as every reader takes it: no NaN, no Infinity."""

    def refuse(word):
        raise ValueError(word)

    return json.loads(text, parse_constant=refuse)


@pytest.fixture(scope="module")
def conv_run(tmp_path_factory):
    torch.manual_seed(0)
    x = np.random.default_rng(0).integers(0, 256, (80, 1, 8, 8), dtype=np.uint8)
    model = zoo.vae((1, 8, 8), 4, net="conv", channels=(4, 8), beta="linear(0, 1, 0.5)", likelihood="gaussian")
    options = {"epochs": 3, "batch_size": 32, "ema": 0.5, "keep": "best", "lr": 0.01, "schedule": "constant"}
    out = tmp_path_factory.mktemp("runs")
    return diabolo.fit(model, x, x[:30], out=out, quiet=True, precision="bf16", seed=11, **options)


# --- what lies in it --------------------------------------------------------------------------------------------------


def test_the_config_says_everything_and_builds_the_same_model(conv_run):
    config = strictly((conv_run.path / "config.json").read_text())
    assert config == conv_run.config.as_dict()
    assert set(config["options"]) == set(TrainOptions().as_dict())
    assert config["options"]["seed"] == 11
    assert config["resolved"] == {
        "device": "cpu",
        "threads": torch.get_num_threads(),
        "precision": "bf16",
        "processes": 1,
        "compile": False,
    }
    assert config["versions"]["torch"] == torch.__version__
    assert {"diabolo", "numpy", "python"} <= set(config["versions"])
    about = config["data"]["train"]
    assert (about["images"], about["shape"], about["name"]) == (80, [1, 8, 8], "array")
    assert len(about["fingerprint"]) == 64
    assert config["data"]["validation"]["images"] == 30
    assert config["units"]["kl"] == "nats per image"
    assert set(config["units"]) == set(conv_run.history[-1]["train"])
    built = loading.build_model(conv_run.path, conv_run.config)
    assert built.name == "vae"
    assert {n: t.shape for n, t in built.state_dict().items()} == {
        n: t.shape for n, t in conv_run.model.state_dict().items()
    }
    assert parts.describe(built) == config["model"]
    assert TrainOptions.of(**config["options"]).as_dict() == config["options"]


def test_the_lines_of_metrics(conv_run):
    lines = [strictly(line) for line in (conv_run.path / "metrics.jsonl").read_text().splitlines()]
    assert lines == conv_run.history == RunFolder(conv_run.path).history
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    assert [line["step"] for line in lines] == [3, 6, 9]
    for line in lines:
        assert set(line) == KEYS
        assert set(line["train"]) == set(line["validation"]) == {"total", "reconstruction", "kl"}
        assert all(math.isfinite(v) for split in ("train", "validation") for v in line[split].values())
        assert line["lr"] == 0.01
        assert line["seconds"] > 0
        assert line["images_per_second"] == pytest.approx(80 / line["seconds"], rel=0.2)
        assert line["peak_memory_mib"] > 1
        # validation is taken under the weight that the last step of the epoch had
        (weight,) = line["weights"].values()
        losses = line["validation"]
        assert losses["total"] == pytest.approx(losses["reconstruction"] + weight * losses["kl"])


def test_nothing_is_pickled(conv_run):
    found = {file.relative_to(conv_run.path).as_posix() for file in conv_run.path.rglob("*") if file.is_file()}
    assert found == {
        "config.json", "metrics.jsonl", "model.safetensors", "best.safetensors", "checkpoint/last.safetensors",
    }  # fmt: skip
    for file in conv_run.path.rglob("*.safetensors"):
        content = file.read_bytes()
        length = int.from_bytes(content[:8], "little")
        header = strictly(content[8 : 8 + length])
        ends = [about["data_offsets"][1] for name, about in header.items() if name != "__metadata__"]
        assert max(ends) == len(content) - 8 - length  # header and numbers, nothing else
    assert (conv_run.path / "figures").is_dir()


def test_no_part_of_diabolo_ever_unpickles():
    pickles = re.compile(
        r"import pickle|(?<!safetensors\.)torch\.(load|save)\(|allow_pickle=True"
        r"|(import|from) (joblib(?! import cpu_count\n)|dill|shelve)\b"
    )
    for file in Path(diabolo.__file__).parent.rglob("*.py"):
        assert not pickles.search(file.read_text()), file


def test_load_gives_the_model_that_was_trained(conv_run):
    x = torch.rand(7, 1, 8, 8)
    loaded = diabolo.load(conv_run.path)
    assert not loaded.training
    assert loaded.name == "vae"
    assert torch.allclose(loaded.encode(x), conv_run.model.encode(x), atol=1e-6)
    assert torch.allclose(loaded.sample(3, seed=1), conv_run.model.sample(3, seed=1), atol=1e-6)
    assert torch.equal(diabolo.load(str(conv_run.path)).encode(x), loaded.encode(x))
    assert diabolo.load(conv_run.path, device=torch.device("cpu")).device.type == "cpu"


def test_a_program_that_only_loads(conv_run):
    """In a process that has imported nothing else, every part must be known."""
    script = "import sys, diabolo; print(diabolo.load(sys.argv[1]).name)"
    ended = subprocess.run(
        [sys.executable, "-c", script, str(conv_run.path)], capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() == "vae"


def test_the_pca_is_loaded_as_it_was(train, tiny_model, tiny_pixels):
    x = tiny_pixels()
    run = train(tiny_model("pca"), x, x[:20])
    (line,) = [strictly(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    assert line["epoch"] == 1
    error = (run.model.reconstruct(x) - torch.from_numpy(x) / 255).square().mean()
    assert line["train"]["reconstruction"] == pytest.approx(float(error), rel=1e-4)
    assert line["validation"]["total"] < 0.1
    loaded = diabolo.load(run.path)
    assert torch.equal(loaded.encode(x), run.model.encode(x))
    assert torch.equal(loaded.decode(loaded.encode(x)), run.model.reconstruct(x))
    assert run.status == "finished"


# --- which weights ----------------------------------------------------------------------------------------------------


def test_best_and_last(train, tiny_model, tiny_pixels):
    """Validation images as negatives: the better the training, the worse they are met; so the best epoch is not the last."""
    x, held = tiny_pixels(40), 255 - tiny_pixels(40, seed=3)
    last, best = (train(tiny_model(), x, held, epochs=5, lr=0.01, keep=keep) for keep in ("last", "best"))
    totals = [line["validation"]["total"] for line in best.history]
    assert totals == [line["validation"]["total"] for line in last.history]
    assert min(totals) < totals[-1]

    def error(model):
        return float((model.reconstruct(held) - torch.from_numpy(held) / 255).square().mean())

    assert error(best.model) == error(diabolo.load(best.path)) == pytest.approx(min(totals), rel=1e-4)
    assert error(last.model) == error(diabolo.load(last.path)) == pytest.approx(totals[-1], rel=1e-4)
    for run in (last, best):
        assert error(diabolo.load(run.path, weights="best")) == pytest.approx(min(totals), rel=1e-4)


def test_best_is_the_lowest_whatever_counts_as_an_improvement(train, tiny_model, tiny_pixels):
    """`min_delta` is for stopping; `keep` promises the lowest validation loss."""
    x, held = tiny_pixels(), tiny_pixels(40, seed=3)
    run = train(tiny_model(), x, held, epochs=5, keep="best", min_delta=1.0)
    totals = [line["validation"]["total"] for line in run.history]
    assert min(totals) < totals[0]
    error = float((run.model.reconstruct(held) - torch.from_numpy(held) / 255).square().mean())
    assert error == pytest.approx(min(totals), rel=1e-4)


def test_weights_that_are_none(train, tiny_model, tiny_pixels):
    run = train(tiny_model(), tiny_pixels())
    with pytest.raises(UnknownNameError, match="did you mean 'best'"):
        diabolo.load(run.path, weights="bset")
    with pytest.raises(DiaboloError, match="validation") as refused:
        diabolo.load(run.path, weights="best")
    assert "has not finished" not in str(refused.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_loaded_to_a_device_that_is_not_there(conv_run):
    for device in ("cuda", "cuda:7", "gpu"):
        with pytest.raises(DiaboloError, match="device"):
            diabolo.load(conv_run.path, device=device)


# --- damaged ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(train, tiny_model, tiny_pixels):
    return train(tiny_model("vae"), tiny_pixels())


def test_no_run_folder(tmp_path, run):
    with pytest.raises(DiaboloError, match="there is no folder"):
        diabolo.load(tmp_path / "nowhere")
    with pytest.raises(DiaboloError, match="is not a run folder: it holds no config"):
        diabolo.load(tmp_path)
    with pytest.raises(DiaboloError, match="there is no folder"):
        diabolo.load(run.path / "config.json")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "3", '"text"', "{}", '{"name": "vae"}', "\x00", '{"name": 1}', "[" * 3000, "NaN"]
)
def test_a_config_that_is_none(text, run):
    (run.path / "config.json").write_text(text)
    with pytest.raises(DiaboloError, match=r"config\.json"):
        diabolo.load(run.path)


def test_a_config_that_is_no_text(run):
    (run.path / "config.json").write_bytes(b"\xff\xfe\x80 binary \x80")
    with pytest.raises(DiaboloError, match=r"config\.json"):
        diabolo.load(run.path)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("data", "train"), 3),
        (("data", "train"), None),
        (("data", "train", "origin"), "digits"),
        (("data", "train", "origin"), {"load": 3}),
        (("data", "validation"), []),
        (("units",), 3),
    ],
)
def test_whoever_reads_a_config_can_rely_on_what_it_holds(place, value, run):
    config = json.loads((run.path / "config.json").read_text())
    *way, last = place
    inner = config
    for key in way:
        inner = inner[key]
    inner[last] = value
    (run.path / "config.json").write_text(json.dumps(config))
    with pytest.raises(DiaboloError, match=rf"config\.json was edited or damaged: '{'.'.join(place)}"):
        Config.read(run.path)


def test_a_run_that_is_resumed_names_the_config_that_is_wrong(run, tiny_pixels):
    config = json.loads((run.path / "config.json").read_text())
    for edit in ({"options": config["options"] | {"lr": None}}, {"model": {"part": "bottlenecks.Identity"}}):
        (run.path / "config.json").write_text(json.dumps(config | edit))
        with pytest.raises(DiaboloError, match=r"config\.json"):
            diabolo.resume(run.path, tiny_pixels(), epochs=3)


@pytest.mark.parametrize("share", [0, 4, 8, 100, 0.5, 0.999])
def test_weights_cut_short(share, run):
    file = run.path / "model.safetensors"
    content = file.read_bytes()
    file.write_bytes(content[: share if isinstance(share, int) else int(share * len(content))])
    with pytest.raises(DiaboloError, match=r"diabolo resume .* makes it anew from the checkpoint") as refused:
        diabolo.load(run.path)
    assert "safetensors is damaged or cut short" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_weights_that_are_something_else(run, train, tiny_model, tiny_pixels):
    file = run.path / "model.safetensors"
    for content in (b"PK\x03\x04" + bytes(1000), b"\x80\x04\x95", bytes(200), (10**17).to_bytes(8, "little") + b"{}"):
        file.write_bytes(content)
        with pytest.raises(DiaboloError, match="damaged or cut short"):
            diabolo.load(run.path)
    other = train(tiny_model("vae", latent_dim=5), tiny_pixels())
    file.write_bytes((other.path / "model.safetensors").read_bytes())
    with pytest.raises(DiaboloError, match=r"do not fit its config\.json.*to_posterior") as refused:
        diabolo.load(run.path)
    assert "\n" not in str(refused.value)


def test_weights_that_are_missing_say_how_to_get_them(run):
    (run.path / "model.safetensors").unlink()
    with pytest.raises(DiaboloError, match=f"go on with: diabolo resume {run.path}"):
        diabolo.load(run.path)


NONSENSE = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 40), st.floats(), st.text(max_size=4),
    st.sampled_from(["nets.MLPEncoder", "pca.PCA", "bottlenecks.Identity", "relu", "linear(0, 1)", "cyclical(1, 2, 0)"]),
    st.lists(st.integers(-2, 20), max_size=3), st.lists(st.lists(st.integers(-1, 5), max_size=5), max_size=3),
    st.dictionaries(st.sampled_from(["part", "x"]), st.sampled_from(["schedules.Linear", "corruptions.Clean", 3]), max_size=2),
)  # fmt: skip


def places(value, path=()):
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        yield from places(below, (*path, key))


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_was_edited_load_says_so_or_loads(data, conv_run, tmp_path_factory):
    config = json.loads(json.dumps(conv_run.config.as_dict()))
    edits = []
    for _ in range(data.draw(st.integers(1, 2))):
        within = data.draw(st.sampled_from(["model", "model", "model", "name", "options"]))
        *way, last = data.draw(st.sampled_from([(within, *way) for way in places(config[within])] or [(within,)]))
        inner = config
        for key in way:
            inner = inner[key]
        inner[last] = data.draw(NONSENSE)
        edits.append(((*way, last), inner[last]))
    path = conv_run.path.with_name("edited")
    path.mkdir(exist_ok=True)
    (path / "config.json").write_text(json.dumps(config))
    (path / "model.safetensors").write_bytes((conv_run.path / "model.safetensors").read_bytes())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            diabolo.load(path)
        except DiaboloError as error:
            assert str(error).strip()  # noqa: PT017  # any other exception is the failure
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {error} after {edits}") from error


ONE = '{"epoch": 1, "train": {"total": 0.5}}\n'


@pytest.mark.parametrize(
    ("text", "lines"), [("", 0), (ONE + ONE, 2), (ONE + '{"epo', 1), ("\ufffe", 0), (ONE + "\n" + ONE[:-1], 2)]
)
def test_history_as_far_as_it_is_whole(text, lines, run):
    (run.path / "metrics.jsonl").write_text(text)
    assert len(RunFolder(run.path).history) == lines


def test_a_history_of_something_else(run):
    (run.path / "metrics.jsonl").write_text(ONE + "[2]\n")
    with pytest.raises(DiaboloError, match=r"metrics\.jsonl was edited or damaged: '\[2\]' is no record"):
        print(RunFolder(run.path).history)


@pytest.mark.parametrize(
    "line",
    [
        "{}", "3", '{"epoch": 1}', '{"epoch": "1", "train": {}}', '{"epoch": 1, "train": []}', "[" * 10_000,
        '{"epoch": 1, "epo',        '{"epoch": 1, "train": {"total": "low"}}', '{"epoch": 1, "train": {}, "validation": 3}',
        '{"epoch": 1, "train": {}, "health": [1]}', '{"epoch": 1, "train": {}, "warnings": {"a": 1}}',
        '{"epoch": 1, "epoch": 2, "train": {}}',
    ],
    ids=lambda line: line[:40],
)  # fmt: skip
def test_a_whole_line_of_another_shape_is_refused(line, run):
    (run.path / "metrics.jsonl").write_text(f"{ONE}{line}\n{ONE}")
    with pytest.raises(DiaboloError, match=r"metrics\.jsonl was edited or damaged"):
        print(RunFolder(run.path).history)


def test_a_history_that_is_none(run):
    (run.path / "metrics.jsonl").write_bytes(b"\xff\x80")
    assert RunFolder(run.path).history == []
    (run.path / "metrics.jsonl").unlink()
    assert RunFolder(run.path).history == []


# --- parts that cannot be kept, and parts of one's own ----------------------------------------------------------------


@part
class Scaled(SquaredError):  # noqa: N818  # a likelihood, no exception
    """A part that lives outside the package."""

    def __init__(self, scale: float = 2.0):
        super().__init__()
        self.scale = scale

    def loss(self, raw, x):
        return self.scale * super().loss(raw, x)


def test_a_part_of_ones_own_is_kept_and_built_again(train, tiny_pixels):
    model = zoo.undercomplete((1, 8, 8), 4, hidden=(8,), likelihood=Scaled(3.0))
    run = train(model, tiny_pixels())
    assert diabolo.load(run.path).likelihood.scale == 3.0


def test_what_cannot_be_kept_is_refused_before_a_folder_is_made(train, tiny_pixels, tmp_path):
    class Unknown(SquaredError):  # noqa: N818
        pass

    model = zoo.undercomplete((1, 8, 8), 4, hidden=(8,), likelihood=Unknown())
    with pytest.raises(DiaboloError, match="decorate it with @diabolo"):
        train(model, tiny_pixels())
    assert not (tmp_path / "runs").exists()


# --- numbers ----------------------------------------------------------------------------------------------------------


def test_numbers_count_up_past_gaps_and_other_things(tmp_path):
    (tmp_path / "0007-other").mkdir()
    (tmp_path / "notes.txt").write_text("3")
    (tmp_path / "9-too-short").mkdir()
    assert create(tmp_path, "vae-mnist").name == "0008-vae-mnist"
    assert create(tmp_path, "vae-mnist").name == "0009-vae-mnist"
    (tmp_path / "9999-x").mkdir()
    assert create(tmp_path, "y").name == "10000-y"
    assert create(tmp_path, "y").name == "10001-y"


@pytest.mark.parametrize(
    ("name", "folder"),
    [("../../etc", "0001-etc"), ("a/b\\c", "0001-a-b-c"), ("...", "0001-run"), ("", "0001-run"), ("vae 漢字", "0001-vae-漢字")],
)  # fmt: skip
def test_names_stay_in_the_folder(name, folder, tmp_path):
    path = create(tmp_path / "runs", name)
    assert path.parent == tmp_path / "runs"
    assert path.name == folder
    assert (path / "checkpoint").is_dir()
    assert (path / "figures").is_dir()


def test_a_name_that_is_too_long_leaves_nothing_behind(tmp_path):
    with pytest.raises(DiaboloError, match="no run folder can be made"):
        create(tmp_path, "x" * 300)
    assert list(tmp_path.iterdir()) == []


def test_many_threads_at_once_get_different_numbers(tmp_path):
    with ThreadPoolExecutor(16) as pool:
        paths = list(pool.map(lambda i: create(tmp_path, f"run-{i % 3}"), range(60)))
    assert sorted(int(path.name[:4]) for path in paths) == list(range(1, 61))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in paths)


def test_many_processes_at_once_get_different_numbers(start, tmp_path):
    script = """
import sys, time
from pathlib import Path
from diabolo.runs.folder import create

while not Path("go").exists():
    time.sleep(0.001)
for i in range(12):
    print(create(Path("runs"), f"vae-{i % 2}").name)
"""
    children = [start(script) for _ in range(6)]
    (tmp_path / "go").touch()
    assert [child.wait() for child in children] == [0] * 6, children[0].errors
    names = " ".join(child.said for child in children).split()
    assert sorted(int(name[:4]) for name in names) == list(range(1, 73))
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == sorted(names)


def test_two_trainings_started_at_once(diabolo_cli, tmp_path):
    words = (
        "train",
        "undercomplete",
        "--hidden",
        8,
        "--epochs",
        1,
        "--no-figures",
        "--threads",
        1,
        "--out",
        tmp_path / "runs",
    )
    children = [diabolo_cli(*words) for _ in range(2)]
    assert [child.wait() for child in children] == [0, 0]
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [
        "0001-undercomplete-digits",
        "0002-undercomplete-digits",
    ]
    for path in (tmp_path / "runs").iterdir():
        assert diabolo.load(path).name == "undercomplete"


# --- whole files ------------------------------------------------------------------------------------------------------


def test_tensors_come_back_as_they_were(tmp_path):
    base = torch.arange(12.0)
    tensors = {
        "scalar": torch.tensor(3.5),
        "half": torch.randn(3).bfloat16(),
        "layout": torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last),
        "view": base[2:6],
        "same memory": base[2:6],
        "empty": torch.zeros(0, 3),
        "whole": torch.tensor([1, 2], dtype=torch.int64),
        "yes": torch.tensor([True]),
        "grad": torch.ones(2, requires_grad=True),
    }
    files.write_tensors(tmp_path / "x.safetensors", tensors, {"nested": [1, None, "ä"]})
    found, about = files.read_tensors(tmp_path / "x.safetensors")
    assert about == {"nested": [1, None, "ä"]}
    assert set(found) == set(tensors)
    for name, tensor in tensors.items():
        assert torch.equal(found[name], tensor), name
        assert found[name].dtype == tensor.dtype
    assert [file.name for file in tmp_path.iterdir()] == ["x.safetensors"]
