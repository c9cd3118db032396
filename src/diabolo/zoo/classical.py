"""Deterministic codes: what keeps the model from copying is the width of the code, a penalty, or noise. First those whose
networks are the idea: a linear pair, a U-Net, convolutions alone.
"""

import math
from typing import Annotated, Any, Unpack

from diabolo import bottlenecks, likelihoods
from diabolo.autoencoder import Autoencoder
from diabolo.nets import Maps
from diabolo.pca import PCA
from diabolo.ranges import At, Count, ItsOwn, PartOf
from diabolo.scaling import Scaling
from diabolo.schedules import Schedule
from diabolo.zoo.recipe import PartOptions, assemble, recipe


@recipe({"net": "linear"})
def linear(input_shape: tuple[int, ...], latent_dim: Count = 32, **options: Unpack[PartOptions]) -> Autoencoder:
    """Linear autoencoder: squared error, linear output; finds PCA's subspace. Baldi & Hornik 1989, Neural Networks 2:53.

    For showing what a gradient finds where the answer is known in closed form.

    Example:
        >>> model = diabolo.zoo.linear(train.shape, latent_dim=8)
        >>> sum(p.numel() for p in model.parameters())  # two layers with biases
        1096
    """
    if options.get("likelihood") in (None, "squared-error"):
        options["likelihood"] = likelihoods.SquaredError(output="linear")
    return assemble(input_shape, latent_dim, lambda enc: bottlenecks.Identity(enc.features, latent_dim), options)


@recipe({"net": "unet"})
def unet(input_shape: tuple[int, ...], latent_dim: Count = 32, **options: Unpack[PartOptions]) -> Autoencoder:
    """U-Net autoencoder: skip connections lead the encoder's maps around the code, which is no bottleneck then; --no-skips cuts
    them. Ronneberger et al. 2015, arXiv 1505.04597.

    For images in, images out, such as cleaning, where every pixel counts and the code does not.

    Example:
        >>> model = diabolo.zoo.unet((1, 16, 16), channels=(4, 8), skips=False)
        >>> tuple(model.encode(torch.rand(2, 1, 16, 16)).shape)
        (2, 32)
    """
    return assemble(input_shape, latent_dim, lambda enc: bottlenecks.Identity(enc.features, latent_dim), options)


@recipe({"net": "conv-pool", "corruption": "gaussian"})
def denoising_conv(input_shape: tuple[int, ...], **options: Unpack[PartOptions]) -> Autoencoder:
    """Denoising autoencoder of convolutions alone: its code is the encoder's last map. Vincent et al. 2010, JMLR 11:3371.

    For cleaning images of any size with very few parameters.

    Example:
        >>> model = diabolo.zoo.denoising_conv((1, 28, 28))
        >>> sum(p.numel() for p in model.parameters())
        14321
    """
    return assemble(input_shape, Maps(), lambda enc: bottlenecks.FeatureMap(enc.map_shape), options)


@recipe()
def undercomplete(input_shape: tuple[int, ...], latent_dim: Count = 32, **options: Unpack[PartOptions]) -> Autoencoder:
    """Plain autoencoder: the narrow code alone keeps it from copying. Hinton & Salakhutdinov 2006, Science 313:504.

    For compact codes, and as the plain model that every other is compared with.

    Example:
        >>> model = diabolo.zoo.undercomplete(train.shape, latent_dim=8, hidden=(32,))
        >>> tuple(model.encode(test.images).shape), model.units
        ((100, 8), {'reconstruction': 'squared error per pixel'})
    """
    return assemble(input_shape, latent_dim, lambda enc: bottlenecks.Identity(enc.features, latent_dim), options)


@recipe(sparsity="Weight of Σ|z|: a number, or a schedule such as 'linear(0, 1e-4, 0.3)'.")
def sparse(
    input_shape: tuple[int, ...],
    latent_dim: Count = 128,
    sparsity: float | str | Schedule = 1e-4,
    **options: Unpack[PartOptions],
) -> Autoencoder:
    """Sparse autoencoder: reconstruction + sparsity · Σ|z|. Ng 2011, CS294A notes; Olshausen & Field 1996, Nature 381:607.

    For wide codes of which few units speak for each image, and are easier to read than those of a narrow code.

    Example:
        >>> model = diabolo.zoo.sparse(train.shape, latent_dim=32)
        >>> model.units
        {'reconstruction': 'squared error per pixel', 'l1': 'sum of |z| per image'}
    """
    return assemble(
        input_shape, latent_dim, lambda enc: bottlenecks.Sparse(enc.features, latent_dim, sparsity), options
    )


@recipe(active="Units of the code kept for each image, those of the largest value; an eighth of them when left out.")
def topk(
    input_shape: tuple[int, ...],
    latent_dim: Count = 128,
    active: Count | None = None,
    **options: Unpack[PartOptions],
) -> Autoencoder:
    """k-sparse autoencoder: only the largest units of the code are kept. Makhzani & Frey 2014, arXiv 1312.5663.

    For sparse codes whose sparsity is set, not searched for: no weight to tune, and no shrunken activations.

    Example:
        >>> model = diabolo.zoo.topk(train.shape, latent_dim=16, active=5)
        >>> (model.encode(test.images[:3]) != 0).sum(1).tolist()
        [5, 5, 5]
    """
    k = max(1, latent_dim // 8) if active is None else active
    return assemble(input_shape, latent_dim, lambda enc: bottlenecks.TopK(enc.features, latent_dim, k), options)


@recipe(
    rate="How active each unit of the code, between 0 and 1, is to be on average (rho).",
    rate_weight="Weight of Σ KL(rho ‖ mean activation): a number or a schedule.",
)
def kl_sparse(
    input_shape: tuple[int, ...],
    latent_dim: Count = 128,
    rate: PartOf = 0.05,
    rate_weight: float | str | Schedule = 1e-3,
    **options: Unpack[PartOptions],
) -> Autoencoder:
    """Sparse autoencoder by rate: sigmoid units, each held to be active as rarely as is asked. Ng 2011, CS294A notes.

    For sparse codes of which every unit is used by some images: units that fall silent are drawn back.

    Example:
        >>> model = diabolo.zoo.kl_sparse(train.shape, latent_dim=16, rate=0.05)
        >>> model.units
        {'reconstruction': 'squared error per pixel', 'kl_rate': 'nats, summed over units'}
    """
    return assemble(
        input_shape, latent_dim, lambda enc: bottlenecks.KLSparse(enc.features, latent_dim, rate, rate_weight), options
    )


@recipe(
    contraction="Weight of ‖dz/dx‖², the squared derivatives of the code by the image: a number or a schedule.",
    probes="Random directions by which ‖dz/dx‖² is estimated, 1 when left out; without hidden layers it is exact instead.",
    code_activation="Activation of the code: sigmoid, tanh, relu or linear.",
)
def contractive(
    input_shape: tuple[int, ...],
    latent_dim: Count = 128,
    contraction: float | str | Schedule = 1e-4,
    probes: Annotated[int, At(1, 1000)] | None = None,
    code_activation: str = "sigmoid",
    **options: Unpack[PartOptions],
) -> Autoencoder:
    """Contractive autoencoder: reconstruction + contraction · ‖dz/dx‖², so that the code moves little when the image moves.
    Rifai et al. 2011, ICML.

    For codes that ignore small changes of the image; features for a classifier.

    Example:
        >>> model = diabolo.zoo.contractive(train.shape, latent_dim=16)
        >>> model.units
        {'reconstruction': 'squared error per pixel', 'contraction': 'squared norm of dz/dx per image'}
    """

    def bottleneck(enc: Any) -> bottlenecks.Bottleneck:
        one_layer = enc.features == math.prod(enc.input_shape) and not list(enc.parameters())
        if one_layer and probes is None:
            return bottlenecks.ContractiveLayer(enc.features, latent_dim, contraction, code_activation)
        n = 1 if probes is None else probes
        return bottlenecks.Contractive(enc.features, latent_dim, contraction, code_activation, n)

    return assemble(input_shape, latent_dim, bottleneck, options)


@recipe(
    code_l2="Weight of ½ ‖z‖²: a number or a schedule.",
    decoder_l2="Weight of the squares of the decoder's weights: a number or a schedule.",
    gradient_penalty="Weight of ‖dD(z)/dz‖², the squared derivatives of the decoder: a number or a schedule.",
)
def rae(
    input_shape: tuple[int, ...],
    latent_dim: Count = 16,
    code_l2: float | str | Schedule = 1e-4,
    decoder_l2: float | str | Schedule = 1e-6,
    gradient_penalty: float | str | Schedule = 0.0,
    **options: Unpack[PartOptions],
) -> Autoencoder:
    """Regularised autoencoder: small codes and a tame decoder, not a VAE's noise. Ghosh et al. 2020, arXiv 1903.12436.

    For images drawn from a density fitted to its codes, sharper than a VAE's.

    Example:
        >>> model = diabolo.zoo.rae(train.shape, latent_dim=16)
        >>> list(model.units)
        ['reconstruction', 'code_l2', 'decoder_l2']
    """
    return assemble(
        input_shape,
        latent_dim,
        lambda enc: bottlenecks.Regularised(enc.features, latent_dim, code_l2, decoder_l2, gradient_penalty),
        options,
    )


@recipe({"corruption": "gaussian"})
def denoising(input_shape: tuple[int, ...], latent_dim: Count = 128, **options: Unpack[PartOptions]) -> Autoencoder:
    """Denoising autoencoder: sees a corrupted image, must give the clean one. Vincent et al. 2010, JMLR 11:3371.

    For cleaning images, and for features that survive noise.

    Example:
        >>> model = diabolo.zoo.denoising(train.shape, latent_dim=16, corruption="masking", level=0.25)
        >>> type(model.corruption).__name__
        'Masking'
    """
    return assemble(input_shape, latent_dim, lambda enc: bottlenecks.Identity(enc.features, latent_dim), options)


@recipe()
def pca(
    input_shape: tuple[int, ...],
    latent_dim: Count = 32,
    scaling: Annotated[str | Scaling, ItsOwn()] = "none",
) -> PCA:
    """Principal components, in closed form: the linear codec to compare with. Pearson 1901; Hotelling 1933.

    For a floor: what a linear map of that many numbers can do, at once and without training.

    Example:
        >>> model = diabolo.zoo.pca(train.shape, latent_dim=8)
        >>> run = diabolo.fit(model, train, quiet=True)
        >>> tuple(run.model.encode(test.images).shape)
        (100, 8)
    """
    return PCA(tuple(input_shape), latent_dim, scaling)
