"""How well a model that is told a part of an image completes it: many answers to one question, scored where it was not told."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from diabolo.autoencoder import Autoencoder
from diabolo.conditions import Quarter
from diabolo.data.images import Images
from diabolo.data.side import side
from diabolo.errors import DiaboloError
from diabolo.randomness import derive

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Completions:
    """k answers for each of N images.

    Attributes:
        images: (N, k, C, H, W) in [0, 1], as drawn.
        errors: (N, k), squared error per pixel over the pixels that the model was not told.
        of_mean: (N,), the same of the mean of an image's k answers.
    """

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
        return self.errors.mean(1)

    @property
    def spread(self) -> Floats:
        """(N,) the variance of the k answers per pixel that was not told. For every image, mean = of_mean + spread."""
        return self.mean - self.of_mean


def complete(model: Autoencoder, images: Images, k: int = 10, seed: int = 0) -> Completions:
    """`k` completions of each of `images` by a model that is told a quarter of them, with codes drawn from the prior (Sohn, Lee
    & Yan 2015, NeurIPS).

    Raises:
        DiaboloError: for a model with another condition.
    """
    told = model.condition
    if not isinstance(told, Quarter):
        raise DiaboloError(f"{model.name} is not told a quarter of the image, so it completes nothing")
    if k < 1:
        raise DiaboloError(f"the number of completions must be at least 1, not {k}")
    y = told.pick(torch.from_numpy(images.images), side(images, model.reads))
    unknown = np.ones(told.input_shape, bool)
    unknown[:, told.rows, told.columns] = False
    x = images.images / 255 if images.images.dtype == np.uint8 else images.images
    drawn = np.stack([model.sample(len(images), derive(seed, i), y).cpu().numpy() for i in range(k)], 1)
    wrong = (drawn - x[:, None])[:, :, unknown].astype(np.float64)
    return Completions(drawn, np.square(wrong).mean(2), np.square(wrong.mean(1)).mean(1))
