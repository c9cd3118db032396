"""What the encoder sees instead of x; the target stays clean (Vincent et al. 2010, JMLR 11). Each maps x (N, …) in
[0, 1] to a corrupted copy of the same shape.

The level of any of them is a number, or a range that each image's level is drawn from: (0.1, 0.6), or as text "0.1..0.6".
"""

import math
from abc import abstractmethod
from typing import Annotated, Any

import torch
from torch import Tensor, nn

from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.parts import part
from diabolo.randomness import Draws
from diabolo.ranges import ItsOwn

TAIL = 8.0  # deviations beyond which no draw of a normal lies
Level = Annotated[float | tuple[float, float] | str, ItsOwn()]


class _Range:
    """A level: one number, or for each image one drawn uniformly from low … high; see the top of this file."""

    def __init__(self, level: Level, what: str, top: float) -> None:
        ends: tuple[Any, ...] = level if isinstance(level, tuple | list) else (level,)
        try:
            if isinstance(level, str):
                ends = tuple(float(end) for end in level.split(".."))
            if any(isinstance(end, bool) for end in ends):
                raise TypeError
            low, high = ends if len(ends) == 2 else (*ends, *ends)
            good = 0 <= low <= high <= top and math.isfinite(high)
        except (TypeError, ValueError):
            raise DiaboloError(f"{what} is a number, or a range such as 0.1..0.6, not {level!r}") from None
        if not good:
            below = ", the lower end first" if len(ends) == 2 else ""
            raise DiaboloError(f"{what} must lie in [0, {top:g}]{below}, not {level}")
        self.low, self.high = float(low), float(high)

    def of(self, x: Tensor, draws: Draws) -> float | Tensor:
        """The level of each image of `x` (N, …): a number, or (N, 1, …)."""
        if self.low == self.high:
            return self.low
        each = x.new_empty(len(x), *[1] * (x.ndim - 1), dtype=torch.float32)
        return (self.low + (self.high - self.low) * draws.uniform(each)).to(x.dtype)


class Corruption(nn.Module):
    """What the encoder sees instead of x.

    Attributes:
        reach: the range that its copies of images in [0, 1] may have, so that a trained model takes them: all numbers for one
            of which nothing is known.
        needs_unit_range: whether it makes black, white or grey of numbers, and needs those in [0, 1].

    Example:
        >>> corruption = diabolo.corruptions.Masking(0.25)
        >>> isinstance(corruption, diabolo.corruptions.Corruption), corruption.reach
        (True, (0.0, 1.0))
    """

    reach: tuple[float, float] = (-math.inf, math.inf)
    needs_unit_range = False

    @abstractmethod
    def forward(self, x: Tensor, draws: Draws) -> Tensor:
        """The corrupted copy of `x` (N, …)."""


@part
class Clean(Corruption):
    """No corruption: the encoder sees x.

    Example:
        >>> from diabolo.randomness import Draws
        >>> x = torch.ones(1, 1, 4, 4)
        >>> torch.equal(diabolo.corruptions.Clean()(x, Draws()), x)
        True
    """

    reach = (0.0, 1.0)

    def forward(self, x: Tensor, draws: Draws) -> Tensor:
        """`x` itself."""
        return x


def _pixels(x: Tensor) -> Tensor:
    """One number per pixel, whatever the channels: (N, 1, H, W) for images, x itself for vectors."""
    return x[:, :1] if x.ndim > 2 else x


@part
class GaussianNoise(Corruption):
    """x + σ ε, ε ~ N(0, I), clipped to [0, 1] when `clip`.

    Example:
        >>> from diabolo.randomness import Draws
        >>> seen = diabolo.corruptions.GaussianNoise(sigma=0.5)(torch.full((1, 1, 100, 100), 0.5), Draws())
        >>> float(seen.min()), float(seen.max())  # clipped
        (0.0, 1.0)
    """

    def __init__(self, sigma: Level = 0.5, clip: bool = True) -> None:
        super().__init__()
        self.sigma, self.clip = sigma, clip
        self.level = _Range(sigma, "the noise's sigma", float("inf"))
        far = 0.0 if clip else TAIL * self.level.high
        self.reach = (-far, 1 + far)
        self.needs_unit_range = clip

    def forward(self, x: Tensor, draws: Draws) -> Tensor:
        """The noisy copy of `x`."""
        noisy = x + self.level.of(x, draws) * draws.normal(x)
        return noisy.clamp(0, 1) if self.clip else noisy


@part
class Masking(Corruption):
    """Each pixel (all its channels) is set to 0 with probability `p`.

    Example:
        >>> from diabolo.randomness import Draws
        >>> seen = diabolo.corruptions.Masking(0.25)(torch.ones(1, 3, 100, 100), Draws())
        >>> round(float((seen == 0).float().mean()), 2)
        0.24
    """

    reach = (0.0, 1.0)

    def __init__(self, p: Level = 0.3) -> None:
        super().__init__()
        self.p, self.level = p, _Range(p, "the share of masked pixels", 1)

    def forward(self, x: Tensor, draws: Draws) -> Tensor:
        """The masked copy of `x`."""
        return x * (draws.uniform(_pixels(x)) >= self.level.of(x, draws))


@part
class SaltAndPepper(Corruption):
    """Each pixel is set to black or to white, 0 or 1, with equal chance, with probability `p`.

    Example:
        >>> from diabolo.randomness import Draws
        >>> seen = diabolo.corruptions.SaltAndPepper(0.2)(torch.full((1, 1, 100, 100), 0.5), Draws())
        >>> round(float((seen != 0.5).float().mean()), 2)
        0.2
    """

    reach = (0.0, 1.0)

    needs_unit_range = True

    def __init__(self, p: Level = 0.1) -> None:
        super().__init__()
        self.p, self.level = p, _Range(p, "the share of salt and pepper", 1)

    def forward(self, x: Tensor, draws: Draws) -> Tensor:
        """The speckled copy of `x`."""
        u, p = draws.uniform(_pixels(x)), self.level.of(x, draws)
        return torch.where(u < p, (u < p / 2).to(x.dtype), x)


@part
class Dropout(Corruption):
    """Each value is set to 0 with probability `p`, the others scaled by 1 / (1 − p), as `nn.Dropout` does.

    Example:
        >>> from diabolo.randomness import Draws
        >>> seen = diabolo.corruptions.Dropout(0.2)(torch.ones(1, 1, 100, 100), Draws())
        >>> seen.unique().tolist()
        [0.0, 1.25]
    """

    def __init__(self, p: Level = 0.2) -> None:
        super().__init__()
        self.p, self.level = p, _Range(p, "the share of dropped values", 0.99)
        self.reach = (0.0, 1 / (1 - self.level.high))

    def forward(self, x: Tensor, draws: Draws) -> Tensor:
        """The thinned copy of `x`."""
        p = self.level.of(x, draws)
        return x * (draws.uniform(x) >= p) / (1 - p)


@part
class Occlusion(Corruption):
    """A square block is set to 0, at a place drawn for each image, all of it within the image (after cutout: DeVries & Taylor
    2017, arXiv 1708.04552, whose blocks may lie half outside). Of a vector, a run of neighbouring numbers.

    Args:
        size: the side of the block as a share of the image's shorter side; rounded to pixels.

    Example:
        >>> from diabolo.randomness import Draws
        >>> seen = diabolo.corruptions.Occlusion(0.5)(torch.ones(1, 1, 8, 8), Draws())
        >>> int((seen == 0).sum())  # a block of 4×4
        16
    """

    reach = (0.0, 1.0)

    def __init__(self, size: Level = 0.5) -> None:
        super().__init__()
        self.size, self.level = size, _Range(size, "the side of the block, as a share of the image's,", 1)

    def forward(self, x: Tensor, draws: Draws) -> Tensor:
        """The copy of `x` with a hole."""
        sides = x.shape[2:] if x.ndim > 2 else x.shape[1:]
        one = x.new_ones(len(x), 1, dtype=torch.float32)
        block = (one * self.level.of(one, draws) * min(sides)).round()  # (N, 1): its side in pixels
        hidden = x.new_ones(len(x), *[1] * (x.ndim - 1), dtype=torch.bool)
        for axis, side in enumerate(sides, start=x.ndim - len(sides)):
            first = (draws.uniform(block) * (side - block + 1)).floor()
            place = torch.arange(side, device=x.device)
            inside = (place >= first) & (place < first + block)
            hidden = hidden & inside.view(len(x), *(side if i == axis else 1 for i in range(1, x.ndim)))
        return x.masked_fill(hidden, 0)


CORRUPTIONS: dict[str, type[Corruption]] = {
    "none": Clean,
    "gaussian": GaussianNoise,
    "masking": Masking,
    "salt-and-pepper": SaltAndPepper,
    "dropout": Dropout,
    "occlusion": Occlusion,
}


def as_corruption(value: str | Corruption, level: Level | None = None, unit_range: bool = True) -> Corruption:
    """A corruption by name, at `level` (its σ, p or size; None for its default), or as it is. Noise stays in [0, 1] where the
    numbers lie in that `unit_range`.

    Raises:
        UnknownNameError: for another name.

    Example:
        >>> diabolo.corruptions.as_corruption("masking", "0.1..0.6").arguments
        {'p': '0.1..0.6'}
    """
    if level is not None and (value == "none" or not isinstance(value, str)):
        raise DiaboloError(f"the corruption {value} takes no level; leave it out")
    if not isinstance(value, str):
        return value
    if value not in CORRUPTIONS:
        raise UnknownNameError("corruption", value, CORRUPTIONS)
    options: dict[str, Any] = {} if unit_range or value != "gaussian" else {"clip": False}
    return CORRUPTIONS[value](*(() if level is None else (level,)), **options)
