"""How far one Gaussian is from another: the Kullback-Leibler divergence, of which the KL term of a VAE is a special case."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diabolo.errors import DiaboloError

Floats = NDArray[np.float64]
UNEVEN = 1e-6  # of the largest entry, by which a covariance may differ from its transpose: rounding in float32


def gaussian_kl(mean_p: ArrayLike, covariance_p: ArrayLike, mean_q: ArrayLike, covariance_q: ArrayLike) -> float:
    """KL(p ‖ q) = E_p log p/q in nats, of p = N(μ_p, Σ_p) and q = N(μ_q, Σ_q) over D dimensions:

    ½ (tr Σ_q⁻¹ Σ_p + (μ_p − μ_q)ᵀ Σ_q⁻¹ (μ_p − μ_q) − D + log det Σ_q − log det Σ_p)   (Kullback & Leibler 1951)

    It is 0 where p = q and above 0 elsewhere. It is no distance: with p and q exchanged it is another number.

    Args:
        mean_p, mean_q: (D,), or a single number that holds for every dimension.
        covariance_p, covariance_q: (D, D), symmetric and positive definite; (D,), the variances of independent
            dimensions; or a single variance that holds for every dimension. Variances are σ², not σ.

    Raises:
        DiaboloError: for shapes that do not fit, NaN or infinity, and covariances that are not positive definite.

    Example:
        >>> diabolo.metrics.gaussian_kl(0, 1, 2, 1)  # univariate: (μ_p − μ_q)² / 2σ²
        2.0
        >>> full = [[1.0, 0.8], [0.8, 1.0]]
        >>> round(diabolo.metrics.gaussian_kl([0, 0], full, 0, 1), 2), round(diabolo.metrics.gaussian_kl(0, 1, [0, 0], full), 2)
        (0.51, 1.27)
    """
    given = {
        "mean_p": _finite(mean_p, "mean_p"),
        "covariance_p": _finite(covariance_p, "covariance_p"),
        "mean_q": _finite(mean_q, "mean_q"),
        "covariance_q": _finite(covariance_q, "covariance_q"),
    }
    sizes = {size for value in given.values() for size in value.shape}
    deep = any(value.ndim > (1 if name.startswith("mean") else 2) for name, value in given.items())
    if len(sizes) > 1 or 0 in sizes or deep:
        shapes = ", ".join(f"{name} {value.shape}" for name, value in given.items())
        raise DiaboloError(f"means are (D,) and covariances (D, D) or (D,), of one D above 0, not {shapes}")
    size = next(iter(sizes), 1)
    root_p, root_q = (_root(given[f"covariance_{name}"], size, f"covariance_{name}") for name in "pq")
    apart = np.broadcast_to(given["mean_p"] - given["mean_q"], size)
    within = np.linalg.solve(root_q, np.column_stack([root_p, apart]))  # in units of the spread of q
    log_volumes = np.log(root_q.diagonal()).sum() - np.log(root_p.diagonal()).sum()
    return max(0.0, float((np.square(within).sum() - size) / 2 + log_volumes))  # below 0 by rounding alone


def _finite(value: ArrayLike, name: str) -> Floats:
    found: NDArray[Any] = np.asarray(value, np.float64)
    if not np.isfinite(found).all():
        raise DiaboloError(f"{name} holds NaN or infinity: a Gaussian has a finite mean and covariance")
    return found


def _root(covariance: Floats, size: int, name: str) -> Floats:
    """The lower triangular L (D, D) with L Lᵀ = Σ."""
    full = covariance if covariance.ndim == 2 else np.diag(np.broadcast_to(covariance, size))
    if np.abs(full - full.T).max() > UNEVEN * np.abs(full).max():
        raise DiaboloError(f"{name} is not symmetric: a covariance is the same as its transpose")
    try:
        root: NDArray[Any] = np.linalg.cholesky(full)
    except np.linalg.LinAlgError as error:
        least = np.linalg.eigvalsh(full).min()
        raise DiaboloError(
            f"{name} is not positive definite: its smallest eigenvalue is {least:.3g}; "
            f"give variances above 0, and leave out dimensions that others determine"
        ) from error
    return root
