"""The Bernoulli for pixels that are grey, made a density."""

import math

import torch
from torch import Tensor

from diabolo.likelihoods.bernoulli import Bernoulli
from diabolo.likelihoods.likelihood import Likelihood
from diabolo.parts import part

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
