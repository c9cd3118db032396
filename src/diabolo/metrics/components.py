"""What each number of principal components costs, from one fit; and how many of them are as good as another code."""

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
