"""What a density over codes is, how one is fitted by name, and how new images are drawn from a codec and one."""

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from diabolo.codec import Codec
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.latents.codes import check_codes, check_differ, decode
from diabolo.randomness import derive
from diabolo.ranges import AnySeed, Count, checked
from diabolo.surroundings import undisturbed

Floats = NDArray[np.float64]
NARROWEST = 1e-6  # of the widest direction: what varies less is rounding, a dead unit


class Density(ABC):
    """A density over codes (N, D), to draw new ones from. Its options are the arguments of its class.

    Attributes:
        name: what `fit_density` calls it.
        width: D; 0 before it is fitted.
        setting: what decides its numbers, for a table: its options and what was found with them.

    Example:
        >>> density = diabolo.latents.fit_density("gaussian", model.encode(train.images))
        >>> isinstance(density, diabolo.latents.Density), tuple(density.sample(3, seed=0).shape)
        (True, (3, 4))
    """

    name = ""
    width = 0

    def __init__(self) -> None:
        self.setting: dict[str, Any] = {}

    def least(self, width: int) -> int:
        """The fewest codes of `width` numbers that it is fitted to."""
        return width + 1

    @undisturbed()
    def fit(self, codes: ArrayLike) -> Self:
        """Fit it to `codes` (N, D); returns itself.

        Raises:
            DiaboloError: for too few codes, when all are the same, for NaN or infinity among them, and for another shape.
        """
        z = check_codes(codes)
        n, self.width = z.shape
        least = self.least(self.width)
        if n < least:
            raise DiaboloError(
                f"the density {self.name!r} over {self.width} dimensions needs {least:,} codes or more to be fitted to, "
                f"not {n:,}"
            )
        if least > 1:  # one that is fitted to nothing takes any
            check_differ(z, f"the density {self.name!r}")
        self.setting = {"density": self.name, "fitted_to": n}
        self._fit(z)
        return self

    @checked
    @undisturbed()
    def sample(self, n: Count, seed: AnySeed = 0) -> Floats:
        """`n` codes (n, D); the same for the same seed."""
        self._check_fitted()
        return self._sample(n, seed)

    @undisturbed()
    def log_prob(self, codes: ArrayLike) -> Floats:
        """log p(z) in nats of each of `codes` (N, D): (N,)."""
        self._check_fitted()
        z = check_codes(codes)
        if z.shape[1] != self.width:
            raise DiaboloError(f"this density is over codes of {self.width} numbers, not {z.shape[1]}")
        return self._log_prob(z)

    @abstractmethod
    def _fit(self, z: Floats) -> None:
        """To `z` (N, D), which was checked."""

    @abstractmethod
    def _sample(self, n: int, seed: int) -> Floats:
        """(n, D)."""

    @abstractmethod
    def _log_prob(self, z: Floats) -> Floats:
        """(N,) of `z` (N, D)."""

    def _check_fitted(self) -> None:
        if not self.width:
            raise DiaboloError(f"the density {self.name!r} was not fitted yet: call fit(codes)")


@dataclass(frozen=True)
class Scale:
    """u = (z − μ) / σ for each unit, so that units of any size count alike.

    Attributes:
        mu, sigma: (D,). σ is at least 1e-6 of the largest: a dead unit stays where it is.
    """

    mu: Floats
    sigma: Floats

    @classmethod
    def of(cls, z: Floats) -> "Scale":
        """That of the codes `z` (N, D), of which some differ."""
        sigma = z.std(0)
        return cls(z.mean(0), np.maximum(sigma, NARROWEST * sigma.max()))

    def there(self, z: Floats) -> Floats:
        """u (N, D) of `z` (N, D)."""
        return (z - self.mu) / self.sigma

    def back(self, u: Floats) -> Floats:
        """z (N, D) of `u` (N, D)."""
        return self.mu + u * self.sigma

    @property
    def log_volume(self) -> float:
        """log |dz/du|: log p(z) = log p(u) − this."""
        return float(np.log(self.sigma).sum())


DENSITIES: dict[str, Callable[..., Density]] = {}

D = TypeVar("D", bound=type[Density])


def density(name: str, *others: str) -> Callable[[D], D]:
    """Class decorator: make a density known by its name, and by others."""

    def register(cls: D) -> D:
        cls.name = name
        for known in (name, *others):
            DENSITIES[known] = cls
        return cls

    return register


def options_of(name: str) -> Mapping[str, Any]:
    """The options of the density of that name: name → default.

    Raises:
        UnknownNameError: when there is none.
    """
    if name not in DENSITIES:
        raise UnknownNameError("density", name, DENSITIES)
    return {p.name: p.default for p in inspect.signature(DENSITIES[name]).parameters.values() if p.name != "seed"}


@checked
def make_density(name: str, seed: AnySeed = 0, **options: Any) -> Density:
    """The density of that name, not fitted yet. Arguments as in `fit_density`."""
    known = options_of(name)
    for option in options:
        if option not in known:
            raise UnknownNameError("option", option, known, f" of the density {name!r}")
    seeded = {"seed": seed} if "seed" in inspect.signature(DENSITIES[name]).parameters else {}
    return DENSITIES[name](**seeded, **options)


@checked
def fit_density(name: str, codes: ArrayLike, seed: AnySeed = 0, **options: Any) -> Density:
    """A density over codes, to sample from: ex-post density estimation (Ghosh et al. 2020, arXiv 1903.12436).

    Args:
        name: normal, gaussian, mixture (gmm), neighbours or flow.
        codes: (N, D), those of training images.
        seed: of whatever is drawn while fitting.
        **options: those of the density: components=10 or "bic" of a mixture, say.

    Raises:
        UnknownNameError: for a density or an option that does not exist.
        DiaboloError: for too few codes, or NaN among them.

    Example:
        >>> density = diabolo.latents.fit_density("mixture", model.encode(train.images), components=3)
        >>> tuple(model.decode(density.sample(5, seed=0)).shape)
        (5, 1, 8, 8)
    """
    return make_density(name, seed, **options).fit(codes)


PRIOR = "prior"  # not one of the densities: what the codec itself draws from, an autoregressive one over discrete codes, say
PIECE = 1024  # images made at once


def check_continuous(codec: Codec, name: str) -> None:
    """Refuse a density over codes that stand for indices, or over no code at all.

    Raises:
        DiaboloError: then.
    """
    if codec.bottleneck.discrete:
        raise DiaboloError(
            f"the density {name!r} is over real numbers, and the codes of {codec.name} are discrete: use {PRIOR!r}, "
            f"the autoregressive one that is fitted by: diabolo fit-prior RUN"
        )
    if not math.prod(codec.latent_shape):
        raise DiaboloError(f"{codec.name} has no code, so that there is no density over codes: use {PRIOR!r}")


@checked
@undisturbed()
def draw_images(
    codec: Codec, density: Density | None, n: Count, seed: AnySeed = 0, y: Tensor | None = None
) -> NDArray[np.float32]:
    """`n` new images (n, *input_shape), in the units of the data.

    Args:
        codec: a trained model.
        density: fitted to its codes, flat; None for the prior of the codec itself.
        n: how many.
        seed: the same seed gives the same images.
        y: what they are conditioned on, one entry for each, where the decoder is given something.

    Example:
        >>> density = diabolo.latents.fit_density("gaussian", model.encode(train.images))
        >>> diabolo.latents.draw_images(model, density, 5).shape
        (5, 1, 8, 8)
    """
    if density is not None:
        check_continuous(codec, density.name)
        return decode(codec, density.sample(n, seed), y)
    found: list[NDArray[Any]] = []
    for start in range(0, n, PIECE):
        few = min(PIECE, n - start)
        own = seed if n <= PIECE else derive(seed, "piece", start)
        images = codec.sample(few, own, None if y is None else y[start : start + few])
        found.append(codec.scaling.held(images.float()).cpu().numpy())
    return np.concatenate(found)


def take_turns(y: Tensor | None, n: int) -> Tensor | None:
    """`n` entries of `y` (M, …), in turn."""
    return None if y is None else y[torch.arange(n) % len(y)]
