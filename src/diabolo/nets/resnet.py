"""Residual networks: pre-activation blocks that halve the image again and again, and their mirror, for any size."""

import math
from typing import Annotated

from torch import Tensor, nn

from diabolo.errors import DiaboloError
from diabolo.nets.checkpointing import Chain
from diabolo.nets.conv import Layers, active, conv_layers, image_shape, sizes
from diabolo.nets.layers import Maps, code_shape, join, to_map
from diabolo.nets.mlp import is_width
from diabolo.parts import part
from diabolo.ranges import At, BelowOne, Counts, Natural


class PreActivation(nn.Module):
    """shortcut(x) + W₂ act(norm(W₁ act(norm(x)))) with 3×3 convolutions, the first of that stride (He et al. 2016, arXiv
    1603.05027). The shortcut is x itself; where the shape changes, a 1×1 convolution of act(norm(x))."""

    def __init__(
        self,
        fan_in: int,
        fan_out: int,
        norm: str,
        activation: str,
        dropout: BelowOne = 0.0,
        stride: int = 1,
    ) -> None:
        super().__init__()
        self.before = nn.Sequential(*active(fan_in, norm, activation))
        self.branch = nn.Sequential(
            nn.Conv2d(fan_in, fan_out, 3, stride, 1, bias=norm != "batch"),
            *active(fan_out, norm, activation, dropout),
            nn.Conv2d(fan_out, fan_out, 3, padding=1),
        )
        same = stride == 1 and fan_in == fan_out
        self.shortcut = None if same else nn.Conv2d(fan_in, fan_out, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(N, fan_in, h, w) → (N, fan_out, ⌈h/stride⌉, ⌈w/stride⌉)."""
        h = self.before(x)
        y: Tensor = (x if self.shortcut is None else self.shortcut(h)) + self.branch(h)
        return y


def _stages(channels: Counts, residual_layers: int) -> Layers:
    """Each stage halves the image, rounding up."""
    if not is_width(residual_layers):
        raise DiaboloError(f"residual_layers must be at least 1, not {residual_layers}")
    return tuple((c, 3, 2, 1) for c in channels)


@part
class ResNetEncoder(nn.Module):
    """x (N, C, H, W) → features (N, features): a 3×3 convolution, then for each of `channels` a stage of `residual_layers`
    blocks, the first of which halves the map (rounding up).

    Example:
        >>> from diabolo.nets.resnet import ResNetEncoder
        >>> encoder = ResNetEncoder((1, 8, 8), channels=(8, 16))
        >>> tuple(encoder(torch.zeros(5, 1, 8, 8)).shape)
        (5, 64)
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        channels: Counts,
        residual_layers: Annotated[int, At(1, 1000)] = 1,
        norm: str = "batch",
        activation: str = "relu",
        condition: Natural = 0,
        dropout: BelowOne = 0.0,
        checkpointing: bool = False,
    ) -> None:
        super().__init__()
        self.input_shape = image_shape(input_shape)
        fan_in, height, width = self.input_shape
        stages = _stages(channels, residual_layers)
        blocks: list[nn.Module] = [nn.Conv2d(fan_in + condition, channels[0], 3, padding=1)]
        before = channels[0]
        for after in channels:
            blocks.append(PreActivation(before, after, norm, activation, dropout, stride=2))
            blocks += [PreActivation(after, after, norm, activation, dropout) for _ in range(residual_layers - 1)]
            before = after
        blocks.append(nn.Sequential(*active(before, norm, activation, dropout)))
        self.layers = Chain(*blocks, checkpointing=checkpointing)
        self.map_shape = (before, sizes(height, stages)[-1], sizes(width, stages)[-1])
        self.features = math.prod(self.map_shape)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Features (N, features), a flat map of `map_shape`, of `x` (N, C, H, W) and `c` (N, condition)."""
        features: Tensor = self.layers(join(x, c))
        return features.flatten(1)


@part
class ResNetDecoder(nn.Module):
    """z (N, *code_shape) → raw (N, C, H, W), the mirror of `ResNetEncoder`: each stage ends with the map enlarged (nearest
    neighbour) and a block to the channels before. `channels` are given in the encoder's order.

    Example:
        >>> from diabolo.nets.resnet import ResNetDecoder
        >>> decoder = ResNetDecoder(4, (1, 8, 8), channels=(8, 16))
        >>> tuple(decoder(torch.zeros(5, 4)).shape)
        (5, 1, 8, 8)
    """

    def __init__(
        self,
        code_shape: int | tuple[int, ...],
        output_shape: tuple[int, ...],
        channels: Counts,
        residual_layers: Annotated[int, At(1, 1000)] = 1,
        norm: str = "batch",
        activation: str = "relu",
        condition: Natural = 0,
        dropout: BelowOne = 0.0,
        checkpointing: bool = False,
    ) -> None:
        super().__init__()
        out_channels, height, width = image_shape(output_shape)
        stages = _stages(channels, residual_layers)
        heights, widths = sizes(height, stages), sizes(width, stages)
        blocks: list[nn.Module] = [to_map(code_shape, (channels[-1], heights[-1], widths[-1]), condition)]
        for i in reversed(range(len(channels))):
            before, after = channels[i], channels[max(i - 1, 0)]
            blocks += [PreActivation(before, before, norm, activation, dropout) for _ in range(residual_layers - 1)]
            enlarge = nn.Upsample((heights[i], widths[i]))
            blocks.append(nn.Sequential(enlarge, PreActivation(before, after, norm, activation, dropout)))
        last = nn.Conv2d(channels[0], out_channels, 3, padding=1)
        blocks.append(nn.Sequential(*active(channels[0], norm, activation, dropout), last))
        self.layers = Chain(*blocks, checkpointing=checkpointing)

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """One real number per pixel, (N, C, H, W), of `z` (N, *code_shape) and `c` (N, condition)."""
        raw: Tensor = self.layers(join(z, c))
        return raw


def resnet(
    input_shape: tuple[int, ...],
    code: int | Maps,
    condition: tuple[int, int] = (0, 0),
    channels: tuple[int, ...] | None = None,
    residual_layers: Annotated[int, At(1, 1000)] = 1,
    norm: str = "batch",
    activation: str = "relu",
    dropout: BelowOne = 0.0,
    checkpointing: bool = False,
) -> tuple[ResNetEncoder, ResNetDecoder]:
    """Pre-activation residual blocks that halve the image (He et al. 2016, arXiv 1603.05027); 8×8 pixels or more."""
    widths = tuple(layer[0] for layer in conv_layers(input_shape, channels))
    options = (widths, residual_layers, norm, activation)
    encoder = ResNetEncoder(input_shape, *options, condition[0], dropout, checkpointing)
    shape = code_shape(code, encoder)
    return encoder, ResNetDecoder(shape, input_shape, *options, condition[1], dropout, checkpointing)
