"""The plain bottleneck: a narrow code and nothing else."""

import math

from torch import Tensor, nn

from diabolo.bottlenecks.latent import Bottleneck, Latent
from diabolo.parts import part
from diabolo.randomness import Draws
from diabolo.ranges import Count, Natural


@part
class Identity(Bottleneck):
    """z = W h + b. What keeps the model from copying its input is the width of z alone (the undercomplete autoencoder:
    Hinton & Salakhutdinov 2006, Science 313).

    Example:
        >>> from diabolo.randomness import Draws
        >>> code = diabolo.bottlenecks.Identity(in_features=32, latent_dim=4)
        >>> tuple(code(torch.zeros(5, 32), Draws()).z.shape)
        (5, 4)
    """

    def __init__(self, in_features: Natural, latent_dim: Count) -> None:
        super().__init__(latent_dim)
        self.to_code = nn.Linear(in_features, latent_dim)

    def forward(self, features: Tensor, draws: Draws) -> Latent:
        """The code of `features` (N, in_features), without penalty."""
        z = self.to_code(features).float()
        return Latent(z=z, code=z)


@part
class FeatureMap(Bottleneck):
    """z is the encoder's last map as it is: no layer of its own, for networks of convolutions alone. Narrow where it has fewer
    numbers than the image.

    Example:
        >>> from diabolo.randomness import Draws
        >>> code = diabolo.bottlenecks.FeatureMap((8, 2, 2))
        >>> tuple(code(torch.zeros(5, 32), Draws()).z.shape)
        (5, 8, 2, 2)
    """

    def __init__(self, map_shape: tuple[int, ...]) -> None:
        super().__init__(math.prod(map_shape))
        self.latent_shape = tuple(map_shape)

    def forward(self, features: Tensor, draws: Draws) -> Latent:
        """The `features` (N, C·h·w) as a map (N, C, h, w)."""
        z = features.float().unflatten(1, self.latent_shape)
        return Latent(z=z, code=z)
