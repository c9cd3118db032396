"""Principal component analysis with the face of an autoencoder, so that every study can compare with it."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diabolo.bottlenecks import FeatureMap
from diabolo.codec import PlainCodec, as_codes, check_pixels, in_chunks, reach_of, scaled
from diabolo.data.images import Images
from diabolo.data.unit import to_float
from diabolo.errors import DiaboloError
from diabolo.memory import check_room
from diabolo.parts import part
from diabolo.randomness import Draws, generator
from diabolo.ranges import AnySeed, Count, checked
from diabolo.scaling import UNIT, Scaling
from diabolo.surroundings import undisturbed

PIXELS, IMAGES = 2048, 1024  # up to which the covariance is decomposed, or the images themselves


class Spread(FeatureMap):
    """The codes of a PCA as they are, drawn with the variances of its components."""

    def __init__(self, pca: "PCA") -> None:
        super().__init__(pca.latent_shape)
        self.__dict__["pca"] = pca  # not as a module of its own: that holds this one

    def prior(self, n: int, draws: Draws, device: torch.device) -> Tensor:
        """√λᵢ αᵢ with α ~ N(0, I), (n, D)."""
        alpha: Tensor = super().prior(n, draws, device)
        found: Tensor = alpha * self.__dict__["pca"].variances.sqrt()
        return found


@part
class PCA(PlainCodec):
    """z = Vᵀ (x − μ), x_hat = μ + V z: the linear codec of least squared error (Pearson 1901; Hotelling 1933).

    The fit is scikit-learn's; it is closed form, so `diabolo.fit` gives it no epochs. It is exact where there are no more than
    2,048 pixels or 1,024 images; else random projections find the components (Halko, Martinsson & Tropp 2011, SIAM Review 53),
    twice as many as are kept, so that for images, whose spectrum falls, the squared error is the least to five digits or more.

    Args:
        input_shape: (C, H, W) or (D,).
        latent_dim: the number of components.
        scaling: of the numbers whose covariance is decomposed, see `diabolo.scaling`; "standard" is PCA of correlations.

    Example:
        >>> pca = diabolo.PCA(train.shape, latent_dim=8)
        >>> run = diabolo.fit(pca, train, quiet=True)
        >>> pca.decode(pca.encode(test.images)).shape
        torch.Size([100, 1, 8, 8])
    """

    name = "pca"
    recipe: dict[str, Any] | None = None  # the options of the zoo's recipe, where that made it
    weights_of_seed: int | None = None  # it has none
    drawn_from = "codes drawn with the variances of its components"
    mu: Tensor
    components: Tensor
    variances: Tensor

    def __init__(self, input_shape: tuple[int, ...], latent_dim: Count, scaling: str | Scaling = "none") -> None:
        pixels = math.prod(input_shape)
        if not input_shape or latent_dim > pixels:
            raise DiaboloError(f"PCA of {pixels} pixels has 1 to {pixels} components, not {latent_dim}")
        super().__init__(input_shape, (latent_dim,), scaling)
        self.register_buffer("mu", torch.zeros(pixels))
        self.register_buffer("components", torch.zeros(latent_dim, pixels))  # rows vᵢ, orthonormal
        self.register_buffer("variances", torch.zeros(latent_dim))  # λᵢ, in falling order
        self.bottleneck = Spread(self)

    @undisturbed()
    def solve(self, images: np.ndarray | Images, seed: int = 0) -> None:
        """Fit to `images` (N, *input_shape), uint8 or floats; the scaling too.

        Raises:
            DiaboloError: for images of another shape, or fewer than components (or than two).
        """
        from sklearn.decomposition import PCA as SklearnPCA  # noqa: N811  # the same name on both sides; slow to import

        of = images if isinstance(images, Images) else None
        images = np.asarray(images.images if isinstance(images, Images) else images)
        if images.shape[1:] != self.input_shape:
            raise DiaboloError(f"expected images (N, {', '.join(map(str, self.input_shape))}), not {images.shape}")
        (latent_dim,) = self.latent_shape
        if len(images) < max(latent_dim, 2):
            raise DiaboloError(
                f"PCA with {latent_dim} components needs at least as many images, and two, not {len(images)}"
            )
        self.scaling.fit(Images(images) if of is None else of)
        flat = self._flat(images)
        solver: dict[str, Any] = {"svd_solver": "covariance_eigh"}
        if flat.shape[1] > min(PIXELS, len(flat)):
            solver = {"svd_solver": "full"}
            if len(flat) > IMAGES:
                solver = {"svd_solver": "randomized", "n_oversamples": max(20, latent_dim), "iterated_power": 7}
        with np.errstate(invalid="ignore"):  # shares of the variance, unused here, of images that are all the same
            fitted = SklearnPCA(latent_dim, **solver, random_state=seed % 2**32).fit(flat)
        for name, value in {
            "mu": fitted.mean_,
            "components": fitted.components_,
            "variances": fitted.explained_variance_,
        }.items():
            getattr(self, name).copy_(torch.from_numpy(np.ascontiguousarray(value)))

    @undisturbed()
    @torch.no_grad()
    def encode(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Codes (N, latent_dim) of the images `x` (N, *input_shape)."""
        self._refuse_unsolved()
        x = check_pixels(x, self.input_shape, reach_of(UNIT, self.scaling))
        return in_chunks(
            lambda part: (scaled(part, self.device, self.scaling).flatten(1) - self.mu) @ self.components.T, x
        )

    @undisturbed()
    @torch.no_grad()
    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Images (N, *input_shape) of the codes `z` (N, latent_dim), in the units of the data; PCA does not keep them within
        [0, 1]."""
        self._refuse_unsolved()
        z = as_codes(z, self.latent_shape)

        def some(part: Tensor) -> Tensor:
            x_hat = self.mu + part.to(self.device, self.mu.dtype) @ self.components
            return self.scaling.undo(x_hat.view(-1, *self.input_shape))

        return in_chunks(some, z)

    @checked
    @undisturbed()
    def sample(self, n: Count, seed: AnySeed = 0, y: Tensor | None = None) -> Tensor:
        """`n` images μ + Σ αᵢ √λᵢ vᵢ with α ~ N(0, I)."""
        check_room("n", n, 8 * (math.prod(self.input_shape) + math.prod(self.latent_shape)))
        draws = Draws(generator(seed, "sample", device=self.device))
        return self.decode(self.bottleneck.prior(n, draws, self.device))

    def _flat(self, images: np.ndarray) -> np.ndarray:
        """(N, pixels), scaled, in float64."""
        x = to_float(images, np.float64)
        if self.scaling.reach != UNIT:
            x = self.scaling(torch.from_numpy(x)).double().cpu().numpy()
        return x.reshape(len(x), -1)

    def _refuse_unsolved(self) -> None:
        if not self.components.any():
            raise DiaboloError(
                "this PCA has no components yet: give it images by solve(images), or diabolo.fit(model, images)"
            )
