"""Which images go into which batch of an epoch: one shuffle, drawn from the seed and the epoch alone."""

from dataclasses import dataclass

import torch
from torch import Tensor

from diabolo import processes
from diabolo.randomness import generator


@dataclass(frozen=True)
class Plan:
    """The batches of one epoch for this process.

    Attributes:
        batches: image numbers, one tensor a step.
        windows: per step, where this process's rows lie in the batch that all processes share (`Draws.window`).
    """

    batches: tuple[Tensor, ...]
    windows: tuple[tuple[int, int] | None, ...]

    @property
    def sizes(self) -> list[int]:
        """Images per step in this process."""
        return [len(batch) for batch in self.batches]


def plan(order: Tensor, batch_size: int) -> Plan:
    """Cut `order` (N,) into batches of `batch_size` per process. The last may be smaller; if it held a single image (of
    which batch norm can make nothing) that image joins the batch before. With several processes, at most `world − 1` images
    are left out at the end, so that all have equally many."""
    world, rank = processes.world(), processes.rank()
    size = batch_size * world
    batches, windows = [], []
    pieces = list(order.split(size))
    if len(pieces) > 1 and len(pieces[-1]) == 1:
        pieces[-2:] = [torch.cat(pieces[-2:])]
    for joint in pieces:
        share = len(joint) // world
        if share:
            batches.append(joint[rank * share : (rank + 1) * share])
            windows.append((rank * share, world * share) if world > 1 else None)
    return Plan(tuple(batches), tuple(windows))


def mixed(order: Tensor, labelled: Tensor, each: int, batch_size: int, seed: int, epoch: int) -> Tensor:
    """`order` (N,) with labelled images put in, so that `plan` cuts it into batches that have `each` of them per process first,
    and `batch_size − each` of `order` after them: the last batch fewer of these. The longer order is the same for all
    processes.

    Args:
        order: of all images, as `shuffled` gives it.
        labelled: the numbers (L,) of those whose label is known. They come round again and again, each time in a new order.
        each: how many of them, below `batch_size`.
        batch_size, seed, epoch: those of the training.
    """
    world = processes.world()
    pieces = order.split((batch_size - each) * world)
    wanted = each * world * len(pieces)
    draws, rounds = generator(seed, "labelled", epoch), -(-wanted // len(labelled))
    turns = torch.cat([labelled[torch.randperm(len(labelled), generator=draws)] for _ in range(rounds)])
    parts = zip(turns[:wanted].split(each * world), pieces, strict=True)
    return torch.cat([rows for pair in parts for rows in pair])


def shuffled(n: int, seed: int, epoch: int) -> Tensor:
    """The order of `n` images in that epoch."""
    return torch.randperm(n, generator=generator(seed, "order", epoch))
