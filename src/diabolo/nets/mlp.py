"""Fully connected networks: every pixel to every unit."""

import math
from itertools import pairwise
from numbers import Integral

from torch import Tensor, nn

from diabolo.errors import DiaboloError
from diabolo.nets.checkpointing import Chain, dropped
from diabolo.nets.layers import Maps, code_shape, join
from diabolo.nets.layers import activation as activation_layer
from diabolo.parts import part
from diabolo.ranges import BelowOne, Count, Natural

HIDDEN, ACTIVATION = (512, 512), "silu"  # chosen on held-out images (docs/defaults.md)
DEEPER, SHORT = (512, 512, 512), 4  # for codes of up to so many numbers


def _layers(widths: tuple[int, ...], activation: str, dropout: float, checkpointing: bool) -> Chain:
    """Linear layers from width to width, each followed by the activation (and dropout)."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out), activation_layer(activation), *dropped(dropout)]
    return Chain(*layers, checkpointing=checkpointing, per=2 + len(dropped(dropout)))


def is_width(value: object) -> bool:
    """Whether `value` can be a number of units: whole, and at least 1."""
    return isinstance(value, Integral) and int(value) >= 1


def usual_hidden(code: int | Maps) -> tuple[int, ...]:
    """The widths of the layers where nobody says them: one layer more for a code of a few numbers."""
    return DEEPER if isinstance(code, int) and 0 < code <= SHORT else HIDDEN


def _checked(hidden: tuple[Count, ...]) -> tuple[int, ...]:
    if not isinstance(hidden, tuple | list) or not all(map(is_width, hidden)):
        raise DiaboloError(f"hidden widths must be at least 1 each, as in (512, 256), not {hidden}")
    return tuple(hidden)


@part
class MLPEncoder(nn.Module):
    """x (N, *input_shape) → features (N, hidden[-1]), through layers of the widths `hidden`.

    Example:
        >>> from diabolo.nets.mlp import MLPEncoder
        >>> encoder = MLPEncoder((1, 8, 8), hidden=(32, 16))
        >>> tuple(encoder(torch.zeros(5, 1, 8, 8)).shape), encoder.features
        ((5, 16), 16)
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        hidden: tuple[Count, ...] = HIDDEN,
        activation: str = ACTIVATION,
        condition: Natural = 0,
        dropout: BelowOne = 0.0,
        checkpointing: bool = False,
    ) -> None:
        super().__init__()
        self.input_shape = tuple(input_shape)
        widths = (math.prod(input_shape) + condition, *_checked(hidden))
        self.features = widths[-1]
        self.layers = _layers(widths, activation, dropout, checkpointing)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Features (N, features) of `x` (N, *input_shape), and of what it is given besides, `c` (N, condition)."""
        features: Tensor = self.layers(join(x.flatten(1), c))
        return features

    @property
    def stages(self) -> list[nn.Module]:
        """Its layers, from the image inwards, to be trained one by one."""
        return [nn.Sequential(nn.Flatten(), block) for block in self.layers.blocks()]


@part
class MLPDecoder(nn.Module):
    """z (N, *code_shape) → raw (N, *output_shape), the mirror of `MLPEncoder`: `hidden` is given in the encoder's order.

    Example:
        >>> from diabolo.nets.mlp import MLPDecoder
        >>> decoder = MLPDecoder(4, (1, 8, 8), hidden=(32, 16))
        >>> tuple(decoder(torch.zeros(5, 4)).shape)
        (5, 1, 8, 8)
    """

    def __init__(
        self,
        code_shape: int | tuple[int, ...],
        output_shape: tuple[int, ...],
        hidden: tuple[Count, ...] = HIDDEN,
        activation: str = ACTIVATION,
        condition: Natural = 0,
        dropout: BelowOne = 0.0,
        checkpointing: bool = False,
    ) -> None:
        super().__init__()
        self.output_shape = tuple(output_shape)
        code = code_shape if isinstance(code_shape, int) else math.prod(code_shape)
        widths = (code + condition, *reversed(_checked(hidden)))
        self.layers = _layers(widths, activation, dropout, checkpointing)
        self.to_raw = nn.Linear(widths[-1], math.prod(output_shape))

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """One real number per pixel, (N, *output_shape), of `z` (N, *code_shape) and `c` (N, condition)."""
        raw: Tensor = self.to_raw(self.layers(join(z.flatten(1), c)))
        return raw.view(-1, *self.output_shape)

    @property
    def stages(self) -> list[nn.Module]:
        """Its layers, from the code outwards."""
        return [*self.layers.blocks(), self.to_raw]


def mlp(
    input_shape: tuple[int, ...],
    code: int | Maps,
    condition: tuple[int, int] = (0, 0),
    hidden: tuple[Count, ...] | None = None,
    activation: str = ACTIVATION,
    dropout: BelowOne = 0.0,
    checkpointing: bool = False,
) -> tuple[MLPEncoder, MLPDecoder]:
    """Fully connected layers; any input shape. `hidden` is chosen by the length of the code where it is not given."""
    hidden = usual_hidden(code) if hidden is None else hidden
    encoder = MLPEncoder(input_shape, hidden, activation, condition[0], dropout, checkpointing)
    shape = code_shape(code, encoder)
    return encoder, MLPDecoder(shape, input_shape, hidden, activation, condition[1], dropout, checkpointing)
