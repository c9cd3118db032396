"""FactorVAE: a VAE whose units are pushed apart by a critic that tells its codes from codes of independent units."""

from dataclasses import replace
from itertools import pairwise
from typing import Annotated

from torch import Tensor, nn
from torch.nn import functional as F

from diabolo import distributed
from diabolo.bottlenecks import Variational
from diabolo.errors import DiaboloError
from diabolo.objectives.objective import ELBO, Model, weighted
from diabolo.parts import part
from diabolo.randomness import Draws
from diabolo.ranges import Above, Count
from diabolo.schedules import Schedule, as_weight
from diabolo.updates import Adam, Loss, Player, Rule


@part
class FactorVAE(ELBO):
    """−ELBO + γ · TC, TC = KL(q(z) ‖ Πⱼ q(zⱼ)): the total correlation of the code's units (Kim & Mnih 2018, arXiv 1802.05983).

    TC ≈ E d(z), where the critic d = log D / (1 − D) learns to tell codes z ~ q(z) from codes z̄ whose units are permuted over
    the batch, each unit by a permutation of its own, which makes them independent:

        model    minimises   −ELBO + γ · mean d(z)
        critic   minimises   ½ mean [softplus(−d(z)) + softplus(d(z̄))]

    The paper permutes the codes of a second batch; here it is those of the same one, of all processes together.

    Args:
        latent_dim: length of the code.
        gamma: γ, a number or a schedule.
        width, layers: of the critic, a chain of linear layers with LeakyReLU(0.2); those of the paper when left out.
        lr: the critic's learning rate, of Adam with β = (0.5, 0.9).

    Example:
        >>> model = diabolo.zoo.factorvae(train.shape, 4, gamma=6.4)
        >>> loss = model.loss(torch.from_numpy(test.images) / 255)
        >>> list(loss.terms), list(loss.minimised)
        (['reconstruction', 'kl', 'total_correlation'], ['model', 'critic'])
    """

    def __init__(
        self,
        latent_dim: Count,
        gamma: float | str | Schedule = 6.4,
        width: Count = 1000,
        layers: Count = 6,
        lr: Annotated[float, Above(0, 1000)] = 1e-4,
    ) -> None:
        super().__init__()
        self.gamma, self.lr = as_weight(gamma, "gamma"), lr
        widths = [latent_dim, *[width] * layers]
        hidden = [layer for a, b in pairwise(widths) for layer in (nn.Linear(a, b), nn.LeakyReLU(0.2))]
        self.critic = nn.Sequential(*hidden, nn.Linear(widths[-1], 1))

    def check(self, model: Model) -> None:
        """Refuse a model whose code is no draw from a posterior."""
        if not isinstance(model.bottleneck, Variational):
            raise DiaboloError(
                f"FactorVAE needs a bottleneck with a posterior, such as Gaussian, not {type(model.bottleneck).__name__}"
            )

    def players(self, model: Model) -> dict[str, Player]:
        """The model, as the options say; and the critic, with an optimizer of its own."""
        own = set(self.critic.parameters())
        return {
            "model": Player([p for p in model.parameters() if p not in own]),
            "critic": Player(list(own), Rule(Adam(0.5, 0.9), self.lr)),
        }

    def forward(self, model: Model, x: Tensor, y: Tensor | None, draws: Draws, progress: float | Tensor) -> Loss:
        """The loss of the images `x` (N, *input_shape)."""
        latent, per_image, weights = self.terms(model, x, y, draws, progress)
        z = latent.z.flatten(1)
        joint, fake = self._d(z), self._d(permuted(z, draws))
        per_image["total_correlation"] = joint
        loss = weighted(per_image, weights | {"total_correlation": self.gamma}, progress, latent.logged)
        critic = 0.5 * (F.softplus(-joint) + F.softplus(fake)).mean()
        return replace(loss, minimised={"model": loss.total, "critic": critic})

    def units(self, model: Model) -> dict[str, str]:
        """Those of the ELBO, and the total correlation."""
        return {**super().units(model), "total_correlation": "nats per image"}

    def schedules(self, model: Model) -> dict[str, Schedule]:
        """Those of the ELBO, and γ."""
        return {**super().schedules(model), "total_correlation": self.gamma}

    def _d(self, z: Tensor) -> Tensor:
        """d(z) of codes (N, D): (N,), in nats."""
        logits: Tensor = self.critic(z)
        return logits.float().squeeze(1)


def permuted(z: Tensor, draws: Draws) -> Tensor:
    """The codes `z` (N, D) with each unit permuted over the batch, that of all processes, by a permutation of its own."""
    keys = draws.uniform(z)
    every = distributed.rows(z).gather(0, distributed.rows(keys).argsort(0))
    start = draws.window[0] if draws.window and len(every) > len(z) else 0
    return every[start : start + len(z)]
