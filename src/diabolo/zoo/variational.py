"""Stochastic codes: a posterior q(z|x) held close to a prior p(z), so that codes can be drawn."""

from typing import Annotated, Unpack

from diabolo import bottlenecks, objectives
from diabolo.autoencoder import Autoencoder
from diabolo.ranges import Above, At, Count, Weight
from diabolo.schedules import Schedule
from diabolo.zoo.recipe import PartOptions, assemble, recipe


@recipe(
    {"likelihood": "bernoulli"},
    beta="Weight of the KL term: a number, or a schedule such as 'linear(0, 1, 0.3)' or 'cyclical(0, 1, 4)'.",
    free_bits="Nats per unit of the code that cost nothing: below them the KL term has no gradient.",
    capacity="Nats per image, a number or a schedule, to which the KL term is drawn with the weight beta, then 100 or more.",
)
def vae(
    input_shape: tuple[int, ...],
    latent_dim: Count = 16,
    beta: float | str | Schedule = 1.0,
    free_bits: Weight = 0.0,
    capacity: float | str | Schedule | None = None,
    **options: Unpack[PartOptions],
) -> Autoencoder:
    """Variational autoencoder: reconstruction + beta · KL(q(z|x) ‖ N(0, I)). Kingma & Welling 2014, arXiv 1312.6114.

    For codes to draw new images from, to interpolate and to do arithmetic with. beta other than 1: Higgins et al. 2017, ICLR;
    free_bits: Kingma et al. 2016, arXiv 1606.04934; capacity: Burgess et al. 2018, arXiv 1804.03599.

    Example:
        >>> model = diabolo.zoo.vae(train.shape, latent_dim=16, beta=4.0)
        >>> model.units
        {'reconstruction': 'nats per image', 'kl': 'nats per image'}
    """
    return assemble(
        input_shape,
        latent_dim,
        lambda enc: bottlenecks.Gaussian(enc.features, latent_dim, beta, free_bits, capacity),
        options,
    )


@recipe(
    {"likelihood": "bernoulli"},
    importance_samples="Codes drawn for each image (k); 1 is the VAE, 50 comes near the likelihood and costs 50 decoders.",
    gradient="Of the encoder's weights: standard, or dreg (doubly reparameterised: the same on average, less noise).",
)
def iwae(
    input_shape: tuple[int, ...],
    latent_dim: Count = 50,
    importance_samples: Annotated[int, At(1, 1_000_000)] = 5,
    gradient: str = "standard",
    **options: Unpack[PartOptions],
) -> Autoencoder:
    """Importance-weighted autoencoder: a VAE under a bound on log p(x) that k codes per image draw closer. Burda, Grosse &
    Salakhutdinov 2016, arXiv 1509.00519; dreg: Tucker et al. 2019, arXiv 1810.04152.

    For a closer bound on the likelihood of images, and codes that use more units than a VAE's.

    Example:
        >>> model = diabolo.zoo.iwae(train.shape, latent_dim=16, importance_samples=50)
        >>> list(model.units)
        ['reconstruction', 'kl', 'tightening']
    """
    return assemble(
        input_shape,
        latent_dim,
        lambda enc: bottlenecks.Gaussian(enc.features, latent_dim),
        options,
        objective=objectives.IWAE(importance_samples, gradient),
    )


@recipe(
    {"likelihood": "bernoulli"},
    gamma="Weight of the total correlation of the code's units: a number or a schedule; 2 to 100 in the paper.",
    critic_width="Width of the critic that estimates it.",
    critic_layers="Hidden layers of the critic.",
    critic_lr="Learning rate of the critic, by Adam with beta1 0.5 and beta2 0.9.",
)
def factorvae(
    input_shape: tuple[int, ...],
    latent_dim: Count = 10,
    gamma: float | str | Schedule = 6.4,
    critic_width: Count = 1000,
    critic_layers: Count = 6,
    critic_lr: Annotated[float, Above(0, 1000)] = 1e-4,
    **options: Unpack[PartOptions],
) -> Autoencoder:
    """FactorVAE: a VAE whose units are made independent by an adversary, the critic, with an optimizer of its own. Kim & Mnih
    2018, ICML, arXiv 1802.05983.

    For codes whose units stand for one factor of variation each, with sharper reconstructions than a large beta leaves.

    Example:
        >>> model = diabolo.zoo.factorvae(train.shape, latent_dim=10, gamma=6.4)
        >>> list(model.objective.players(model))
        ['model', 'critic']
    """
    return assemble(
        input_shape,
        latent_dim,
        lambda enc: bottlenecks.Gaussian(enc.features, latent_dim),
        options,
        objective=objectives.FactorVAE(latent_dim, gamma, critic_width, critic_layers, critic_lr),
    )
