"""The waist through which nothing passes."""

from torch import Tensor

from diabolo.bottlenecks.latent import Bottleneck, Latent
from diabolo.parts import part
from diabolo.randomness import Draws


@part
class Nothing(Bottleneck):
    """A code of no numbers, (N, 0): the decoder goes by what it is told alone. With a condition the model is a plain,
    deterministic network of the decoder's capacity: what a conditional VAE is to be compared with."""

    def __init__(self) -> None:
        super().__init__(1)
        self.latent_shape = (0,)  # which no other waist may have

    def forward(self, features: Tensor, draws: Draws) -> Latent:
        """Nothing of `features` (N, F)."""
        z = features[:, :0].float()
        return Latent(z=z, code=z)
