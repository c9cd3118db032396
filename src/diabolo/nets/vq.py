"""The convolutional pair of the first vector-quantised autoencoders: two halvings, then narrow residual blocks."""

import math
from typing import Annotated

from torch import Tensor, nn

from diabolo.errors import DiaboloError
from diabolo.nets.conv import Layers, image_shape, sizes, transposed
from diabolo.nets.layers import Maps, code_shape, join, to_map
from diabolo.nets.layers import activation as activation_layer
from diabolo.nets.mlp import is_width
from diabolo.parts import part
from diabolo.ranges import At, Count, Natural, Plural


class NarrowResidual(nn.Module):
    """x + W₁ act(W₃ act(x)): a 3×3 convolution to `residual_width` channels, then a 1×1 convolution back."""

    def __init__(self, width: int, residual_width: int, activation: str) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            activation_layer(activation),
            nn.Conv2d(width, residual_width, 3, padding=1),
            activation_layer(activation),
            nn.Conv2d(residual_width, width, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, width, h, w) → (N, width, h, w)."""
        y: Tensor = x + self.branch(x)
        return y


def _halvings(width: int, residual_width: int, residual_layers: int) -> Layers:
    """The two strided layers of the encoder."""
    if not (is_width(width) and is_width(residual_width)) or width < 2:
        raise DiaboloError(f"width must be at least 2 and residual_width at least 1, not {width} and {residual_width}")
    if residual_layers != 0 and not is_width(residual_layers):
        raise DiaboloError(f"residual_layers must be 0 or more, not {residual_layers}")
    return (width // 2, 4, 2, 1), (width, 4, 2, 1)


def _residuals(width: int, residual_width: int, residual_layers: int, activation: str) -> list[nn.Module]:
    blocks: list[nn.Module] = [NarrowResidual(width, residual_width, activation) for _ in range(residual_layers)]
    return [*blocks, activation_layer(activation)]


@part
class VQConvEncoder(nn.Module):
    """x (N, C, H, W) in [0, 1] → features (N, features), a map (width, H/4, W/4): x − ½, as in the authors' code; 4×4
    convolutions of stride 2 to width/2 and to width channels, a 3×3 convolution, the residual blocks.

    Example:
        >>> from diabolo.nets.vq import VQConvEncoder
        >>> encoder = VQConvEncoder((3, 32, 32), width=16, residual_width=8)
        >>> tuple(encoder(torch.zeros(1, 3, 32, 32)).shape)  # 16 channels of 8×8
        (1, 1024)
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        width: Plural = 128,
        residual_width: Count = 32,
        residual_layers: Annotated[int, At(0, 1000)] = 2,
        activation: str = "relu",
        condition: Natural = 0,
    ) -> None:
        super().__init__()
        self.input_shape = image_shape(input_shape)
        channels, height, across = self.input_shape
        halvings = _halvings(width, residual_width, residual_layers)
        self.layers = nn.Sequential(
            nn.Conv2d(channels + condition, width // 2, 4, 2, 1),
            activation_layer(activation),
            nn.Conv2d(width // 2, width, 4, 2, 1),
            activation_layer(activation),
            nn.Conv2d(width, width, 3, padding=1),
            *_residuals(width, residual_width, residual_layers, activation),
        )
        self.map_shape = (width, sizes(height, halvings)[-1], sizes(across, halvings)[-1])
        self.features = math.prod(self.map_shape)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Features (N, features), a flat map of `map_shape`, of `x` (N, C, H, W) and `c` (N, condition)."""
        features: Tensor = self.layers(join(x - 0.5, c))
        return features.flatten(1)


@part
class VQConvDecoder(nn.Module):
    """z (N, *code_shape) → raw (N, C, H, W), the mirror of `VQConvEncoder`: a 3×3 convolution to width channels, the residual
    blocks, 4×4 transposed convolutions of stride 2 to width/2 channels and to the image.

    Example:
        >>> from diabolo.nets.vq import VQConvDecoder
        >>> decoder = VQConvDecoder((16, 8, 8), (3, 32, 32), width=16, residual_width=8)
        >>> tuple(decoder(torch.zeros(1, 16, 8, 8)).shape)
        (1, 3, 32, 32)
    """

    def __init__(
        self,
        code_shape: int | tuple[int, ...],
        output_shape: tuple[int, ...],
        width: Plural = 128,
        residual_width: Count = 32,
        residual_layers: Annotated[int, At(0, 1000)] = 2,
        activation: str = "relu",
        condition: Natural = 0,
    ) -> None:
        super().__init__()
        channels, height, across = image_shape(output_shape)
        halvings = _halvings(width, residual_width, residual_layers)
        heights, widths = sizes(height, halvings), sizes(across, halvings)
        self.layers = nn.Sequential(
            to_map(code_shape, (width, heights[-1], widths[-1]), condition, kernel=3),
            *_residuals(width, residual_width, residual_layers, activation),
            transposed(width, width // 2, halvings[1], (heights[1:], widths[1:])),
            activation_layer(activation),
            transposed(width // 2, channels, halvings[0], (heights, widths)),
        )

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """One real number per pixel, (N, C, H, W), of `z` (N, *code_shape) and `c` (N, condition)."""
        raw: Tensor = self.layers(join(z, c))
        return raw


def vq_conv(
    input_shape: tuple[int, ...],
    code: int | Maps,
    condition: tuple[int, int] = (0, 0),
    width: Plural = 128,
    residual_width: Count = 32,
    residual_layers: Annotated[int, At(0, 1000)] = 2,
    activation: str = "relu",
) -> tuple[VQConvEncoder, VQConvDecoder]:
    """Two 4×4 convolutions of stride 2, a 3×3 one, narrow residual blocks; the decoder mirrors it: 32×32 → 8×8 × width, the
    CIFAR-10 pair of van den Oord et al. 2017, arXiv 1711.00937."""
    encoder = VQConvEncoder(input_shape, width, residual_width, residual_layers, activation, condition[0])
    shape = code_shape(code, encoder)
    return encoder, VQConvDecoder(shape, input_shape, width, residual_width, residual_layers, activation, condition[1])
