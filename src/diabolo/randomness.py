"""Where every random number comes from: generators derived from one seed, and draws that do not depend on how many
processes share the work."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from numbers import Integral

import torch
from torch import Tensor

from diabolo import distributed
from diabolo.ranges import AnySeed, check


def derive(seed: int, *purpose: object) -> int:
    """A 63-bit seed for one purpose, e.g. `derive(0, "order", epoch)`: the same on every machine, unrelated to others.

    Raises:
        DiaboloError: for a seed that is no whole number from 0 up; None would be one more fixed seed, and is refused.
    """
    seed = check("seed", seed, AnySeed)
    words = tuple(int(word) if isinstance(word, Integral) else word for word in (seed, *purpose))
    digest = hashlib.blake2b(repr(words).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def generator(seed: int, *purpose: object, device: torch.device | str = "cpu") -> torch.Generator:
    """A fresh `torch.Generator` on `device`, seeded with `derive(seed, *purpose)`."""
    return torch.Generator(device).manual_seed(derive(seed, *purpose))


def seed_global(seed: int, device: torch.device) -> None:
    """Seed torch's own generator of the CPU, and of `device` where that is another.

    As `torch.manual_seed`, which notes where in the program it was called, for every device that might yet be used: half a
    millisecond each time.
    """
    if device.type == "cpu":
        torch.default_generator.manual_seed(seed)
    else:
        torch.manual_seed(seed)


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
        mine = total * (distributed.rank() + 1) // distributed.world() - start if self.window else total  # images
        each = max(1, like.shape[0] // max(1, mine))  # rows per image, one after the other: k samples, say
        shape = (total * each, *like.shape[1:])
        return self.numbers(draw, shape, like.device, like.dtype)[start * each : start * each + like.shape[0]]

    def numbers(
        self, draw: Callable[..., Tensor], shape: tuple[int, ...], device: torch.device, dtype: torch.dtype
    ) -> Tensor:
        """`draw` (torch.randn or torch.rand) of that shape; all numbers that a model draws come through here."""
        return draw(shape, generator=self.generator, device=device, dtype=dtype)


Ask = tuple[Callable[..., Tensor], tuple[int, ...], torch.device, torch.dtype]


@dataclass
class Rehearsal(Draws):
    """Draws that note down in `asked` what is drawn, so that it can be drawn beforehand the next time."""

    asked: list[Ask] = field(default_factory=list)

    def numbers(
        self, draw: Callable[..., Tensor], shape: tuple[int, ...], device: torch.device, dtype: torch.dtype
    ) -> Tensor:
        """The numbers, which are noted."""
        self.asked.append((draw, tuple(shape), device, dtype))
        return super().numbers(draw, shape, device, dtype)


@dataclass
class Given(Draws):
    """Numbers that were drawn beforehand, handed out in their order."""

    drawn: Iterator[Tensor] = field(default_factory=lambda: iter(()))

    def numbers(
        self, draw: Callable[..., Tensor], shape: tuple[int, ...], device: torch.device, dtype: torch.dtype
    ) -> Tensor:
        """The next of them."""
        return next(self.drawn)


_CURRENT: ContextVar[Draws | None] = ContextVar("draws", default=None)


@contextmanager
def drawing(draws: Draws) -> Iterator[None]:
    """Inside the block, layers that draw in a forward pass without being handed `draws` (dropout) take them from there."""
    token = _CURRENT.set(draws)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current_draws() -> Draws:
    """The draws of the block that `drawing` opened; torch's global generator outside."""
    return _CURRENT.get() or Draws()
