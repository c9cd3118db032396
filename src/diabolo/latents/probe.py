"""A linear probe: how probable an attribute is, by the code."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from diabolo.codec import Codec
from diabolo.errors import DiaboloError
from diabolo.latents.codes import check_codes, check_differ
from diabolo.masks import as_mask
from diabolo.metrics.probes import common_scale

Floats = NDArray[np.float64]
PENALTY = 1e-5  # of the weights of codes in one scale, against the mean cross entropy: keeps separable classes finite


@dataclass(frozen=True)
class Probe:
    """p(attribute | z) = σ(w·z + b).

    Attributes:
        weight: w (D,), in units of the codes as they are.
        bias: b.

    Example:
        >>> codes = np.random.default_rng(0).normal(size=(200, 2))
        >>> probe = diabolo.latents.Probe.fit(codes, codes[:, 0] > 0)
        >>> probe(np.array([[3.0, 0.0], [-3.0, 0.0]])).round(1)
        array([1., 0.])
    """

    weight: Floats
    bias: float

    @classmethod
    def fit(cls, codes: ArrayLike, has: ArrayLike) -> "Probe":
        """Logistic regression on codes (N, D), of which some have the attribute and some have not, (N,). All are divided by
        one number, see `common_scale`: an idle unit stays as small as it is."""
        from sklearn.linear_model import LogisticRegression  # slow to import

        z, some = halves(codes, has)
        mean, scale = z.mean(0), common_scale(z)
        fitted = LogisticRegression(C=1 / (PENALTY * len(z)), max_iter=1000).fit((z - mean) / scale, some)
        weight = fitted.coef_[0] / scale
        return cls(weight, float(fitted.intercept_[0] - weight @ mean))

    def __call__(self, codes: ArrayLike) -> Floats:
        """The probability (N,) for `codes` (N, D)."""
        from scipy.special import expit

        found: Floats = expit(check_codes(codes) @ self.weight + self.bias)
        return found


def judge(codec: Codec, probes: Mapping[str, Probe]) -> Callable[[NDArray[np.float32]], dict[str, Floats]]:
    """A judge of images (N, C, H, W): `codec`, which need not be the one that made them, encodes them for the `probes`."""

    def see(images: NDArray[np.float32]) -> dict[str, Floats]:
        z = codec.encode(torch.from_numpy(images)).flatten(1).cpu().numpy()
        return {name: probe(z) for name, probe in probes.items()}

    return see


def halves(codes: ArrayLike, has: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    """Codes (N, D) in float64, and which of them have an attribute, (N,).

    Raises:
        DiaboloError: when all codes are the same, when all have it or none has, and for labels that are neither 0 nor 1.
    """
    z = check_codes(codes, least=2)
    some = as_mask(has, "the labels that say which codes have the attribute", (len(z),))
    if some.all() or not some.any():
        raise DiaboloError(
            f"{'all' if some.all() else 'none'} of {len(z)} codes have the attribute: some must have it and some must not"
        )
    check_differ(z, "a direction")
    return z, some
