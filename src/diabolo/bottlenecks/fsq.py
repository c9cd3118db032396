"""A quantiser without a codebook: each channel of the code map is rounded to one of a few levels."""

import math
from collections.abc import Callable
from types import MappingProxyType

import torch
from torch import Tensor

from diabolo.bottlenecks.latent import Latent
from diabolo.bottlenecks.quantizer import MOST_CODES, Discrete
from diabolo.errors import DiaboloError
from diabolo.parts import part
from diabolo.randomness import Draws
from diabolo.ranges import Levels

EPS = 1e-3  # how far beyond the outermost levels the tanh reaches


@part
class FSQ(Discrete):
    """Finite scalar quantisation: channel i of the map is bounded and rounded to L_i levels, which is an implied codebook of
    K = ∏ L_i codes, without penalties (Mentzer et al. 2023, arXiv 2309.15505).

    With h = (L − 1)(1 + ε) / 2 and a shift o of ½ for even L: y = round(h tanh(z + atanh(o / h)) − o), divided by ⌊L / 2⌋, so
    that codes lie in [−1, 1]. Gradients pass the rounding straight through.

    Args:
        map_shape: (C, h, w) of the map that the encoder gives, flat.
        levels: L_i of each channel, 3 or more; their number is that of the channels. The paper advises 5 or more.

    Example:
        >>> from diabolo.randomness import Draws
        >>> code = diabolo.bottlenecks.FSQ((16, 2, 2), levels=(8, 5, 5))
        >>> tuple(code(torch.randn(5, 64), Draws()).z.shape)
        (5, 3, 2, 2)
    """

    remedies = MappingProxyType({"levels": "fewer --levels"})
    each: Tensor
    reach: Tensor
    offset: Tensor
    middle: Tensor
    basis: Tensor

    def __init__(
        self,
        map_shape: tuple[int, ...],
        levels: Levels = (8, 5, 5, 5),
    ) -> None:
        if math.prod(levels) > MOST_CODES:
            raise DiaboloError(
                f"the levels of {len(levels)} channels make {math.prod(levels):.3g} codes, and {MOST_CODES:,} can be "
                "counted: use fewer channels or levels"
            )
        super().__init__(map_shape, len(levels), math.prod(levels))
        self.levels = tuple(levels)
        ones = [1] * (len(map_shape) - 1)
        each = torch.tensor(self.levels).view(-1, *ones)
        self.register_buffer("reach", (each - 1) * (1 + EPS) / 2, persistent=False)
        self.register_buffer("offset", torch.where(each % 2 == 0, 0.5, 0.0), persistent=False)
        self.register_buffer("middle", each // 2, persistent=False)
        self.register_buffer("each", each, persistent=False)
        basis = [math.prod(levels[:i]) for i in range(len(levels))]
        self.register_buffer("basis", torch.tensor(basis).view(-1, *ones), persistent=False)

    def forward(self, features: Tensor, draws: Draws) -> Latent:
        """The codes (N, D, h, w) in [−1, 1] of `features` (N, in_features)."""
        bounded = self.bounded(self.unquantised(features))
        rounded = bounded.detach().round()
        z = (rounded + (bounded - bounded.detach())) / self.middle
        code = rounded / self.middle
        return Latent(z=z, code=code, logged=self.logged_counts(self.count(self._number(code))))

    def initialise(self, features: Callable[[], Tensor], draws: Draws) -> None:
        """Each channel begins with mean 0 and variance 1 over the first images, so that all levels are in use from the start
        (Salimans & Kingma 2016, arXiv 1602.07868). Where all images begin in one level, the tanh soon saturates there."""
        with torch.no_grad():
            vectors = self.unquantised(features())
            others = (0, *range(2, vectors.ndim))
            mean, spread = vectors.mean(others), vectors.std(others, correction=0)
            deviation = torch.where(spread > 0, spread.clamp(min=EPS), 1)  # a channel that does not vary stays as it is
            self.to_code.weight /= deviation.view(-1, *[1] * (self.to_code.weight.ndim - 1))
            assert self.to_code.bias is not None
            self.to_code.bias.sub_(mean).div_(deviation)

    def bounded(self, vectors: Tensor) -> Tensor:
        """`vectors` (N, D, h, w), each channel within half a step of its outermost levels."""
        return (vectors + (self.offset / self.reach).atanh()).tanh() * self.reach - self.offset

    def placed(self, features: Tensor) -> Tensor:
        """The vectors (N, D, h, w) of `features` (N, in_features), bounded, which are rounded to the nearest code."""
        return self.bounded(self.unquantised(features)) / self.middle

    def indices(self, features: Tensor) -> Tensor:
        """The indices (N, h, w), int64, of `features` (N, in_features)."""
        return self._number(self.bounded(self.unquantised(features)).round() / self.middle)

    def indices_of(self, vectors: Tensor) -> Tensor:
        """The index of the code nearest to each of `vectors` (N, D, h, w): (N, h, w), int64."""
        return self._number(vectors.to(self.middle.device))

    def codes_of(self, indices: Tensor) -> Tensor:
        """The codes (N, D, h, w) that the `indices` (N, h, w) stand for, as `Autoencoder.decode` takes them."""
        digits = indices.to(self.basis.device)[:, None] // self.basis % self.each
        return (digits - self.middle) / self.middle

    def _number(self, code: Tensor) -> Tensor:
        """The number whose digits, in base L_i, are the levels of `code` (N, D, h, w): (N, h, w)."""
        digits = (code * self.middle + self.middle).round().long()
        return (torch.minimum(digits.clamp(min=0), self.each - 1) * self.basis).sum(1)
