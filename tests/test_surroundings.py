"""What is set elsewhere in a program, or in its environment, changes nothing that is computed, and brings no traceback."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
import torch

import diabolo
from diabolo import data, zoo
from diabolo.evaluation import evaluate
from diabolo.surroundings import undisturbed


@contextmanager
def default_dtype(dtype):
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


SETTINGS = {
    "float64": lambda: default_dtype(torch.float64),
    "bfloat16": lambda: default_dtype(torch.bfloat16),
    "no_grad": torch.no_grad,
    "inference": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "meta": lambda: torch.device("meta"),
    "numpy": lambda: np.errstate(all="raise"),
}


def computed(folder):
    """Weights, history, a code, a sample, a score and a density: all that is done with a model."""
    train, test = data.load("digits", n_train=96, n_test=48)
    torch.manual_seed(0)
    model = zoo.vae(train.shape, latent_dim=2, net="conv", channels=(4,), norm="batch")
    options = {"epochs": 1, "batch_size": 32, "quiet": True, "precision": "float32", "threads": 1, "ema": 0.9}
    run = diabolo.fit(model, train, test, out=folder, **options)
    loaded = diabolo.load(run.path)
    pca = zoo.pca(train.shape, latent_dim=2)
    pca.solve(train.images)
    density = diabolo.latents.fit_density("gaussian", loaded.encode(train.images).numpy())
    found = [
        *(value for _, value in sorted(loaded.state_dict().items())),
        loaded.encode(test.images), loaded.sample(3, seed=1), loaded.reconstruct(test.images), pca.encode(test.images),
        torch.from_numpy(density.sample(4, seed=2)),
    ]  # fmt: skip
    score = evaluate(loaded, (train, test), ("reconstruction",))["reconstruction"].scores["MSE"].value
    return [x.detach().numpy().copy() for x in found], (score, run.history[0]["validation"]["total"])


@pytest.fixture(scope="module")
def undisturbed_results(tmp_path_factory):
    return computed(tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize("name", SETTINGS)
def test_what_a_program_has_set_changes_nothing(name, undisturbed_results, tmp_path):
    with SETTINGS[name]():
        found, score = computed(tmp_path)
    expected, same = undisturbed_results
    assert [x.dtype for x in found] == [x.dtype for x in expected]
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))
    assert score == same


def test_all_that_was_set_is_put_back():
    with default_dtype(torch.float64), torch.no_grad(), np.errstate(all="raise"):
        with undisturbed():
            assert torch.get_default_dtype() == torch.float32
            assert torch.is_grad_enabled()
        assert torch.get_default_dtype() == torch.float64
        assert not torch.is_grad_enabled()
        assert np.geterr()["divide"] == "raise"
    with torch.inference_mode(), undisturbed():
        assert not torch.is_inference_mode_enabled()


def train(folder, environment, **streams):
    words = [
        "train",
        "vae",
        "--n-train",
        "100",
        "--hidden",
        "8",
        "--latent-dim",
        "2",
        "--epochs",
        "1",
        "--batch-size",
        "50",
    ]
    words += ["--data", "digits", "--threads", "1", "--precision", "float32", "--out", str(folder)]
    env = {name: value for name, value in os.environ.items() if name not in ("HOME", "DIABOLO_DATA")}
    done = subprocess.run(
        [sys.executable, "-m", "diabolo", *words],
        env=env | environment,
        capture_output=True,
        encoding="utf-8",
        **streams,
    )
    assert done.returncode == 0, done.stderr
    (run,) = folder.iterdir()
    assert (run / "figures" / "reconstructions.png").exists()
    return done, (run / "model.safetensors").read_bytes(), json.loads((run / "config.json").read_bytes())


def test_what_lies_in_the_environment_changes_nothing(tmp_path):
    _, plain, _ = train(tmp_path / "plain", {"HOME": str(tmp_path)})
    odd = {
        "MPLBACKEND": "module://no_such.inline", "RANK": "3", "WORLD_SIZE": "8", "LOCAL_RANK": "3", "OMP_NUM_THREADS": "0",
        "COLUMNS": "0", "NO_COLOR": "1", "TERM": "dumb", "PYTHONWARNINGS": "error::UserWarning", "LC_ALL": "C",
        "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "MPLCONFIGDIR": str(tmp_path / "mpl"),
    }  # fmt: skip
    done, weights, config = train(tmp_path / "Größe-数", odd, stdin=subprocess.DEVNULL)
    assert weights == plain
    assert config["options"]["out"].endswith("Größe-数")
    assert "WORLD_SIZE is set, but not by torchrun" in done.stdout


NO_ROOM = """
import _multiprocessing, sys

class Full:
    def __init__(self, *_, **__):
        raise OSError(28, "No space left on device")

_multiprocessing.SemLock = Full
from diabolo.cli import main
main(sys.argv[1:])
import joblib
assert joblib.parallel.mp is None  # it has noticed
"""


@pytest.mark.parametrize("flags", [[], ["-W", "error"]])
def test_where_processes_can_share_nothing_no_library_says_so(flags, tmp_path):
    words = ["train", "pca", "--latent-dim", "2", "--no-figures", "--quiet"]
    done = subprocess.run([sys.executable, *flags, "-c", NO_ROOM, *words], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_stream_that_is_closed_is_no_trouble():
    closed = f"{sys.executable} -m diabolo models vae >&- 2>&- <&-"
    assert subprocess.run(closed, shell=True).returncode == 0


def test_a_folder_that_was_deleted_is_one_sentence(tmp_path):
    (tmp_path / "gone").mkdir()
    told = f"cd gone && rmdir ../gone && {sys.executable} -m diabolo models"
    done = subprocess.run(told, shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "diabolo: the folder in which it was started has been deleted; change to another one\n"


def test_every_text_file_is_read_and_written_as_utf8():
    """Whatever the locale says: no call in the package leaves the encoding to it."""
    words = ["ruff", "check", "--preview", "--isolated", "--select", "PLW1514", os.path.dirname(diabolo.__file__)]
    done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_packages_that_other_programs_installed_do_not_stop_a_training(tmp_path):
    code = (
        "import importlib.metadata as metadata\n"
        "real = metadata.entry_points\n"
        "def damaged(**chosen): return real(**chosen) if chosen else 1 / 0\n"
        "metadata.entry_points = damaged\n"
        "import diabolo, torch\n"
        "torch.optim.Adam([torch.zeros(1, requires_grad=True)])\n"
    )
    kept = {name: value for name, value in os.environ.items() if name != "TRITON_BACKENDS_IN_TREE"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=kept, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


COUNTED = """
import diabolo, numpy, joblib
from sklearn.cluster import KMeans

KMeans(2, n_init=1).fit(numpy.eye(4))
print(joblib.cpu_count(only_physical_cores=True))
"""


def test_where_no_program_counts_the_cores_scikit_learn_says_nothing_of_it():
    kept = {name: value for name, value in os.environ.items() if name not in ("OMP_NUM_THREADS", "LOKY_MAX_CPU_COUNT")}
    done = subprocess.run(
        [sys.executable, "-c", COUNTED], env=kept | {"PATH": "/nowhere"}, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert int(done.stdout) >= 1
