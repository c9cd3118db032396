"""What every bottleneck returns, and what every bottleneck is."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from diabolo.bottlenecks.diagnosis import Diagnosis, of_units
from diabolo.randomness import Draws
from diabolo.schedules import Schedule


@dataclass(frozen=True)
class Latent:
    """The bottleneck of the model for one batch of N images.

    Attributes:
        z: what the decoder sees, (N, *latent_shape); a sample where the bottleneck is stochastic.
        code: the deterministic code, (N, *latent_shape): the posterior mean where there is a posterior.
        penalties: what the bottleneck adds to the loss, unweighted, one number per image (N,).
        logged: what else is worth writing down each step, scalars without gradient (the perplexity of a codebook, say).
        posterior: what q(z|x) is made of, each (N, …), where there is one: mean and log variance, say.

    Example:
        >>> latent, raw = model(torch.from_numpy(test.images) / 255)
        >>> tuple(latent.z.shape), list(latent.penalties), len(latent.posterior)
        ((100, 4), ['kl'], 2)
    """

    z: Tensor
    code: Tensor
    penalties: dict[str, Tensor] = field(default_factory=dict)
    logged: dict[str, Tensor] = field(default_factory=dict)
    posterior: tuple[Tensor, ...] = ()


class Bottleneck(nn.Module):
    """The bottleneck. It owns the last linear map of the encoder, from features (N, in_features) to its own parameters.

    Attributes:
        latent_shape: the shape of one code.
        weights: the weight of each penalty, as a schedule over training.
        units: what each penalty is measured in, those of `across` last.
        logged: the names in `Latent.logged`, in their order.
        differentiates: whether `across` takes derivatives, so that the loss needs the graph even where nothing is trained.
        discrete: whether codes stand for indices, so that no arithmetic may be done on them.

    Example:
        >>> code = diabolo.bottlenecks.Identity(in_features=32, latent_dim=4)
        >>> isinstance(code, diabolo.bottlenecks.Bottleneck), code.latent_shape
        (True, (4,))
    """

    logged: tuple[str, ...] = ()
    discrete = False
    differentiates = False

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.latent_shape: tuple[int, ...] = (latent_dim,)
        self.weights: dict[str, Schedule] = {}
        self.units: dict[str, str] = {}

    @property
    def schedules(self) -> dict[str, Schedule]:
        """All that may change over training, by name: the weights, and what else a bottleneck moves."""
        return self.weights

    @property
    def core(self) -> "Bottleneck":
        """The bottleneck itself, within what was put around it."""
        return self

    def posterior(self, features: Tensor) -> tuple[Tensor, ...]:
        """What q(z|x) is made of, each (N, …), from `features` (N, in_features); nothing where there is no posterior."""
        return ()

    @abstractmethod
    def forward(self, features: Tensor, draws: Draws) -> Latent:
        """The latent of `features` (N, in_features)."""

    def check(self, images: int) -> None:  # most need none
        """Refuse, before anything is made, to begin with so few training images."""

    def initialise(self, features: Callable[[], Tensor], draws: Draws) -> None:  # most have nothing to do
        """Once, before a new model is trained: `features()` gives those (n, in_features) of some training images."""

    def prepare_input(self, x: Tensor) -> Tensor:
        """What the encoder is to see, `x` (N, …) as it is; a bottleneck that needs derivatives by x asks for them here."""
        return x

    def batch_penalties(
        self, x: Tensor, latent: Latent, raw: Tensor, decoder: nn.Module, draws: Draws, progress: float | Tensor
    ) -> dict[str, Tensor]:
        """Penalties (N,) of the loss alone, not of `forward`: those that concern the networks too, the whole batch (over all
        processes), or the share of training done. `x` is what the encoder saw, `raw` what the decoder gave."""
        return {}

    def diagnose(self, features: Tensor, latent: Latent) -> Diagnosis:
        """How well it is, by the `features` (N, in_features) of some images and their `latent`, in evaluation mode; looked at
        after each epoch. Of a plain code: units that are dead, and units that repeat another."""
        return of_units(latent.code)

    def prior(self, n: int, draws: Draws, device: torch.device) -> Tensor:
        """`n` codes (n, *latent_shape) to decode as samples: from N(0, I)."""
        return draws.normal(torch.empty(n, *self.latent_shape, device=device))
