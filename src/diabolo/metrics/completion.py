"""How well a model that is given a part of an image completes it: many answers to one question, scored where it was
not given."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diabolo import distributed
from diabolo.autoencoder import Autoencoder
from diabolo.conditions import Quarter
from diabolo.data.columns import column
from diabolo.data.images import Images
from diabolo.errors import DiaboloError
from diabolo.randomness import derive

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Completions:
    """k answers for each of N images.

    Attributes:
        told: (N, C, H, W), the images as far as the model was told of them; the rest is grey.
        images: (N, k, C, H, W) in [0, 1], as drawn.
        errors: (N, k), squared error per pixel over the pixels that the model was not given.
        of_mean: (N,), the same of the mean of an image's k answers.

    Example:
        >>> completer = diabolo.zoo.completion(train.shape, latent_dim=4, hidden=(32,))
        >>> found = diabolo.metrics.complete(completer, test.take(range(5)), k=3)
        >>> isinstance(found, diabolo.metrics.Completions), found.errors.shape
        (True, (5, 3))
    """

    told: NDArray[np.float32]
    images: NDArray[np.float32]
    errors: Floats
    of_mean: Floats

    @property
    def best(self) -> Floats:
        """(N,) the smallest error of the k answers."""
        least: Floats = self.errors.min(1)
        return least

    @property
    def mean(self) -> Floats:
        """(N,) the mean error of the k answers: what a single one costs."""
        mean: Floats = self.errors.mean(1)
        return mean

    @property
    def spread(self) -> Floats:
        """(N,) the variance of the k answers per pixel that was not given. For every image, mean = of_mean + spread."""
        return self.mean - self.of_mean


@distributed.alone()
def complete(model: Autoencoder, images: Images, k: int = 10, seed: int = 0) -> Completions:
    """`k` completions of each of `images` by a model that is told a quarter of them, with codes drawn from the prior (Sohn, Lee
    & Yan 2015, NeurIPS).

    Raises:
        DiaboloError: for a model with another condition.

    Example:
        >>> completer = diabolo.zoo.completion(train.shape, latent_dim=4, hidden=(32,))
        >>> diabolo.metrics.complete(completer, test.take(range(5)), k=3).images.shape
        (5, 3, 1, 8, 8)
    """
    told = model.condition.core
    if not isinstance(told, Quarter):
        raise DiaboloError(f"{model.name} is not given a quarter of the image, so it completes nothing")
    if k < 1:
        raise DiaboloError(f"the number of completions must be at least 1, not {k}")
    y = told.pick(images.tensor, column(images, model.needs_column))
    unknown = np.ones(told.input_shape, bool)
    unknown[:, told.rows, told.columns] = False
    x = images.pixels
    known = np.where(unknown, np.float32(0.5), x)
    drawn = np.stack([model.sample(len(images), derive(seed, i), y).cpu().numpy() for i in range(k)], 1)
    wrong = (drawn - x[:, None])[:, :, unknown].astype(np.float64)
    return Completions(known, drawn, np.square(wrong).mean(2), np.square(wrong.mean(1)).mean(1))
