"""Bottlenecks whose codes are discrete: a map of indices, each standing for a vector. What all of them share."""

from abc import abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Protocol

import torch
from torch import Tensor, nn

from diabolo import distributed
from diabolo.bottlenecks.diagnosis import BAD_SHARE, Diagnosis, Finding
from diabolo.bottlenecks.latent import Bottleneck, Latent
from diabolo.errors import DiaboloError, NoPriorError
from diabolo.nets.layers import GRIDS
from diabolo.randomness import Draws
from diabolo.ranges import At

MOST_CODES = 2**24  # float32 counts uses exactly up to there
Codes = Annotated[int, At(2, MOST_CODES)]


class IndexPrior(Protocol):
    """A density over maps of indices to draw from."""

    def draw(self, n: int, draws: Draws, device: torch.device) -> Tensor:
        """`n` maps of indices (n, h, w), int64, on `device`."""
        ...


class Discrete(Bottleneck):
    """A bottleneck that gives a map (h, w) of indices 0 … K − 1 per image; each stands for a vector of D numbers. So for maps
    of one side, (l,), or three.

    It owns a 1×1 convolution from the encoder's last map (C, h, w) to D channels. While training, `usage` counts how often
    each code was used, over all processes.

    Attributes:
        codes: K.
        usage: (K,) float32, how often each code was used in training since the last `diagnose`: in the last epoch.
        remedies: what helps against dead codes, by option.

    Example:
        >>> code = diabolo.bottlenecks.VectorQuantizer((16, 2, 2), latent_dim=8, codes=32)
        >>> isinstance(code, diabolo.bottlenecks.Discrete), code.discrete
        (True, True)
    """

    discrete = True
    logged = ("perplexity", "used_codes")
    remedies: Mapping[str, str] = MappingProxyType({})
    usage: Tensor

    def __init__(self, map_shape: tuple[int, ...], latent_dim: int, codes: int) -> None:
        super().__init__(latent_dim)
        if len(map_shape) - 1 not in GRIDS or min(map_shape) < 1:
            raise DiaboloError(f"a quantiser needs an encoder that ends in a map (C, h, w), not in {map_shape}")
        channels, *sides = map_shape
        self.map_shape, self.codes = tuple(map_shape), codes
        self.latent_shape = (latent_dim, *sides)
        self.to_code: nn.Conv1d | nn.Conv2d | nn.Conv3d = GRIDS[len(sides)].convolution(channels, latent_dim, 1)
        self.register_buffer("usage", torch.zeros(codes))
        self._prior: list[IndexPrior] = []  # in a list, so that it is no part of the model's own weights
        self._no_prior = "fit one with: diabolo fit-prior RUN"

    def unquantised(self, features: Tensor) -> Tensor:
        """The vectors (N, D, h, w), float32, that `features` (N, in_features) hold before they are quantised."""
        vectors: Tensor = self.to_code(features.reshape(-1, *self.map_shape))
        return vectors.float()

    def placed(self, features: Tensor) -> Tensor:
        """The vectors (N, D, h, w) of `features` (N, in_features), of which the nearest code is taken."""
        return self.unquantised(features)

    def indices(self, features: Tensor) -> Tensor:
        """The indices (N, h, w), int64, of `features` (N, in_features)."""
        return self.indices_of(self.unquantised(features))

    @abstractmethod
    def indices_of(self, vectors: Tensor) -> Tensor:
        """The index of the code nearest to each of `vectors` (N, D, h, w): (N, h, w), int64."""

    @abstractmethod
    def codes_of(self, indices: Tensor) -> Tensor:
        """The codes (N, D, h, w) that the `indices` (N, h, w) stand for, as `Autoencoder.decode` takes them."""

    # --- how many codes are in use -----------------------------------------------------------------------------------------

    def count(self, indices: Tensor) -> Tensor:
        """How often each code is among `indices` (N, h, w): (K,). In training that of all processes, noted in `usage`."""
        counts = counts_of(indices, self.codes)
        if self.training:
            counts = distributed.total(counts)
            self.usage += counts
        return counts

    @staticmethod
    def logged_counts(counts: Tensor) -> dict[str, Tensor]:
        """Perplexity and number of used codes of a batch with those `counts` (K,)."""
        return {"perplexity": perplexity(counts), "used_codes": (counts > 0).sum().float()}

    def diagnose(self, features: Tensor, latent: Latent) -> Diagnosis:
        """Dead codes, and the perplexity of all uses since the last diagnosis; without any, of `features` (N, in_features)."""
        counts = self.usage.clone()
        self.usage.zero_()
        if not counts.any():
            counts = counts_of(self.indices(features), self.codes)
        dead, even = int((counts == 0).sum()), round(float(perplexity(counts)), 1)
        values: dict[str, float | list[float]] = {"dead_codes": dead, "codebook_perplexity": even}
        if dead < max(1, BAD_SHARE * self.codes):
            return Diagnosis(values)
        told = f"{dead} of {self.codes} codes are dead (never used), and the others are worth {even:g} evenly used ones"
        return Diagnosis(values, (Finding("dead-codes", told, dict(self.remedies)),))

    # --- what can be drawn ----------------------------------------------------------------------------------------------------

    def attach(self, prior: IndexPrior | None, why_not: str = "") -> None:
        """Draw codes from `prior` from now on; from None, none can be drawn, for the reason `why_not`."""
        self._prior = [] if prior is None else [prior]
        self._no_prior = why_not or self._no_prior

    def prior(self, n: int, draws: Draws, device: torch.device) -> Tensor:
        """`n` codes (n, D, h, w) from the prior fitted to them.

        Raises:
            NoPriorError: when none was fitted.
        """
        if not self._prior:
            raise NoPriorError(
                f"nothing can be sampled before a prior is fitted to the discrete codes; {self._no_prior}"
            )
        indices = self._prior[0].draw(n, draws, device)  # row by row, whatever the sides
        return self.codes_of(indices.view(n, *self.latent_shape[1:]))


def counts_of(indices: Tensor, codes: int) -> Tensor:
    """How often each of 0 … `codes` − 1 is among `indices`: (codes,) float32. Sums of ones are exact in any order."""
    ones = torch.ones(indices.numel(), device=indices.device)
    return torch.zeros(codes, device=indices.device).scatter_add_(0, indices.flatten(), ones)


def perplexity(counts: Tensor) -> Tensor:
    """exp(−Σₖ pₖ log pₖ) with pₖ the share of code k in `counts` (K,): how many codes, evenly used, would tell as much."""
    p = counts / counts.sum().clamp(min=1)
    value: Tensor = torch.special.entr(p).sum().exp()
    return value


def rows_of(vectors: Tensor) -> Tensor:
    """(N, D, h, w) → (N·h·w, D)."""
    return vectors.movedim(1, -1).reshape(-1, vectors.shape[1])
