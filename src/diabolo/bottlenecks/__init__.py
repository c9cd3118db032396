"""The waist: what stands between encoder and decoder. Every bottleneck returns a `Latent`."""

from diabolo.bottlenecks.contractive import Contractive, ContractiveLayer
from diabolo.bottlenecks.gaussian import Gaussian, kl_per_unit, kl_to_standard_normal
from diabolo.bottlenecks.identity import Identity
from diabolo.bottlenecks.latent import Bottleneck, Latent
from diabolo.bottlenecks.regularised import Regularised
from diabolo.bottlenecks.sparse import KLSparse, Sparse, TopK
from diabolo.bottlenecks.variational import Variational

__all__ = [
    "Bottleneck",
    "Contractive",
    "ContractiveLayer",
    "Gaussian",
    "Identity",
    "KLSparse",
    "Latent",
    "Regularised",
    "Sparse",
    "TopK",
    "Variational",
    "kl_per_unit",
    "kl_to_standard_normal",
]  # fmt: skip
