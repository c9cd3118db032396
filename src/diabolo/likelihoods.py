"""p(x | z): how a reconstruction is scored.

The decoder gives `raw`, one real number per pixel. A likelihood turns it into the reconstruction x_hat (`mean`) and into a
loss per image (`loss`): sums over pixels unless the unit says otherwise, always in float32.
"""

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from diabolo import processes
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.parts import part

OUTPUTS: dict[str, Callable[[Tensor], Tensor]] = {"sigmoid": torch.sigmoid, "linear": lambda raw: raw}
LOG_SIGMA_FLOOR = math.log(1 / (255 * math.sqrt(12)))  # σ of the rounding to 8 bits: no model of such pixels is sharper


class Likelihood(nn.Module):
    """How a reconstruction is scored. `unit` says what `loss` is measured in."""

    unit: str

    @abstractmethod
    def mean(self, raw: Tensor) -> Tensor:
        """The reconstruction x_hat (N, …) that the decoder's output `raw` (N, …) stands for."""

    @abstractmethod
    def loss(self, raw: Tensor, x: Tensor) -> Tensor:
        """The loss of each image (N,), in `unit`, of `raw` (N, …) against the target `x` (N, …) in [0, 1]."""


class _WithOutput(Likelihood):
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


@part
class SquaredError(_WithOutput):
    """‖x − x_hat‖², a mean over pixels (`per="pixel"`) or a sum (`per="image"`).

    The sum is −2 σ² log N(x; x_hat, σ²) up to a constant: as the reconstruction term of a VAE use `per="image"`, which is a
    Gaussian of σ² = 1/2. With `per="pixel"` a KL term of weight 1 is about (number of pixels) times too strong.
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


class _CrossEntropy(torch.autograd.Function):
    """log(1 + e^l) − x l per pixel, with its derivative σ(l) − x.

    What `binary_cross_entropy_with_logits` computes, about seven times faster on a CPU: torch's log1p and softplus are not
    vectorised there, log and sigmoid are: log(1 + e^l) = max(l, 0) − log σ(|l|).
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, x: Tensor) -> Tensor:
        ctx.save_for_backward(logits, x)
        return logits.clamp(min=0).addcmul_(x, logits, value=-1).sub_(logits.abs().sigmoid_().log_())

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor | None]:
        logits, x = ctx.saved_tensors
        return grads[0] * (torch.sigmoid(logits) - x), -grads[0] * logits if ctx.needs_input_grad[1] else None


@part
class Bernoulli(Likelihood):
    """−log p = −Σ x log x_hat + (1 − x) log(1 − x_hat), from logits, in nats per image.

    A likelihood of the data only when pixels are 0 or 1; on grey pixels it is the usual cross entropy, no more.
    """

    unit = "nats per image"

    def mean(self, raw: Tensor) -> Tensor:
        """x_hat = sigmoid(raw)."""
        return torch.sigmoid(raw.float())

    def loss(self, raw: Tensor, x: Tensor) -> Tensor:
        """Cross entropy of each image (N,), in nats, summed over its pixels."""
        return _CrossEntropy.apply(raw.float(), x).flatten(1).sum(1)  # type: ignore[no-any-return]


@part
class Gaussian(_WithOutput):
    """−log N(x; x_hat, σ²) in nats per image, with one σ for all pixels.

    Args:
        sigma: a number; "learned", a parameter; or "optimal", the σ that minimises the loss in closed form,
            σ² = mean (x − x_hat)² (σ-VAE, Rybkin et al. 2021, arXiv 2006.13202): computed on each training batch, and a
            running mean of it is used in evaluation.
        output: "sigmoid" or "linear".
    """

    unit = "nats per image"
    log_sigma: Tensor
    batches: Tensor

    def __init__(self, sigma: float | str = "optimal", output: str = "sigmoid") -> None:
        super().__init__(output)
        log_sigma = torch.zeros(()) if isinstance(sigma, str) else torch.tensor(float(sigma)).log()
        if not torch.isfinite(log_sigma):
            raise DiaboloError(f"sigma must be above 0, not {sigma}")
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
            log_sigma = 0.5 * processes.mean(squared.mean()).clamp(min=math.exp(2 * LOG_SIGMA_FLOOR)).log()
            self.batches.add_(1)
            self.log_sigma.lerp_(log_sigma.detach(), (1 / self.batches).clamp(min=0.05))
        log_sigma = log_sigma.clamp(min=LOG_SIGMA_FLOOR)
        pixels = squared.shape[1]
        return 0.5 * squared.sum(1) * torch.exp(-2 * log_sigma) + pixels * (log_sigma + 0.5 * math.log(2 * math.pi))


@part
class Laplace(_WithOutput):
    """−log Laplace(x; x_hat, b) = Σ |x − x_hat| / b + log 2b, in nats per image; b is a number or "learned"."""

    unit = "nats per image"
    log_scale: Tensor

    def __init__(self, scale: float | str = "learned", output: str = "sigmoid") -> None:
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
        log_scale = self.log_scale.clamp(min=LOG_SIGMA_FLOOR)
        return absolute.sum(1) * torch.exp(-log_scale) + absolute.shape[1] * (log_scale + math.log(2))


LIKELIHOODS: dict[str, type[Likelihood]] = {
    "squared-error": SquaredError,
    "bernoulli": Bernoulli,
    "gaussian": Gaussian,
    "laplace": Laplace,
}


def as_likelihood(value: str | Likelihood) -> Likelihood:
    """A likelihood by name with its defaults ("squared-error", "bernoulli", "gaussian", "laplace"), or as it is.

    Raises:
        UnknownNameError: for another name.
    """
    if not isinstance(value, str):
        return value
    if value not in LIKELIHOODS:
        raise UnknownNameError("likelihood", value, LIKELIHOODS)
    return LIKELIHOODS[value]()
