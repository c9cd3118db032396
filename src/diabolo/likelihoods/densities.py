"""Densities of pixels: of bits, and what becomes of that for grey pixels, with or without the constant that makes it a density;
of real numbers, with an error of known form, as wide for all of them or of a width per feature.
"""

import math
from typing import Annotated, Any

import torch
from torch import Tensor

from diabolo import distributed
from diabolo.bounds import held
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.likelihoods.likelihood import LEARNED, Likelihood, WithOutput
from diabolo.parts import part
from diabolo.ranges import Above


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


def bernoulli_nll(logits: Tensor, x: Tensor) -> Tensor:
    """−x log σ(l) − (1 − x) log(1 − σ(l)), elementwise, of `logits` l and `x` in [0, 1]."""
    return _CrossEntropy.apply(logits, x)  # type: ignore[no-any-return]  # apply is untyped


@part
class Bernoulli(Likelihood):
    """−log p = −Σ x log x_hat + (1 − x) log(1 − x_hat), from logits, in nats per image.

    A likelihood of the data only when pixels are 0 or 1; on grey pixels it is the usual cross entropy, no more.

    Example:
        >>> x, raw = torch.ones(1, 1, 1, 1), torch.zeros(1, 1, 1, 1)  # sigmoid(0) = ½
        >>> diabolo.likelihoods.Bernoulli().loss(raw, x)  # log 2 nats
        tensor([0.6931])
    """

    unit = "nats per image"

    def mean(self, raw: Tensor) -> Tensor:
        """x_hat = sigmoid(raw)."""
        return torch.sigmoid(raw.float())

    def loss(self, raw: Tensor, x: Tensor) -> Tensor:
        """Cross entropy of each image (N,), in nats, summed over its pixels."""
        return bernoulli_nll(raw.float(), x).flatten(1).sum(1)


NEAR = 0.5  # logits nearer to 0 than this go through the series: 1/l − 1/sinh l cancels there


def _by_parts(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Where logits are near 0, and the logits with those replaced, so that neither branch of `where` divides by 0."""
    near = logits.abs() < NEAR
    return near, torch.where(near, 1.0, logits)


def log_normaliser(logits: Tensor) -> Tensor:
    """log C(λ) = log(l / tanh(l / 2)) of logits l = log λ / (1 − λ), elementwise; log 2 at l = 0.

    With y = l / 2 near 0:  log 2 + y²/3 − 7 y⁴/90 + 62 y⁶/2835 − 127 y⁸/18900 + O(y¹⁰).
    """
    near, far = _by_parts(logits)
    y = torch.where(near, logits, 0.0).square() / 4
    series = math.log(2) + y * (1 / 3 - y * (7 / 90 - y * (62 / 2835 - y * 127 / 18900)))
    return torch.where(near, series, torch.log(far / torch.tanh(far / 2)))


@part
class ContinuousBernoulli(Likelihood):
    """−log p = −Σ [x log λ + (1 − x) log(1 − λ) + log C(λ)], logit λ = raw, in nats per image: the cross entropy of grey pixels
    made a density on [0, 1] (Loaiza-Ganem & Cunningham 2019, arXiv 1907.06845). Often negative, as densities above 1 are.

    The reconstruction x_hat is the mean of that density, which is *not* λ = sigmoid(raw): it is drawn towards ½.

    Example:
        >>> x, raw = torch.ones(1, 1, 1, 1), torch.zeros(1, 1, 1, 1)
        >>> diabolo.likelihoods.ContinuousBernoulli().loss(raw, x).abs() < 1e-6  # λ = ½ is uniform on [0, 1]: density 1
        tensor([True])
    """

    unit = "nats per image"
    density = True

    def __init__(self) -> None:
        super().__init__()
        self.cross_entropy = Bernoulli()

    def mean(self, raw: Tensor) -> Tensor:
        """x_hat = E[x] = λ / (2 λ − 1) + 1 / (2 artanh(1 − 2 λ)) = ½ + ½ coth(raw / 2) − 1 / raw, elementwise."""
        logits = raw.float()
        near, far = _by_parts(logits)
        small = torch.where(near, logits, 0.0)
        series = 0.5 + small * (1 / 12 - small**2 * (1 / 720 - small**2 * (1 / 30240 - small**2 / 1209600)))
        return torch.where(near, series, 0.5 + 0.5 / torch.tanh(far / 2) - 1 / far)

    def loss(self, raw: Tensor, x: Tensor) -> Tensor:
        """Negative log-density of each image (N,), in nats."""
        return self.cross_entropy.loss(raw, x) - log_normaliser(raw.float()).flatten(1).sum(1)


LOG_SIGMA_FLOOR = math.log(1 / (255 * math.sqrt(12)))  # σ of the rounding to 8 bits: no model of such pixels is sharper


def check_scale(name: str, value: float) -> None:
    """Refuse a scale, σ or b, that is below the floor."""
    if math.log(value) < LOG_SIGMA_FLOOR:
        raise DiaboloError(f"{name} {value} is below that of the rounding to 8 bits, {math.exp(LOG_SIGMA_FLOOR):.2g}")


def _summed(errors: Tensor, log_scale: Tensor, power: int, constant: float) -> Tensor:
    """Σ error / (power · s^power) + log s + constant over the numbers of each image (N,), of `errors` (N, pixels), with one s
    or one for each feature."""
    log_scale = log_scale.flatten()
    sums = errors.unflatten(1, (len(log_scale), -1)).sum(2)
    each = errors.shape[1] // len(log_scale)
    total: Tensor = (sums * torch.exp(-power * log_scale) / power).sum(1) + each * (log_scale + constant).sum()
    return total


@part
class Gaussian(WithOutput):
    """−log N(x; x_hat, σ²) = Σ (x − x_hat)² / 2 σ² + log σ + ½ log 2π, in nats per image, with one σ for all pixels, or one for
    each feature: each number of a vector, each channel of an image.

    σ is at least that of the rounding to 8 bits, 0.0011, in the units of the scaled numbers.

    Args:
        sigma: a number; "learned", a parameter; "per-feature", a parameter for each feature; or "optimal", the σ that minimises
            the loss in closed form, σ² = mean (x − x_hat)² (σ-VAE, Rybkin et al. 2021, arXiv 2006.13202): computed on each
            training batch, and a running mean of it is used in evaluation.
        output: "sigmoid" or "linear".

    Example:
        >>> x, raw = torch.full((1, 1, 1, 1), 0.5), torch.zeros(1, 1, 1, 1)
        >>> diabolo.likelihoods.Gaussian(sigma=1.0).loss(raw, x)  # ½ log 2π
        tensor([0.9189])
    """

    unit = "nats per image"
    density = True
    log_sigma: Tensor
    batches: Tensor

    def __init__(self, sigma: Annotated[float | str, Above(0)] = "optimal", output: str = "sigmoid") -> None:
        super().__init__(output)
        self.optimal = sigma == "optimal"
        if isinstance(sigma, str) and sigma not in (*LEARNED, "optimal"):
            raise UnknownNameError("sigma", sigma, (*LEARNED, "optimal"))
        if self.optimal:
            self.register_buffer("log_sigma", torch.zeros(()))
            self.register_buffer("batches", torch.zeros(()))
            return
        if not isinstance(sigma, str):
            check_scale("sigma", sigma)
        self.hold("sigma", sigma)

    def loss(self, raw: Tensor, x: Tensor) -> Tensor:
        """Negative log-density of each image (N,), in nats."""
        squared = self.deviation(raw, x).square()
        return self._density(squared, squared.mean())

    def weighed(self, raw: Tensor, x: Tensor, weight: Tensor) -> Tensor:
        """The same, with the optimal σ of images that count `weight` (N,) times each."""
        squared = self.deviation(raw, x).square()
        return self._density(squared, (weight * squared.mean(1)).sum() / weight.sum())

    def _density(self, squared: Tensor, mean: Tensor) -> Tensor:
        """Negative log-density of each image (N,) by its squared errors (N, pixels), the optimal σ² being their `mean`."""
        log_sigma = self.number("log_sigma")
        if self.optimal and self.training:
            log_sigma = 0.5 * distributed.mean(mean).clamp(min=math.exp(2 * LOG_SIGMA_FLOOR)).log()
            self.batches.add_(1)
            self.log_sigma.lerp_(log_sigma.detach(), (1 / self.batches).clamp(min=0.05))
        return _summed(squared, held(log_sigma, LOG_SIGMA_FLOOR), 2, 0.5 * math.log(2 * math.pi))


@part
class Laplace(WithOutput):
    """−log Laplace(x; x_hat, b) = Σ |x − x_hat| / b + log 2b, in nats per image; b is a number, "learned", or "per-feature":
    learned for each number of a vector, for each channel of an image.

    Example:
        >>> x, raw = torch.full((1, 1, 1, 1), 0.5), torch.zeros(1, 1, 1, 1)
        >>> diabolo.likelihoods.Laplace(scale=1.0).loss(raw, x)  # log 2
        tensor([0.6931])
    """

    unit = "nats per image"
    density = True
    log_scale: Tensor

    def __init__(self, scale: Annotated[float | str, Above(0)] = "learned", output: str = "sigmoid") -> None:
        super().__init__(output)
        if not isinstance(scale, str):
            check_scale("scale", scale)
        self.hold("scale", scale)

    def loss(self, raw: Tensor, x: Tensor) -> Tensor:
        """Negative log-density of each image (N,), in nats."""
        log_scale = held(self.number("log_scale"), LOG_SIGMA_FLOOR)
        return _summed(self.deviation(raw, x).abs(), log_scale, 1, math.log(2))
