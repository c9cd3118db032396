"""The bottleneck: what stands between encoder and decoder. Every bottleneck returns a `Latent`."""

from diabolo.bottlenecks.contractive import Contractive, ContractiveLayer
from diabolo.bottlenecks.fsq import FSQ
from diabolo.bottlenecks.gaussian import Gaussian, Nothing, Variational, kl_per_unit, kl_to_standard_normal
from diabolo.bottlenecks.identity import FeatureMap, Identity, Regularised
from diabolo.bottlenecks.latent import Bottleneck, Latent
from diabolo.bottlenecks.quantizer import Discrete
from diabolo.bottlenecks.quantizer_vq import VectorQuantizer
from diabolo.bottlenecks.relative import RelativeGaussian
from diabolo.bottlenecks.skips import WithSkips, around
from diabolo.bottlenecks.sparse import KLSparse, Sparse, TopK

__all__ = [
    "FSQ",
    "Bottleneck",
    "Contractive",
    "ContractiveLayer",
    "Discrete",
    "FeatureMap",
    "Gaussian",
    "Identity",
    "KLSparse",
    "Latent",
    "Nothing",
    "Regularised",
    "RelativeGaussian",
    "Sparse",
    "TopK",
    "Variational",
    "VectorQuantizer",
    "WithSkips",
    "around",
    "kl_per_unit",
    "kl_to_standard_normal",
]  # fmt: skip
