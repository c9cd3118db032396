"""The usual objective: the negative ELBO, or a penalised reconstruction, which is the same formula."""

import torch
from torch import Tensor

from diabolo.bottlenecks import Latent
from diabolo.objectives.objective import Model, Objective, weighted
from diabolo.parts import part
from diabolo.randomness import Draws
from diabolo.ranges import Weight
from diabolo.schedules import Schedule
from diabolo.updates.loss import Loss


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
        per_image = {"reconstruction": model.likelihood.loss(raw, x), **latent.penalties, **across}
        per_image |= model.head.penalties(seen, latent, y)
        schedules: dict[str, float | Schedule] = {"reconstruction": self.reconstruction}
        schedules |= model.bottleneck.weights | model.head.weights
        return latent, per_image, schedules

    def units(self, model: Model) -> dict[str, str]:
        """Reconstruction, the bottleneck's penalties, the head's."""
        return {"reconstruction": model.likelihood.unit, **model.bottleneck.units, **model.head.units}
