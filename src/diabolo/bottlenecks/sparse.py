"""A waist that may be wide, but of which few units may speak at a time."""

from torch import Tensor, nn

from diabolo.bottlenecks.latent import Bottleneck, Latent
from diabolo.parts import part
from diabolo.randomness import Draws
from diabolo.schedules import Schedule, as_schedule


@part
class Sparse(Bottleneck):
    """z = W h + b with the penalty l1 = Σⱼ |zⱼ| (Ng 2011, CS294A lecture notes; Olshausen & Field 1996).

    Args:
        in_features: features per image that the encoder gives.
        latent_dim: length of the code.
        weight: λ, a number or a schedule. With a squared error per pixel, 1e-5 … 1e-3 is the usual range.
    """

    def __init__(self, in_features: int, latent_dim: int, weight: float | str | Schedule = 1e-4) -> None:
        super().__init__(latent_dim)
        self.to_code = nn.Linear(in_features, latent_dim)
        self.weights = {"l1": as_schedule(weight)}
        self.units = {"l1": "sum of |z| per image"}

    def forward(self, features: Tensor, draws: Draws) -> Latent:
        """The code of `features` (N, in_features) and its L1 norm."""
        z = self.to_code(features).float()
        return Latent(z=z, code=z, penalties={"l1": z.abs().sum(1)})
