"""The importance-weighted bound: k codes for each image, and a bound on the log-likelihood that k draws closer."""

import math
from typing import Annotated

from torch import Tensor

from diabolo.bottlenecks import Latent, Variational
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.objectives.objective import Model, Objective, weighted
from diabolo.parts import part
from diabolo.randomness import Draws
from diabolo.ranges import At
from diabolo.schedules import Schedule
from diabolo.updates.loss import Loss

GRADIENTS = ("standard", "dreg")


def check_densities(model: Model) -> Variational:
    """The bottleneck of a model whose p(x|z), p(z) and q(z|x) are all known.

    Raises:
        DiaboloError: for a model without posterior and prior, or with a likelihood that is none.
    """
    if not isinstance(model.bottleneck, Variational):
        raise DiaboloError(
            f"importance weights need a bottleneck with a posterior and a prior, such as Gaussian, not "
            f"{type(model.bottleneck).__name__}"
        )
    if not model.likelihood.unit.startswith("nats per image"):
        raise DiaboloError(
            f"importance weights need a likelihood in nats per image, such as bernoulli or gaussian, not "
            f"{type(model.likelihood).__name__} in {model.likelihood.unit}"
        )
    return model.bottleneck


def log_densities(
    model: Model, x: Tensor, z: Tensor, posterior: tuple[Tensor, ...], to_decoder: tuple[Tensor, ...]
) -> tuple[Tensor, Tensor]:
    """log p(x|z) and log p(z) / q(z|x), each (N, k), in nats; their sum is the log of the importance weight.

    Args:
        model: one that `check_densities` lets pass.
        x: the images (N, *input_shape).
        z: k codes for each, (N, k, *latent_shape).
        posterior: what q(z|x) is made of.
        to_decoder: what the decoder is given besides, of each image (N, features).
    """
    k, bottleneck = z.shape[1], model.bottleneck
    assert isinstance(bottleneck, Variational)
    raw = model.decoder(z.flatten(0, 1), *(c.repeat_interleave(k, 0) for c in to_decoder))
    log_likelihood = -model.score(raw, x.repeat_interleave(k, 0)).unflatten(0, z.shape[:2])
    return log_likelihood, bottleneck.log_prior(z) - bottleneck.log_posterior(z, posterior)


@part
class IWAE(Objective):
    """−L_k, where L_k = E log 1/k Σᵢ wᵢ, wᵢ = p(x|zᵢ) p(zᵢ) / q(zᵢ|x), zᵢ ~ q(z|x): a bound on log p(x), the tighter the
    larger k; L_1 is the ELBO (Burda, Grosse & Salakhutdinov 2016, arXiv 1509.00519).

    Its terms, in nats per image: `reconstruction` (mean −log p(x|zᵢ)) + `kl` (mean log q(zᵢ|x) − log p(zᵢ), an estimate by
    these samples), which make the negative ELBO, + `tightening`, what the k samples make of it: 0 or below.
    `effective_samples` 1 / Σ w̃ᵢ², with w̃ᵢ = wᵢ / Σ w, is written down beside them.

    Args:
        k: codes drawn for each image.
        gradient: of the posterior's parameters. "standard": that of L_k as it stands, Σ w̃ᵢ ∇ log wᵢ, whose noise drowns it as k
            grows; "dreg": doubly reparameterised, Σ w̃ᵢ² ∂log wᵢ/∂zᵢ ∇zᵢ, the same on average with less noise (Tucker et al.
            2019, arXiv 1810.04152). The decoder's is the standard one in both.

    Example:
        >>> model = diabolo.zoo.iwae(train.shape, 4, importance_samples=20)
        >>> model.objective.k, model.units
        (20, {'reconstruction': 'nats per image', 'kl': 'nats per image', 'tightening': 'nats per image'})
    """

    def __init__(self, k: Annotated[int, At(1, 1_000_000)] = 5, gradient: str = "standard") -> None:
        super().__init__()
        if gradient not in GRADIENTS:
            raise UnknownNameError("gradient", gradient, GRADIENTS)
        self.k, self.gradient = k, gradient

    def check(self, model: Model) -> None:
        """Refuse a model without densities, and one whose KL term has a weight: the bound has none."""
        bottleneck = check_densities(model)
        for name, weight in bottleneck.weights.items():
            if any(float(weight(progress)) != 1.0 for progress in (0.0, 0.25, 0.5, 0.75, 1.0)):
                raise DiaboloError(
                    f"the importance-weighted bound has no weight of {name}: leave it 1, or train with the ELBO"
                )

    def forward(self, model: Model, x: Tensor, y: Tensor | None, draws: Draws, progress: float | Tensor) -> Loss:
        """−L_k of the images `x` (N, *input_shape), and the head's terms; the encoder sees them corrupted."""
        bottleneck = model.bottleneck
        assert isinstance(bottleneck, Variational)
        to_encoder, to_decoder = model.condition(model.condition.pick(x, y))
        seen = model.corruption(x, draws)
        posterior = bottleneck.posterior(model.encoder(seen, *to_encoder))
        z = bottleneck.draw(posterior, draws, self.k)
        weighed = z.view_as(z)  # the head's gradient, which goes to z directly, is not to be weighted
        doubly = self.gradient == "dreg" and z.requires_grad
        fixed = tuple(parameter.detach() for parameter in posterior) if doubly else posterior
        log_likelihood, log_ratio = log_densities(model, x, weighed, fixed, to_decoder)
        log_weights = log_likelihood + log_ratio
        bound = (log_weights.logsumexp(1) - math.log(self.k)).mean()
        share = log_weights.detach().softmax(1)  # w̃, which the logarithm of the sum gives each gradient once
        if doubly:
            weighed.register_hook(lambda grad: grad * share.view(*share.shape, *[1] * (grad.ndim - 2)))
        reconstruction, kl = -log_likelihood.detach().mean(), -log_ratio.detach().mean()
        terms = {
            "reconstruction": reconstruction,
            "kl": kl,
            "tightening": -bound.detach() - reconstruction - kl,
        }
        weights: dict[str, float | Tensor] = dict.fromkeys(terms, 1.0)
        logged = {"effective_samples": share.square().sum(1).reciprocal().mean()}
        total = -bound
        if penalties := model.head.penalties(seen, Latent(z[:, 0], posterior[0], posterior=posterior), y):
            head = weighted(penalties, model.head.weights, progress)
            total, terms, weights = total + head.total, terms | head.terms, weights | head.weights
        return Loss(total, terms, weights, logged)

    def units(self, model: Model) -> dict[str, str]:
        """The parts of the bound, then the head's terms."""
        unit = model.unit
        return {"reconstruction": unit, "kl": unit, "tightening": unit, **model.head.units}

    def schedules(self, model: Model) -> dict[str, Schedule]:
        """The head's: the bound has no weights."""
        return dict(model.head.weights)

    def logged(self, model: Model) -> tuple[str, ...]:
        """How many of the k samples count."""
        return ("effective_samples",)
