"""The bottleneck through which nothing passes."""

from torch import Tensor

from diabolo.bottlenecks.latent import Latent
from diabolo.bottlenecks.variational import Variational
from diabolo.parts import part
from diabolo.randomness import Draws


@part
class Nothing(Variational):
    """A code of no numbers, (N, 0): the decoder goes by what it is told alone. With a condition the model is a plain,
    deterministic network of the decoder's capacity: what a conditional VAE is to be compared with.

    Posterior and prior are densities over no numbers, 1 each, so that −log p(x | condition) is the likelihood's own.

    Example:
        >>> from diabolo.randomness import Draws
        >>> tuple(diabolo.bottlenecks.Nothing()(torch.zeros(5, 0), Draws()).z.shape)
        (5, 0)
    """

    def __init__(self) -> None:
        super().__init__(0)  # which no other bottleneck may have

    def forward(self, features: Tensor, draws: Draws) -> Latent:
        """Nothing of `features` (N, F)."""
        z = features[:, :0].float()
        return Latent(z=z, code=z)

    def posterior(self, features: Tensor) -> tuple[Tensor, ...]:
        """Nothing of `features` (N, F): (N, 0)."""
        return (features[:, :0].float(),)

    def draw(self, posterior: tuple[Tensor, ...], draws: Draws, k: int) -> Tensor:
        """(N, k, 0)."""
        return posterior[0][:, None].expand(-1, k, -1)

    def log_posterior(self, z: Tensor, posterior: tuple[Tensor, ...]) -> Tensor:
        """0 for each of `z` (N, k, 0): (N, k)."""
        return z.sum(2)

    def log_prior(self, z: Tensor) -> Tensor:
        """0 for each of `z` (N, k, 0): (N, k)."""
        return z.sum(2)
