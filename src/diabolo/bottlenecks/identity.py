"""Deterministic codes: narrow and nothing else, or small ones for a decoder that is smooth around them."""

import math

import torch
from torch import Tensor, nn

from diabolo.bottlenecks.contractive import jacobian_norm
from diabolo.bottlenecks.latent import Bottleneck, Latent
from diabolo.parts import part
from diabolo.randomness import Draws
from diabolo.ranges import Count, Natural
from diabolo.schedules import Constant, Schedule, as_weight


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


HELD = {
    "code_l2": "half the squared norm of z per image",
    "decoder_l2": "squared norm of the decoder's weights",
    "gradient_penalty": "squared norm of draw/dz per image",
}  # what can be held small, and what it is measured in


@part
class Regularised(Bottleneck):
    """z = W h + b and up to three penalties, each with a weight of its own, that take the place of a VAE's noise (RAE: Ghosh et
    al. 2020, arXiv 1903.12436). A weight of 0 leaves the penalty out altogether.

    code_l2 = ½ ‖z‖²; decoder_l2 = ‖θ‖², the squares of all weights and biases of the decoder (RAE-L2); gradient_penalty =
    ‖∂D(z)/∂z‖²_F (RAE-GP), the Jacobian of the decoder's raw output, before the sigmoid if there is one, estimated without
    bias by one vector of random signs per image, in validation too. To sample such a model, fit a density to its codes
    afterwards, as the paper does, rather than draw from N(0, I).

    Args:
        in_features: features per image that the encoder gives.
        latent_dim: length of the code.
        code_l2: weight β of ½ ‖z‖², a number or a schedule; so the next two.
        decoder_l2: weight λ of ‖θ‖².
        gradient_penalty: weight λ of ‖∂D(z)/∂z‖².

    Example:
        >>> code = diabolo.bottlenecks.Regularised(32, 8, code_l2=1e-4, decoder_l2=1e-6)
        >>> list(code.weights)
        ['code_l2', 'decoder_l2']
    """

    def __init__(
        self,
        in_features: Natural,
        latent_dim: Count,
        code_l2: float | str | Schedule = 1e-4,
        decoder_l2: float | str | Schedule = 0.0,
        gradient_penalty: float | str | Schedule = 0.0,
    ) -> None:
        super().__init__(latent_dim)
        self.to_code = nn.Linear(in_features, latent_dim)
        given = {"code_l2": code_l2, "decoder_l2": decoder_l2, "gradient_penalty": gradient_penalty}
        weights = {name: as_weight(weight, f"the weight {name}") for name, weight in given.items()}
        self.weights = {n: w for n, w in weights.items() if not (isinstance(w, Constant) and w.value == 0)}
        self.units = {name: HELD[name] for name in self.weights}
        self.differentiates = "gradient_penalty" in self.weights

    def forward(self, features: Tensor, draws: Draws) -> Latent:
        """The code of `features` (N, in_features), and half its squared norm."""
        z = self.to_code(features).float()
        if self.differentiates and not z.requires_grad:  # when all before it is frozen
            z = z.detach().requires_grad_(torch.is_grad_enabled())
        penalties = {"code_l2": 0.5 * z.square().sum(1)} if "code_l2" in self.weights else {}
        return Latent(z=z, code=z, penalties=penalties)

    def batch_penalties(
        self, x: Tensor, latent: Latent, raw: Tensor, decoder: nn.Module, draws: Draws, progress: float | Tensor
    ) -> dict[str, Tensor]:
        """What holds the decoder down, for each image (N,); ‖θ‖² is the same for all."""
        penalties = {}
        if "decoder_l2" in self.weights:
            squares = torch.stack([p.square().sum() for p in decoder.parameters()]).sum()
            penalties["decoder_l2"] = squares.expand(len(raw))
        if "gradient_penalty" in self.weights:
            penalties["gradient_penalty"] = jacobian_norm(raw, latent.z, draws, probes=1)
        return penalties
