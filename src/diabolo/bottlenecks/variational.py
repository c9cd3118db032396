"""What a bottleneck with a posterior and a prior can say of codes: their densities. Importance weights are made of these."""

from abc import abstractmethod

from torch import Tensor

from diabolo.bottlenecks.latent import Bottleneck
from diabolo.randomness import Draws


class Variational(Bottleneck):
    """A bottleneck with a posterior q(z|x) to draw from, whose density is known, and a prior p(z) whose density is known.

    Densities are in nats, in float32 or better, and differentiable by z and by what the posterior is made of.

    Example:
        >>> isinstance(model.bottleneck, diabolo.bottlenecks.Variational)
        True
    """

    @abstractmethod
    def posterior(self, features: Tensor) -> tuple[Tensor, ...]:
        """What q(z|x) is made of, each (N, …), from `features` (N, in_features): mean and log variance, say. The first is the
        deterministic code."""

    @abstractmethod
    def draw(self, posterior: tuple[Tensor, ...], draws: Draws, k: int) -> Tensor:
        """`k` codes of each posterior, (N, k, *latent_shape), through which gradients flow."""

    @abstractmethod
    def log_posterior(self, z: Tensor, posterior: tuple[Tensor, ...]) -> Tensor:
        """log q(z|x) of `z` (N, k, *latent_shape): (N, k)."""

    @abstractmethod
    def log_prior(self, z: Tensor) -> Tensor:
        """log p(z) of `z` (N, k, *latent_shape): (N, k)."""
