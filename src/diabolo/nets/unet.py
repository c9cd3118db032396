"""Networks joined by skip connections: the decoder also sees the encoder's maps of each size (Ronneberger et al. 2015, arXiv
1505.04597).

What the decoder sees is the code, so the skip maps are part of it: the encoder gives [features | skip maps], the bottleneck is
asked for the features alone and `bottlenecks.WithSkips` leads the maps around it. With the skips cut this is a plain pair.
"""

import math

import torch
from torch import Tensor, nn

from diabolo.nets.checkpointing import Chain
from diabolo.nets.conv import Layers, active, conv_layers, image_shape, sizes
from diabolo.nets.layers import Maps, code_shape, join, to_map
from diabolo.parts import part
from diabolo.ranges import BelowOne, Counts, Natural

DIVISOR = 2  # a level works at twice the size of a `conv` net's layer, so it has half the channels


def _level(
    fan_in: int, fan_out: int, norm: str, activation: str, dropout: float, checkpointing: bool, *first: nn.Module
) -> Chain:
    """Two 3×3 convolutions, each followed by norm and activation, after what comes `first`."""
    biased = norm != "batch"
    return Chain(
        nn.Sequential(
            *first, nn.Conv2d(fan_in, fan_out, 3, padding=1, bias=biased), *active(fan_out, norm, activation, dropout)
        ),
        nn.Sequential(
            nn.Conv2d(fan_out, fan_out, 3, padding=1, bias=biased), *active(fan_out, norm, activation, dropout)
        ),
        checkpointing=checkpointing,
    )


def _poolings(channels: Counts) -> Layers:
    """Each level is followed by a 2×2 pooling."""
    return tuple((c, 2, 2, 0) for c in channels)


def _skip_shapes(channels: Counts, heights: list[int], widths: list[int]) -> list[tuple[int, int, int]]:
    """The maps of the levels, largest first."""
    return list(zip(channels, heights, widths, strict=False))


@part
class UNetEncoder(nn.Module):
    """x (N, C, H, W) → [bottom map | skip maps] (N, features + skip_features), each flat: for each of `channels` two 3×3
    convolutions, whose result is a skip map, and 2×2 max pooling; then two more convolutions at the bottom.

    Attributes:
        features: numbers of the bottom map, what the bottleneck sees.
        skip_features: numbers of the skip maps, which are led around it; 0 when `skips` is false.

    Example:
        >>> from diabolo.nets.unet import UNetEncoder
        >>> encoder = UNetEncoder((1, 8, 8), channels=(4, 8))
        >>> tuple(encoder(torch.zeros(5, 1, 8, 8)).shape), encoder.features, encoder.skip_features
        ((5, 416), 32, 384)
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        channels: Counts,
        skips: bool = True,
        norm: str = "batch",
        activation: str = "relu",
        condition: Natural = 0,
        dropout: BelowOne = 0.0,
        checkpointing: bool = False,
    ) -> None:
        super().__init__()
        self.input_shape = image_shape(input_shape)
        fan_in, height, width = self.input_shape
        heights, widths = sizes(height, _poolings(channels)), sizes(width, _poolings(channels))
        self.skips = skips
        self.levels = nn.ModuleList()
        before = fan_in + condition
        for after in channels:
            self.levels.append(_level(before, after, norm, activation, dropout, checkpointing))
            before = after
        self.pool = nn.MaxPool2d(2)
        self.bottom = _level(before, before, norm, activation, dropout, checkpointing)
        self.map_shape = (before, heights[-1], widths[-1])
        self.features = math.prod(self.map_shape)
        shapes = _skip_shapes(channels, heights, widths) if skips else []
        self.skip_features = sum(map(math.prod, shapes))

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """(N, features + skip_features) of `x` (N, C, H, W) and `c` (N, condition)."""
        h, maps = join(x, c), []
        for level in self.levels:
            h = level(h)
            maps.append(h)
            h = self.pool(h)
        found = [self.bottom(h), *(maps if self.skips else [])]
        return torch.cat([each.flatten(1) for each in found], 1)


@part
class UNetDecoder(nn.Module):
    """z = [code | skip maps] (N, prod(code_shape) + skip_features) → raw (N, C, H, W), the mirror of `UNetEncoder`: the map is
    enlarged (nearest neighbour), joined by the skip map of its size, and convolved twice; a 1×1 convolution ends it. Without
    skips z is the code (N, *code_shape). `channels` are given in the encoder's order.

    Example:
        >>> from diabolo.nets.unet import UNetDecoder, UNetEncoder
        >>> encoder = UNetEncoder((1, 8, 8), channels=(4, 8))
        >>> decoder = UNetDecoder(4, (1, 8, 8), channels=(4, 8))
        >>> tuple(decoder(torch.zeros(5, 4 + encoder.skip_features)).shape)
        (5, 1, 8, 8)
    """

    def __init__(
        self,
        code_shape: int | tuple[int, ...],
        output_shape: tuple[int, ...],
        channels: Counts,
        skips: bool = True,
        norm: str = "batch",
        activation: str = "relu",
        condition: Natural = 0,
        dropout: BelowOne = 0.0,
        checkpointing: bool = False,
    ) -> None:
        super().__init__()
        out_channels, height, width = image_shape(output_shape)
        heights, widths = sizes(height, _poolings(channels)), sizes(width, _poolings(channels))
        self.code_shape = (code_shape,) if isinstance(code_shape, int) else tuple(code_shape)
        self.skip_shapes = _skip_shapes(channels, heights, widths) if skips else []
        self.from_code = nn.Sequential(
            to_map(code_shape, (channels[-1], heights[-1], widths[-1]), condition),
            *active(channels[-1], "none", activation, dropout),
        )
        self.enlarge, self.levels = nn.ModuleList(), nn.ModuleList()
        before = channels[-1]
        for i in reversed(range(len(channels))):
            after = channels[i]
            self.enlarge.append(nn.Upsample((heights[i], widths[i])))
            joined = before + after if skips else before
            self.levels.append(_level(joined, after, norm, activation, dropout, checkpointing))
            before = after
        self.to_raw = nn.Conv2d(before, out_channels, 1)

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """One real number per pixel, (N, C, H, W), of `z` and `c` (N, condition)."""
        code, *flat = z.flatten(1).split([math.prod(self.code_shape), *map(math.prod, self.skip_shapes)], 1)
        maps = [each.unflatten(1, shape) for each, shape in zip(flat, self.skip_shapes, strict=True)]
        h: Tensor = self.from_code(join(code.unflatten(1, self.code_shape), c))
        for enlarge, level in zip(self.enlarge, self.levels, strict=True):
            h = enlarge(h)
            h = level(torch.cat([h, maps.pop().to(h.dtype)], 1) if maps else h)
        raw: Tensor = self.to_raw(h)
        return raw


def unet(
    input_shape: tuple[int, ...],
    code: int | Maps,
    condition: tuple[int, int] = (0, 0),
    channels: tuple[int, ...] | None = None,
    skips: bool = True,
    norm: str = "batch",
    activation: str = "relu",
    dropout: BelowOne = 0.0,
    checkpointing: bool = False,
) -> tuple[UNetEncoder, UNetDecoder]:
    """A U-Net: the decoder also sees the encoder's maps, so z is the code and those maps, and no bottleneck; --no-skips cuts
    them (Ronneberger et al. 2015, arXiv 1505.04597). 8×8 pixels or more."""
    half = 1 if channels else DIVISOR
    widths = tuple(layer[0] // half for layer in conv_layers(input_shape, channels))
    options = (widths, skips, norm, activation)
    encoder = UNetEncoder(input_shape, *options, condition[0], dropout, checkpointing)
    shape = code_shape(code, encoder)
    return encoder, UNetDecoder(shape, input_shape, *options, condition[1], dropout, checkpointing)
