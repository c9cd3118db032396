"""Several processes working on one batch: who am I, and sums over all of us. With one process these cost nothing."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

import torch
import torch.distributed as dist
from torch import Tensor

from diabolo.errors import DiaboloError, InUseError, NotTrustedError, NotWrittenError

_apart = False
NEEDED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # what torchrun tells each process


class OtherEndedError(DiaboloError):
    """Another process of this training has ended, so this one cannot go on."""

    exit_code = 1


def launched() -> int:
    """How many processes torchrun has started, this one among them; 1 where it has started none. Variables that another program
    has left in the environment, a scheduler say, are no processes: torchrun sets all of `NEEDED`."""
    told = {name: os.environ.get(name, "") for name in NEEDED}
    numbers = [int(told[name]) for name in ("RANK", "WORLD_SIZE", "MASTER_PORT") if told[name].isdecimal()]
    if len(numbers) < 3 or not told["MASTER_ADDR"] or not 0 <= numbers[0] < numbers[1]:
        return 1
    return numbers[1]


def launched_as() -> int:
    """The number of this process among those `launched`, also before they have joined and after they have parted."""
    return int(os.environ["RANK"]) if launched() > 1 else 0


def local(name: str, alone: int) -> int:
    """LOCAL_RANK or LOCAL_WORLD_SIZE, where torchrun has set them; else what a process on its own has."""
    said = os.environ.get(name, "")
    return int(said) if launched() > 1 and said.isdecimal() else alone


def left_over() -> str:
    """A variable of torchrun's that another program has left; "" where there is none."""
    names = [name for name in ("WORLD_SIZE", "RANK", "LOCAL_RANK") if os.environ.get(name, "0") not in ("", "0", "1")]
    return names[0] if names and launched() == 1 else ""


@contextmanager
def joined(device: torch.device) -> Iterator[None]:
    """Under torchrun, work with the other processes for the length of the block: by gloo on CPUs, NCCL on GPUs.

    Raises:
        OtherEndedError: when another process has ended, or this one was told to end because of that.
        DiaboloError: when the processes do not find each other, or the device is one that cannot be shared (a Mac's GPU).
    """
    if launched() == 1 or dist.is_initialized():
        yield
        return
    if device.type == "mps":
        raise DiaboloError(
            "several processes work on CPUs or CUDA devices; with --device mps start one, without torchrun"
        )
    if device.type == "cuda":
        torch.cuda.set_device(device)
    where = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
    try:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    except (RuntimeError, ValueError) as error:
        raise DiaboloError(
            f"process {launched_as()} of {launched()} does not reach the others at {where}; start them with torchrun, or take "
            f"WORLD_SIZE and RANK out of the environment"
        ) from error
    try:
        with _ended_by_others():
            yield
    finally:
        dist.destroy_process_group()


@contextmanager
def _ended_by_others() -> Iterator[None]:
    """What the end of another process looks like from here, and torchrun's order to end, as one sentence."""
    sentence = (
        f"process {launched_as()} of {launched()} ends, because another one has ended or torchrun has stopped it; see what the "
        f"others say"
    )

    def asked(number: int, frame: FrameType | None) -> NoReturn:
        raise OtherEndedError(sentence)

    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, asked) if main else None
    try:
        yield
    except RuntimeError as error:
        lost = ("closed by peer", "reset by peer", "connection", "socket", "gloo", "nccl", "timed out", "broken pipe")
        if isinstance(error, DiaboloError) or not any(word in str(error).lower() for word in lost):
            raise
        raise OtherEndedError(sentence) from error
    finally:
        if main:
            signal.signal(signal.SIGTERM, before if before is not None else signal.SIG_DFL)


def world() -> int:
    """How many processes work together (1 when not started by torchrun, and inside `alone`)."""
    return dist.get_world_size() if not _apart and dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """This process's number, 0 … world − 1. Only rank 0 writes files and prints."""
    return dist.get_rank() if world() > 1 else 0


@contextmanager
def alone() -> Iterator[None]:
    """Inside the block (or the function that this decorates) the process works on its own: it draws what one process would, and
    neither waits for the others nor adds anything to theirs."""
    global _apart
    before, _apart = _apart, True
    try:
        yield
    finally:
        _apart = before


class _Sum(torch.autograd.Function):
    """All-reduce that gradients pass through: the derivative of a sum over processes is the sum of the derivatives."""

    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        x = x.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(x)
        return x

    @staticmethod
    def backward(ctx: object, *grads: Tensor) -> Tensor:
        grad: Tensor = _Sum.apply(grads[0])  # differentiable again, for penalties on gradients
        return grad


def mean(x: Tensor) -> Tensor:
    """The mean of `x` over the processes, differentiable; `x` itself when there is one process."""
    if world() == 1:
        return x
    total: Tensor = _Sum.apply(x)
    return total / world()


def mean_of_rows(x: Tensor) -> Tensor:
    """The mean over all rows of `x` (N, …) in all processes, each of which may hold another number of them; differentiable."""
    if world() == 1:
        return x.mean(0)
    count = total(torch.tensor(float(len(x)), device=x.device))
    joint: Tensor = _Sum.apply(x.sum(0))
    return joint / count


def average(x: Tensor) -> None:
    """Replace `x` by its mean over the processes, in place."""
    if world() > 1:
        dist.all_reduce(x)
        x /= world()


def total(x: Tensor) -> Tensor:
    """The sum of `x` over the processes, the same in each, without a gradient; `x` itself when there is one process."""
    if world() == 1:
        return x
    joint = x.detach().clone(memory_format=torch.contiguous_format)
    joint = joint.cuda() if dist.get_backend() == "nccl" else joint  # which adds up nothing that lies elsewhere
    dist.all_reduce(joint)
    return joint.to(x.device)


def mine(n: int) -> slice:
    """Which of `n` images are this process's: the first process has the first of them, and no two have the same.

    Raises:
        DiaboloError: for fewer images than processes.
    """
    if n < world():
        raise DiaboloError(f"there are fewer images ({n}) than processes ({world()})")
    return slice(n * rank() // world(), n * (rank() + 1) // world())


def rows(x: Tensor) -> Tensor:
    """The rows of `x` (n, …) of all processes, those of the first process first: (Σ n, …), the same in each. Each process may
    hold another number of them."""
    if world() == 1:
        return x
    lengths = torch.zeros(world(), dtype=torch.int64)
    lengths[rank()] = len(x)
    lengths = total(lengths)
    before = int(lengths[: rank()].sum())
    joint = x.new_zeros(int(lengths.sum()), *x.shape[1:])
    joint[before : before + len(x)] = x
    return total(joint)  # to every row, the others add nothing


def wait() -> None:
    """Go on when all processes have come here."""
    if world() > 1:
        dist.barrier()


def any_of(yes: bool) -> bool:
    """Whether any process says yes; the same answer in all of them."""
    if world() == 1:
        return yes
    votes = torch.tensor(float(yes), device="cuda" if dist.get_backend() == "nccl" else "cpu")
    dist.all_reduce(votes)
    return bool(votes)


def from_first(x: Tensor) -> None:
    """Overwrite `x` with the first process's, in place."""
    if world() > 1:
        dist.broadcast(x, 0)


def text_from_first(text: str) -> str:
    """The first process's text (of which 4,096 bytes at most), known to all."""
    if world() == 1:
        return text
    device = "cuda" if dist.get_backend() == "nccl" else "cpu"
    message = torch.zeros(4096, dtype=torch.uint8, device=device)
    encoded = text.encode()[:4096]
    if encoded:
        message[: len(encoded)] = torch.tensor(list(encoded), dtype=torch.uint8, device=device)
    dist.broadcast(message, 0)
    return bytes(message.tolist()).rstrip(b"\0").decode(errors="ignore")


def of_first(action: Callable[[], object]) -> str:
    """What `action` gives in the first process, as text, known to all. What it fails of ends all of them, each in one sentence.

    Raises:
        DiaboloError: whatever kind of it the first process met, in every process.
        OtherEndedError: in the others, where the first has failed of something else.
    """
    if world() == 1:
        return str(action())
    told, failed = "", None
    if rank() == 0:
        try:
            told = f" {action()}"
        except Exception as error:
            kind = type(error).__name__ if isinstance(error, DiaboloError) else OtherEndedError.__name__
            failed, told = error, f"{kind} {error}"
    kind, _, text = text_from_first(told).partition(" ")
    if failed is not None:
        raise failed
    if kind:
        raise KINDS.get(kind, DiaboloError)(text or "the first process has failed")
    return text


KINDS: dict[str, type[DiaboloError]] = {
    kind.__name__: kind for kind in (DiaboloError, NotWrittenError, InUseError, NotTrustedError, OtherEndedError)
}
