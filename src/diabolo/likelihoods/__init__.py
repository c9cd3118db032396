"""p(x | z): how a reconstruction is scored.

The decoder gives `raw`, one real number per pixel. A likelihood turns it into the reconstruction x_hat (`mean`) and into a
loss per image (`loss`): sums over pixels unless the unit says otherwise, always in float32.
"""

from collections.abc import Callable
from typing import Any

from torch import nn

from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.likelihoods.counts import NegativeBinomial, Poisson
from diabolo.likelihoods.densities import LOG_SIGMA_FLOOR, Bernoulli, ContinuousBernoulli, Gaussian, Laplace
from diabolo.likelihoods.known import Known
from diabolo.likelihoods.likelihood import OUTPUTS, Likelihood, SquaredError, WithOutput
from diabolo.likelihoods.mixed import Mixed
from diabolo.likelihoods.ms_ssim import MSSSIM
from diabolo.likelihoods.perceptual import VGG16, Perceptual, features_of
from diabolo.likelihoods.student import StudentT

__all__ = [
    "LIKELIHOODS",
    "LOG_SIGMA_FLOOR",
    "MSSSIM",
    "OUTPUTS",
    "VGG16",
    "Bernoulli",
    "ContinuousBernoulli",
    "Gaussian",
    "Known",
    "Laplace",
    "Likelihood",
    "Mixed",
    "NegativeBinomial",
    "Perceptual",
    "Poisson",
    "SquaredError",
    "StudentT",
    "as_likelihood",
    "features_of",
]


def _perceptual(features: str | nn.Module | None = None, pixel_weight: float = 1.0) -> Perceptual:
    if features is None:
        raise DiaboloError("the perceptual likelihood needs a feature network: --features RUN, a run folder, or vgg16")
    return Perceptual(features if isinstance(features, nn.Module) else features_of(features), pixel=pixel_weight)


LIKELIHOODS: dict[str, Callable[..., Likelihood]] = {
    "squared-error": SquaredError,
    "bernoulli": Bernoulli,
    "continuous-bernoulli": ContinuousBernoulli,
    "gaussian": Gaussian,
    "laplace": Laplace,
    "student-t": StudentT,
    "poisson": Poisson,
    "negative-binomial": NegativeBinomial,
    "mixed": Mixed,
    "ms-ssim": MSSSIM,
    "perceptual": _perceptual,
}

OF = {
    "features": ("perceptual",),
    "pixel_weight": ("perceptual",),
    "sigma": ("gaussian", "mixed"),
    "scale": ("laplace", "student-t"),
    "df": ("student-t",),
    "theta": ("negative-binomial",),
    "types": ("mixed",),
}  # option: whose


def as_likelihood(value: str | Likelihood, unit_range: bool = True, **options: Any) -> Likelihood:
    """A likelihood by name with its defaults (see `LIKELIHOODS`), or as it is.

    Args:
        value: the name, or a likelihood.
        unit_range: whether the numbers that it is to score lie in [0, 1]; else its output is linear.
        **options: of "perceptual": `features`, a run folder, "vgg16" or a network, and `pixel_weight`; a number, or how it is
            found, is `sigma` of "gaussian" and "mixed", `scale` of "laplace" and "student-t", `df` of "student-t", and `theta`
            of "negative-binomial"; `types` of "mixed" are those of the columns. None is left out.

    Raises:
        UnknownNameError: for another name.
        DiaboloError: for options that this likelihood does not have.

    Example:
        >>> diabolo.likelihoods.as_likelihood("gaussian", sigma="learned").unit
        'nats per image'
    """
    if isinstance(value, str) and value not in LIKELIHOODS:
        raise UnknownNameError("likelihood", value, LIKELIHOODS)
    options = {name: option for name, option in options.items() if option is not None}
    for name in options:
        if name not in OF:
            raise UnknownNameError("option", name, OF)
        if value not in OF[name]:
            raise DiaboloError(f"the option {name} is for the likelihood {' or '.join(OF[name])}, not {value}")
    if not isinstance(value, str):
        return value
    made = LIKELIHOODS[value]
    if not unit_range and isinstance(made, type) and issubclass(made, WithOutput):
        options["output"] = "linear"
    return made(**options)
