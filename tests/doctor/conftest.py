"""A command line in this process that trains quietly, and the doctor who is shown what it left."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from diabolo.cli.main import main
from diabolo.doctor import Visit, diagnose

QUIETLY = ["--no-figures", "--threads", "1", "--checkpoint-every", "1000", "--quiet"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """A working directory of its own; torch keeps its threads."""
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def typed() -> Callable[[str], Path]:
    """typed(line): the run folder that the line leaves, whether or not its training ends well."""

    def run(line: str) -> Path:
        program, verb, *words = shlex.split(line)
        assert program == "diabolo"
        try:
            main([verb, *words, *(QUIETLY if verb == "train" else ["--no-figures"])])
        except SystemExit as stop:
            if stop.code == 2:  # the line is refused; 1 is a training that breaks off
                raise AssertionError(f"{line} is refused") from stop
        return Path(words[0]) if verb == "resume" else max(Path("runs").iterdir())

    return run


@pytest.fixture
def seen(typed) -> Callable[[str], Visit]:
    """seen(line): what the doctor finds in what the line leaves."""
    return lambda line: diagnose(typed(line))
