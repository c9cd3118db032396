"""One layer at a time: what greedy pre-training minimises."""

import torch
from torch import Tensor, nn

from diabolo.errors import DiaboloError
from diabolo.objectives.objective import Model, Objective, weighted
from diabolo.parts import part
from diabolo.randomness import Draws
from diabolo.ranges import Count
from diabolo.schedules import Schedule
from diabolo.updates.loss import Loss


@part
class Layerwise(Objective):
    """Layer l of the encoder and its mirror in the decoder are an autoencoder of their own: they reconstruct what layer l is
    given, h_{l−1}, from what it makes of it, h_l (Bengio et al. 2007, NeurIPS 19: greedy layer-wise training).

        level 1:    −log p(x | D₁(E₁(x))) by the model's likelihood
        level l:    ‖D_l(E_l(h_{l−1})) − h_{l−1}‖², a mean over the units of the layer, with h_{l−1} = E_{l−1}(… E₁(x))

    The last level is the bottleneck, with the decoder's first layer; its penalties wait for the end. `training.greedy` freezes
    all that is not of the level.

    Args:
        level: l, from 1 to `levels(model)`.

    Example:
        >>> model = diabolo.zoo.undercomplete(train.shape, 4, hidden=(32, 16))
        >>> diabolo.objectives.Layerwise(1).units(model)
        {'reconstruction': 'squared error per pixel'}
    """

    judges_reconstructions = False

    def __init__(self, level: Count) -> None:
        super().__init__()
        self.level = level

    def check(self, model: Model) -> None:
        """Refuse a model without such a layer."""
        if self.level > levels(model):
            raise DiaboloError(f"this model has {levels(model)} layers to train one by one, not {self.level}")

    def forward(self, model: Model, x: Tensor, y: Tensor | None, draws: Draws, progress: float | Tensor) -> Loss:
        """The loss of the layer for the images `x` (N, *input_shape); what the encoder sees is corrupted."""
        inwards, outwards = _layers(model)
        h = model.corruption(x, draws)
        with torch.no_grad():
            for layer in inwards[: self.level - 1]:
                h = layer(h)
        within = self.level <= len(inwards)
        deeper = inwards[self.level - 1](h) if within else model.bottleneck(h.flatten(1), draws).z
        raw = outwards[self.level - 1](deeper)
        if self.level == 1:
            return weighted({"reconstruction": model.score(raw.reshape(x.shape), x)}, {}, progress)
        error = (raw.flatten(1) - h.flatten(1).float()).square().mean(1)
        return weighted({"reconstruction": error}, {}, progress)

    def units(self, model: Model) -> dict[str, str]:
        """The likelihood's for the first layer, squared error per unit for the others."""
        return {"reconstruction": model.unit if self.level == 1 else "squared error per unit of the layer"}

    def schedules(self, model: Model) -> dict[str, Schedule]:
        """None."""
        return {}

    def logged(self, model: Model) -> tuple[str, ...]:
        """Nothing."""
        return ()


def levels(model: Model) -> int:
    """How many layers of `model` can be trained one by one, the bottleneck among them.

    Raises:
        DiaboloError: for networks that are not chains of layers which mirror each other.
    """
    return len(_layers(model)[1])


def trained(model: Model, level: Count) -> set[str]:
    """The names in `model.state_dict()` that are trained at `level`."""
    inwards, outwards = _layers(model)
    modules = [model.bottleneck if level > len(inwards) else inwards[level - 1], outwards[level - 1]]
    if level == 1:
        modules.append(model.likelihood)
    own = {id(tensor) for module in modules for tensor in [*module.parameters(), *module.buffers()]}
    return {name for name, tensor in model.state_dict(keep_vars=True).items() if id(tensor) in own}


def _layers(model: Model) -> tuple[list[nn.Module], list[nn.Module]]:
    """E₁ … E_L and D₁ … D_{L+1}: the encoder's layers, and for each, and for the bottleneck, its mirror in the decoder."""
    inwards, outwards = (getattr(cone, "stages", None) for cone in (model.encoder, model.decoder))
    if inwards is None or outwards is None or len(outwards) != len(inwards) + 1:
        raise DiaboloError("only the networks mlp and conv, which mirror each other, are trained layer by layer")
    if model.condition.to_encoder or model.condition.to_decoder:
        raise DiaboloError("a model under a condition cannot be trained layer by layer")
    return inwards, outwards[::-1]
