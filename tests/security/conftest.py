"""A stranger's run folder: whole and trained, with something in it that is not what it seems."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from diabolo import zoo
from diabolo.data import load
from diabolo.training.fit import fit

CANARY = "from pathlib import Path\nPath({mark!r}).write_text(__name__)\n"


@pytest.fixture(scope="session")
def honest(tmp_path_factory) -> dict[str, Path]:
    """Finished runs on digits by the model's name; not to be written into."""
    folder = tmp_path_factory.mktemp("honest")

    def run(name: str, **options: Any) -> Path:
        train, test = load("digits", n_train=120, n_test=40)
        torch.manual_seed(0)
        model = zoo.build(name, train.shape, **options)
        return fit(model, train, test, epochs=2, batch_size=40, out=folder, quiet=True, device="cpu", threads=1).path

    return {
        "vae": run("vae", latent_dim=3, hidden=(8,)),
        "vqvae": run("vqvae", latent_dim=2, width=4, residual_width=4, codes=8),
    }


@pytest.fixture
def stranger(honest, tmp_path, monkeypatch) -> Callable[..., Path]:
    """stranger(edit, name): a copy of an honest run whose config.json went through `edit`, in a folder of its own that is the
    working directory of the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    def make(edit: Callable[[dict[str, Any]], Any] = lambda config: None, name: str = "vae") -> Path:
        folder = tmp_path / "stranger"
        shutil.copytree(honest[name], folder)
        config = json.loads((folder / "config.json").read_text())
        edit(config)
        (folder / "config.json").write_text(json.dumps(config))
        return folder

    return make


@pytest.fixture
def canary(tmp_path) -> Callable[..., Path]:
    """canary(folder, *names): modules in `folder` that leave a file, which is returned, when one is imported or run."""

    def plant(folder: Path, *names: str) -> Path:
        mark = tmp_path / "the-canary-was-run"
        for name in names:
            file = folder / f"{name}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(CANARY.format(mark=str(mark)))
        return mark

    return plant


@pytest.fixture
def diabolo(capsys) -> Callable[..., tuple[int, str, str]]:
    """diabolo(*words): exit code, stdout and stderr of the command line, in this process."""
    from diabolo.cli.main import main

    def run(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            main([str(word) for word in words])
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def process() -> Callable[..., subprocess.CompletedProcess[str]]:
    """process(*words, cwd): `python WORDS` in a process of its own."""

    def run(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=cwd)

    return run
