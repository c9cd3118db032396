"""The command line in this process, and something for it to work on."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from diabolo import zoo
from diabolo.cli.main import main
from diabolo.data import load
from diabolo.training.fit import fit


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


Diabolo = Callable[..., Answer]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Every test has a working directory, a home and a data root of its own; torch keeps its threads."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DIABOLO_DATA", raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def diabolo(capsys) -> Diabolo:
    """diabolo(*words): exit code and output."""

    def run(*words: object) -> Answer:
        capsys.readouterr()
        try:
            main([str(word) for word in words])
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capsys.readouterr()
        return Answer(code, out, err)

    return run


@pytest.fixture
def refused(diabolo) -> Callable[..., str]:
    """refused(code, *words): the one sentence on stderr with which these words are refused."""

    def run(code: int, *words: object) -> str:
        answer = diabolo(*words)
        assert answer.code == code, answer
        assert answer.err.startswith("diabolo: "), answer
        assert answer.err.count("\n") == 1, answer.err
        assert "Traceback" not in answer.err
        return answer.err.removeprefix("diabolo: ").strip()

    return run


@pytest.fixture
def process() -> Callable[..., subprocess.CompletedProcess[str]]:
    """process(*words): the same in a process of its own."""

    def run(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "diabolo", *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)  # type: ignore[call-overload]

    return run


def _run(folder: Path, name: str, **options: object) -> Path:
    train, test = load("digits", n_train=200, n_test=50)
    torch.manual_seed(0)
    small: dict[str, object] = {} if name == "pca" else {"hidden": (16,)}
    model = zoo.build(name, train.shape, latent_dim=3, **(small | options))
    return fit(model, train, test, epochs=2, batch_size=50, seed=0, out=folder, quiet=True).path


@pytest.fixture(scope="session")
def runs(tmp_path_factory) -> dict[str, Path]:
    """Finished runs by the model's name; not to be written into."""
    folder = tmp_path_factory.mktemp("runs")
    return {name: _run(folder, name) for name in ("vae", "undercomplete", "pca")}


@pytest.fixture(scope="session")
def vectors(tmp_path_factory) -> Path:
    """A finished run of a model of vectors; not to be written into."""
    x = np.random.default_rng(0).random((60, 6), dtype=np.float32)
    model = zoo.undercomplete((6,), latent_dim=2, hidden=(8,))
    return fit(model, x, epochs=1, batch_size=20, out=tmp_path_factory.mktemp("vectors"), quiet=True).path


@pytest.fixture
def pictures(tmp_path) -> Path:
    """A folder of images of unequal size, two of them of one name in two sub-folders."""
    random = np.random.default_rng(0)
    for name, shape in {"b/1.png": (12, 9), "a/1.png": (8, 8), "a/2.jpg": (20, 30, 3), "c.bmp": (9, 9, 3)}.items():
        path = tmp_path / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, shape, dtype=np.uint8)).save(path)
    return tmp_path / "pictures"


@pytest.fixture
def damaged(pictures) -> Path:
    """The same folder with a JPEG that was cut short."""
    whole = pictures / "a" / "2.jpg"
    (pictures / "a" / "3.jpg").write_bytes(whole.read_bytes()[:400])
    return pictures
