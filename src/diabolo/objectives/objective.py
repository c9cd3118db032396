"""What every objective is, what it needs of a model, and the usual one: the negative ELBO."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from diabolo.bottlenecks import Bottleneck, Latent
from diabolo.conditions import Condition
from diabolo.corruptions import Corruption
from diabolo.heads import Head
from diabolo.likelihoods import Likelihood
from diabolo.parts import part
from diabolo.randomness import Draws
from diabolo.ranges import Weight
from diabolo.schedules import Schedule
from diabolo.updates.loss import Loss
from diabolo.updates.player import Player


class Model(Protocol):
    """What an objective needs of a model: its parts, and what they make of a batch.

    Example:
        >>> def pixels(model: diabolo.objectives.Model) -> str:
        ...     return model.unit
        >>> pixels(model)
        'nats per image'
    """

    @property
    def encoder(self) -> nn.Module:
        """x (N, *input_shape) → features."""

    @property
    def bottleneck(self) -> Bottleneck:
        """features → `Latent`."""

    @property
    def decoder(self) -> nn.Module:
        """z (N, *latent_shape) → raw (N, *input_shape)."""

    @property
    def likelihood(self) -> Likelihood:
        """How raw is scored against x."""

    @property
    def unit(self) -> str:
        """What `score` is measured in."""

    def score(self, raw: Tensor, x: Tensor, weight: Tensor | None = None) -> Tensor:
        """The loss of each image (N,) by its likelihood, in `unit`; see `Autoencoder.score`."""

    @property
    def corruption(self) -> Corruption:
        """What the encoder sees instead of x."""

    @property
    def condition(self) -> Condition:
        """What encoder and decoder are given besides."""

    @property
    def head(self) -> Head:
        """What else is read off the code."""

    def __call__(self, x: Tensor, draws: Draws | None = None, given: Tensor | None = None) -> tuple[Latent, Tensor]:
        """`x` as the encoder is to see it → its latent, and the decoder's raw output."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """All weights, those of the objective's own networks among them."""

    def state_dict(self, *, keep_vars: bool = False) -> dict[str, Any]:
        """All weights and statistics by their names."""


class Objective(nn.Module):
    """What is minimised.

    Attributes:
        judges_reconstructions: whether it asks for good reconstructions; where not, nobody warns of bad ones.
        trains_decoder: whether anything is asked of the decoder; where not, it is not used.
        marginalises_labels: whether it can do without the labels that the model's condition reads (`-1`: not known).
        bound: the terms whose sum, each with the weight 1, is −ELBO, of a variational model.

    Example:
        >>> isinstance(model.objective, diabolo.objectives.Objective), model.objective.judges_reconstructions
        (True, True)
    """

    marginalises_labels = False
    judges_reconstructions = True
    trains_decoder = True
    bound: tuple[str, ...] = ("reconstruction", "kl")

    def check(self, model: Model) -> None:  # the usual one fits all
        """Refuse, in one sentence, a model whose parts it cannot train; asked once, when the model is made."""

    @abstractmethod
    def forward(self, model: Model, x: Tensor, y: Tensor | None, draws: Draws, progress: float | Tensor) -> Loss:
        """The loss of the images `x` (N, *input_shape) in [0, 1] and what is known of them, `y` (N, …) or None."""

    def players(self, model: Model) -> dict[str, Player]:
        """Who moves which weights, by name: one, "model", all of them, as the options of the training say. With several, each
        weight belongs to one, the first is the model's own, and `Loss.minimised` has a scalar for each."""
        return {"model": Player(tuple(model.parameters()))}

    def after_update(self, model: Model) -> None:
        """What follows each update: constraints on the weights of `model`, such as decoder columns of unit norm. They are to be
        changed in place; gradients are off."""

    @abstractmethod
    def units(self, model: Model) -> dict[str, str]:
        """What each term of the loss is measured in: the names of the terms, in their order."""

    def schedules(self, model: Model) -> dict[str, Schedule]:
        """What of the loss may change over training, by name: the weights of its terms, and what else the bottleneck moves.
        While one of them changes, losses of two epochs cannot be compared."""
        return {**model.bottleneck.schedules, **model.head.weights}

    def logged(self, model: Model) -> tuple[str, ...]:
        """The names in `Loss.logged`, in their order."""
        return model.bottleneck.logged


def weighted(
    per_image: Mapping[str, Tensor],
    schedules: Mapping[str, float | Schedule],
    progress: float | Tensor,
    logged: dict[str, Tensor] | None = None,
) -> Loss:
    """total = Σ weight · mean over the batch, of the terms `per_image` (N,) each; a weight not in `schedules` is 1.

    Example:
        >>> per_image = {"reconstruction": torch.tensor([3.0, 5.0]), "kl": torch.tensor([1.0, 1.0])}
        >>> loss = diabolo.objectives.weighted(per_image, {"kl": 0.5}, progress=0.0)
        >>> loss.total.item()  # 4 + 0.5 · 1
        4.5
    """
    terms = {name: values.mean() for name, values in per_image.items()}
    weights: dict[str, float | Tensor] = {}
    for name in terms:
        schedule = schedules.get(name, 1.0)
        weights[name] = schedule if isinstance(schedule, float) else schedule(progress)
    scaled = [_times(weights[name], term) for name, term in terms.items()]
    total = scaled[0]
    for term in scaled[1:]:
        total = total + term
    return Loss(total, terms, weights, logged or {})


def _times(weight: float | Tensor, term: Tensor) -> Tensor:
    return term if isinstance(weight, float) and weight == 1.0 else weight * term


@part
class ELBO(Objective):
    """reconstruction + Σ weight · penalty: −log p(x | z) + β KL for a Gaussian (Kingma & Welling 2014, arXiv 1312.6114).

    Args:
        reconstruction: the weight of the reconstruction term, 1 for a bound on the likelihood.

    Example:
        >>> model = diabolo.zoo.vae(train.shape, 4)
        >>> type(model.objective).__name__, model.objective.units(model)
        ('ELBO', {'reconstruction': 'nats per image', 'kl': 'nats per image'})
    """

    def __init__(self, reconstruction: Weight = 1.0) -> None:
        super().__init__()
        self.reconstruction = float(reconstruction)
        self.judges_reconstructions = self.reconstruction > 0

    def forward(self, model: Model, x: Tensor, y: Tensor | None, draws: Draws, progress: float | Tensor) -> Loss:
        """The loss of the images `x` (N, *input_shape); what the encoder sees is corrupted, the target is not."""
        latent, per_image, weights = self.terms(model, x, y, draws, progress)
        return weighted(per_image, weights, progress, latent.logged)

    def terms(
        self, model: Model, x: Tensor, y: Tensor | None, draws: Draws, progress: float | Tensor
    ) -> tuple[Latent, dict[str, Tensor], dict[str, float | Schedule]]:
        """The latents of the images `x`, the terms of the loss per image, (N,) each, and their weights."""
        seen = model.bottleneck.prepare_input(model.corruption(x, draws))
        with torch.set_grad_enabled(torch.is_grad_enabled() or model.bottleneck.differentiates):
            latent, raw = model(seen, draws, model.condition.pick(x, y))
            across = model.bottleneck.batch_penalties(seen, latent, raw, model.decoder, draws, progress)
        per_image = {"reconstruction": model.score(raw, x), **latent.penalties, **across}
        per_image |= model.head.penalties(seen, latent, y)
        schedules: dict[str, float | Schedule] = {"reconstruction": self.reconstruction}
        schedules |= model.bottleneck.weights | model.head.weights
        return latent, per_image, schedules

    def units(self, model: Model) -> dict[str, str]:
        """Reconstruction, the bottleneck's penalties, the head's."""
        return {"reconstruction": model.unit, **model.bottleneck.units, **model.head.units}
