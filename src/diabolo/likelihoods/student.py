"""Real numbers with outliers: Student's t, whose tails are those of a power, not of an exponential."""

import math
from typing import Annotated

import torch
from torch import Tensor

from diabolo.bounds import held
from diabolo.hardware import wide
from diabolo.likelihoods.densities import LOG_SIGMA_FLOOR, check_scale
from diabolo.likelihoods.likelihood import WithOutput
from diabolo.parts import part
from diabolo.ranges import Above

START = 4.0  # degrees of freedom that a learned number begins with: what Lange et al. advise where little is known
LOG_DF = (0.0, math.log(1000.0))  # where a learned number is held: from Cauchy to what no data tell from a normal


def student_nll(deviation: Tensor, log_scale: Tensor, log_df: Tensor) -> Tensor:
    """−log t_ν((x − μ) / s) + log s, elementwise, of `deviation` x − μ, log s and log ν:
    ½ (ν + 1) log(1 + (x − μ)² / (ν s²)) + log Γ(ν / 2) − log Γ((ν + 1) / 2) + ½ log(π ν) + log s."""
    df = log_df.exp()
    tail = 0.5 * (df + 1) * torch.log1p(deviation.square() * torch.exp(-2 * log_scale - log_df))
    return tail + log_normaliser(log_df) + log_scale


def log_normaliser(log_df: Tensor) -> Tensor:
    """log Γ(ν / 2) − log Γ((ν + 1) / 2) + ½ log(π ν) of log ν, elementwise. In float64: the two are large and nearly equal."""
    df = wide(log_df).exp()
    found = torch.lgamma(df / 2) - torch.lgamma((df + 1) / 2) + 0.5 * (math.pi * df).log()
    return found.to(log_df.device, log_df.dtype)


@part
class StudentT(WithOutput):
    """−log p of Student's t around x_hat, of scale s and ν degrees of freedom, in nats per image (`student_nll`; Lange, Little
    & Taylor 1989, JASA 84:881): an error of k scales costs about (ν + 1) log k, where a Gaussian's costs k² / 2, so outliers
    pull little at the rest.

    x_hat is the location: the median of the density, and for ν > 1 its mean. Its standard deviation is s √(ν / (ν − 2)), for
    ν > 2. s is at least 0.0011, in the units of the scaled numbers; a learned ν is held between 1 and 1000.

    Args:
        df: ν: a number; "learned", one for all features; or "per-feature", one for each number of a vector, for each channel of
            an image.
        scale: s, likewise.
        output: "linear" or "sigmoid".

    Example:
        >>> x, raw = torch.zeros(1, 3), torch.zeros(1, 3)
        >>> diabolo.likelihoods.StudentT(df=1.0, scale=1.0).loss(raw, x)  # 3 log π
        tensor([3.4342])
    """

    unit = "nats per image"
    density = True
    log_df: Tensor
    log_scale: Tensor

    def __init__(
        self,
        df: Annotated[float | str, Above(0)] = "learned",
        scale: Annotated[float | str, Above(0)] = "per-feature",
        output: str = "linear",
    ) -> None:
        super().__init__(output)
        if not isinstance(scale, str):
            check_scale("scale", scale)
        self.hold("df", df, math.log(START))
        self.hold("scale", scale)
        self.learns_df = isinstance(df, str)

    def loss(self, raw: Tensor, x: Tensor) -> Tensor:
        """Negative log-density of each image (N,), in nats."""
        log_df, log_scale = self.number("log_df"), held(self.number("log_scale"), LOG_SIGMA_FLOOR)
        log_df = held(log_df, *LOG_DF) if self.learns_df else log_df
        return student_nll(self.mean(raw) - x, log_scale, log_df).flatten(1).sum(1)
