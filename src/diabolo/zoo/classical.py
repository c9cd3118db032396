"""Deterministic codes: what keeps the model from copying is the width of the code, a penalty, or noise."""

from typing import Unpack

from diabolo import bottlenecks
from diabolo.autoencoder import Autoencoder
from diabolo.pca import PCA
from diabolo.schedules import Schedule
from diabolo.zoo.recipe import PartOptions, assemble, recipe


@recipe()
def undercomplete(input_shape: tuple[int, ...], latent_dim: int = 32, **options: Unpack[PartOptions]) -> Autoencoder:
    """Plain autoencoder: the narrow code alone keeps it from copying. Hinton & Salakhutdinov 2006, Science 313:504."""
    return assemble(input_shape, latent_dim, lambda enc: bottlenecks.Identity(enc.features, latent_dim), options)


@recipe(sparsity="Weight of Σ|z|: a number, or a schedule such as 'linear(0, 1e-4, 0.3)'.")
def sparse(
    input_shape: tuple[int, ...],
    latent_dim: int = 128,
    sparsity: float | str | Schedule = 1e-4,
    **options: Unpack[PartOptions],
) -> Autoencoder:
    """Sparse autoencoder: reconstruction + sparsity · Σ|z|. Ng 2011, CS294A notes; Olshausen & Field 1996, Nature 381:607."""
    return assemble(
        input_shape, latent_dim, lambda enc: bottlenecks.Sparse(enc.features, latent_dim, sparsity), options
    )


@recipe({"corruption": "gaussian"})
def denoising(input_shape: tuple[int, ...], latent_dim: int = 128, **options: Unpack[PartOptions]) -> Autoencoder:
    """Denoising autoencoder: sees a corrupted image, must give the clean one. Vincent et al. 2010, JMLR 11:3371."""
    return assemble(input_shape, latent_dim, lambda enc: bottlenecks.Identity(enc.features, latent_dim), options)


@recipe()
def pca(input_shape: tuple[int, ...], latent_dim: int = 32) -> PCA:
    """Principal components, in closed form: the linear codec to compare with. Pearson 1901; Hotelling 1933."""
    return PCA(tuple(input_shape), latent_dim)
