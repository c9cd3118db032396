"""Encoders and decoders in plain PyTorch: what stands in `__init__`, and how it is called."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from diabolo.nets.adding import AddingDecoder, AddingEncoder
from diabolo.nets.conv import ConvDecoder, ConvEncoder
from diabolo.nets.layers import Blind
from diabolo.nets.mlp import MLPDecoder, MLPEncoder
from diabolo.nets.presets import PointDecoder, PointEncoder, PoolingDecoder, PoolingEncoder
from diabolo.nets.prior import PriorDecoder, PriorEncoder
from diabolo.nets.resnet import ResNetDecoder, ResNetEncoder
from diabolo.nets.unet import UNetDecoder, UNetEncoder
from diabolo.nets.vq import VQConvDecoder, VQConvEncoder
from diabolo.unfold.kinds import ByKind
from diabolo.unfold.layers import INDENT, flat, sequential, source

BESIDE_MAP = "c = c[:, :, {nones}].expand(-1, -1, *{x}.shape[2:])  # a constant map for each"


@dataclass
class Network:
    """An encoder or a decoder as text.

    Attributes:
        init: lines of `__init__`.
        forward: lines that make `features` of `x`, or `raw` of `z`; of `c` besides, where there is a condition.
        maps: whether skip maps come out of, or go into it, besides.
    """

    init: list[str]
    forward: list[str]
    maps: bool = False


def assigned(name: str, lines: Sequence[str]) -> list[str]:
    """`self.name = …`."""
    return [f"self.{name} = {lines[0]}", *lines[1:]]


def joined(x: str, condition: bool, sides: int) -> tuple[list[str], str]:
    """`x`, a map of so many sides, with the condition beside it: lines before, and the expression."""
    if not condition:
        return [], x
    beside = BESIDE_MAP.format(x=x, nones=", ".join(["None"] * sides))
    return [beside] if sides else [], f"torch.cat([{x}, c], dim=1)"


def _sides(layer: Any) -> int:
    """How many sides the map has that `layer` sees; none where it sees vectors."""
    return 0 if isinstance(layer, nn.Linear) else len(layer.kernel_size)


network = ByKind[Network]("network")
"""`module` as text; `condition`: whether it is called with `c` besides."""


def _chain(layers: list[Any], given: tuple[list[str], str], result: str, name: str = "layers") -> Network:
    before, x = given
    return Network(assigned(name, sequential(layers)), [*before, f"{result} = self.{name}({x})"])


@network.of(MLPEncoder)
def _mlp_encoder(module: MLPEncoder, condition: bool) -> Network:
    layers = list(flat([module.layers]))
    if not layers:
        return Network([], [f"features = {joined('x.flatten(1)', condition, 0)[1]}"])
    if condition:
        return _chain(layers, joined("x.flatten(1)", True, 0), "features")
    return _chain(["nn.Flatten()", *layers], ([], "x"), "features")


@network.of(MLPDecoder)
def _mlp_decoder(module: MLPDecoder, condition: bool) -> Network:
    layers = [*flat([module.layers]), module.to_raw, f"nn.Unflatten(1, {module.output_shape})"]
    return _chain(layers, joined("z", condition, 0), "raw")


@network.of(ConvEncoder, PointEncoder, PoolingEncoder, ResNetEncoder)
def _conv_encoder(module: Any, condition: bool) -> Network:
    sides = len(module.input_shape) - 1
    return _chain([*flat([module.layers]), "nn.Flatten()"], joined("x", condition, sides), "features")


@network.of(VQConvEncoder)
def _vq_encoder(module: VQConvEncoder, condition: bool) -> Network:
    found = _chain([*flat([module.layers]), "nn.Flatten()"], joined("x", condition, 2), "features")
    return Network(found.init, ["x = x - 0.5", *found.forward])


@network.of(Blind)
def _blind(module: Blind, condition: bool) -> Network:
    return Network([], ["features = x.flatten(1)[:, :0]  # nothing of the image"])


@network.of(AddingEncoder)
def _adding_encoder(module: AddingEncoder, condition: bool) -> Network:
    inner = network(module.inner, False)
    init = [*inner.init, f"self.embed = {source(module.embed)}  # a column for each class"]
    return Network(init, [*inner.forward, "features = features + self.embed(c)"])


@network.of(AddingDecoder)
def _adding_decoder(module: AddingDecoder, condition: bool) -> Network:
    inner = network(module.inner, False)
    return Network([*inner.init, f"self.embed = {source(module.embed)}"], ["z = z + self.embed(c)", *inner.forward])


@network.of(ConvDecoder, PointDecoder, PoolingDecoder)
def _conv_decoder(module: Any, condition: bool) -> Network:
    layers = list(flat([module.from_code, module.layers]))
    return _chain(layers, joined("z", condition, _sides(layers[0])), "raw")


@network.of(VQConvDecoder, ResNetDecoder)
def _decoder(module: Any, condition: bool) -> Network:
    layers = list(flat([module.layers]))
    return _chain(layers, joined("z", condition, _sides(layers[0])), "raw")


@network.of(UNetEncoder)
def _unet_encoder(module: UNetEncoder, condition: bool) -> Network:
    init = [
        *_module_list("levels", module.levels),
        "self.pool = nn.MaxPool2d(2)",
        *assigned("bottom", sequential([*flat([module.bottom]), "nn.Flatten()"])),
    ]
    before, x = joined("x", condition, 2)
    keep = ["maps = []  # led around the bottleneck, to the decoder"] if module.skips else []
    forward = [
        *before,
        f"h = {x}",
        *keep,
        "for level in self.levels:",
        f"{INDENT}h = level(h)",
        *([f"{INDENT}maps.append(h)"] if module.skips else []),
        f"{INDENT}h = self.pool(h)",
        "features = self.bottom(h)",
    ]
    return Network(init, forward, maps=module.skips)


@network.of(UNetDecoder)
def _unet_decoder(module: UNetDecoder, condition: bool) -> Network:
    skips = bool(module.skip_shapes)
    from_code = list(flat([module.from_code]))
    init = [
        *assigned("from_code", sequential(from_code)),
        *_module_list("enlarge", module.enlarge),
        *_module_list("levels", module.levels),
        f"self.to_raw = {source(module.to_raw)}",
    ]
    before, z = joined("z", condition, _sides(from_code[0]))
    forward = [
        *before,
        f"h = self.from_code({z})",
        "for enlarge, level in zip(self.enlarge, self.levels, strict=True):",
        f"{INDENT}h = enlarge(h)",
        f"{INDENT}h = level(torch.cat([h, maps.pop()], dim=1))" if skips else f"{INDENT}h = level(h)",
        "raw = self.to_raw(h)",
    ]
    return Network(init, forward, maps=skips)


def _module_list(name: str, modules: Iterable[nn.Module]) -> list[str]:
    """`self.name = nn.ModuleList(…)`, filled one by one."""
    lines = [f"self.{name} = nn.ModuleList()"]
    for module in modules:
        first, *more = sequential(flat([module])) if isinstance(module, nn.Sequential) else [source(module)]
        if more:
            lines += ["level = " + first, *more, f"self.{name}.append(level)"]
        else:
            lines.append(f"self.{name}.append({first})")
    return lines


@network.of(PriorEncoder, PriorDecoder)
def _around_a_prior(module: PriorEncoder | PriorDecoder, condition: bool) -> Network:
    return network(module.inner, condition)  # the model has the prior
