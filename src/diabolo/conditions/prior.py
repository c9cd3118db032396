"""A condition that codes depend on: the prior over codes is a normal distribution read off it."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from diabolo.conditions.condition import Condition, Given
from diabolo.errors import DiaboloError
from diabolo.parts import part
from diabolo.ranges import Count

FAR = 10.0  # log σ² of the prior stays within ± this, so that σ is between 0.007 and 150


@part
class WithPrior(Condition):
    """Any condition c on the decoder, and with it a prior over codes that depends on it, p(z|c) = N(μ(c), σ(c)²), by a small
    network (Sohn, Lee & Yan 2015, NeurIPS).

    Encoder and decoder are given, besides what the inner condition gives them, μ(c) and log σ²(c). The code of such a model is
    u = (z − μ(c)) / σ(c), of which p(u) = N(0, I): so samples, the KL term and likelihoods are those of any VAE
    (`bottlenecks.RelativeGaussian`, `nets.PriorEncoder`, `nets.PriorDecoder`). At first p(z|c) is N(0, I) for each c.

    Args:
        inner: the condition.
        latent_dim: the length of the code.
        hidden: widths of the network's hidden layers.

    Example:
        >>> from diabolo.conditions import Quarter, WithPrior
        >>> condition = WithPrior(Quarter((1, 8, 8)), latent_dim=4)
        >>> condition.to_encoder, condition.to_decoder  # μ(c) and log σ²(c) of 4 units; and 16 pixels
        (8, 24)
    """

    def __init__(self, inner: Condition, latent_dim: Count, hidden: Sequence[Count] = (256,)) -> None:
        super().__init__()
        if not inner.to_decoder:
            raise DiaboloError("a prior that depends on a condition needs one that the decoder is given")
        self.inner, self.needs_column, self.needs_unit_range = inner, inner.needs_column, inner.needs_unit_range
        self.to_encoder, self.to_decoder = inner.to_encoder + 2 * latent_dim, inner.to_decoder + 2 * latent_dim
        layers: list[nn.Module] = []
        for fan_in, fan_out in pairwise((inner.to_decoder, *hidden)):
            layers += [nn.Linear(fan_in, fan_out), nn.SiLU()]
        last = nn.Linear((inner.to_decoder, *hidden)[-1], 2 * latent_dim)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(*layers, last)

    @property
    def core(self) -> Condition:
        """The inner condition."""
        return self.inner.core

    def pick(self, x: Tensor, y: Tensor | None) -> Tensor | None:
        """That of the inner condition."""
        return self.inner.pick(x, y)

    def check(self, y: Tensor) -> None:
        """That of the inner condition."""
        self.inner.check(y)

    def every(self, device: torch.device) -> Tensor | None:
        """That of the inner condition."""
        return self.inner.every(device)

    def blank(self, device: torch.device) -> Tensor | None:
        """That of the inner condition."""
        return self.inner.blank(device)

    def forward(self, given: Tensor | None) -> Given:
        """What the inner condition gives each, (N, F), and beside it μ(c) and log σ²(c), (N, 2 D)."""
        to_encoder, to_decoder = self.inner(given)
        mu, logvar = self.layers(to_decoder[0]).float().chunk(2, dim=1)
        prior = torch.cat([mu, FAR * torch.tanh(logvar / FAR)], 1)
        return (torch.cat([*to_encoder, prior], 1),), (torch.cat([*to_decoder, prior], 1),)
