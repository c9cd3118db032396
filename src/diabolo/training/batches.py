"""Which images go into which batch of an epoch: one shuffle, drawn from the seed and the epoch alone."""

from dataclasses import dataclass

import torch
from torch import Tensor

from diabolo import distributed
from diabolo.randomness import generator


@dataclass(frozen=True)
class Plan:
    """The batches of one epoch for this process.

    Attributes:
        batches: image numbers, one tensor a step.
        windows: per step, where this process's rows lie in the batch that all processes share (`Draws.window`).
        left_out: how many images of `order` are in no batch of any process.
    """

    batches: tuple[Tensor, ...]
    windows: tuple[tuple[int, int] | None, ...]

    left_out: int = 0

    @property
    def sizes(self) -> list[int]:
        """Images per step in this process."""
        return [len(batch) for batch in self.batches]


def plan(order: Tensor, batch_size: int, every: bool = False) -> Plan:
    """Cut `order` (N,) into batches of `batch_size` per process. The last may be smaller; if it held a single image (of
    which batch norm can make nothing) that image joins the batch before.

    With several processes the last batch may not divide evenly. In training at most `world − 1` images are left out then,
    others in every epoch, since gradients are means over equally many; with `every`, some
    processes have one image more, and fewer images than processes join the batch before.
    """
    world, rank = distributed.world(), distributed.rank()
    size = batch_size * world
    batches, windows = [], []
    pieces = list(order.split(size))
    if len(pieces) > 1 and len(pieces[-1]) < (max(2, world) if every else 2):
        pieces[-2:] = [torch.cat(pieces[-2:])]
    kept = 0
    for piece in pieces:
        joint = piece if every else piece[: len(piece) // world * world]
        first, last = (len(joint) * r // world for r in (rank, rank + 1))
        if last > first:
            batches.append(joint[first:last])
            windows.append((first, len(joint)) if world > 1 else None)
        kept += len(joint)
    return Plan(tuple(batches), tuple(windows), len(order) - kept)


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
    world = distributed.world()
    pieces = order.split((batch_size - each) * world)
    wanted = each * world * len(pieces)
    draws, rounds = generator(seed, "labelled", epoch), -(-wanted // len(labelled))
    turns = torch.cat([labelled[torch.randperm(len(labelled), generator=draws)] for _ in range(rounds)])
    parts = zip(turns[:wanted].split(each * world), pieces, strict=True)
    return torch.cat([rows for pair in parts for rows in pair])


def shuffled(n: int, seed: int, epoch: int) -> Tensor:
    """The order of `n` images in that epoch."""
    return torch.randperm(n, generator=generator(seed, "order", epoch))
