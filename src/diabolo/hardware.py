"""What this process may use: the device, its cores, and the precision the chip multiplies natively."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

from diabolo import distributed
from diabolo.errors import DiaboloError

DTYPES = {"float32": torch.float32, "bf16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class Precision:
    """A resolved precision: matrix products run in `dtype` under autocast; sums and the loss stay in float32."""

    name: str
    dtype: torch.dtype

    @property
    def autocast(self) -> bool:
        """Whether anything runs below float32."""
        return self.dtype != torch.float32

    @property
    def scaled(self) -> bool:
        """Whether gradients vanish in it unless the loss is scaled up: float16 ends at 6e-8, bf16 where float32 does."""
        return self.dtype == torch.float16


def choose_device(name: str) -> torch.device:
    """The device of that name: "cpu", "cuda", "cuda:1", "mps" (the GPU of a Mac), or "auto": a CUDA device where there is one,
    else the CPU. A Mac's GPU is chosen by name only.

    Raises:
        DiaboloError: for a device that is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise DiaboloError(f"there is no device {name!r}; use auto, cpu, cuda, cuda:N or mps") from error
    if device.type == "cuda":
        if not torch.cuda.is_available():
            raise DiaboloError("this machine has no CUDA device that torch can use; use --device cpu")
        index = distributed.local("LOCAL_RANK", 0) if device.index is None else device.index
        if index >= torch.cuda.device_count():
            raise DiaboloError(f"there is no device cuda:{index}; this machine has {torch.cuda.device_count()}")
        device = torch.device("cuda", index)
    elif device.type == "mps":
        if not torch.backends.mps.is_available():
            raise DiaboloError("this machine has no Apple GPU (mps) that torch can use; use --device cpu")
        if device.index:
            raise DiaboloError(f"there is no device {name}; a Mac has one GPU, mps")
        device = torch.device("mps", 0)
    elif device.type != "cpu":
        raise DiaboloError(f"the device {name!r} is not supported; use cpu, cuda or mps")
    return device


def choose_precision(name: str, device: torch.device) -> Precision:
    """The precision of that name; "auto" is bf16 where `device` multiplies it natively, else float32.

    Raises:
        DiaboloError: for any but float32 on a Mac's GPU.
    """
    if name == "auto":
        name = "bf16" if multiplies_bf16(device) else "float32"
    if device.type == "mps" and name != "float32":
        raise DiaboloError(f"the device mps computes in float32 only, not in {name}; use --precision float32")
    return Precision(name, DTYPES[name])


def multiplies_bf16(device: torch.device) -> bool:
    """Whether the chip has instructions for bf16 products: CUDA from 8.0 on, CPUs with AVX512-BF16 or AMX."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu":
        return False
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, check, lambda: False)() for check in checks)


def available_cores() -> int:
    """The cores this process may really use: its affinity, and its share by the control group (containers)."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, _cgroup_cores(Path("/sys/fs/cgroup")) or cores))


def _cgroup_cores(root: Path) -> int | None:
    """Whole cores granted by cgroup v2 (`cpu.max`) or v1, rounded down; None where there is no limit."""
    try:
        quota, period = (root / "cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        try:
            quota = (root / "cpu/cpu.cfs_quota_us").read_text(encoding="ascii").strip()
            period = (root / "cpu/cpu.cfs_period_us").read_text(encoding="ascii").strip()
        except OSError:
            return None
    if quota in ("max", "-1"):
        return None
    try:
        return max(1, int(quota) // int(period))
    except (ValueError, ZeroDivisionError):
        return None


def use_threads(threads: int | None) -> int:
    """Let torch use `threads` CPU threads. None: OMP_NUM_THREADS of them where the user has set that, else the available cores,
    shared among this machine's processes (torchrun sets that variable to 1 of its own accord: there it says nothing)."""
    said = os.environ.get("OMP_NUM_THREADS", "")
    if threads is None and distributed.launched() == 1 and said.isdecimal():
        threads = max(1, min(int(said), available_cores()))
    threads = threads or max(1, available_cores() // max(1, distributed.local("LOCAL_WORLD_SIZE", 1)))
    torch.set_num_threads(threads)
    return threads


def has_float64(device: torch.device) -> bool:
    """Whether `device` has numbers of 64 bits; the GPU of a Mac has none."""
    return device.type in ("cpu", "cuda")


def wide(x: torch.Tensor) -> torch.Tensor:
    """`x` in float64: where it lies, or on the CPU where its device has no such numbers, such as a Mac's GPU."""
    return (x if has_float64(x.device) else x.cpu()).double()


def wait(device: torch.device) -> None:
    """Return when `device` has done all that it was given."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def reset_peak_memory(device: torch.device) -> None:
    """Start counting `peak_memory` anew, where that can be done (CUDA)."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory(device: torch.device) -> int:
    """Bytes: on a CUDA device the most that tensors took since the reset; elsewhere the most the process ever took."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:  # Windows
        import psutil

        return int(psutil.Process().memory_info().peak_wset)  # type: ignore[attr-defined]  # on Windows alone
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
