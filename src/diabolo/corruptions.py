"""What the encoder sees instead of x; the target stays clean (Vincent et al. 2010, JMLR 11). Each maps x (N, …) in
[0, 1] to a corrupted copy of the same shape."""

from abc import abstractmethod

import torch
from torch import Tensor, nn

from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.parts import part
from diabolo.randomness import Draws


def _checked(value: float, what: str, top: float) -> float:
    if not 0 <= value <= top:
        raise DiaboloError(f"{what} must lie in [0, {top:g}], not {value}")
    return value


class Corruption(nn.Module):
    """What the encoder sees instead of x."""

    @abstractmethod
    def forward(self, x: Tensor, draws: Draws) -> Tensor:
        """The corrupted copy of `x` (N, …)."""


@part
class Clean(Corruption):
    """No corruption: the encoder sees x."""

    def forward(self, x: Tensor, draws: Draws) -> Tensor:
        """`x` itself."""
        return x


def _pixels(x: Tensor) -> Tensor:
    """One number per pixel, whatever the channels: (N, 1, H, W) for images, x itself for vectors."""
    return x[:, :1] if x.ndim == 4 else x


@part
class GaussianNoise(Corruption):
    """x + σ ε, ε ~ N(0, I), clipped to [0, 1] when `clip`."""

    def __init__(self, sigma: float = 0.5, clip: bool = True) -> None:
        super().__init__()
        self.sigma, self.clip = _checked(sigma, "the noise's sigma", float("inf")), clip

    def forward(self, x: Tensor, draws: Draws) -> Tensor:
        """The noisy copy of `x`."""
        noisy = x + self.sigma * draws.normal(x)
        return noisy.clamp(0, 1) if self.clip else noisy


@part
class Masking(Corruption):
    """Each pixel (all its channels) is set to 0 with probability `p`."""

    def __init__(self, p: float = 0.3) -> None:
        super().__init__()
        self.p = _checked(p, "the share of masked pixels", 1)

    def forward(self, x: Tensor, draws: Draws) -> Tensor:
        """The masked copy of `x`."""
        return x * (draws.uniform(_pixels(x)) >= self.p)


@part
class SaltAndPepper(Corruption):
    """Each pixel is set to 0 or to 1, with equal chance, with probability `p`."""

    def __init__(self, p: float = 0.1) -> None:
        super().__init__()
        self.p = _checked(p, "the share of salt and pepper", 1)

    def forward(self, x: Tensor, draws: Draws) -> Tensor:
        """The speckled copy of `x`."""
        u = draws.uniform(_pixels(x))
        return torch.where(u < self.p, (u < self.p / 2).to(x.dtype), x)


@part
class Dropout(Corruption):
    """Each value is set to 0 with probability `p`, the others scaled by 1 / (1 − p), as `nn.Dropout` does."""

    def __init__(self, p: float = 0.2) -> None:
        super().__init__()
        self.p = _checked(p, "the share of dropped values", 0.99)

    def forward(self, x: Tensor, draws: Draws) -> Tensor:
        """The thinned copy of `x`."""
        return x * (draws.uniform(x) >= self.p) / (1 - self.p)


CORRUPTIONS: dict[str, type[Corruption]] = {
    "none": Clean,
    "gaussian": GaussianNoise,
    "masking": Masking,
    "salt-and-pepper": SaltAndPepper,
    "dropout": Dropout,
}


def as_corruption(value: str | Corruption, level: float | None = None) -> Corruption:
    """A corruption by name, at `level` (its σ or p; None for its default), or as it is.

    Raises:
        UnknownNameError: for another name.
    """
    if level is not None and (value == "none" or not isinstance(value, str)):
        raise DiaboloError(f"the corruption {value} takes no level; leave it out")
    if not isinstance(value, str):
        return value
    if value not in CORRUPTIONS:
        raise UnknownNameError("corruption", value, CORRUPTIONS)
    return CORRUPTIONS[value]() if level is None else CORRUPTIONS[value](level)
