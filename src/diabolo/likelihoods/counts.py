"""Probabilities of counts: whole numbers of 0 or more, scored as they are.

The mean is exp(raw), the canonical link: a step of the decoder's output multiplies it, so that counts of 1 and of 10,000 are as
easily reached. log Γ of large counts is a difference of large numbers, so both are computed in float64.
"""

import math
from typing import Annotated

import torch
from torch import Tensor

from diabolo.bounds import held
from diabolo.hardware import wide
from diabolo.likelihoods.likelihood import Likelihood
from diabolo.parts import part
from diabolo.ranges import Above

MOST = 20.0  # of log mean: 5e8, beyond what float32 can count
MOST_THETA = 1e6  # of the inverse dispersion: Poisson's in all but name, and float64 still has the digits of log Γ
LOG_THETA = (math.log(1e-4), math.log(MOST_THETA))  # where a learned one is held


def poisson_nll(x: Tensor, log_rate: Tensor) -> Tensor:
    """−log P(x) = λ − x log λ + log x!, elementwise, of counts `x` and log λ."""
    return log_rate.exp() - x * log_rate + torch.lgamma(x + 1)


def negative_binomial_nll(x: Tensor, log_mean: Tensor, log_theta: Tensor) -> Tensor:
    """−log P(x) = θ log((θ + m) / θ) + x log((θ + m) / m) − log Γ(x + θ) + log Γ(θ) + log x!, elementwise, of counts `x`, log m
    and log θ."""
    theta, whole = log_theta.exp(), torch.logaddexp(log_mean, log_theta)
    ways = torch.lgamma(x + theta) - torch.lgamma(theta) - torch.lgamma(x + 1)
    return theta * (whole - log_theta) + x * (whole - log_mean) - ways


class Counts(Likelihood):
    """A likelihood of counts, whose mean is exp(raw)."""

    unit = "nats per image"
    support = (0.0, math.inf)
    counts = True
    suited = "real"

    def mean(self, raw: Tensor) -> Tensor:
        """x_hat = exp(raw), the expected count; at most e²⁰."""
        return held(raw.float(), high=MOST).exp()


@part
class Poisson(Counts):
    """−log P(x) = Σ λ − x log λ + log x!, λ = x_hat = exp(raw), in nats per image: of counts whose variance is their mean.

    Example:
        >>> x, raw = torch.tensor([[0.0, 2.0]]), torch.zeros(1, 2)  # λ = 1
        >>> diabolo.likelihoods.Poisson().loss(raw, x)  # 1 + (1 + log 2)
        tensor([2.6931])
    """

    def loss(self, raw: Tensor, x: Tensor) -> Tensor:
        """−log probability of each image (N,) of counts `x`, in nats."""
        nll = poisson_nll(wide(x), held(wide(raw), high=MOST))
        return nll.flatten(1).sum(1).to(raw.device, torch.float32)


@part
class NegativeBinomial(Counts):
    """−log P(x) of the negative binomial of mean m = x_hat = exp(raw) and inverse dispersion θ, in nats per image: counts whose
    variance m + m² / θ exceeds their mean, as of genes in cells (the parametrisation of scVI, Lopez et al. 2018, Nature Methods
    15:1053). For θ → ∞ it is Poisson's.

    log P(x) = log Γ(x + θ) − log Γ(θ) − log x! + θ log(θ / (θ + m)) + x log(m / (θ + m)); a learned θ is held between 0.0001
    and 1,000,000.

    Args:
        theta: θ: a number of at most 1,000,000; "learned", one for all features; or "per-feature", one for each number of a
            vector, for each channel of an image.

    Example:
        >>> x, raw = torch.zeros(1, 2), torch.zeros(1, 2)  # m = 1
        >>> diabolo.likelihoods.NegativeBinomial(theta=1.0).loss(raw, x)  # the chance of 0 is ½, twice
        tensor([1.3863])
    """

    log_theta: Tensor

    def __init__(self, theta: Annotated[float | str, Above(0, MOST_THETA)] = "per-feature") -> None:
        super().__init__()
        self.hold("theta", theta)
        self.learns_theta = isinstance(theta, str)

    def loss(self, raw: Tensor, x: Tensor) -> Tensor:
        """−log probability of each image (N,) of counts `x`, in nats."""
        log_theta = wide(self.number("log_theta"))
        log_theta = held(log_theta, *LOG_THETA) if self.learns_theta else log_theta
        nll = negative_binomial_nll(wide(x), held(wide(raw), high=MOST), log_theta)
        return nll.flatten(1).sum(1).to(raw.device, torch.float32)
