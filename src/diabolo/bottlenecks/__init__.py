"""The waist: what stands between encoder and decoder. Every bottleneck returns a `Latent`."""

from diabolo.bottlenecks.gaussian import Gaussian, kl_to_standard_normal
from diabolo.bottlenecks.identity import Identity
from diabolo.bottlenecks.latent import Bottleneck, Latent
from diabolo.bottlenecks.sparse import Sparse
from diabolo.bottlenecks.variational import Variational

__all__ = ["Bottleneck", "Gaussian", "Identity", "Latent", "Sparse", "Variational", "kl_to_standard_normal"]
