"""Labels alone: no reconstruction."""

from torch import Tensor

from diabolo.errors import DiaboloError
from diabolo.objectives.objective import Model, Objective, weighted
from diabolo.parts import part
from diabolo.randomness import Draws
from diabolo.schedules import Schedule
from diabolo.updates.loss import Loss


@part
class Supervised(Objective):
    """The head's terms and nothing else, so encoder, bottleneck and head are a plain classifier; the decoder learns nothing.
    What a model with a reconstruction is compared with.

    Example:
        >>> model = diabolo.zoo.classifier(train.shape, 8)
        >>> model.objective.trains_decoder, model.units
        (False, {'classification': 'nats per labelled image', 'misclassified': 'share of labelled images'})
    """

    judges_reconstructions = False
    trains_decoder = False

    def check(self, model: Model) -> None:
        """Refuse a model without a head."""
        if not model.head.units:
            raise DiaboloError("an objective of labels alone needs a model with a head, such as Classifier")

    def forward(self, model: Model, x: Tensor, y: Tensor | None, draws: Draws, progress: float | Tensor) -> Loss:
        """The head's loss of the images `x` (N, *input_shape), which the encoder sees corrupted."""
        seen = model.corruption(x, draws)
        to_encoder, _ = model.condition(model.condition.pick(x, y))
        latent = model.bottleneck(model.encoder(seen, *to_encoder), draws)
        return weighted(model.head.penalties(seen, latent, y), model.head.weights, progress, latent.logged)

    def units(self, model: Model) -> dict[str, str]:
        """The head's."""
        return dict(model.head.units)

    def schedules(self, model: Model) -> dict[str, Schedule]:
        """The head's."""
        return dict(model.head.weights)
