"""What every likelihood is, and the output that most share."""

from abc import abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

from diabolo.errors import UnknownNameError

OUTPUTS: dict[str, Callable[[Tensor], Tensor]] = {"sigmoid": torch.sigmoid, "linear": lambda raw: raw}


class Likelihood(nn.Module):
    """How a reconstruction is scored. `unit` says what `loss` is measured in.

    Example:
        >>> likelihood = diabolo.likelihoods.SquaredError(per="image")
        >>> isinstance(likelihood, diabolo.likelihoods.Likelihood), likelihood.unit
        (True, 'squared error per image')
    """

    unit: str

    def check(self, shape: tuple[int, ...]) -> None:  # most score anything
        """Refuse, in one sentence, images of `shape` where they cannot be scored: when the model is made."""

    @abstractmethod
    def mean(self, raw: Tensor) -> Tensor:
        """The reconstruction x_hat (N, …) that the decoder's output `raw` (N, …) stands for."""

    @abstractmethod
    def loss(self, raw: Tensor, x: Tensor) -> Tensor:
        """The loss of each image (N,), in `unit`, of `raw` (N, …) against the target `x` (N, …) in [0, 1]."""


class WithOutput(Likelihood):
    """A likelihood whose mean is the decoder's output through `output`: "sigmoid" (keeps it in [0, 1]) or "linear"."""

    def __init__(self, output: str) -> None:
        super().__init__()
        if output not in OUTPUTS:
            raise UnknownNameError("output", output, OUTPUTS)
        self.output = output

    def mean(self, raw: Tensor) -> Tensor:
        """x_hat = sigmoid(raw), or raw itself when `output` is "linear"."""
        return OUTPUTS[self.output](raw.float())

    def deviation(self, raw: Tensor, x: Tensor) -> Tensor:
        """x_hat − x, (N, pixels)."""
        return (self.mean(raw) - x).flatten(1)
