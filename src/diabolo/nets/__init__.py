"""Encoders and decoders, by name: an encoder from images to features, a decoder from codes to one real number per pixel."""

import inspect
from collections.abc import Callable, Collection, Sequence
from typing import Annotated, Any, TypedDict

from torch import nn

from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.nets.adding import AddingDecoder, AddingEncoder
from diabolo.nets.conv import SMALLEST, conv, conv1d, conv3d
from diabolo.nets.custom import custom, pair
from diabolo.nets.layers import Blind, Maps
from diabolo.nets.mlp import SHORT, is_width, mlp
from diabolo.nets.presets import (
    conv_16_32_64,
    conv_pool,
    conv_to_point,
    linear,
    mlp_256_128,
    mlp_512_256_128,
    mlp_one_hidden,
)
from diabolo.nets.prior import PriorDecoder, PriorEncoder
from diabolo.nets.resnet import resnet
from diabolo.nets.seeing import SeesCounts, SeesKnown
from diabolo.nets.unet import unet
from diabolo.nets.vq import vq_conv
from diabolo.ranges import At, BelowOne, Count, Counts, Plural


class NetOptions(TypedDict, total=False):
    """What may be said of a net. None, or left out, is the net's own default. `HELP` says what each means.

    Example:
        >>> options = diabolo.nets.NetOptions(hidden=(32,), activation="silu")
        >>> diabolo.zoo.vae(train.shape, 4, **options).encoder.features
        32
    """

    hidden: tuple[Count, ...] | None
    channels: Counts | None
    norm: str | None
    activation: str | None
    dropout: BelowOne | None
    checkpointing: bool | None
    upsampling: bool | None
    skips: bool | None
    width: Plural | None
    residual_width: Count | None
    residual_layers: Annotated[int, At(0, 1000)] | None
    encoder: str | None
    decoder: str | None
    encoder_args: str | dict[str, Any] | None
    decoder_args: str | dict[str, Any] | None


__all__ = [
    "HELP",
    "NETS",
    "AddingDecoder",
    "AddingEncoder",
    "Blind",
    "Maps",
    "NetOptions",
    "PriorDecoder",
    "PriorEncoder",
    "SeesCounts",
    "SeesKnown",
    "build",
    "usual",
]

COARSE = 16  # pixels a side, below which an image, or a signal, is too coarse to be halved several times

HELP = {
    "hidden": f"Widths of the layers from image to code (mlp; default 512 512; a third for codes of up to {SHORT} numbers).",
    "channels": "Channels of the layers from image to code, each halving the image (conv, conv1d, conv3d, resnet, unet; "
    "default by its size).",
    "norm": "batch, group or none (conv, conv1d, conv3d, resnet, unet; default batch).",
    "activation": "relu, leaky_relu, silu, gelu, elu, tanh or sigmoid.",
    "dropout": "Share of units dropped in training after each activation (mlp, conv, conv1d, conv3d, resnet, unet; default 0).",
    "checkpointing": "Compute layers again in the backward pass: less memory, same result (mlp, conv, conv1d, conv3d, resnet, "
    "unet).",
    "upsampling": "Enlarge maps by copied pixels and a convolution instead of transposed convolutions (conv, conv1d, conv3d).",
    "skips": "Lead the encoder's maps around the code to the decoder (unet; they are led unless cut).",
    "width": "Channels of the last map (vq-conv; default 128).",
    "residual_width": "Channels within a residual block (vq-conv; default 32).",
    "residual_layers": "Residual blocks: of each network (vq-conv; default 2), of each size (resnet; default 1).",
    "encoder": "Your own encoder (custom), as package.module:Class.",
    "decoder": "Your own decoder (custom), as package.module:Class.",
    "encoder_args": "Arguments of your own encoder as a JSON object, such as '{\"width\": 64}'.",
    "decoder_args": "Arguments of your own decoder as a JSON object.",
}


NETS: dict[str, Callable[..., tuple[Any, Any]]] = {
    "mlp": mlp,
    "conv": conv,
    "conv1d": conv1d,
    "conv3d": conv3d,
    "resnet": resnet,
    "unet": unet,
    "linear": linear,
    "mlp-512-256-128": mlp_512_256_128,
    "mlp-256-128": mlp_256_128,
    "mlp-one-hidden": mlp_one_hidden,
    "conv-to-point": conv_to_point,
    "conv-16-32-64": conv_16_32_64,
    "conv-pool": conv_pool,
    "vq-conv": vq_conv,
    "custom": custom,
}


def usual(input_shape: tuple[int, ...], given: Collection[str] = ()) -> str:
    """The net where nobody says which: conv for images in colour of 16 pixels a side or more, conv1d for signals (C, L) of 16
    samples or more, conv3d for volumes (C, D, H, W) of 8 voxels a side or more; mlp for all others, and where the widths of its
    layers, `hidden`, are among the options `given`.

    Example:
        >>> diabolo.nets.usual((3, 32, 32)), diabolo.nets.usual((1, 28, 28)), diabolo.nets.usual((30,))
        ('conv', 'mlp', 'mlp')
        >>> diabolo.nets.usual((1, 128)), diabolo.nets.usual((1, 16, 16, 16))
        ('conv1d', 'conv3d')
        >>> diabolo.nets.usual((3, 32, 32), ["hidden"])
        'mlp'
    """
    sides = input_shape[1:]
    if "hidden" in given or not sides:
        return "mlp"
    fine = {
        "conv1d": len(sides) == 1 and sides[0] >= COARSE,
        "conv": len(sides) == 2 and input_shape[0] > 1 and min(sides) >= COARSE,
        "conv3d": len(sides) == 3 and min(sides) >= SMALLEST,
    }
    return next((net for net, holds in fine.items() if holds), "mlp")


def build(
    net: str | Sequence[nn.Module],
    input_shape: tuple[int, ...],
    code: int | Maps,
    condition: tuple[int, int] = (0, 0),
    **options: Any,
) -> tuple[Any, Any]:
    """The pair (encoder, decoder) of the net of that name; options that are None keep the net's default.

    Args:
        net: its name; or two modules (encoder, decoder) of one's own.
        input_shape: (C, H, W), (D,), (C, L) or (C, D, H, W).
        code: the length of the code, or `Maps(D)` for a code map of D channels.
        condition: how many features encoder and decoder are told besides.
        **options: those of the net.

    Raises:
        UnknownNameError: for a net that does not exist, or an option that this net does not have.

    Example:
        >>> encoder, decoder = diabolo.nets.build("conv", (1, 8, 8), 4, channels=(8, 16))
        >>> encoder.features, tuple(decoder(torch.zeros(5, 4)).shape)
        (64, (5, 1, 8, 8))
    """
    if isinstance(net, str) and net not in NETS:
        raise UnknownNameError("net", net, NETS, see="diabolo train vae --help-all")
    if not input_shape or any(side < 1 for side in input_shape):
        raise DiaboloError(f"input_shape must be (C, H, W) or (D,) with sides of at least 1, not {input_shape}")
    alone = code == 0 and condition[1] > 0  # a decoder that goes by the condition alone
    if code != Maps() and not alone and not is_width(code.channels if isinstance(code, Maps) else code):
        raise DiaboloError(f"latent_dim must be at least 1, not {code}")
    given = {name: value for name, value in options.items() if value is not None}
    if not isinstance(net, str):
        if given:
            raise DiaboloError(f"modules of your own take no options of a net: leave out {', '.join(given)}")
        return pair(net, tuple(input_shape), code, condition)
    known = [n for n in inspect.signature(NETS[net]).parameters if n not in ("input_shape", "code", "condition")]
    for name in given:
        if name not in known:
            raise UnknownNameError("option", name, known, f" of the net {net!r}")
    return NETS[net](tuple(input_shape), code, condition, **given)
