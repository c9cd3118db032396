"""How many components are enough: what each number of principal components costs, from one fit; how many are as good as
another code; and where a falling curve bends.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from diabolo.data.unit import to_float
from diabolo.errors import DiaboloError
from diabolo.pca import PCA

PIECE = 4096  # images at once


def error_by_components(pca: PCA, images: NDArray[Any]) -> NDArray[np.float64]:
    """Squared error per pixel with the first k of `pca`'s K components, k = 0 … K: (K + 1,), over `images` (N, …), uint8 or
    float in [0, 1].

    ‖x − x̂ₖ‖² = ‖x − μ‖² − Σ_{i ≤ k} zᵢ², since the components are orthonormal. Reconstructions may leave [0, 1] here.

    Example:
        >>> pca = diabolo.zoo.pca(train.shape, latent_dim=8)
        >>> run = diabolo.fit(pca, train, quiet=True)
        >>> errors = diabolo.metrics.error_by_components(pca, test.images)
        >>> errors.shape, bool((np.diff(errors) < 0).all())
        ((9,), True)
    """
    whole, parts = 0.0, np.zeros(pca.latent_shape[0])
    for start in range(0, len(images), PIECE):
        x = images[start : start + PIECE]
        parts += pca.encode(torch.from_numpy(x)).double().square().sum(0).numpy()
        scaled = to_float(x, np.float64)
        whole += float(np.square(scaled.reshape(len(x), -1) - pca.mu.double().numpy()).sum())
    left = whole - np.concatenate([[0.0], parts.cumsum()])
    return np.maximum(left, 0) / (len(images) * pca.mu.numel())


def components_needed(errors: ArrayLike, error: float) -> int:
    """The smallest k whose error `errors` (K + 1,), those of k = 0 … K, is `error` or less.

    Raises:
        DiaboloError: when none is.

    Example:
        >>> diabolo.metrics.components_needed(np.array([1.0, 0.5, 0.2, 0.1]), error=0.25)
        2
    """
    enough = np.flatnonzero(np.asarray(errors) <= error)
    if not len(enough):
        raise DiaboloError(f"no number of components has an error of {error:.4g} or less")
    return int(enough[0])


def elbow(x: ArrayLike, y: ArrayLike) -> float | None:
    """The x at which the curve lies farthest below the straight line between its ends, both axes scaled to [0, 1]: the knee of
    Satopää et al. 2011, "Finding a Kneedle in a Haystack". The smallest such x when there are several; None
    where the curve does not fall from its first point to its last.

    It depends on where the curve is cut off: with a longer tail it moves to the right.

    Args:
        x: (K,) rising, three or more.
        y: (K,) such as an error against dimensions.

    Raises:
        DiaboloError: for anything else.

    Example:
        >>> diabolo.metrics.elbow([1, 2, 4, 8, 16], [1.0, 0.5, 0.2, 0.18, 0.17])
        4.0
    """
    along, value = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if along.ndim != 1 or along.shape != value.shape or len(along) < 3 or not (np.diff(along) > 0).all():
        raise DiaboloError(
            f"an elbow is that of three points or more with rising x, not of {along.shape}, {value.shape}"
        )
    if not np.isfinite(value).all():
        raise DiaboloError("the curve holds NaN or infinity")
    if not value[0] > value[-1]:
        return None
    t = (along - along[0]) / (along[-1] - along[0])
    fallen = (value[0] - value) / (value[0] - value[-1])
    return float(along[int(np.argmax(fallen - t))])
