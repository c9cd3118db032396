"""Recipes whose networks are the idea: a linear pair, a U-Net, convolutions alone."""

from typing import Unpack

from diabolo import bottlenecks, likelihoods
from diabolo.autoencoder import Autoencoder
from diabolo.nets import Maps
from diabolo.ranges import Count
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
