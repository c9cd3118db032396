"""For all tests: an environment in which torch does not crawl, images and models that train in milliseconds, short trainings
and what they left behind, and processes that start at once."""

import os
import sys

sys.path.append(os.path.dirname(__file__))  # for user_cones, which is found by its import path as a user's module is
os.environ.setdefault(
    "GOMP_SPINCOUNT", "10000"
)  # read when torch is loaded; waiting threads must not eat a shared machine

import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def tiny_pixels() -> Callable[..., np.ndarray]:
    """tiny_pixels(n, shape, seed): uint8 images (n, C, H, W), each a bright square on dark noise."""

    def draw(n: int = 70, shape: tuple[int, int, int] = (1, 8, 8), seed: int = 0) -> np.ndarray:
        random = np.random.default_rng(seed)
        pixels = random.integers(0, 60, (n, *shape), dtype=np.uint8)
        for image in pixels:
            row, column = random.integers(0, (shape[1] // 2, shape[2] // 2))
            image[:, row : row + shape[1] // 2, column : column + shape[2] // 2] += 180
        return pixels

    return draw


@pytest.fixture
def tiny_model() -> Callable[..., Any]:
    """tiny_model(name, seed, shape, **options): a small model of the zoo, its weights drawn from the seed."""
    import torch

    from diabolo import zoo

    def make(name: str = "undercomplete", seed: int = 0, shape: tuple[int, ...] = (1, 8, 8), **options: Any) -> Any:
        net = {"channels": (8, 8)} if options.get("net") == "conv" else {"hidden": (16,)}
        small: dict[str, Any] = {} if name == "pca" else net
        torch.manual_seed(seed)
        return zoo.build(name, shape, **({"latent_dim": 4} | small | options))

    return make


OF_THE_CLOCK = ("seconds", "images_per_second", "peak_memory_mib")
DEFAULTS = {
    "epochs": 2, "batch_size": 16, "precision": "float32", "device": "cpu", "quiet": True,
    "lr": 1e-3, "schedule": "constant",  # so that a longer total changes nothing of what is done
}  # fmt: skip


@pytest.fixture(scope="session")
def digits() -> tuple[Any, Any]:
    import diabolo

    return diabolo.data.load("digits")


@pytest.fixture
def train(tmp_path: Path) -> Callable[..., Any]:
    """`diabolo.fit` on the CPU in float32, at a constant rate, quietly, into the test's own folder."""

    import diabolo

    def run(model: Any, images: Any, validation: Any = None, **options: Any) -> Any:
        return diabolo.fit(model, images, validation, **({"out": tmp_path / "runs"} | DEFAULTS | options))

    return run


@pytest.fixture
def left() -> Callable[[Path], tuple[bytes, list[dict[str, Any]]]]:
    """left(path): what must be the same bit for bit: model.safetensors, and metrics.jsonl less what the clock says."""

    def read(path: Path) -> tuple[bytes, list[dict[str, Any]]]:
        lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
        return (path / "model.safetensors").read_bytes(), [
            {key: value for key, value in line.items() if key not in OF_THE_CLOCK} for line in lines
        ]

    return read


@pytest.fixture
def weights() -> Callable[[Any], Any]:
    """weights(model): everything in its state, as one vector."""
    import torch

    return lambda model: torch.cat([t.detach().double().flatten() for t in model.state_dict().values()])


class Child:
    """A script that runs in a process of its own."""

    def __init__(self, farm: "Farm", pid: int, out: Path, err: Path) -> None:
        self.farm, self.pid, self.out, self.err = farm, pid, out, err
        self.code: int | None = None

    def poll(self) -> int | None:
        """Its exit code (minus the signal that killed it), or None while it runs."""
        if self.code is None:
            self.code = self.farm.ask({"poll": self.pid})
        return self.code

    def wait(self, timeout: float = 60.0) -> int:
        """Its exit code; killed, and a failure, when it runs longer than `timeout` seconds."""
        end = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > end:
                self.kill()
                pytest.fail(f"still running after {timeout:g} s; it said:\n{self.said}\n{self.errors}", pytrace=False)
            time.sleep(0.005)
        assert self.code is not None
        return self.code

    def until(self, text: str, timeout: float = 60.0) -> None:
        """Wait until it has said `text`."""
        end = time.monotonic() + timeout
        while text not in self.said:
            if self.poll() is not None or time.monotonic() > end:
                self.kill()
                pytest.fail(f"never said {text!r} (exit code {self.code}):\n{self.said}\n{self.errors}", pytrace=False)
            time.sleep(0.002)

    def send(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        while self.poll() is None:
            time.sleep(0.002)

    @property
    def said(self) -> str:
        return self.out.read_text()

    @property
    def errors(self) -> str:
        return self.err.read_text()


class Farm:
    """Starts scripts in milliseconds: one process has torch imported, and forks."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("forks.py")
        pipe = subprocess.PIPE
        self.server = subprocess.Popen([sys.executable, "-u", str(script)], stdin=pipe, stdout=pipe, text=True)

    def ask(self, request: dict[str, Any]) -> Any:
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        self.server.stdin.write(json.dumps(request) + "\n")
        self.server.stdin.flush()
        return json.loads(self.server.stdout.readline())

    def start(self, script: str, cwd: Path, *arguments: object, **environment: object) -> Child:
        number = len(list(cwd.glob("*.err")))
        out, err = cwd / f"{number}.out", cwd / f"{number}.err"
        for file in (out, err):
            file.touch()
        request = {
            "script": script,
            "arguments": [str(a) for a in arguments],
            "environment": {name: str(value) for name, value in environment.items()},
            "cwd": str(cwd),
            "out": str(out),
            "err": str(err),
        }
        return Child(self, self.ask(request), out, err)


@pytest.fixture(scope="session")
def farm() -> Iterator[Farm]:
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot fork")
    farm = Farm()
    yield farm
    assert farm.server.stdin is not None
    farm.server.stdin.close()
    farm.server.wait(60)


@pytest.fixture
def start(farm: Farm, tmp_path: Path) -> Iterator[Callable[..., Child]]:
    """start(script, *arguments, **environment): run Python text in a process of its own, in the test's folder."""
    children: list[Child] = []

    def begin(script: str, *arguments: object, **environment: object) -> Child:
        children.append(farm.start(script, tmp_path, *arguments, **environment))
        return children[-1]

    yield begin
    for child in children:
        child.kill()


@pytest.fixture
def diabolo_cli(start: Callable[..., Child]) -> Callable[..., Child]:
    """diabolo_cli(*words): the command line, in a process of its own."""
    return lambda *words, **environment: start("from diabolo.cli import main; main()", *words, **environment)


@pytest.fixture
def pair(start: Callable[..., Child]) -> Callable[..., list[Child]]:
    """pair(script, *arguments): two processes as torchrun would start them."""

    def begin(script: str, *arguments: object) -> list[Child]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        common = {"WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        common |= {"GLOO_SOCKET_IFNAME": "lo"}
        return [start(script, *arguments, **common, RANK=rank, LOCAL_RANK=rank) for rank in range(2)]

    return begin
