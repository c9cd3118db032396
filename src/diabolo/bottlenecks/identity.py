"""The plain waist: a narrow code and nothing else."""

from torch import Tensor, nn

from diabolo.bottlenecks.latent import Bottleneck, Latent
from diabolo.parts import part
from diabolo.randomness import Draws


@part
class Identity(Bottleneck):
    """z = W h + b. What keeps the model from copying its input is the width of z alone (the undercomplete autoencoder:
    Hinton & Salakhutdinov 2006, Science 313)."""

    def __init__(self, in_features: int, latent_dim: int) -> None:
        super().__init__(latent_dim)
        self.to_code = nn.Linear(in_features, latent_dim)

    def forward(self, features: Tensor, draws: Draws) -> Latent:
        """The code of `features` (N, in_features), without penalty."""
        z = self.to_code(features).float()
        return Latent(z=z, code=z)
