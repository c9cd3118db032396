"""Several processes working on one batch: who am I, and sums over all of us. With one process these cost nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor

from diabolo.errors import DiaboloError

_apart = False


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
    """The first process's text (at most 4,096 bytes), known to all."""
    if world() == 1:
        return text
    device = "cuda" if dist.get_backend() == "nccl" else "cpu"
    message = torch.zeros(4096, dtype=torch.uint8, device=device)
    encoded = text.encode()
    if encoded:
        message[: len(encoded)] = torch.tensor(list(encoded), dtype=torch.uint8, device=device)
    dist.broadcast(message, 0)
    return bytes(message.tolist()).rstrip(b"\0").decode()
