"""Where every random number comes from: generators derived from one seed, and draws that do not depend on how many
processes share the work."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral

import torch
from torch import Tensor


def derive(seed: int, *purpose: object) -> int:
    """A 63-bit seed for one purpose, e.g. `derive(0, "order", epoch)`: the same on every machine, unrelated to others."""
    words = tuple(int(word) if isinstance(word, Integral) else word for word in (seed, *purpose))
    digest = hashlib.blake2b(repr(words).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def generator(seed: int, *purpose: object, device: torch.device | str = "cpu") -> torch.Generator:
    """A fresh `torch.Generator` on `device`, seeded with `derive(seed, *purpose)`."""
    return torch.Generator(device).manual_seed(derive(seed, *purpose))


@dataclass
class Draws:
    """A source of random numbers for one batch.

    Attributes:
        generator: where the numbers come from; None uses torch's global generator (what `torch.manual_seed` sets).
        window: `(start, total)` when this process holds rows `start …` of a batch of `total` rows that several processes
            share. The numbers of the whole batch are drawn and this process keeps its rows, so that two processes see
            exactly the noise that one would.
    """

    generator: torch.Generator | None = None
    window: tuple[int, int] | None = None

    def normal(self, like: Tensor) -> Tensor:
        """Standard normal numbers of the shape, type and device of `like` (N, …)."""
        return self._rows(like, torch.randn)

    def uniform(self, like: Tensor) -> Tensor:
        """Numbers uniform in [0, 1), of the shape, type and device of `like` (N, …)."""
        return self._rows(like, torch.rand)

    def _rows(self, like: Tensor, draw: Callable[..., Tensor]) -> Tensor:
        start, total = self.window or (0, like.shape[0])
        shape = (total, *like.shape[1:])
        numbers = draw(shape, generator=self.generator, device=like.device, dtype=like.dtype)
        return numbers[start : start + like.shape[0]]
