"""An autoregressive prior over maps of discrete codes, so that a vector-quantised autoencoder generates.

The transformer is that of Vaswani et al. 2017, arXiv 1706.03762, in its decoder-only form with the norms first (Radford et
al. 2019).
"""

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
from diabolo.randomness import Draws
from diabolo.ranges import At, Count
from diabolo.summary import Summary, summarise
from diabolo.updates.loss import Loss, unchecked
from diabolo.updates.player import Player

Past = list[tuple[Tensor, Tensor]]  # per block the keys and values (N, heads, t, width / heads) of what came before


class Block(nn.Module):
    """x + attention(norm(x)), then x + MLP(norm(x))."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.to_qkv, self.from_heads = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor, past: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """`x` (N, t, width), after `past`, in which all of it may look: the same shape, and the past from now on.

        Attention is written out: its gradient is then a sum in a fixed order on every device.
        """
        q, k, v = self.to_qkv(self.norms[0](x)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        if past is not None:
            k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        scores = (q @ k.transpose(2, 3)).float() / math.sqrt(q.shape[3])
        later = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool, device=x.device)
        scores = scores.masked_fill(later.triu(1 + k.shape[2] - q.shape[2]), -math.inf)
        heard = scores.softmax(3).to(v.dtype) @ v
        x = x + self.from_heads(heard.transpose(1, 2).flatten(2))
        x = x + self.mlp(self.norms[1](x))
        return x, (k, v)


class CausalTransformer(nn.Module):
    """Tokens 0 … K − 1 on a grid (h, w), row by row → for each the logits of what it may be, from those before it alone.

    Args:
        codes: K.
        grid: (h, w).
        width: numbers per position; a multiple of `heads`.
        layers: blocks.
        heads: of the attention.

    Example:
        >>> network = diabolo.priors.CausalTransformer(codes=32, grid=(2, 2), width=16, layers=1)
        >>> tuple(network(torch.zeros(5, 4, dtype=torch.long)).shape)
        (5, 4, 32)
    """

    def __init__(self, codes: int, grid: tuple[int, int], width: int = 128, layers: int = 4, heads: int = 4) -> None:
        super().__init__()
        if min(width, layers, heads) < 1 or width % heads:
            raise DiaboloError(
                f"a transformer needs at least one layer and head, and a width that is a multiple of its heads, not {layers} "
                f"layers, {heads} heads and a width of {width}"
            )
        self.token = nn.Embedding(codes, width)
        self.start = nn.Parameter(torch.zeros(width))
        self.row = nn.Parameter(0.02 * torch.randn(grid[0], 1, width))
        self.column = nn.Parameter(0.02 * torch.randn(1, grid[1], width))
        nn.init.normal_(self.token.weight, std=0.02)
        self.blocks = nn.ModuleList([Block(width, heads) for _ in range(layers)])
        self.norm, self.to_logits = nn.LayerNorm(width), nn.Linear(width, codes)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits (N, T, K) of the `tokens` (N, T), int64; those at position i depend on tokens before i alone."""
        logits, _ = self._through(self._shifted(tokens), None)
        return logits

    def following(self, tokens: Tensor, past: Past | None) -> tuple[Tensor, Past]:
        """Logits (N, K) of the token after `tokens` (N, t), of which only the last is looked at when there is a `past`: what
        this gave for all but the last."""
        t = tokens.shape[1]
        x = self._shifted(torch.cat([tokens, tokens.new_zeros(len(tokens), 1)], 1))
        logits, past = self._through(x if past is None else x[:, t:], past)
        return logits[:, -1], past

    def _shifted(self, tokens: Tensor) -> Tensor:
        """What goes in (N, t, width): at each position its place, and the token before it."""
        before = torch.cat([self.start.expand(len(tokens), 1, -1), self.token(tokens[:, :-1])], 1)
        return before + (self.row + self.column).flatten(0, 1)[: tokens.shape[1]]

    def _through(self, x: Tensor, past: Past | None) -> tuple[Tensor, Past]:
        after: Past = []
        for i, block in enumerate(self.blocks):
            x, keys = block(x, None if past is None else past[i])
            after.append(keys)
        return self.to_logits(self.norm(x)), after


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
