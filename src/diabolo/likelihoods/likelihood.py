"""What every likelihood is, the output that most share, and squared error, the plainest score."""

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.parts import part
from diabolo.randomness import Draws

OUTPUTS: dict[str, Callable[[Tensor], Tensor]] = {"sigmoid": torch.sigmoid, "linear": lambda raw: raw}
UNIT, REALS = (0.0, 1.0), (-math.inf, math.inf)
SUPPORTS = {"sigmoid": UNIT, "linear": REALS}  # by output
PER_FEATURE = "per-feature"
LEARNED = ("learned", PER_FEATURE)
HAIR = 1e-3  # so far outside the support rounding may carry a float


def feature_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of one number per feature of images of `shape`, which broadcasts over a batch: (D,) for vectors (D,), and one
    for each channel, (C, 1, …), for anything larger."""
    return (shape[0], *[1] * (len(shape) - 1))


class Likelihood(nn.Module):
    """How a reconstruction is scored.

    Attributes:
        unit: what `loss` is measured in.
        support: the least and the largest number, after scaling, that it can score.
        density: whether its loss is −log of a density of real numbers, which depends on the unit that these are measured in.
        counts: whether it scores whole numbers alone, which must not be scaled.
        separable: whether its loss is a sum, or a mean, of one for each number.
        masks: whether its loss leaves out by itself what is NaN.
        suited: the name of the scaling that suits it, whatever the numbers; None where these decide.
        scaled: the features of a vector that a scaling may change; None for all.
        logged: the features of a vector that are counts among others, which an encoder sees by their logarithm.
        per_feature: the parameters that it learns per feature, by name, and the value that each begins with.

    Example:
        >>> likelihood = diabolo.likelihoods.SquaredError(per="image")
        >>> isinstance(likelihood, diabolo.likelihoods.Likelihood), likelihood.unit
        (True, 'squared error per image')
    """

    unit: str
    support: tuple[float, float] = UNIT
    density: bool = False
    counts: bool = False
    separable: bool = True
    masks: bool = False
    suited: str | None = None
    scaled: tuple[int, ...] | None = None
    logged: tuple[int, ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self.per_feature: dict[str, float] = {}

    def check(self, shape: tuple[int, ...]) -> None:  # most score anything
        """Refuse, in one sentence, images of `shape` where they cannot be scored: when the model is made."""

    def check_data(self, low: float, high: float, whole: bool) -> None:
        """Refuse, in one sentence and before training, data that cannot be scored.

        Args:
            low, high: the least and the largest of their numbers, after scaling.
            whole: whether all of them are whole.

        Raises:
            DiaboloError: for numbers outside the support, and for fractions where counts are wanted.
        """
        (least, most), name = self.support, type(self).__name__
        if self.counts and (low < 0 or not whole):
            found = f"{low:g}" if low < 0 else "fractions"
            raise DiaboloError(
                f"the likelihood {name} scores counts, whole numbers of 0 or more, and the data hold {found}: use gaussian or "
                f"student-t"
            )
        if low < least - HAIR or high > most + HAIR:
            raise DiaboloError(
                f"the likelihood {name} scores numbers from {least:g} to {most:g}, and the data reach from {low:g} to "
                f"{high:g}: scale them to that range, or use gaussian or student-t with a linear output"
            )

    def check_features(self, x: NDArray[Any], names: Sequence[str] | None = None) -> None:  # most score any number
        """Refuse, in one sentence and before training, rows `x` (N, D) of features called `names` that cannot be scored."""

    def prepare(self, shape: tuple[int, ...]) -> None:
        """Make the parameters that are learned per feature of images of `shape`: when the model is made. Done twice it changes
        nothing.

        Raises:
            DiaboloError: for a likelihood that was prepared for other images.
        """
        wanted = feature_shape(tuple(shape))
        for name, start in self.per_feature.items():
            there = getattr(self, name)
            if there is None:
                setattr(self, name, nn.Parameter(torch.full(wanted, start)))
            elif tuple(there.shape) != wanted:
                raise DiaboloError(
                    f"this likelihood {type(self).__name__} learns {there.shape[0]} numbers {name}, and images of shape "
                    f"{tuple(shape)} have {wanted[0]} features: make one for each model"
                )

    def hold(self, what: str, value: float | str, start: float = 0.0) -> None:
        """Make log_`what`: of a number a buffer; "learned" a parameter, and "per-feature" one for each feature, which `prepare`
        makes, both with the value `start` at first.

        Raises:
            UnknownNameError: for another word.
        """
        name = f"log_{what}"
        if not isinstance(value, str):
            self.register_buffer(name, torch.tensor(float(value)).log())
        elif value == PER_FEATURE:
            self.register_parameter(name, None)
            self.per_feature[name] = start
        elif value == "learned":
            self.register_parameter(name, nn.Parameter(torch.full((), start)))
        else:
            raise UnknownNameError(what, value, LEARNED)

    def number(self, name: str) -> Tensor:
        """The parameter or buffer `name`: of one number, or of one for each feature.

        Raises:
            DiaboloError: before `prepare` has made it.
        """
        found: Tensor | None = getattr(self, name)
        if found is None:
            raise DiaboloError(
                f"the likelihood {type(self).__name__} learns {name} per feature, and nothing is known of the images yet: put "
                f"it into a model, or call prepare(shape)"
            )
        return found

    @abstractmethod
    def mean(self, raw: Tensor) -> Tensor:
        """The reconstruction x_hat (N, …) that the decoder's output `raw` (N, …) stands for."""

    @abstractmethod
    def loss(self, raw: Tensor, x: Tensor) -> Tensor:
        """The loss of each image (N,), in `unit`, of `raw` (N, …) against the target `x` (N, …) in [0, 1]."""

    def drawn(self, raw: Tensor, draws: Draws) -> Tensor:
        """What a sample (N, …) is that the decoder's output `raw` stands for: of most the mean, without the noise around it."""
        return self.mean(raw)

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
