"""Networks that add what they are given, embedded, to their features and to their code, instead of seeing it beside these."""

from typing import Any

from torch import Tensor, nn

from diabolo.errors import DiaboloError
from diabolo.parts import part
from diabolo.ranges import Count


@part
class AddingEncoder(nn.Module):
    """x, c → h(x) + W c: the features of the inner encoder and, added to them, the condition's own vector. Of one-hot classes
    the columns of W are learned vectors, one a class.

    Args:
        inner: the encoder, called with x alone.
        condition: features (per image) of the condition.

    Example:
        >>> encoder, decoder = diabolo.nets.build("mlp", (1, 8, 8), 4, hidden=(32,))
        >>> tuple(diabolo.nets.AddingEncoder(encoder, condition=10)(torch.zeros(5, 1, 8, 8), torch.zeros(5, 10)).shape)
        (5, 32)
    """

    def __init__(self, inner: nn.Module, condition: Count) -> None:
        super().__init__()
        told: Any = inner
        if getattr(inner, "skip_features", 0):
            raise DiaboloError("a condition that is added needs an encoder without skip connections (--no-skips)")
        self.inner, self.features, self.input_shape = inner, told.features, tuple(told.input_shape)
        self.embed = nn.Linear(condition, self.features, bias=False)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        """Features (N, features) of `x` (N, *input_shape) and `c` (N, condition)."""
        h: Tensor = self.inner(x) + self.embed(c)
        return h


@part
class AddingDecoder(nn.Module):
    """z, c → the inner decoder's answer to z + W c.

    Args:
        inner: the decoder, called with z alone.
        latent_dim: the length D of the code.
        condition: features (per image) of the condition.

    Example:
        >>> encoder, decoder = diabolo.nets.build("mlp", (1, 8, 8), 4, hidden=(32,))
        >>> given = diabolo.nets.AddingDecoder(decoder, latent_dim=4, condition=10)
        >>> tuple(given(torch.zeros(5, 4), torch.zeros(5, 10)).shape)
        (5, 1, 8, 8)
    """

    def __init__(self, inner: nn.Module, latent_dim: Count, condition: Count) -> None:
        super().__init__()
        self.inner = inner
        self.embed = nn.Linear(condition, latent_dim, bias=False)

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        """One real number per pixel, (N, *output_shape), of `z` (N, D) and `c` (N, condition)."""
        raw: Tensor = self.inner(z + self.embed(c))
        return raw
