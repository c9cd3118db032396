"""What the process may use is read off the machine, not guessed."""

import os
from pathlib import Path

import pytest
import torch

from diabolo import hardware
from diabolo.errors import DiaboloError


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "200000 100000\n"}, 2),
        ({"cpu.max": "250000 100000\n"}, 2),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({}, None),
        ({"cpu.max": "plenty 100000\n"}, None),
        ({"cpu.max": "100000 0\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
    ],
)
def test_the_share_of_a_control_group(files: dict[str, str], cores: int | None, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert hardware._cgroup_cores(tmp_path) == cores


def test_available_cores_are_the_smaller_of_affinity_and_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(6)), raising=False)
    monkeypatch.setattr(hardware, "_cgroup_cores", lambda root: None)
    assert hardware.available_cores() == 6
    monkeypatch.setattr(hardware, "_cgroup_cores", lambda root: 3)
    assert hardware.available_cores() == 3
    monkeypatch.setattr(hardware, "_cgroup_cores", lambda root: 64)
    assert hardware.available_cores() == 6


def launched(monkeypatch: pytest.MonkeyPatch, world: int) -> None:
    """The environment in which torchrun starts a process."""
    told = {"WORLD_SIZE": world, "RANK": 0, "LOCAL_RANK": 0, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": 1}
    for name, value in told.items():
        monkeypatch.setenv(name, str(value))


@pytest.mark.parametrize(("said", "used"), [("1", 1), ("3", 3), ("99", 6), ("", 6), ("0", 1), ("many", 6)])
def test_omp_num_threads_is_heeded(said: str, used: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    monkeypatch.setattr(hardware, "available_cores", lambda: 6)
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    try:
        assert hardware.use_threads(None) == torch.get_num_threads() == used
        assert hardware.use_threads(2) == 2, "what is asked for goes before"
        monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
        assert hardware.use_threads(None) == used, "nobody has started processes: it is left over"
        launched(monkeypatch, 3)
        assert hardware.use_threads(None) == 2, "torchrun's own setting says nothing"
    finally:
        torch.set_num_threads(before)


def test_threads_are_shared_among_the_processes_of_a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    monkeypatch.setattr(hardware, "available_cores", lambda: 6)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    try:
        assert hardware.use_threads(None) == torch.get_num_threads() == 6
        assert hardware.use_threads(2) == torch.get_num_threads() == 2
        monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
        launched(monkeypatch, 4)
        assert hardware.use_threads(None) == torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(("native", "name"), [(True, "bf16"), (False, "float32")])
def test_auto_precision_is_bf16_only_where_the_chip_multiplies_it(
    native: bool, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: native)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    assert hardware.choose_precision("auto", torch.device("cpu")).name == name


@pytest.mark.parametrize(("capability", "native"), [((7, 5), False), ((8, 0), True), ((9, 0), True)])
def test_gpus_multiply_bf16_from_8_0_on(
    capability: tuple[int, int], native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert hardware.multiplies_bf16(torch.device("cuda", 0)) is native


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "mps", "tpu"])
def test_unknown_devices_are_refused(name: str) -> None:
    with pytest.raises(DiaboloError, match="device"):
        hardware.choose_device(name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_cuda_without_a_gpu_says_what_to_do() -> None:
    with pytest.raises(DiaboloError, match="--device cpu"):
        hardware.choose_device("cuda")
    assert hardware.choose_device("auto") == torch.device("cpu")


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(DiaboloError, match="cuda:5; this machine has 2"):
        hardware.choose_device("cuda:5")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert hardware.choose_device("cuda") == torch.device("cuda", 0), "left over from another program"
    launched(monkeypatch, 2)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert hardware.choose_device("cuda") == torch.device("cuda", 1)
