"""The likelihood of what is known of an image, where some of its numbers are missing."""

from collections.abc import Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from diabolo.errors import DiaboloError
from diabolo.likelihoods.likelihood import Likelihood
from diabolo.parts import part
from diabolo.randomness import Draws


@part
class Known(Likelihood):
    """−log p of the numbers that are known: those that are NaN are left out of the loss, as if they were never asked for. Under
    the ELBO and the importance-weighted bound that bounds the likelihood of what was observed (MIWAE: Mattei & Frellsen 2019,
    arXiv 1812.02633), where what is missing does not depend on what it would have been.

    Args:
        inner: the likelihood of each number: one whose numbers are independent given the code, without parameters of their own;
            or `Mixed`, which knows what belongs together.

    Raises:
        DiaboloError: for one that learns a parameter for each feature, or compares whole images.

    Example:
        >>> x, raw = torch.tensor([[0.5, torch.nan]]), torch.zeros(1, 2)
        >>> inner = diabolo.likelihoods.Gaussian(sigma=1.0, output="linear")
        >>> diabolo.likelihoods.Known(inner).loss(raw, x), inner.loss(raw[:, :1], x[:, :1])
        (tensor([1.0439]), tensor([1.0439]))
    """

    def __init__(self, inner: Likelihood) -> None:
        super().__init__()
        if not inner.masks and (inner.per_feature or not inner.separable):
            raise DiaboloError(
                f"the likelihood {type(inner).__name__} does not score each number by itself, so that none can be missing: use "
                "gaussian, laplace, bernoulli or poisson with one scale for all"
            )
        self.inner = inner
        self.unit, self.support, self.density, self.counts = inner.unit, inner.support, inner.density, inner.counts
        self.scaled, self.logged = inner.scaled, inner.logged

    def check(self, shape: tuple[int, ...]) -> None:
        """What the inner one refuses."""
        self.inner.check(shape)

    def check_features(self, x: NDArray[Any], names: Sequence[str] | None = None) -> None:
        """What the inner one refuses."""
        self.inner.check_features(x, names)

    def prepare(self, shape: tuple[int, ...]) -> None:
        """What the inner one makes."""
        self.inner.prepare(shape)

    def mean(self, raw: Tensor) -> Tensor:
        """That of the inner one: of what is missing, too."""
        return self.inner.mean(raw)

    def drawn(self, raw: Tensor, draws: Draws) -> Tensor:
        """That of the inner one."""
        return self.inner.drawn(raw, draws)

    def loss(self, raw: Tensor, x: Tensor) -> Tensor:
        """The loss of each image (N,), in `unit`, over the numbers of `x` (N, …) that are not NaN; 0 where none is known."""
        return self._over_known(raw, x, None)

    def weighed(self, raw: Tensor, x: Tensor, weight: Tensor) -> Tensor:
        """The same, of images that count `weight` (N,)."""
        return self._over_known(raw, x, weight)

    def _over_known(self, raw: Tensor, x: Tensor, weight: Tensor | None) -> Tensor:
        if self.inner.masks:
            return self.inner.loss(raw, x) if weight is None else self.inner.weighed(raw, x, weight)
        known = ~x.isnan()
        image = known.flatten(1).nonzero()[:, 0]
        each = raw[known][:, None], x[known][:, None]
        if not len(image):
            return raw.flatten(1).sum(1) * 0.0
        losses = self.inner.loss(*each) if weight is None else self.inner.weighed(*each, weight[image])
        sums = torch.zeros(len(x), dtype=losses.dtype, device=losses.device).index_add(0, image, losses)
        if "per pixel" not in self.unit:
            return sums
        return sums / known.flatten(1).sum(1).clamp(min=1)
