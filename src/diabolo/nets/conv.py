"""Convolutional networks: the encoder halves the image again and again, the decoder mirrors it exactly, for any size. The same
for signals of one side and volumes of three.

A layer is `(channels, kernel, stride, padding)`, its kernel as large along every side. A stride-2 layer on an odd size (7 → 3)
loses a row; the mirrored transposed convolution puts it back by `output_padding`, so that no image needs to be padded.
"""

import math
from collections.abc import Callable, Sequence

from torch import Tensor, nn

from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.nets.checkpointing import Chain, dropped
from diabolo.nets.layers import GRIDS, Maps, code_shape, join, to_map
from diabolo.nets.layers import activation as activation_layer
from diabolo.parts import part
from diabolo.ranges import BelowOne, Natural

Layer = tuple[int, int, int, int]
Layers = tuple[Layer, ...]
SMALLEST = 8  # pixels a side
NORMS: dict[str, Callable[[int, int], nn.Module | None]] = {
    "none": lambda channels, sides: None,
    "batch": lambda channels, sides: GRIDS[sides].batch_norm(channels),
    "group": lambda channels, sides: nn.GroupNorm(math.gcd(channels, 8), channels),
}


def conv_layers(input_shape: tuple[int, ...], channels: tuple[int, ...] | None = None) -> Layers:
    """4×4 convolutions of stride 2 down to a map of about 4×4, with 32, 64, 128, … (at most 256) channels unless given. For a
    signal, or a volume, 4 is the length of the kernel along its one side, or its three."""
    _, *sides = grid_shape(input_shape)
    if channels is not None and (not isinstance(channels, tuple | list) or not channels or min(channels) < 1):
        raise DiaboloError(f"channels must be one or more numbers of at least 1, not {channels}")
    if channels is None:
        depth = max(1, round(math.log2(min(sides) / 4)))
        channels = tuple(min(32 * 2**i, 256) for i in range(depth))
    return tuple((c, 4, 2, 1) for c in channels)


def sizes(size: int, layers: Layers) -> list[int]:
    """The side of the map before, between and after the layers.

    Raises:
        DiaboloError: when nothing is left of it.
    """
    sides = [size]
    for _, kernel, stride, padding in layers:
        sides.append((sides[-1] + 2 * padding - kernel) // stride + 1)
    if min(sides) < 1:
        raise DiaboloError(f"{len(layers)} layers are too many for a side of {size} pixels: the maps shrink as {sides}")
    return sides


def transposed(fan_in: int, fan_out: int, layer: Layer, sides: Sequence[Sequence[int]], bias: bool = True) -> nn.Module:
    """What takes a map back through `layer`: along each of its `sides` from length `side[1]` to exactly `side[0]`."""
    _, kernel, stride, padding = layer
    missing = tuple(side[0] - ((side[1] - 1) * stride - 2 * padding + kernel) for side in sides)
    back: nn.Module = GRIDS[len(sides)].transposed(fan_in, fan_out, kernel, stride, padding, missing, bias=bias)
    return back


def enlarged(fan_in: int, fan_out: int, layer: Layer, sides: Sequence[Sequence[int]], bias: bool = True) -> nn.Module:
    """The same without a transposed convolution, whose kernels overlap unevenly: pixels are copied, and a 3×3 convolution
    follows (Odena, Dumoulin & Olah 2016, doi 10.23915/distill.00003)."""
    convolution = GRIDS[len(sides)].convolution(fan_in, fan_out, 3, padding=1, bias=bias)
    return nn.Sequential(nn.Upsample(tuple(side[0] for side in sides)), convolution)


def active(channels: int, norm: str, activation: str, dropout: BelowOne = 0.0, sides: int = 2) -> list[nn.Module]:
    """What follows a convolution to that many channels, of maps of so many sides: norm, activation, dropout."""
    if norm not in NORMS:
        raise UnknownNameError("norm", norm, NORMS)
    normalised = NORMS[norm](channels, sides)
    return [*([] if normalised is None else [normalised]), activation_layer(activation), *dropped(dropout)]


def grid_shape(shape: tuple[int, ...], sides: int | None = None) -> tuple[int, ...]:
    """`shape`, when it is that of an image, signal or volume large enough for convolutions.

    Args:
        shape: (C, …).
        sides: how many it must have; one, two or three when left out.

    Raises:
        DiaboloError: when it is none.
    """
    wanted = sides or (len(shape) - 1 if len(shape) - 1 in GRIDS else 2)
    grid, found = GRIDS[wanted], GRIDS.get(len(shape) - 1)
    if len(shape) != wanted + 1:
        other = f" or, for {found.what}, net={found.net!r}" if found else " for vectors" if len(shape) == 1 else ""
        raise DiaboloError(f"a {grid.net} net needs {grid.what}, not {shape}; use net='mlp'{other}")
    if min(shape[1:]) < SMALLEST:
        least, given = ("×".join(map(str, lengths)) for lengths in ([SMALLEST] * wanted, shape[1:]))
        raise DiaboloError(f"a {grid.net} net needs {least} {grid.units} or more, not {given}; use net='mlp'")
    return tuple(shape)


def image_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """(C, H, W), when `shape` is that of an image large enough for convolutions.

    Raises:
        DiaboloError: when it is not.
    """
    channels, height, width = grid_shape(shape, 2)
    return channels, height, width


@part
class ConvEncoder(nn.Module):
    """x (N, C, H, W) → features (N, features): convolution, norm (from the second layer on) and activation per layer. Signals
    (N, C, L) and volumes (N, C, D, H, W) alike.

    Example:
        >>> from diabolo.nets.conv import ConvEncoder
        >>> encoder = ConvEncoder((1, 8, 8), layers=((8, 3, 2, 1), (16, 3, 2, 1)))  # channels, kernel, stride, padding
        >>> tuple(encoder(torch.zeros(5, 1, 8, 8)).shape)
        (5, 64)
    """

    bias_before_norm = False  # batch norm takes a bias away again

    def __init__(
        self,
        input_shape: tuple[int, ...],
        layers: Layers,
        norm: str = "batch",
        activation: str = "leaky_relu",
        condition: Natural = 0,
        dropout: BelowOne = 0.0,
        checkpointing: bool = False,
    ) -> None:
        super().__init__()
        self.input_shape = grid_shape(input_shape)
        if norm not in NORMS:
            raise UnknownNameError("norm", norm, NORMS)
        fan_in, *sides = self.input_shape
        fan_in += condition
        make = GRIDS[len(sides)].convolution
        self.layers = Chain(checkpointing=checkpointing)
        for i, (channels, kernel, stride, padding) in enumerate(layers):
            biased = self.bias_before_norm or not (i and norm == "batch")
            convolution = make(fan_in, channels, kernel, stride, padding, bias=biased)
            after = active(channels, norm if i else "none", activation, dropout, len(sides))
            self.layers.append(nn.Sequential(convolution, *after))
            fan_in = channels
        self.map_shape = (fan_in, *(sizes(side, layers)[-1] for side in sides))
        self.features = math.prod(self.map_shape)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Features (N, features), a flat map of `map_shape`, of `x` (N, *input_shape) and `c` (N, condition)."""
        features: Tensor = self.layers(join(x, c))
        return features.flatten(1)

    @property
    def stages(self) -> list[nn.Module]:
        """Its layers, from the image inwards, to be trained one by one."""
        return self.layers.blocks()


@part
class ConvDecoder(nn.Module):
    """z (N, *code_shape) → raw (N, C, H, W), the mirror of `ConvEncoder`: `layers` are given in the encoder's order. Maps grow
    by transposed convolutions, or with `upsampling` by copied pixels and a convolution.

    Example:
        >>> from diabolo.nets.conv import ConvDecoder
        >>> decoder = ConvDecoder(4, (1, 8, 8), layers=((8, 3, 2, 1), (16, 3, 2, 1)))
        >>> tuple(decoder(torch.zeros(5, 4)).shape)
        (5, 1, 8, 8)
    """

    bias_before_norm = False  # as of the encoder
    norm_first = False  # whether the layer from the code has a norm too

    def __init__(
        self,
        code_shape: int | tuple[int, ...],
        output_shape: tuple[int, ...],
        layers: Layers,
        norm: str = "batch",
        activation: str = "leaky_relu",
        condition: Natural = 0,
        dropout: BelowOne = 0.0,
        checkpointing: bool = False,
        upsampling: bool = False,
    ) -> None:
        super().__init__()
        out_channels, *lengths = grid_shape(output_shape)
        if norm not in NORMS:
            raise UnknownNameError("norm", norm, NORMS)
        sides = [sizes(length, layers) for length in lengths]
        self.map_shape = (layers[-1][0], *(side[-1] for side in sides))
        widen = to_map(code_shape, self.map_shape, condition)
        self.from_code = nn.Sequential(
            *(widen if isinstance(widen, nn.Sequential) else [widen]),
            *active(self.map_shape[0], norm if self.norm_first else "none", activation, dropout, len(sides)),
        )
        fan_outs = [out_channels] + [layer[0] for layer in layers[:-1]]
        self.layers = Chain(checkpointing=checkpointing)
        for i in reversed(range(len(layers))):
            biased = self.bias_before_norm or not (i and norm == "batch")
            make = enlarged if upsampling else transposed
            convolution = make(layers[i][0], fan_outs[i], layers[i], [side[i:] for side in sides], biased)
            after = active(fan_outs[i], norm, activation, dropout, len(sides))
            self.layers.append(nn.Sequential(convolution, *after) if i else convolution)

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """One real number per pixel, (N, *output_shape), of `z` (N, *code_shape) and `c` (N, condition)."""
        raw: Tensor = self.layers(self.from_code(join(z, c)))
        return raw

    @property
    def stages(self) -> list[nn.Module]:
        """Its layers, from the code outwards; between the first and the second the features are a map."""
        return [self.from_code, *self.layers.blocks()]


def conv(
    input_shape: tuple[int, ...],
    code: int | Maps,
    condition: tuple[int, int] = (0, 0),
    channels: tuple[int, ...] | None = None,
    norm: str = "batch",
    activation: str = "leaky_relu",
    dropout: BelowOne = 0.0,
    checkpointing: bool = False,
    upsampling: bool = False,
) -> tuple[ConvEncoder, ConvDecoder]:
    """4×4 convolutions that halve the image, with batch norm; images of 8×8 pixels or more. The decoder's are transposed, or
    with `upsampling` 3×3 after copied pixels."""
    return _pair(2, input_shape, code, condition, channels, upsampling, norm, activation, dropout, checkpointing)


def conv1d(
    input_shape: tuple[int, ...],
    code: int | Maps,
    condition: tuple[int, int] = (0, 0),
    channels: tuple[int, ...] | None = None,
    norm: str = "batch",
    activation: str = "leaky_relu",
    dropout: BelowOne = 0.0,
    checkpointing: bool = False,
    upsampling: bool = False,
) -> tuple[ConvEncoder, ConvDecoder]:
    """The same for signals (C, L), such as spectra and time series, of 8 samples or more: convolutions of 4 samples that halve
    the signal, and their mirror."""
    return _pair(1, input_shape, code, condition, channels, upsampling, norm, activation, dropout, checkpointing)


def conv3d(
    input_shape: tuple[int, ...],
    code: int | Maps,
    condition: tuple[int, int] = (0, 0),
    channels: tuple[int, ...] | None = None,
    norm: str = "batch",
    activation: str = "leaky_relu",
    dropout: BelowOne = 0.0,
    checkpointing: bool = False,
    upsampling: bool = False,
) -> tuple[ConvEncoder, ConvDecoder]:
    """The same for volumes (C, D, H, W) of 8×8×8 voxels or more: 4×4×4 convolutions that halve each side, and their mirror."""
    return _pair(3, input_shape, code, condition, channels, upsampling, norm, activation, dropout, checkpointing)


def _pair(
    sides: int,
    input_shape: tuple[int, ...],
    code: int | Maps,
    condition: tuple[int, int],
    channels: tuple[int, ...] | None,
    upsampling: bool,
    norm: str,
    activation: str,
    dropout: BelowOne,
    checkpointing: bool,
) -> tuple[ConvEncoder, ConvDecoder]:
    layers = conv_layers(grid_shape(input_shape, sides), channels)
    encoder = ConvEncoder(input_shape, layers, norm, activation, condition[0], dropout, checkpointing)
    shape = code_shape(code, encoder)
    more = (condition[1], dropout, checkpointing, upsampling)
    return encoder, ConvDecoder(shape, input_shape, layers, norm, activation, *more)
