"""Layers as the Python that makes them: `nn.Linear(784, 512)`."""

from collections.abc import Iterable, Iterator
from typing import Any

from torch import nn

from diabolo.errors import DiaboloError
from diabolo.nets.checkpointing import Dropout
from diabolo.nets.layers import BatchNorm1d, BatchNorm2d, BatchNorm3d
from diabolo.nets.resnet import PreActivation
from diabolo.nets.vq import NarrowResidual
from diabolo.unfold.kinds import ByKind

INDENT = "    "
WIDTH = 88  # of a line


def call(name: str, *values: Any, **named: Any) -> str:
    """The call of `name` with these arguments."""
    told = [_value(value) for value in values] + [f"{key}={_value(value)}" for key, value in named.items()]
    return f"{name}({', '.join(told)})"


def _value(value: Any) -> str:
    """A number or a tuple of them; a tuple of equal numbers is one of them."""
    if isinstance(value, tuple) and len(set(value)) == 1:
        value = value[0]
    return repr(value)


def flat(layers: Iterable[nn.Module]) -> Iterator[nn.Module]:
    """The layers, those of nested sequences one after the other, and without those that do nothing."""
    for layer in layers:
        if isinstance(layer, nn.Sequential):  # `Chain` too
            yield from flat(layer)
        elif not isinstance(layer, nn.Identity):
            yield layer


def sequential(layers: Iterable[nn.Module | str]) -> list[str]:
    """The lines of `nn.Sequential(…)`, a layer on each."""
    told = [layer if isinstance(layer, str) else source(layer) for layer in layers]
    return ["nn.Sequential(", *[INDENT + line for call in told for line in _wrapped(call)], ")"]


def _wrapped(call: str) -> list[str]:
    """A call as an argument in a line of its own, or in three where it is long."""
    if len(3 * INDENT + call) < WIDTH:
        return [f"{call},"]
    name, arguments = call.split("(", 1)
    return [f"{name}(", f"{INDENT}{arguments.removesuffix(')')}", "),"]


source = ByKind[str]("layer")
"""The call that makes `layer` anew."""


@source.of(nn.Linear)
def _linear(layer: nn.Linear) -> str:
    more: dict[str, Any] = {} if layer.bias is not None else {"bias": False}
    return call("nn.Linear", layer.in_features, layer.out_features, **more)


def _convolution(layer: Any, **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"kernel_size": layer.kernel_size}
    for name, usual in (("stride", 1), ("padding", 0)):
        if set(getattr(layer, name)) != {usual}:
            told[name] = getattr(layer, name)
    return told | more | ({} if layer.bias is not None else {"bias": False})


@source.of(nn.Conv1d, nn.Conv2d, nn.Conv3d)
def _conv(layer: nn.Conv1d | nn.Conv2d | nn.Conv3d) -> str:
    return call(f"nn.{type(layer).__name__}", layer.in_channels, layer.out_channels, **_convolution(layer))


@source.of(nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
def _transposed(layer: nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d) -> str:
    more = {"output_padding": layer.output_padding} if any(layer.output_padding) else {}
    return call(f"nn.{type(layer).__name__}", layer.in_channels, layer.out_channels, **_convolution(layer, **more))


@source.of(BatchNorm1d, BatchNorm2d, BatchNorm3d)
def _batch_norm(layer: nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d) -> str:
    return call(f"nn.{type(layer).__name__}", layer.num_features)


@source.of(nn.GroupNorm)
def _group_norm(layer: nn.GroupNorm) -> str:
    return call("nn.GroupNorm", layer.num_groups, layer.num_channels)


@source.of(Dropout)
def _dropout(layer: Dropout) -> str:
    return call("nn.Dropout", layer.p)


@source.of(nn.Unflatten)
def _unflatten(layer: nn.Unflatten) -> str:
    return f"nn.Unflatten({layer.dim}, {tuple(layer.unflattened_size)})"


@source.of(nn.Upsample)
def _upsample(layer: nn.Upsample) -> str:
    return call("nn.Upsample", tuple(layer.size))  # type: ignore[arg-type]  # a pair wherever Diabolo makes one


@source.of(nn.MaxPool2d)
def _pool(layer: nn.MaxPool2d) -> str:
    return call("nn.MaxPool2d", layer.kernel_size)


@source.of(nn.ReLU, nn.LeakyReLU, nn.SiLU, nn.GELU, nn.ELU, nn.Tanh, nn.Sigmoid, nn.Flatten)
def _plain(layer: nn.Module) -> str:
    return f"nn.{type(layer).__name__}()"


@source.of(NarrowResidual)
def _narrow(layer: NarrowResidual) -> str:
    first, _ = (one for one in layer.branch if isinstance(one, nn.Conv2d))
    return call("ResidualBlock", first.in_channels, first.out_channels)


@source.of(PreActivation)
def _pre_activation(layer: PreActivation) -> str:
    first = next(one for one in layer.branch if isinstance(one, nn.Conv2d))
    more = {"stride": first.stride} if first.stride != (1, 1) else {}
    return call("ResidualBlock", first.in_channels, first.out_channels, **more)


def blocks(modules: Iterable[nn.Module]) -> list[str]:
    """The classes that `source` speaks of among these modules, each once, as lines; they must come first.

    Raises:
        DiaboloError: for two that differ in more than their sizes.
    """
    found = []
    for module in modules:
        for part in module.modules():
            if isinstance(part, NarrowResidual | PreActivation):
                text = _class(part)
                if text not in found:
                    found.append(text)
    if len(found) > 1:
        raise DiaboloError("unfold cannot write residual blocks of two kinds in one model")
    return [line for text in found for line in text]


def _class(block: NarrowResidual | PreActivation) -> list[str]:
    """The class of a residual block, without its sizes."""
    if isinstance(block, NarrowResidual):
        act = source(block.branch[0])
        text = f"""class ResidualBlock(nn.Module):
    \"\"\"x + W1 act(W3 act(x)): 3×3 to few channels, then 1×1 back.\"\"\"

    def __init__(self, width, narrow):
        super().__init__()
        self.branch = nn.Sequential(
            {act},
            nn.Conv2d(width, narrow, kernel_size=3, padding=1),
            {act},
            nn.Conv2d(narrow, width, kernel_size=1),
        )

    def forward(self, x):
        return x + self.branch(x)"""
        return text.split("\n")
    first, *after, _ = flat(block.branch)
    bias = "" if first.bias is not None else ", bias=False"
    before, between = (
        "".join(f"            {line},\n" for line in _sized(layers, width))
        for layers, width in ((flat(block.before), "fan_in"), (after, "fan_out"))
    )
    text = f"""class ResidualBlock(nn.Module):
    \"\"\"shortcut(x) + W2 act(norm(W1 act(norm(x)))) (He et al. 2016, arXiv 1603.05027).\"\"\"

    def __init__(self, fan_in, fan_out, stride=1):
        super().__init__()
        self.before = nn.Sequential(
{before}        )
        self.branch = nn.Sequential(
            nn.Conv2d(fan_in, fan_out, 3, stride, padding=1{bias}),
{between}            nn.Conv2d(fan_out, fan_out, 3, padding=1),
        )
        same = stride == 1 and fan_in == fan_out
        self.shortcut = None if same else nn.Conv2d(fan_in, fan_out, 1, stride)

    def forward(self, x):
        h = self.before(x)
        return (x if self.shortcut is None else self.shortcut(h)) + self.branch(h)"""
    return text.split("\n")


def _sized(layers: Iterable[nn.Module], width: str) -> list[str]:
    """Norm and activation of as many channels as the variable `width` says."""
    norms = {BatchNorm2d: f"nn.BatchNorm2d({width})", nn.GroupNorm: f"nn.GroupNorm(math.gcd({width}, 8), {width})"}
    return [norms[type(layer)] if type(layer) in norms else source(layer) for layer in layers]
