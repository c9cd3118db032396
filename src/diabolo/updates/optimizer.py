"""What an optimizer is: the numbers that it keeps of each weight, and one formula."""

import inspect
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.hardware import wide
from diabolo.ranges import Weight
from diabolo.schedules import Number

OPTIMIZERS: "dict[str, type[Optimizer]]" = {}  # by the word that chooses it; each adds itself


class Optimizer(ABC):
    """A part, without state: what it keeps of each weight lies with the player, in the `slots` that it names.

    A new one has `slots` and `update`, and is used eagerly, compiled and in CUDA graphs. `rates` gives the numbers that change
    from step to step; `apply` may use a kernel of torch's.

    Attributes:
        slots: the names of what is kept of each weight, of its shape, zero at first.
        by_weight: whether the formula looks at the shape of a weight. Otherwise it is given all of them as one flat tensor.
        weight_decay: how strongly weights are drawn to zero.
    """

    slots: tuple[str, ...] = ()
    by_weight = False
    weight_decay: float = 0.0

    def check(self, weights: Sequence[Tensor]) -> None:  # noqa: B027  # most can move any weights
        """Refuse, in one sentence, weights that it cannot move."""

    def rates(self, lr: Number, t: Number) -> tuple[Number, ...]:
        """What `update` is given at step `t`, counted from 1, under the learning rate `lr`: numbers, or tensors of one."""
        return (lr,)

    @abstractmethod
    def update(self, w: Tensor, g: Tensor, slots: Sequence[Tensor], rates: Sequence[Number]) -> Tensor:
        """The weights after a step, from those before, `w`, and their gradient `g` of the same shape; `slots` are changed in
        place."""

    def apply(
        self, ws: Sequence[Tensor], gs: Sequence[Tensor], slots: Sequence[Sequence[Tensor]], lr: Number, t: Tensor
    ) -> None:
        """One step of all the weights `ws`, in place, by their gradients `gs`; `slots` holds for each slot a tensor for each
        weight, and `t`, the steps before, is counted up."""
        t.add_(1)
        rates = self.rates(lr, wide(t))
        for w, g, *kept in zip(ws, gs, *slots, strict=True):
            w.copy_(self.update(w, g, kept, rates))


def named(word: str) -> Any:
    """Class decorator: let `word` choose this optimizer on the command line, in YAML files and in Python."""

    def register(cls: "type[Optimizer]") -> "type[Optimizer]":
        OPTIMIZERS[word] = cls
        return cls

    return register


def as_optimizer(value: Any, weight_decay: Weight = 0.0) -> Optimizer:
    """An optimizer from its name, from text such as "sgd(momentum=0.9, nesterov=true)", from JSON, or as it is.

    Args:
        value: which, and with what; where it says nothing of weight decay, that is `weight_decay`.
        weight_decay: how strongly weights are drawn to zero.

    Raises:
        DiaboloError: for one that does not exist, arguments that it does not take, and two different weight decays.
    """
    from diabolo import parts

    if isinstance(value, Mapping):
        value = parts.build(dict(value))
    if isinstance(value, Optimizer):
        if weight_decay and weight_decay != value.weight_decay:
            raise DiaboloError(
                f"weight_decay is {weight_decay:g}, and that of the optimizer {value.weight_decay:g}: say it in one place"
            )
        return value
    match = re.fullmatch(r"\s*([\w-]+)\s*(?:\(([^()]*)\))?\s*", value) if isinstance(value, str) else None
    if match is None:
        told = repr(value) if isinstance(value, str | type) else f"an object of {type(value)}"
        raise DiaboloError(f"an optimizer is a name or text such as 'sgd(momentum=0.9)', not {told}")
    name, inside = match[1], match[2]
    if name not in OPTIMIZERS:
        raise UnknownNameError("optimizer", name, OPTIMIZERS)
    said = dict(_argument(value, each) for each in inside.split(",")) if inside and inside.strip() else {}
    known = list(inspect.signature(OPTIMIZERS[name]).parameters)
    for option in said:
        if option not in known:
            raise UnknownNameError(f"option of the optimizer {name!r}", option, known)
    if weight_decay and said.get("weight_decay", weight_decay) != weight_decay:
        raise DiaboloError(f"weight_decay is {weight_decay:g}, and in {value!r} another: say it in one place")
    return OPTIMIZERS[name](**({"weight_decay": weight_decay} | said))


def _argument(whole: str, text: str) -> tuple[str, Any]:
    """name = value: a number, true or false."""
    name, _, word = (piece.strip() for piece in text.partition("="))
    if word.lower() in ("true", "false"):
        return name, word.lower() == "true"
    try:
        return name, int(word) if re.fullmatch(r"[+-]?\d+", word) else float(word)
    except ValueError as error:
        raise DiaboloError(
            f"the optimizer {whole!r} cannot be read: its options are name=number, true or false, such as 'momentum=0.9'"
        ) from error
