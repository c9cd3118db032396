"""A linear probe: how probable an attribute is, by the code."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from diabolo.autoencoder import Codec
from diabolo.errors import DiaboloError
from diabolo.latents.codes import check_codes

Floats = NDArray[np.float64]
PENALTY = 1e-4  # of the weights of standardised codes, against the mean cross entropy: keeps separable classes finite


@dataclass(frozen=True)
class Probe:
    """p(attribute | z) = σ(w·z + b).

    Attributes:
        weight: w (D,), in units of the codes as they are.
        bias: b.
    """

    weight: Floats
    bias: float

    @classmethod
    def fit(cls, codes: ArrayLike, has: NDArray[np.bool_]) -> "Probe":
        """Logistic regression on standardised codes (N, D), of which some have the attribute and some have not, (N,)."""
        from sklearn.linear_model import LogisticRegression  # slow to import

        z = check_codes(codes, least=2)
        if has.shape != (len(z),) or has.all() or not has.any():
            raise DiaboloError(
                f"a probe needs codes that have the attribute and codes that have not, told by {len(z)} bools"
            )
        mean, deviation = z.mean(0), z.std(0)
        deviation[deviation == 0] = 1.0  # a dead unit: its weight will be 0
        fitted = LogisticRegression(C=1 / (PENALTY * len(z)), max_iter=1000).fit((z - mean) / deviation, has)
        weight = fitted.coef_[0] / deviation
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
