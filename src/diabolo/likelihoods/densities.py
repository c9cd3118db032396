"""Densities with one scale for all pixels: Gaussian and Laplace."""

import math
from typing import Annotated

import torch
from torch import Tensor, nn

from diabolo import distributed
from diabolo.bounds import held
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.likelihoods.likelihood import WithOutput
from diabolo.parts import part
from diabolo.ranges import Above

LOG_SIGMA_FLOOR = math.log(1 / (255 * math.sqrt(12)))  # σ of the rounding to 8 bits: no model of such pixels is sharper


@part
class Gaussian(WithOutput):
    """−log N(x; x_hat, σ²) in nats per image, with one σ for all pixels.

    Args:
        sigma: a number; "learned", a parameter; or "optimal", the σ that minimises the loss in closed form,
            σ² = mean (x − x_hat)² (σ-VAE, Rybkin et al. 2021, arXiv 2006.13202): computed on each training batch, and a
            running mean of it is used in evaluation.
        output: "sigmoid" or "linear".

    Example:
        >>> x, raw = torch.full((1, 1, 1, 1), 0.5), torch.zeros(1, 1, 1, 1)
        >>> diabolo.likelihoods.Gaussian(sigma=1.0).loss(raw, x)  # ½ log 2π
        tensor([0.9189])
    """

    unit = "nats per image"
    log_sigma: Tensor
    batches: Tensor

    def __init__(self, sigma: Annotated[float | str, Above(0)] = "optimal", output: str = "sigmoid") -> None:
        super().__init__(output)
        log_sigma = torch.zeros(()) if isinstance(sigma, str) else torch.tensor(float(sigma)).log()
        if log_sigma < LOG_SIGMA_FLOOR:
            raise DiaboloError(
                f"sigma {sigma} is below that of the rounding to 8 bits, {math.exp(LOG_SIGMA_FLOOR):.2g}"
            )
        self.optimal = sigma == "optimal"
        if sigma == "learned":
            self.log_sigma = nn.Parameter(log_sigma)
        elif not isinstance(sigma, str) or self.optimal:
            self.register_buffer("log_sigma", log_sigma)
            if self.optimal:
                self.register_buffer("batches", torch.zeros(()))
        else:
            raise UnknownNameError("sigma", sigma, ("learned", "optimal"))

    def loss(self, raw: Tensor, x: Tensor) -> Tensor:
        """Negative log-density of each image (N,), in nats."""
        squared = self.deviation(raw, x).square()
        log_sigma = self.log_sigma
        if self.optimal and self.training:
            log_sigma = 0.5 * distributed.mean(squared.mean()).clamp(min=math.exp(2 * LOG_SIGMA_FLOOR)).log()
            self.batches.add_(1)
            self.log_sigma.lerp_(log_sigma.detach(), (1 / self.batches).clamp(min=0.05))
        log_sigma = held(log_sigma, LOG_SIGMA_FLOOR)
        pixels = squared.shape[1]
        return 0.5 * squared.sum(1) * torch.exp(-2 * log_sigma) + pixels * (log_sigma + 0.5 * math.log(2 * math.pi))


@part
class Laplace(WithOutput):
    """−log Laplace(x; x_hat, b) = Σ |x − x_hat| / b + log 2b, in nats per image; b is a number or "learned".

    Example:
        >>> x, raw = torch.full((1, 1, 1, 1), 0.5), torch.zeros(1, 1, 1, 1)
        >>> diabolo.likelihoods.Laplace(scale=1.0).loss(raw, x)  # log 2
        tensor([0.6931])
    """

    unit = "nats per image"
    log_scale: Tensor

    def __init__(self, scale: Annotated[float | str, Above(0)] = "learned", output: str = "sigmoid") -> None:
        super().__init__(output)
        if isinstance(scale, str):
            if scale != "learned":
                raise UnknownNameError("scale", scale, ("learned",))
            self.log_scale = nn.Parameter(torch.zeros(()))
        elif math.exp(LOG_SIGMA_FLOOR) <= scale < math.inf:
            self.register_buffer("log_scale", torch.tensor(float(scale)).log())
        else:
            raise DiaboloError(f"scale must be above 0, not {scale}")

    def loss(self, raw: Tensor, x: Tensor) -> Tensor:
        """Negative log-density of each image (N,), in nats."""
        absolute = self.deviation(raw, x).abs()
        log_scale = held(self.log_scale, LOG_SIGMA_FLOOR)
        return absolute.sum(1) * torch.exp(-log_scale) + absolute.shape[1] * (log_scale + math.log(2))
