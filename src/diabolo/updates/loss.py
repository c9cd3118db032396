"""The loss of one batch, and whether a loss looks at its images first."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True)
class Loss:
    """The loss of one batch: total = Σ weights[name] · terms[name].

    Attributes:
        total: how good the model is, a scalar with gradient: what curves, early stopping and the best epoch go by.
        terms: unweighted means over the batch, each a scalar: "reconstruction" and the penalties.
        weights: the weight of each term at this moment of training.
        logged: what else is worth writing down each step, each a scalar without gradient.
        minimised: what each player minimises, a scalar with gradient; when left out there is one, "model", and it minimises
            `total`.

    Example:
        >>> loss = model.loss(torch.from_numpy(test.images) / 255)
        >>> list(loss.terms), torch.equal(loss.total, loss.terms["reconstruction"] + loss.terms["kl"])
        (['reconstruction', 'kl'], True)
    """

    total: Tensor
    terms: dict[str, Tensor]
    weights: dict[str, float | Tensor]
    logged: dict[str, Tensor] = field(default_factory=dict)
    minimised: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "minimised", self.minimised or {"model": self.total})


_checked: ContextVar[bool] = ContextVar("checked", default=False)


@contextmanager
def already_checked() -> Iterator[None]:
    """Inside the block the loss takes images on trust: a training step must not wait to look at those that were looked at when
    they were loaded."""
    before = _checked.set(True)
    try:
        yield
    finally:
        _checked.reset(before)


def unchecked() -> bool:
    """Whether a loss that is asked for now has to look at its images."""
    return not _checked.get()
