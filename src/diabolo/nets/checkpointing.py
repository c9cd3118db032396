"""Blocks whose insides are computed again in the backward pass instead of kept in memory (Chen et al. 2016, arXiv 1604.06174).

The second pass must do what the first did: dropout drops the same units, and batch norm does not count the batch twice.
"""

from collections.abc import Callable, Iterator
from contextvars import ContextVar, Token
from types import TracebackType

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from diabolo.errors import DiaboloError
from diabolo.randomness import current_draws

_NOW: ContextVar["_Pass | None"] = ContextVar("pass through a checkpointed block", default=None)


class _Pass:
    """The first or the second pass through a block, entered as a context: `masks` are written down, then read again."""

    def __init__(self, masks: list[Tensor], second: bool) -> None:
        self.masks, self.second = masks, second
        self.left: Iterator[Tensor] = iter(())

    def __enter__(self) -> None:
        self.left = iter(self.masks)
        self.before: Token[_Pass | None] = _NOW.set(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _NOW.reset(self.before)


def _passes() -> tuple[_Pass, _Pass]:
    masks: list[Tensor] = []
    return _Pass(masks, second=False), _Pass(masks, second=True)


def second_pass() -> bool:
    """Whether a block is computed again at this moment."""
    now = _NOW.get()
    return now is not None and now.second


class Chain(nn.Sequential):
    """`nn.Sequential`, of which under `checkpointing` only what goes into each block is kept for the backward pass.

    Args:
        *layers: as for `nn.Sequential`.
        checkpointing: whether to keep so little.
        per: how many consecutive layers make one block.
    """

    def __init__(self, *layers: nn.Module, checkpointing: bool = False, per: int = 1) -> None:
        super().__init__(*layers)
        self.checkpointing, self.per = checkpointing, per

    def blocks(self) -> list[nn.Module]:
        """The blocks, each of `per` layers."""
        layers = list(self)
        return [nn.Sequential(*layers[i : i + self.per]) for i in range(0, len(layers), self.per)]

    def forward(self, x: Tensor) -> Tensor:
        """The layers, one after the other."""
        if not (self.checkpointing and self.training and torch.is_grad_enabled()):
            whole: Tensor = super().forward(x)  # type: ignore[no-untyped-call]  # torch's is untyped
            return whole
        layers = list(self)
        for i in range(0, len(layers), self.per):
            # preserve_rng_state reads the generator on the host, which a CUDA graph forbids; the masks are kept instead
            x = checkpoint(
                _running(layers[i : i + self.per]), x, use_reentrant=False, preserve_rng_state=False, context_fn=_passes
            )
        return x


def _running(block: list[nn.Module]) -> Callable[[Tensor], Tensor]:
    def run(x: Tensor) -> Tensor:
        for layer in block:
            x = layer(x)
        return x

    return run


class Dropout(nn.Module):
    """Each unit is set to 0 with probability `p` in training, the others scaled by 1 / (1 − p) (Srivastava et al. 2014, JMLR
    15:1929). `nn.Dropout` with the noise of the training step, so that several processes drop what one would."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """The thinned copy of `x` (N, …) in training; `x` itself in evaluation."""
        if not self.training:
            return x
        now = _NOW.get()
        if now is not None and now.second:
            keep = next(now.left)
        else:
            like = torch.empty_like(x, dtype=torch.float32)  # bf16 has too few numbers between 0 and 1
            keep = current_draws().uniform(like) >= self.p
            if now is not None:
                now.masks.append(keep)
        return torch.where(keep, x / (1 - self.p), 0.0)

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}"


def dropped(p: float) -> list[nn.Module]:
    """What follows an activation: a dropout layer, or nothing when `p` is 0.

    Raises:
        DiaboloError: when `p` is no probability, or 1.
    """
    if isinstance(p, bool) or not isinstance(p, int | float) or not 0 <= p < 1:
        raise DiaboloError(f"dropout must be at least 0 and below 1, not {p!r}")
    return [Dropout(float(p))] if p else []
