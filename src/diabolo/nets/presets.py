"""The exact pairs of well-known experiments, by names that say their layers."""

import math

from torch import Tensor, nn

from diabolo.errors import DiaboloError
from diabolo.nets.checkpointing import Chain
from diabolo.nets.conv import ConvDecoder, ConvEncoder, Layers, active, image_shape, sizes
from diabolo.nets.layers import Maps, code_shape, join, to_map
from diabolo.nets.mlp import MLPDecoder, MLPEncoder, mlp
from diabolo.parts import part
from diabolo.ranges import Count, Counts, Natural

Pair = tuple[MLPEncoder, MLPDecoder]


def linear(input_shape: tuple[int, ...], code: int | Maps, condition: tuple[int, int] = (0, 0)) -> Pair:
    """One matrix each way and nothing else: with squared error its best code is that of PCA (Baldi & Hornik 1989, Neural
    Networks 2:53)."""
    return mlp(input_shape, code, condition, hidden=())


def mlp_512_256_128(input_shape: tuple[int, ...], code: int | Maps, condition: tuple[int, int] = (0, 0)) -> Pair:
    """Fully connected, image-512-256-128-code with LeakyReLU: for codes of two numbers."""
    return mlp(input_shape, code, condition, hidden=(512, 256, 128), activation="leaky_relu")


def mlp_256_128(input_shape: tuple[int, ...], code: int | Maps, condition: tuple[int, int] = (0, 0)) -> Pair:
    """Fully connected, image-256-128-code with ReLU: the plain autoencoder of many courses, with a code of 32."""
    return mlp(input_shape, code, condition, hidden=(256, 128), activation="relu")


def mlp_one_hidden(
    input_shape: tuple[int, ...],
    code: int | Maps,
    condition: tuple[int, int] = (0, 0),
    hidden: tuple[Count, ...] = (128,),
) -> Pair:
    """Fully connected, image-hidden-code with ReLU: one hidden layer, to hold against PCA."""
    if not isinstance(hidden, tuple | list) or len(hidden) != 1:
        raise DiaboloError(
            f"mlp-one-hidden has one hidden layer, such as (128,), not {hidden}; use net='mlp' for others"
        )
    return mlp(input_shape, code, condition, hidden=hidden, activation="relu")


# --- the pair of many course notebooks for MNIST ---------------------------------------------------------------------------

TO_POINT: Layers = ((32, 4, 2, 1), (64, 4, 2, 1), (128, 3, 2, 0), (256, 3, 2, 0))


@part
class PointEncoder(ConvEncoder):
    """x (N, C, H, W) → features (N, features): 4×4 convolutions to 32 and 64 maps and 3×3 ones to 128 and 256, each halving the
    image, with batch norm from the second on. Every convolution has a bias.

    Example:
        >>> from diabolo.nets.presets import PointEncoder
        >>> tuple(PointEncoder((1, 28, 28))(torch.zeros(5, 1, 28, 28)).shape)
        (5, 256)
    """

    bias_before_norm = True

    def __init__(
        self,
        input_shape: tuple[int, ...],
        norm: str = "batch",
        activation: str = "leaky_relu",
        condition: Natural = 0,
    ) -> None:
        super().__init__(input_shape, TO_POINT, norm, activation, condition)


@part
class PointDecoder(ConvDecoder):
    """z (N, *code_shape) → raw (N, C, H, W), the mirror of `PointEncoder`, with batch norm after its first layer too.

    Example:
        >>> from diabolo.nets.presets import PointDecoder
        >>> tuple(PointDecoder(4, (1, 28, 28))(torch.zeros(5, 4)).shape)
        (5, 1, 28, 28)
    """

    bias_before_norm = True
    norm_first = True

    def __init__(
        self,
        code_shape: int | tuple[int, ...],
        output_shape: tuple[int, ...],
        norm: str = "batch",
        activation: str = "leaky_relu",
        condition: Natural = 0,
    ) -> None:
        super().__init__(code_shape, output_shape, TO_POINT, norm, activation, condition)


def conv_to_point(
    input_shape: tuple[int, ...],
    code: int | Maps,
    condition: tuple[int, int] = (0, 0),
    norm: str = "batch",
    activation: str = "leaky_relu",
) -> tuple[PointEncoder, PointDecoder]:
    """28×28 → 14×14×32 → 7×7×64 → 3×3×128 → 1×1×256, the pair of many course notebooks for MNIST."""
    encoder = PointEncoder(image_shape(input_shape), norm, activation, condition[0])
    return encoder, PointDecoder(code_shape(code, encoder), input_shape, norm, activation, condition[1])


def conv_16_32_64(
    input_shape: tuple[int, ...],
    code: int | Maps,
    condition: tuple[int, int] = (0, 0),
    norm: str = "none",
    activation: str = "relu",
) -> tuple[ConvEncoder, ConvDecoder]:
    """28×28 → 14×14×16 → 7×7×32 → 1×1×64: two 3×3 convolutions of stride 2, then one as large as its map, 7×7 for MNIST."""
    halving: Layers = ((16, 3, 2, 1), (32, 3, 2, 1))
    _, height, width = image_shape(input_shape)
    whole = min(sizes(height, halving)[-1], sizes(width, halving)[-1])
    layers: Layers = (*halving, (64, whole, 1, 0))
    encoder = ConvEncoder(input_shape, layers, norm, activation, condition[0])
    return encoder, ConvDecoder(code_shape(code, encoder), input_shape, layers, norm, activation, condition[1])


# --- convolutions and pooling alone, for denoising ------------------------------------------------------------------------


def _poolings(channels: Counts) -> Layers:
    """Each convolution is followed by a 2×2 pooling, which halves the map, rounding down."""
    if not isinstance(channels, tuple | list) or not channels or min(channels) < 1:
        raise DiaboloError(f"channels must be one or more numbers of at least 1, not {channels}")
    return tuple((c, 2, 2, 0) for c in channels)


def _doubling(fan_in: int, fan_out: int, heights: list[int], widths: list[int]) -> nn.ConvTranspose2d:
    """A 3×3 transposed convolution of stride 2 from height `heights[1]` to `heights[0]`, twice as large or one more, and so
    the width."""
    even_h, even_w = (int(large == 2 * small) for large, small in (heights[:2], widths[:2]))
    cut = (even_h, even_w)
    return nn.ConvTranspose2d(fan_in, fan_out, 3, 2, padding=cut, output_padding=cut, bias=False)


@part
class PoolingEncoder(nn.Module):
    """x (N, C, H, W) → features (N, features): 3×3 convolution, batch norm, activation and 2×2 max pooling for each of
    `channels`.

    Example:
        >>> from diabolo.nets.presets import PoolingEncoder
        >>> encoder = PoolingEncoder((1, 8, 8), channels=(8, 16))
        >>> tuple(encoder(torch.zeros(5, 1, 8, 8)).shape)
        (5, 64)
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        channels: Counts,
        activation: str = "leaky_relu",
        condition: Natural = 0,
    ) -> None:
        super().__init__()
        self.input_shape = image_shape(input_shape)
        fan_in, height, width = self.input_shape
        layers = _poolings(channels)
        self.layers = Chain()
        fan_in += condition
        for fan_out in channels:
            convolution = nn.Conv2d(fan_in, fan_out, 3, padding=1, bias=False)  # batch norm takes the mean away again
            self.layers.append(nn.Sequential(convolution, *active(fan_out, "batch", activation), nn.MaxPool2d(2)))
            fan_in = fan_out
        self.map_shape = (fan_in, sizes(height, layers)[-1], sizes(width, layers)[-1])
        self.features = math.prod(self.map_shape)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Features (N, features), a flat map of `map_shape`, of `x` (N, C, H, W) and `c` (N, condition)."""
        features: Tensor = self.layers(join(x, c))
        return features.flatten(1)


@part
class PoolingDecoder(nn.Module):
    """z (N, *code_shape) → raw (N, C, H, W): for each of `channels` (in the encoder's order) a 3×3 transposed convolution of
    stride 2, batch norm and activation, then a 3×3 convolution. A code map goes into the first of them as it is.

    Example:
        >>> from diabolo.nets.presets import PoolingDecoder
        >>> decoder = PoolingDecoder(4, (1, 8, 8), channels=(8, 16))
        >>> tuple(decoder(torch.zeros(5, 4)).shape)
        (5, 1, 8, 8)
    """

    def __init__(
        self,
        code_shape: int | tuple[int, ...],
        output_shape: tuple[int, ...],
        channels: Counts,
        activation: str = "leaky_relu",
        condition: Natural = 0,
    ) -> None:
        super().__init__()
        out_channels, height, width = image_shape(output_shape)
        layers = _poolings(channels)
        heights, widths = sizes(height, layers), sizes(width, layers)
        code = (code_shape,) if isinstance(code_shape, int) else tuple(code_shape)
        is_map = len(code) == 3
        bottom = (channels[-1], heights[-1], widths[-1])
        self.from_code = nn.Identity() if is_map else to_map(code, bottom, condition)
        self.layers = Chain()
        fan_in = code[0] + condition if is_map else channels[-1]
        for i in reversed(range(len(channels))):
            fan_out = channels[max(i - 1, 0)]
            doubling = _doubling(fan_in, fan_out, heights[i:], widths[i:])
            self.layers.append(nn.Sequential(doubling, *active(fan_out, "batch", activation)))
            fan_in = fan_out
        self.layers.append(nn.Conv2d(fan_in, out_channels, 3, padding=1))

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """One real number per pixel, (N, C, H, W), of `z` (N, *code_shape) and `c` (N, condition)."""
        raw: Tensor = self.layers(self.from_code(join(z, c)))
        return raw


def conv_pool(
    input_shape: tuple[int, ...],
    code: int | Maps,
    condition: tuple[int, int] = (0, 0),
    channels: Counts = (16, 20, 16),
    activation: str = "leaky_relu",
) -> tuple[PoolingEncoder, PoolingDecoder]:
    """Three 3×3 convolutions, each with batch norm, LeakyReLU and max pooling; three transposed ones and a last convolution:
    under 15,000 parameters for grey images, for denoising."""
    encoder = PoolingEncoder(input_shape, channels, activation, condition[0])
    return encoder, PoolingDecoder(code_shape(code, encoder), input_shape, channels, activation, condition[1])
