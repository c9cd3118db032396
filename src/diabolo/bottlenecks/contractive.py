"""A bottleneck whose code moves little when the image moves: the derivatives of the code by the image are held small."""

from collections.abc import Callable
from typing import Annotated

import torch
from torch import Tensor, nn

from diabolo.bottlenecks.latent import Bottleneck, Latent
from diabolo.errors import UnknownNameError
from diabolo.parts import part
from diabolo.randomness import Draws
from diabolo.ranges import At, Count, Natural
from diabolo.schedules import Schedule, as_weight

# Activations s of the code by name, and their derivatives as functions of z = s(h).
SQUASHES: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "sigmoid": (torch.sigmoid, lambda z: z * (1 - z)),
    "tanh": (torch.tanh, lambda z: 1 - z.square()),
    "relu": (torch.relu, lambda z: (z > 0).to(z.dtype)),
    "linear": (lambda h: h, torch.ones_like),
}


def jacobian_norm(output: Tensor, by: Tensor, draws: Draws, probes: int) -> Tensor:
    """An unbiased estimate of ‖∂output/∂by‖²_F for each image: (N, …), (N, …) → (N,), differentiable.

    The mean over `probes` of ‖vᵀ J‖², with random signs v: E[v vᵀ] = I (Hutchinson 1990). Where batch norm ties the images of
    a batch together, this is the norm of the derivatives of all outputs of the batch by one image.
    """
    total = torch.zeros(len(by), device=by.device)
    keep = torch.is_grad_enabled()
    for _ in range(probes):
        v = 1.0 - 2.0 * (draws.uniform(output) < 0.5).to(output.dtype)
        (product,) = torch.autograd.grad(output, by, v, create_graph=keep, retain_graph=True)
        total = total + product.float().flatten(1).square().sum(1)
    return total / probes


class _Squashed(Bottleneck):
    """z = s(W h + b) with an activation s, and the weight of one penalty."""

    def __init__(
        self, in_features: Natural, latent_dim: Count, weight: float | str | Schedule, activation: str
    ) -> None:
        super().__init__(latent_dim)
        if activation not in SQUASHES:
            raise UnknownNameError("activation of the code", activation, SQUASHES)
        self.to_code = nn.Linear(in_features, latent_dim)
        self.squash, self.slope = SQUASHES[activation]
        self.weights = {"contraction": as_weight(weight, "the weight of the contraction")}
        self.units = {"contraction": "squared norm of dz/dx per image"}

    def forward(self, features: Tensor, draws: Draws) -> Latent:
        """The code of `features` (N, in_features)."""
        z = self.squash(self.to_code(features).float())
        return Latent(z=z, code=z)

    def prior(self, n: int, draws: Draws, device: torch.device) -> Tensor:
        """`n` codes (n, latent_dim) that units can have: s(ε), ε from N(0, I)."""
        return self.squash(super().prior(n, draws, device))


@part
class Contractive(_Squashed):
    """z = s(W h + b) with the penalty contraction = ‖∂z/∂x‖²_F through the whole encoder, x being what the encoder sees
    (contractive autoencoder: Rifai et al. 2011, ICML), estimated by random probes without bias.

    In validation it is estimated too, with the validation's own noise. The penalty alone can be evaded by a small code that
    the decoder blows up again; Rifai et al. tie the decoder's weights to the encoder's against that, weight decay does it too.

    Args:
        in_features: features per image that the encoder gives.
        latent_dim: length of the code.
        weight: a number or a schedule. The paper's 0.1, with a squared error summed over 784 pixels, is 1e-4 per pixel.
        activation: s: sigmoid, tanh, relu or linear.
        probes: random directions per image and step; each costs about one more backward pass.

    Example:
        >>> code = diabolo.bottlenecks.Contractive(32, 8, weight=1e-3)
        >>> code.units
        {'contraction': 'squared norm of dz/dx per image'}
    """

    differentiates = True

    def __init__(
        self,
        in_features: Natural,
        latent_dim: Count,
        weight: float | str | Schedule = 1e-4,
        activation: str = "sigmoid",
        probes: Annotated[int, At(1, 1000)] = 1,
    ) -> None:
        super().__init__(in_features, latent_dim, weight, activation)
        self.probes = probes

    def prepare_input(self, x: Tensor) -> Tensor:
        """`x`, by which derivatives can be taken."""
        return x.detach().requires_grad_()

    def batch_penalties(
        self, x: Tensor, latent: Latent, raw: Tensor, decoder: nn.Module, draws: Draws, progress: float | Tensor
    ) -> dict[str, Tensor]:
        """The estimate for each image (N,)."""
        return {"contraction": jacobian_norm(latent.code, x, draws, self.probes)}


@part
class ContractiveLayer(_Squashed):
    """`Contractive` for an encoder of one layer, z = s(W x + b), exactly: ‖∂z/∂x‖²_F = Σⱼ s′ⱼ² Σᵢ Wⱼᵢ² (Rifai et al. 2011).

    For an encoder without layers of its own, whose features are the pixels (`hidden=()`); of any other this is the norm of
    the derivatives by the features.

    Example:
        >>> model = diabolo.zoo.contractive(train.shape, 8, net="linear")
        >>> type(model.bottleneck).__name__, model.units["contraction"]
        ('ContractiveLayer', 'squared norm of dz/dx per image')
    """

    def __init__(
        self,
        in_features: Natural,
        latent_dim: Count,
        weight: float | str | Schedule = 1e-4,
        activation: str = "sigmoid",
    ) -> None:
        super().__init__(in_features, latent_dim, weight, activation)

    def forward(self, features: Tensor, draws: Draws) -> Latent:
        """The code of `features` (N, in_features), and the norm of its derivatives by them."""
        z = self.squash(self.to_code(features).float())
        rows = self.to_code.weight.float().square().sum(1)
        return Latent(z=z, code=z, penalties={"contraction": (self.slope(z).square() * rows).sum(1)})
