"""Stochastic codes: a posterior q(z|x) held close to a prior p(z), so that codes can be drawn."""

from typing import Unpack

from diabolo import bottlenecks
from diabolo.autoencoder import Autoencoder
from diabolo.schedules import Schedule
from diabolo.zoo.recipe import PartOptions, assemble, recipe


@recipe(
    {"likelihood": "bernoulli"},
    beta="Weight of the KL term: a number, or a schedule such as 'linear(0, 1, 0.3)' or 'cyclical(0, 1, 4)'.",
)
def vae(
    input_shape: tuple[int, ...],
    latent_dim: int = 16,
    beta: float | str | Schedule = 1.0,
    **options: Unpack[PartOptions],
) -> Autoencoder:
    """Variational autoencoder: reconstruction + beta · KL(q(z|x) ‖ N(0, I)). Kingma & Welling 2014, arXiv 1312.6114."""
    return assemble(
        input_shape,
        latent_dim,
        lambda enc: bottlenecks.Gaussian(enc.features, latent_dim, beta),
        options,
    )
