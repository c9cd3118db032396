"""Discrete codes: maps of indices into a codebook."""

from typing import Unpack

from diabolo import bottlenecks, likelihoods, objectives
from diabolo.autoencoder import Autoencoder
from diabolo.bottlenecks.quantizer import Codes
from diabolo.errors import DiaboloError
from diabolo.nets import Maps
from diabolo.ranges import BelowOne, Count, Levels, PartOf, Weight
from diabolo.schedules import Schedule
from diabolo.zoo.recipe import PartOptions, assemble, recipe


@recipe(
    {"net": "vq-conv"},
    codes="Size of the codebook.",
    codebook="How the codebook learns: ema (moving averages), or loss (its own term, by gradient).",
    commitment="Weight of ‖encoder output − code‖², which holds the encoder to its codes: a number or a schedule; 0 for none.",
    codebook_weight="Weight of the codebook term of --codebook loss: a number or a schedule.",
    codebook_decay="Decay of the codebook's moving averages.",
    kmeans="Begin with a codebook of centres of the encoder's first outputs.",
    restart="The part of the average use below which a code begins anew as one of the encoder's outputs; 0 for never.",
    estimator="How gradients pass the quantiser: straight-through, or rotation (Fifty et al. 2024, arXiv 2410.06424).",
    reconstruction_weight="Weight of the reconstruction; 16 is about 1 / variance of natural images, as in the authors' code.",
)
def vqvae(
    input_shape: tuple[int, ...],
    latent_dim: Count = 64,
    codes: Codes = 512,
    codebook: str = "ema",
    commitment: float | str | Schedule = 0.25,
    codebook_weight: float | str | Schedule = 1.0,
    codebook_decay: PartOf = 0.99,
    kmeans: bool = True,
    restart: BelowOne = 0.1,
    estimator: str = "straight-through",
    reconstruction_weight: Weight = 16.0,
    **options: Unpack[PartOptions],
) -> Autoencoder:
    """Vector-quantised autoencoder: each position of the code map is the nearest of a learnt set of vectors of latent_dim
    numbers. van den Oord et al. 2017, arXiv 1711.00937.

    For compression to a counted number of bits, sharp reconstructions, and generation by a prior over the indices.

    Example:
        >>> model = diabolo.zoo.vqvae((1, 16, 16), latent_dim=8, codes=32)
        >>> model.bottleneck.latent_shape
        (8, 4, 4)
    """
    _linear_output(options)
    return assemble(
        input_shape,
        Maps(latent_dim),
        lambda enc: bottlenecks.VectorQuantizer(
            enc.map_shape,
            latent_dim,
            codes,
            codebook,
            commitment,
            codebook_weight,
            codebook_decay,
            kmeans,
            restart,
            estimator,
        ),
        options,
        objective=objectives.ELBO(reconstruction_weight),
    )


@recipe(
    {"net": "vq-conv"}, levels="Levels of each channel of the code map, as in 8 5 5 5; one number is for all of them."
)
def fsq(
    input_shape: tuple[int, ...],
    latent_dim: Count | None = None,
    levels: Levels = (8, 5, 5, 5),
    **options: Unpack[PartOptions],
) -> Autoencoder:
    """Finite scalar quantisation: each channel of the code map is rounded to a few levels, without a codebook to learn. Mentzer
    et al. 2023, arXiv 2309.15505.

    For discrete codes without a codebook to keep alive: no commitment, nothing to restart.

    Example:
        >>> model = diabolo.zoo.fsq((1, 16, 16), levels=(8, 5, 5))
        >>> model.bottleneck.codes
        200
    """
    _linear_output(options)
    if latent_dim is not None and latent_dim != len(levels):
        if latent_dim < 1:
            raise DiaboloError(f"latent_dim must be at least 1, not {latent_dim}")
        if len(levels) > 1 and tuple(levels) != (8, 5, 5, 5):
            raise DiaboloError(f"levels are given for {len(levels)} channels, but latent_dim is {latent_dim}")
        levels = (*levels, *[levels[-1]] * latent_dim)[:latent_dim]
    return assemble(input_shape, Maps(len(levels)), lambda enc: bottlenecks.FSQ(enc.map_shape, tuple(levels)), options)


def _linear_output(options: PartOptions) -> None:
    """A squared error is of a linear output, as in the authors' code: a sigmoid may saturate before the codes say anything."""
    if options.get("likelihood") in (None, "squared-error"):
        options["likelihood"] = likelihoods.SquaredError(output="linear")
