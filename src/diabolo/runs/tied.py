"""Weights and statistics that have several names in a model: those that layers share.

A part that is given to two others is described once, and built once (`parts.describe`). What is tied by hand,
`decoder.out.weight = encoder.first.weight` say, no part knows of; so a run folder names all that share one tensor.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor, nn

from diabolo.errors import DiaboloError


def groups(model: nn.Module) -> list[list[str]]:
    """The names of each parameter or buffer of `model` that has more than one."""
    found: dict[int, list[str]] = {}
    for name, tensor in _every(model):
        found.setdefault(id(tensor), []).append(name)
    return [names for names in found.values() if len(names) > 1]


def tie(model: nn.Module, names: Any) -> None:
    """Let the tensors of `model` that `groups` named be one again, where they are not.

    Raises:
        DiaboloError: for names that `model` does not have, or that hold tensors of different shapes.
    """
    own = dict(_every(model))
    well = isinstance(names, list) and all(isinstance(group, list) for group in names)
    if not well or any(not isinstance(name, str) or name not in own for group in names for name in group):
        raise DiaboloError("it says that weights are shared which this model does not have")
    if any(len({own[name].shape for name in group}) > 1 for group in names):
        raise DiaboloError("it says that weights of different shapes are shared")
    for first, *others in (group for group in names if group):
        for name in others:
            _put(model, name, own[first])


def _every(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from model.named_parameters(remove_duplicate=False)
    yield from model.named_buffers(remove_duplicate=False)


def _put(model: nn.Module, name: str, tensor: Tensor) -> None:
    home, _, last = name.rpartition(".")
    module = model.get_submodule(home)
    held: Sequence[dict[str, Any]] = (module._parameters, module._buffers)
    for kind in held:
        if last in kind:
            kind[last] = tensor
