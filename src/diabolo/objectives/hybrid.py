"""The hybrid objective of conditional VAEs: codes of the prior must do, too."""

from torch import Tensor

from diabolo.bottlenecks import Latent
from diabolo.objectives.objective import ELBO, Model
from diabolo.parts import part
from diabolo.randomness import Draws
from diabolo.ranges import Weight
from diabolo.schedules import Schedule


@part
class Hybrid(ELBO):
    """−ELBO + w · E_{p(z|c)} [−log p(x | z, c)]: what is drawn when there is no image to encode is trained as well (Sohn, Lee &
    Yan 2015, NeurIPS, whose α is 1 / (1 + w)).

    Args:
        from_prior: w.

    Example:
        >>> model = diabolo.zoo.completion(train.shape, latent_dim=4, hidden=(32,), from_prior=0.5)
        >>> list(model.units)
        ['reconstruction', 'kl', 'from_prior']
    """

    def __init__(self, from_prior: Weight = 1.0) -> None:
        super().__init__()
        self.from_prior = float(from_prior)

    def terms(
        self, model: Model, x: Tensor, y: Tensor | None, draws: Draws, progress: float | Tensor
    ) -> tuple[Latent, dict[str, Tensor], dict[str, float | Schedule]]:
        """As of the ELBO, and the loss of one code of the prior for each of the images `x` (N, *input_shape)."""
        latent, per_image, weights = super().terms(model, x, y, draws, progress)
        _, to_decoder = model.condition(model.condition.pick(x, y))
        z = draws.normal(latent.z)
        per_image["from_prior"] = model.score(model.decoder(z, *to_decoder), x)
        return latent, per_image, weights | {"from_prior": self.from_prior}

    def units(self, model: Model) -> dict[str, str]:
        """Those of the ELBO, and that of a reconstruction."""
        return {**super().units(model), "from_prior": model.unit}
