"""A small causal transformer: what comes next in a sequence, from all that came before it.

Vaswani et al. 2017, arXiv 1706.03762, in its decoder-only form with the norms first (Radford et al. 2019).
"""

import math

import torch
from torch import Tensor, nn

from diabolo.errors import DiaboloError

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
