"""What every likelihood is, the output that most share, and squared error, the plainest score."""

import math
from abc import abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

from diabolo.errors import UnknownNameError
from diabolo.parts import part

OUTPUTS: dict[str, Callable[[Tensor], Tensor]] = {"sigmoid": torch.sigmoid, "linear": lambda raw: raw}
UNIT, REALS = (0.0, 1.0), (-math.inf, math.inf)
SUPPORTS = {"sigmoid": UNIT, "linear": REALS}  # by output


class Likelihood(nn.Module):
    """How a reconstruction is scored.

    Attributes:
        unit: what `loss` is measured in.
        support: the least and the largest number, after scaling, that it can score.
        density: whether its loss is −log of a density of real numbers, which depends on the unit that these are measured in.

    Example:
        >>> likelihood = diabolo.likelihoods.SquaredError(per="image")
        >>> isinstance(likelihood, diabolo.likelihoods.Likelihood), likelihood.unit
        (True, 'squared error per image')
    """

    unit: str
    support: tuple[float, float] = UNIT
    density: bool = False

    def check(self, shape: tuple[int, ...]) -> None:  # most score anything
        """Refuse, in one sentence, images of `shape` where they cannot be scored: when the model is made."""

    @abstractmethod
    def mean(self, raw: Tensor) -> Tensor:
        """The reconstruction x_hat (N, …) that the decoder's output `raw` (N, …) stands for."""

    @abstractmethod
    def loss(self, raw: Tensor, x: Tensor) -> Tensor:
        """The loss of each image (N,), in `unit`, of `raw` (N, …) against the target `x` (N, …) in [0, 1]."""

    def weighed(self, raw: Tensor, x: Tensor, weight: Tensor) -> Tensor:
        """`loss`, not yet multiplied by `weight` (N,), of images that count so much: for what is fitted to the batch."""
        return self.loss(raw, x)


class WithOutput(Likelihood):
    """A likelihood whose mean is the decoder's output through `output`: "sigmoid" (keeps it in [0, 1]) or "linear"."""

    def __init__(self, output: str) -> None:
        super().__init__()
        if output not in OUTPUTS:
            raise UnknownNameError("output", output, OUTPUTS)
        self.output = output
        self.support = SUPPORTS[output]

    def mean(self, raw: Tensor) -> Tensor:
        """x_hat = sigmoid(raw), or raw itself when `output` is "linear"."""
        return OUTPUTS[self.output](raw.float())

    def deviation(self, raw: Tensor, x: Tensor) -> Tensor:
        """x_hat − x, (N, pixels)."""
        return (self.mean(raw) - x).flatten(1)


@part
class SquaredError(WithOutput):
    """‖x − x_hat‖², a mean over pixels (`per="pixel"`) or a sum (`per="image"`).

    The sum is −2 σ² log N(x; x_hat, σ²) up to a constant: as the reconstruction term of a VAE use `per="image"`, which is a
    Gaussian of σ² = 1/2. With `per="pixel"` a KL term of weight 1 is about (number of pixels) times too strong.

    Example:
        >>> x, raw = torch.ones(2, 1, 8, 8), torch.zeros(2, 1, 8, 8)  # sigmoid(0) = ½
        >>> diabolo.likelihoods.SquaredError().loss(raw, x)
        tensor([0.2500, 0.2500])
        >>> diabolo.likelihoods.SquaredError(per="image").loss(raw, x)
        tensor([16., 16.])
    """

    def __init__(self, per: str = "pixel", output: str = "sigmoid") -> None:
        super().__init__(output)
        if per not in ("pixel", "image"):
            raise UnknownNameError("unit of the squared error", per, ("pixel", "image"))
        self.per = per
        self.unit = f"squared error per {per}"

    def loss(self, raw: Tensor, x: Tensor) -> Tensor:
        """Squared error of each image (N,), per pixel or per image."""
        squared = self.deviation(raw, x).square()
        return squared.mean(1) if self.per == "pixel" else squared.sum(1)
