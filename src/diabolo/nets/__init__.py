"""The two cones, by name: an encoder from images to features, a decoder from codes to one real number per pixel."""

import inspect
from collections.abc import Callable
from typing import Any, TypedDict

from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.nets.code import Maps, code_shape
from diabolo.nets.conv import ConvDecoder, ConvEncoder, Layers, conv_layers
from diabolo.nets.mlp import HIDDEN, MLPDecoder, MLPEncoder, is_width
from diabolo.nets.vq import vq_conv


class NetOptions(TypedDict, total=False):
    """What may be said of a net. None, or left out, is the net's own default. `HELP` says what each means."""

    hidden: tuple[int, ...] | None
    channels: tuple[int, ...] | None
    norm: str | None
    activation: str | None
    width: int | None
    residual_width: int | None
    residual_layers: int | None


__all__ = ["HELP", "NETS", "Maps", "NetOptions", "build"]

HELP = {
    "hidden": "Widths of the layers from image to code (mlp; default 512 256).",
    "channels": "Channels of the layers from image to code, each halving the image (conv; default by its size).",
    "norm": "batch, group or none (conv; default batch).",
    "activation": "relu, leaky_relu, silu, gelu, elu, tanh or sigmoid.",
    "width": "Channels of the last map (vq-conv; default 128).",
    "residual_width": "Channels within a residual block (vq-conv; default 32).",
    "residual_layers": "Residual blocks of each cone (vq-conv; default 2).",
}


def mlp(
    input_shape: tuple[int, ...],
    code: int | Maps,
    condition: tuple[int, int] = (0, 0),
    hidden: tuple[int, ...] = HIDDEN,
    activation: str = "relu",
) -> tuple[MLPEncoder, MLPDecoder]:
    """Fully connected layers; any input shape."""
    encoder = MLPEncoder(input_shape, hidden, activation, condition[0])
    return encoder, MLPDecoder(code_shape(code, encoder), input_shape, hidden, activation, condition[1])


def conv(
    input_shape: tuple[int, ...],
    code: int | Maps,
    condition: tuple[int, int] = (0, 0),
    channels: tuple[int, ...] | None = None,
    norm: str = "batch",
    activation: str = "leaky_relu",
) -> tuple[ConvEncoder, ConvDecoder]:
    """4×4 convolutions that halve the image, with batch norm; images of 8×8 pixels or more."""
    layers = conv_layers(input_shape, channels)
    encoder = ConvEncoder(input_shape, layers, norm, activation, condition[0])
    return encoder, ConvDecoder(code_shape(code, encoder), input_shape, layers, norm, activation, condition[1])


def conv_to_point(
    input_shape: tuple[int, ...],
    code: int | Maps,
    condition: tuple[int, int] = (0, 0),
    norm: str = "batch",
    activation: str = "leaky_relu",
) -> tuple[ConvEncoder, ConvDecoder]:
    """28×28 → 14×14×32 → 7×7×64 → 3×3×128 → 1×1×256, the pair of many course notebooks for MNIST."""
    layers: Layers = ((32, 4, 2, 1), (64, 4, 2, 1), (128, 3, 2, 0), (256, 3, 2, 0))
    encoder = ConvEncoder(input_shape, layers, norm, activation, condition[0])
    return encoder, ConvDecoder(code_shape(code, encoder), input_shape, layers, norm, activation, condition[1])


NETS: dict[str, Callable[..., tuple[Any, Any]]] = {
    "mlp": mlp,
    "conv": conv,
    "conv-to-point": conv_to_point,
    "vq-conv": vq_conv,
}


def build(
    net: str, input_shape: tuple[int, ...], code: int | Maps, condition: tuple[int, int] = (0, 0), **options: Any
) -> tuple[Any, Any]:
    """The pair (encoder, decoder) of the net of that name; options that are None keep the net's default.

    Args:
        net: its name.
        input_shape: (C, H, W) or (D,).
        code: the length of the code, or `Maps(D)` for a code map of D channels.
        condition: how many features encoder and decoder are told besides.
        **options: those of the net.

    Raises:
        UnknownNameError: for a net that does not exist, or an option that this net does not have.
    """
    if net not in NETS:
        raise UnknownNameError("net", net, NETS)
    if not input_shape or any(side < 1 for side in input_shape):
        raise DiaboloError(f"input_shape must be (C, H, W) or (D,) with sides of at least 1, not {input_shape}")
    if code != Maps() and not is_width(code.channels if isinstance(code, Maps) else code):
        raise DiaboloError(f"latent_dim must be at least 1, not {code}")
    given = {name: value for name, value in options.items() if value is not None}
    known = [n for n in inspect.signature(NETS[net]).parameters if n not in ("input_shape", "code", "condition")]
    for name in given:
        if name not in known:
            raise UnknownNameError(f"option of the net {net!r}", name, known)
    return NETS[net](tuple(input_shape), code, condition, **given)
