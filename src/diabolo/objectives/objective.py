"""What every objective returns, and what every objective is."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torch import Tensor, nn

from diabolo.randomness import Draws
from diabolo.schedules import Schedule

if TYPE_CHECKING:
    from diabolo.autoencoder import Autoencoder


@dataclass(frozen=True)
class Loss:
    """The loss of one batch: total = Σ weights[name] · terms[name].

    Attributes:
        total: what is minimised, a scalar with gradient.
        terms: unweighted means over the batch, each a scalar: "reconstruction" and the penalties.
        weights: the weight of each term at this moment of training.
        watch: what else is worth writing down each step, each a scalar without gradient.
    """

    total: Tensor
    terms: dict[str, Tensor]
    weights: dict[str, float | Tensor]
    watch: dict[str, Tensor] = field(default_factory=dict)


class Objective(nn.Module):
    """What is minimised.

    Attributes:
        judges_reconstructions: whether it asks for good reconstructions; where not, nobody warns of bad ones.
        trains_decoder: whether anything is asked of the decoder; where not, it is not used.
        marginalises_labels: whether it can do without the labels that the model's condition reads (`-1`: not known).
    """

    marginalises_labels = False
    judges_reconstructions = True
    trains_decoder = True

    def check(self, model: "Autoencoder") -> None:  # the usual one fits all
        """Refuse, in one sentence, a model whose parts it cannot train; asked once, when the model is made."""

    @abstractmethod
    def forward(
        self, model: "Autoencoder", x: Tensor, y: Tensor | None, draws: Draws, progress: float | Tensor
    ) -> Loss:
        """The loss of the images `x` (N, *input_shape) in [0, 1] and what is known of them, `y` (N, …) or None."""

    @abstractmethod
    def units(self, model: "Autoencoder") -> dict[str, str]:
        """What each term of the loss is measured in: the names of the terms, in their order."""

    def schedules(self, model: "Autoencoder") -> dict[str, Schedule]:
        """What of the loss may change over training, by name: the weights of its terms, and what else the bottleneck moves.
        While one of them changes, losses of two epochs cannot be compared."""
        return {**model.bottleneck.schedules, **model.head.weights}

    def watched(self, model: "Autoencoder") -> tuple[str, ...]:
        """The names in `Loss.watch`, in their order."""
        return model.bottleneck.watched


def weighted(
    per_image: Mapping[str, Tensor],
    schedules: Mapping[str, float | Schedule],
    progress: float | Tensor,
    watch: dict[str, Tensor] | None = None,
) -> Loss:
    """total = Σ weight · mean over the batch, of the terms `per_image` (N,) each; a weight not in `schedules` is 1."""
    terms = {name: values.mean() for name, values in per_image.items()}
    weights: dict[str, float | Tensor] = {}
    for name in terms:
        schedule = schedules.get(name, 1.0)
        weights[name] = schedule if isinstance(schedule, float) else schedule(progress)
    parts = [_times(weights[name], term) for name, term in terms.items()]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return Loss(total, terms, weights, watch or {})


def _times(weight: float | Tensor, term: Tensor) -> Tensor:
    return term if isinstance(weight, float) and weight == 1.0 else weight * term
