"""Networks of one's own: any two modules, by import path and arguments, or as objects.

    diabolo train vae --net custom --encoder my_pkg.nets:Encoder --decoder my_pkg.nets:Decoder --decoder-args '{"code": 16}'
    zoo.vae((1, 28, 28), latent_dim=16, net=(Encoder(), Decoder(16)))

The encoder takes images x (N, C, H, W) and gives (N, …) of any shape; the decoder takes codes z (N, D), or (N, D, h, w) for a
model of code maps, and gives one real number per pixel (N, C, H, W), to which the likelihood applies its sigmoid. Under a
condition each is called with a second argument c (N, F). Modules given as objects are kept in run folders when their classes
are decorated with `@diabolo.parts.part`; those by path always.
"""

import inspect
import json
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from diabolo import trust
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.nets.layers import GRIDS, Maps, code_shape
from diabolo.parts import given, part


def class_at(path: str) -> type[nn.Module]:
    """The class at `package.module:Class`. Only subclasses of `nn.Module` are ever called.

    Raises:
        DiaboloError: for another path, a module that cannot be imported, or something else than a module's class.
        UnknownNameError: for a class that is not there.
    """
    module, name = trust.import_home(path, "network", "Class")
    found = {n: c for n, c in vars(module).items() if inspect.isclass(c) and issubclass(c, nn.Module)}
    if name not in found:
        raise UnknownNameError(f"torch.nn.Module in {module.__name__!r}", name, found, see=module.__name__)
    return found[name]


def _arguments(told: str | dict[str, Any] | None) -> dict[str, Any]:
    try:
        arguments = json.loads(told) if isinstance(told, str) else told or {}
        json.dumps(arguments, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DiaboloError(
            f"the arguments of a network are a JSON object, such as '{{\"width\": 64}}': {error}"
        ) from error
    if not isinstance(arguments, dict):
        raise DiaboloError(f"the arguments of a network are a JSON object, such as '{{\"width\": 64}}', not {told}")
    return arguments


@part
class ByPath(nn.Module):
    """The module Class(**arguments) of `package.module:Class`.

    Args:
        path: where its class is to be imported from.
        arguments: a JSON object.

    Example:
        >>> from diabolo.nets.custom import ByPath
        >>> ByPath("torch.nn:Linear", '{"in_features": 64, "out_features": 16}').module
        Linear(in_features=64, out_features=16, bias=True)
    """

    names_code = ("path",)

    def __init__(self, path: str, arguments: str = "{}") -> None:
        super().__init__()
        try:
            self.module = class_at(path)(**_arguments(arguments))
        except DiaboloError:
            raise
        except Exception as error:  # whatever goes wrong in a class of someone else
            raise DiaboloError(f"{path} cannot be made with {arguments}: {type(error).__name__}: {error}") from error
        self.path = path
        given(path)

    def forward(self, *inputs: Tensor) -> Any:
        """What the module gives."""
        return self.module(*inputs)


def _tried(module: nn.Module, what: str, *shapes: tuple[int, ...]) -> Tensor:
    """What `module` gives for two images or codes of zeros."""
    name = module.path if isinstance(module, ByPath) else type(module).__name__
    tensor = next(module.parameters(), torch.zeros(()))
    inputs = [torch.zeros(2, *shape, device=tensor.device) for shape in shapes]
    modes = {m: m.training for m in module.modules()}
    try:
        with torch.no_grad(), torch.random.fork_rng():
            found = module.eval()(*inputs)
    except Exception as error:  # whatever goes wrong in a module of someone else
        sizes = " and ".join(_shape(shape) for shape in shapes)
        reason = " ".join(str(error).split())
        raise DiaboloError(f"the {what} {name} fails on {sizes}: {type(error).__name__}: {reason}") from error
    finally:
        for m, mode in modes.items():
            m.training = mode
    if not isinstance(found, Tensor) or found.ndim < 2 or len(found) != 2:
        given = _shape(tuple(found.shape[1:])) if isinstance(found, Tensor) and found.ndim else type(found).__name__
        raise DiaboloError(f"the {what} {name} must give a tensor (N, …), one row for each image, but gave {given}")
    return found


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(['N', *map(str, shape)])})"


@part
class UserEncoder(nn.Module):
    """x (N, *input_shape) → features (N, features) by any module, whose output is tried out and flattened.

    Args:
        module: x, or x and c (N, condition), → (N, …).
        input_shape: of one image.
        condition: features that it is told besides.

    Example:
        >>> from diabolo.nets.custom import UserEncoder
        >>> own = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 16))
        >>> UserEncoder(own, (1, 8, 8)).features
        16
    """

    def __init__(self, module: nn.Module, input_shape: tuple[int, ...], condition: int = 0) -> None:
        super().__init__()
        self.module, self.input_shape = module, tuple(input_shape)
        found = _tried(module, "encoder", self.input_shape, *([(condition,)] if condition else []))
        self.skip_features: int = getattr(module, "skip_features", 0)
        self.features = math.prod(found.shape[1:]) - self.skip_features
        if map_shape := getattr(module, "map_shape", tuple(found.shape[1:]) if found.ndim - 2 in GRIDS else None):
            self.map_shape = map_shape

    def forward(self, x: Tensor, *c: Tensor) -> Tensor:
        """Features (N, features) of `x` (N, *input_shape) and `c` (N, condition)."""
        features: Tensor = self.module(x, *c)
        return features.flatten(1)


@part
class UserDecoder(nn.Module):
    """z (N, *code_shape) → raw (N, *output_shape) by any module, which is tried out.

    Args:
        module: z, or z and c (N, condition), → (N, *output_shape).
        code_shape: of one code.
        output_shape: of one image.
        condition: features that it is told besides.
        skip_features: numbers that the encoder leads around the code, which z has at its end.

    Example:
        >>> from diabolo.nets.custom import UserDecoder
        >>> own = torch.nn.Sequential(torch.nn.Linear(4, 64), torch.nn.Unflatten(1, (1, 8, 8)))
        >>> tuple(UserDecoder(own, (4,), (1, 8, 8))(torch.zeros(5, 4)).shape)
        (5, 1, 8, 8)
    """

    def __init__(
        self,
        module: nn.Module,
        code_shape: tuple[int, ...],
        output_shape: tuple[int, ...],
        condition: int = 0,
        skip_features: int = 0,
    ) -> None:
        super().__init__()
        self.module = module
        z = (math.prod(code_shape) + skip_features,) if skip_features else tuple(code_shape)
        found = _tried(module, "decoder", z, *([(condition,)] if condition else []))
        if tuple(found.shape[1:]) != tuple(output_shape):
            name = module.path if isinstance(module, ByPath) else type(module).__name__
            raise DiaboloError(
                f"the decoder {name} gives the wrong shape for codes {_shape(z)}: expected {_shape(tuple(output_shape))}, "
                f"found {_shape(tuple(found.shape[1:]))}"
            )

    def forward(self, z: Tensor, *c: Tensor) -> Tensor:
        """One real number per pixel, (N, *output_shape), of `z` (N, *code_shape) and `c` (N, condition)."""
        raw: Tensor = self.module(z, *c)
        return raw


def pair(
    modules: Sequence[nn.Module], input_shape: tuple[int, ...], code: int | Maps, condition: tuple[int, int] = (0, 0)
) -> tuple[UserEncoder, UserDecoder]:
    """Two modules as encoder and decoder.

    Raises:
        DiaboloError: when they are no modules, or do not fit the images and codes.
    """
    if not isinstance(modules, Sequence) or len(modules) != 2 or not all(isinstance(m, nn.Module) for m in modules):
        raise DiaboloError(f"net is a name, or two modules (encoder, decoder), not {modules!r}")
    encoder = UserEncoder(modules[0], input_shape, condition[0])
    shape = code_shape(code, encoder)
    return encoder, UserDecoder(modules[1], shape, input_shape, condition[1], encoder.skip_features)


def custom(
    input_shape: tuple[int, ...],
    code: int | Maps,
    condition: tuple[int, int] = (0, 0),
    encoder: str | None = None,
    decoder: str | None = None,
    encoder_args: str | dict[str, Any] | None = None,
    decoder_args: str | dict[str, Any] | None = None,
) -> tuple[UserEncoder, UserDecoder]:
    """Two modules of your own, by import path and arguments: x → features of any shape; code → one number per pixel."""
    if encoder is None or decoder is None:
        raise DiaboloError("the net 'custom' needs an encoder and a decoder, each as package.module:Class")
    modules = [
        ByPath(path, json.dumps(_arguments(told))) for path, told in ((encoder, encoder_args), (decoder, decoder_args))
    ]
    return pair(modules, input_shape, code, condition)
