"""How the second head of a VAE may give its variance; each way is trained for some steps by a loop in plain PyTorch."""

from collections.abc import Callable
from itertools import chain, islice, repeat
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch.utils.data import DataLoader, Dataset

from diabolo.bottlenecks import Gaussian
from diabolo.bottlenecks.gaussian import LOGVAR_RANGE
from diabolo.bounds import held
from diabolo.likelihoods import SquaredError
from diabolo.randomness import Draws, derive, generator
from diabolo.zoo.recipe import assemble


class Way(NamedTuple):
    """From what the head gives to log σ², and what it gives for each image at first; None for what its layer is drawn as."""

    logvar: Callable[[Tensor], Tensor]
    begins: float | None = None


WAYS = {
    "log σ²": Way(lambda h: held(h, *LOGVAR_RANGE)),
    "σ² by softplus": Way(lambda h: softplus(h).log()),
    "σ² as it is": Way(lambda h: h.log()),
    "σ² as it is, from 1": Way(lambda h: h.log(), begins=1.0),  # the variance of the prior
}


class Posterior(Gaussian):
    """q(z|x) = N(μ, σ²) with σ² given in one of `WAYS`."""

    def __init__(self, in_features: int, latent_dim: int, way: Way) -> None:
        super().__init__(in_features, latent_dim)
        self.way = way
        if way.begins is not None:
            with torch.no_grad():
                self.to_posterior.weight[latent_dim:] = 0
                self.to_posterior.bias[latent_dim:] = way.begins

    def posterior(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """μ and log σ², each (N, D); NaN where σ² is below 0, and −∞ where it is 0."""
        mu, h = self.to_posterior(features).float().chunk(2, dim=1)
        return mu, self.way.logvar(h)


def split(layer: nn.Linear) -> tuple[nn.Linear, nn.Linear]:
    """The two layers, of half as many outputs each, that `layer` is when its output is cut in two."""
    heads = []
    for weight, bias in zip(layer.weight.chunk(2), layer.bias.chunk(2), strict=True):
        head = nn.Linear(layer.in_features, len(weight))
        with torch.no_grad():
            head.weight.copy_(weight)
            head.bias.copy_(bias)
        heads.append(head)
    return heads[0], heads[1]


def first_steps(
    way: str, images: Dataset[Any], seed: int, steps: int, batch_size: int, lr: float, latent_dim: int, **net: Any
) -> list[float]:
    """The loss of each of the first `steps` of a VAE on `images` (image, label), in squared error per image and nats: fewer
    where one is not finite, with which training ends."""
    x, _ = images[0]
    torch.manual_seed(derive(seed, "weights"))
    model = assemble(
        tuple(x.shape),
        latent_dim,
        lambda encoder: Posterior(encoder.features, latent_dim, WAYS[way]),
        {"likelihood": SquaredError("image"), **net},  # type: ignore[typeddict-item]  # options of the net
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    draws, order = Draws(generator(seed, "noise")), generator(seed, "order")
    loader = DataLoader(images, batch_size, shuffle=True, drop_last=True, generator=order)
    losses: list[float] = []
    for x, _ in islice(chain.from_iterable(repeat(loader)), steps):
        loss = model.loss(x, draws).total
        if not torch.isfinite(loss):
            break
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses
