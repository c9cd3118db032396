"""An autoregressive prior over maps of discrete codes, so that a vector-quantised autoencoder generates."""

import math
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from diabolo.codec import as_input
from diabolo.errors import DiaboloError
from diabolo.hardware import wide
from diabolo.parts import part
from diabolo.priors.transformer import CausalTransformer, Past
from diabolo.randomness import Draws
from diabolo.ranges import At, Count
from diabolo.summary import Summary, summarise
from diabolo.updates.loss import Loss, unchecked
from diabolo.updates.player import Player

CHUNK = 256  # maps drawn at once
MOST = 2**16  # codes that two bytes can name


@part
class CodePrior(nn.Module):
    """log p(k) = Σᵢ log p(kᵢ | k₁ … kᵢ₋₁) of a map of indices (h, w), row by row (van den Oord et al. 2017, arXiv 1711.00937,
    section 3.3, with a causal transformer in place of the PixelCNN).

    It is trained as a model of images is, by the same loop. Its "images" are maps of indices as bytes, (1, h, w), or with
    more than 256 codes (1, 2 h, w): the low bytes above the high bytes (`to_bytes`).

    Args:
        codes: K, size of the codebook.
        grid: (h, w) of the code map.
        width: numbers per position.
        layers: blocks of the transformer.
        heads: of its attention.
        fitted_to: the fingerprint of the weights whose codes it is of.

    Example:
        >>> from diabolo.randomness import Draws
        >>> prior = diabolo.priors.CodePrior(codes=32, grid=(2, 2), width=16, layers=1)
        >>> tuple(prior.draw(5, Draws(), torch.device("cpu")).shape)
        (5, 2, 2)
    """

    name = "prior"
    needs_column = None
    logged = ("bits_per_code",)
    after_update = None

    def __init__(
        self,
        codes: int,
        grid: tuple[int, int],
        width: Count = 128,
        layers: Annotated[int, At(1, 1000)] = 4,
        heads: Count = 4,
        fitted_to: str = "",
    ) -> None:
        super().__init__()
        if not 2 <= codes <= MOST:
            raise DiaboloError(f"a prior is over 2 to {MOST:,} codes, not {codes:,}")
        self.codes, self.grid, self.fitted_to = codes, (grid[0], grid[1]), fitted_to
        self.input_shape = (1, bytes_of(codes) * grid[0], grid[1])
        self.net = CausalTransformer(codes, self.grid, width, layers, heads)
        self.units = {"nll": "nats per map"}

    def loss(self, x: Tensor, draws: Draws | None = None, progress: float | Tensor = 1.0, y: Any = None) -> Loss:
        """−log p(k) of the maps `x` (N, *input_shape), bytes / 255; watched in bits per code beside it."""
        if unchecked():
            x = as_input(x, self.input_shape, self.device)
            if not len(x):
                raise DiaboloError("the loss is a mean over maps of codes, and there are none")
            if int(most := from_bytes(x, self.grid).max()) >= self.codes:
                raise DiaboloError(f"the index {most} is none of the {self.codes:,} codes 0 … {self.codes - 1:,}")
        indices = from_bytes(x, self.grid)
        nll = F.cross_entropy(self.net(indices).float().flatten(0, 1), indices.flatten(), reduction="sum") / len(x)
        bits = nll.detach() / (math.prod(self.grid) * math.log(2))
        return Loss(nll, {"nll": nll}, {"nll": 1.0}, {"bits_per_code": bits})

    def initialise(self, x: Any, y: Any = None, seed: int = 0) -> None:
        """There is nothing to look at before training."""

    @property
    def players(self) -> dict[str, Player]:
        """One, who moves everything."""
        return {"model": Player(tuple(self.parameters()))}

    def draw(self, n: int, draws: Draws, device: torch.device) -> Tensor:
        """`n` maps of indices (n, h, w), int64, on `device`, each code by the inverse of its distribution function."""
        self.to(device).eval()
        uniform = draws.uniform(torch.empty(n, math.prod(self.grid), device=device))
        with torch.no_grad():
            return torch.cat([self._draw(part) for part in uniform.split(CHUNK)]).view(n, *self.grid)

    def _draw(self, uniform: Tensor) -> Tensor:
        tokens = torch.empty(len(uniform), 0, dtype=torch.int64, device=uniform.device)
        past: Past | None = None
        for u in uniform.T:
            logits, past = self.net.following(tokens, past)
            below = wide(logits).softmax(1).cumsum(1) <= wide(u)[:, None]
            tokens = torch.cat([tokens, below.sum(1, keepdim=True).clamp(max=self.codes - 1).to(u.device)], 1)
        return tokens

    def summary(self) -> Summary:
        """The table of layers, output shapes and parameter counts; print it."""
        with torch.no_grad():
            return summarise(self, lambda: self.loss(torch.zeros(1, *self.input_shape, device=self.device)))

    @property
    def device(self) -> torch.device:
        """Where it lies."""
        device: torch.device = self.net.start.device
        return device


def bytes_of(codes: int) -> int:
    """How many bytes an index below `codes` takes."""
    return 1 if codes <= 256 else 2


def to_bytes(indices: NDArray[np.int64], codes: int) -> NDArray[np.uint8]:
    """Maps of indices (N, h, w) as bytes (N, h, w), or (N, 2 h, w): low bytes above high bytes."""
    parts = [indices >> (8 * i) & 255 for i in range(bytes_of(codes))]
    return np.concatenate(parts, 1).astype(np.uint8)


def from_bytes(x: Tensor, grid: tuple[int, int]) -> Tensor:
    """Maps of indices (N, h · w), int64, from bytes / 255, (N, 1, h, w) or (N, 1, 2 h, w)."""
    parts = (255 * x).round().long().flatten(1).split(math.prod(grid), 1)
    indices: Tensor = parts[0] if len(parts) == 1 else parts[0] + 256 * parts[1]
    return indices
